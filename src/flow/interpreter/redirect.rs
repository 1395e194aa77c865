//! Redirections: where they may lead, and what goes along.

use std::borrow::Cow;

use url::Url;

use super::Run;
use super::arguments::Moment;
use super::call::Undelivered;
use super::outgoing::{Exchange, Outgoing};
use super::turn::Going;
use crate::flow::data::Data;
use crate::flow::exchange::{Request, Response};
use crate::flow::fault::{Fault, Standard};
use crate::flow::model::Http;

/// How many redirections are followed.
const MOST: usize = 5;
/// Headers that prove who sends the request.
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

impl Run<'_> {
    /// Sends a request, and follows where it is redirected to.
    pub(super) async fn follow<'o>(
        &self,
        http: &Http,
        outgoing: &'o Outgoing,
        input: &Data,
        moment: &mut Moment<'_>,
        going: &Going<'_>,
    ) -> Result<Exchange<'o>, Undelivered> {
        let mut outgoing = Cow::Borrowed(outgoing);
        let mut followed = 0;
        loop {
            let response = self.deliver(&outgoing, going).await?;
            let target = if http.follows() { target(&outgoing.real, &response) } else { None };
            let Some(target) = target else { return Ok(Exchange { outgoing, response, impatience: None }) };
            if followed == MOST {
                let detail = format!("{} was redirected more than {MOST} times", outgoing.named());
                return Err(Fault::standard(Standard::Communication, "Too many redirections", detail).into());
            }
            followed += 1;
            let mut next = outgoing.moved(target)?;
            self.identify(http, &mut next, input, moment)?;
            outgoing = Cow::Owned(next);
        }
    }
}

impl Outgoing {
    /// The same request, sent to an address that the service gave. It goes without credentials, and to another host without any secret.
    pub(super) fn moved(&self, mut url: Url) -> Result<Self, Fault> {
        let refused = |why: &str| {
            let (from, to) = (self.named(), url.host_str().unwrap_or_default().to_owned());
            Fault::standard(Standard::Configuration, "Address refused", format!("{from} leads to `{to}`, {why}"))
        };
        if self.real.url.scheme() == "https" && url.scheme() != "https" {
            return Err(refused("but without encryption"));
        }
        let elsewhere = self.elsewhere || !is_same_host(&self.real.url, &url);
        if elsewhere && self.real.body != self.shown.body {
            return Err(refused("another host, to which a body with a secret does not go"));
        }
        // Credentials in an address would be the service's, not the flow's.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        let own = |headers: &[(String, String)], most: usize| -> Vec<(String, String)> {
            let own = headers.iter().take(most).filter(|header| !elsewhere || self.may_leave(header));
            own.cloned().collect()
        };
        let real = Request { url: url.clone(), headers: own(&self.real.headers, self.headers.0), ..self.real.clone() };
        let shown = Request { url, headers: own(&self.shown.headers, self.headers.1), ..self.shown.clone() };
        Ok(Self { rate: self.rate.clone(), elsewhere, ..Self::new(real, shown) })
    }

    fn may_leave(&self, header: &(String, String)) -> bool {
        let is_credential = CREDENTIALS.iter().any(|name| header.0.eq_ignore_ascii_case(name));
        !is_credential && self.real.headers.contains(header) && self.shown.headers.contains(header)
    }
}

/// Where a response redirects its request to, if that is to be followed: any request by 307 and 308, GET and HEAD by all.
fn target(request: &Request, response: &Response) -> Option<Url> {
    let is_followed = match response.status {
        301..=303 => matches!(request.method.as_str(), "GET" | "HEAD"),
        307 | 308 => true,
        _ => false,
    };
    let location = response.header("location").filter(|_| is_followed)?;
    request.url.join(location).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Whether credentials for one address may go to the other: it has the same host and port, and is not less encrypted.
pub(super) fn is_same_host(known: &Url, next: &Url) -> bool {
    let is_upgrade = (known.port_or_known_default(), next.port_or_known_default()) == (Some(80), Some(443));
    let ports = known.port_or_known_default() == next.port_or_known_default();
    known.host_str() == next.host_str() && ((ports && known.scheme() == next.scheme()) || (is_upgrade && next.scheme() == "https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_host_and_port() {
        let same = |known: &str, next: &str| is_same_host(&known.parse().unwrap(), &next.parse().unwrap());
        assert!(same("https://a.example/x", "https://a.example:443/y"));
        assert!(same("http://a.example/x", "https://a.example/x"));
        for (known, next) in [
            ("https://a.example/", "https://b.example/"),
            ("https://a.example/", "https://x.a.example/"),
            ("https://a.example/", "https://a.example:8443/"),
            ("https://a.example/", "http://a.example/"),
            ("http://a.example:8080/", "https://a.example/"),
        ] {
            assert!(!same(known, next), "{known} {next}");
        }
    }
}
