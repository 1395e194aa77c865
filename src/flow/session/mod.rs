//! What requests of one connection share beyond a single exchange: credentials that are asked for first, and the rate they keep to.

mod challenge;
mod client;
mod credentials;
mod digest;
mod grant;
mod rate;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod tests;
mod tokens;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::digest::Challenges;
use self::rate::Buckets;
use self::tokens::Tokens;
use super::exchange::{Request, Response};
use super::world::{Transport, Unanswered};

pub use credentials::{ClientAuthentication, Credentials, Grant, OAuth2};
pub use rate::Rate;

/// What a service answers to credentials that are no good, RFC 9110, section 15.5.2.
pub(super) const UNAUTHORIZED: u16 = 401;

/// A request with what whoever sends it adds.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Sending {
    /// The request as the flow wrote it; basic, bearer and key authentication are in its headers or query already.
    pub request: Request,
    /// Credentials that take requests of their own.
    pub credentials: Option<Credentials>,
    /// The rate that requests of this connection keep to.
    pub rate: Option<Rate>,
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending")
            .field("method", &self.request.method)
            .field("host", &self.request.url.host_str())
            .field("credentials", &self.credentials)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

/// Sends requests for one connection. Shared by all of its runs, which may be many at once: what one run learns (a token, a
/// challenge) all of them use. A future that is dropped holds nobody up.
#[derive(Default)]
pub struct Session {
    challenges: Challenges,
    tokens: Tokens,
    buckets: Buckets,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Sends a request with its credentials, at its rate.
    ///
    /// # Errors
    /// What the transport says, and [`super::UnansweredKind::Authentication`] where no token could be had. No error holds a secret.
    pub async fn send(&self, transport: &dyn Transport, sending: Sending) -> Result<Response, Unanswered> {
        let Sending { request, credentials, rate } = sending;
        match credentials {
            None => self.exchange(transport, request, rate.as_ref()).await,
            Some(Credentials::Digest { username, password }) => {
                self.send_with_digest(transport, request, (&username, &password), rate.as_ref()).await
            }
            Some(Credentials::OAuth2(oauth2)) => self.send_with_token(transport, request, &oauth2, rate.as_ref()).await,
        }
    }

    /// The tokens it has at hand, to keep them out of whatever is shown.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.tokens.texts()
    }

    async fn exchange(&self, transport: &dyn Transport, request: Request, rate: Option<&Rate>) -> Result<Response, Unanswered> {
        self.buckets.wait(transport, rate).await?;
        transport.exchange(request).await
    }
}

/// A request whose only authorization is this one.
fn authorized(mut request: Request, authorization: String) -> Request {
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    request.headers.push(("Authorization".to_owned(), authorization));
    request
}

/// A number that is used once, 128 bits of chance.
fn nonce(transport: &dyn Transport) -> String {
    format!("{:016x}{:016x}", transport.random(), transport.random())
}
