//! `call: http`, `call: request` and `call: openapi`: from a task to a request, and from its response to an output or an error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;

use super::Run;
use super::arguments::{Moment, object};
use super::outgoing::{Exchange, Outgoing};
use super::turn::Going;
use crate::flow::content::{ResponseForm, excerpt};
use crate::flow::data::{self, Data};
use crate::flow::exchange::{Request, Response, joined};
use crate::flow::expression::value::to_jq;
use crate::flow::fault::{Fault, Standard};
use crate::flow::hosts;
use crate::flow::model::{Authentication, Http, HttpOutput};
use crate::flow::session::{Sending, UNAUTHORIZED};
use crate::flow::told::What;
use crate::flow::world::{Denial, Unanswered, UnansweredKind};

/// Why a request got no response.
#[derive(Debug)]
pub(super) struct Undelivered {
    pub(super) fault: Fault,
    /// Whether the next attempt may get one.
    pub(super) passing: bool,
    /// What the authority said that gave no token. The request itself was then not sent.
    pub(super) denial: Option<Box<Denial>>,
}

impl From<Fault> for Undelivered {
    fn from(fault: Fault) -> Self {
        Self { fault, passing: false, denial: None }
    }
}

impl From<Undelivered> for Fault {
    fn from(undelivered: Undelivered) -> Self {
        undelivered.fault
    }
}

impl Run<'_> {
    pub(super) async fn http(&self, http: &Http, input: &Data, moment: &mut Moment<'_>, going: &Going<'_>) -> Result<Data, Fault> {
        let draft = self.draft(http, input, moment)?;
        if let Some(paging) = &http.policies.paging {
            return self.pages(http, paging, draft, input, moment, going).await;
        }
        let mut outgoing = draft.outgoing()?;
        let exchange = self.respond(http, &mut outgoing, input, moment, going).await?;
        self.output(http.output, &http.reads, &exchange)
    }

    /// Sends a request with all that its call asks for: credentials, a rate, redirections, repetitions, and errors told from responses.
    pub(super) async fn respond<'o>(
        &self,
        http: &Http,
        outgoing: &'o mut Outgoing,
        input: &Data,
        moment: &mut Moment<'_>,
        going: &Going<'_>,
    ) -> Result<Exchange<'o>, Fault> {
        let usual = self.setting.connection.rate.as_ref().filter(|_| http.connection);
        outgoing.rate = http.policies.rate.or(usual).cloned();
        self.identify(http, outgoing, input, moment)?;
        match self.persist(http, outgoing, input, moment, going).await {
            Ok(exchange) => self.judge(http, &exchange, moment).map(|()| exchange),
            Err(undelivered) => Err(self.denied(http, undelivered, moment)?),
        }
    }

    /// Adds the credentials of the call or of the connection, unless the request goes where they do not belong.
    pub(super) fn identify(&self, http: &Http, outgoing: &mut Outgoing, input: &Data, moment: &mut Moment<'_>) -> Result<(), Fault> {
        match self.authentication_of(http).filter(|_| !outgoing.elsewhere) {
            None => Ok(()),
            Some(authentication) => self.authenticate(outgoing, authentication, input, moment),
        }
    }

    /// How a call proves who it is: `call: request` as the connection does.
    pub(super) fn authentication_of<'h>(&'h self, http: &'h Http) -> Option<&'h Authentication> {
        if http.connection { self.setting.connection.authentication.as_deref() } else { http.authentication.as_deref() }
    }

    /// Sends a request, and tells of it.
    pub(super) async fn deliver(&self, outgoing: &Outgoing, going: &Going<'_>) -> Result<Response, Undelivered> {
        going.tell(|| What::Sent(Box::new(outgoing.shown.clone())));
        let answer = self.fetch(outgoing).await;
        going.tell(|| match &answer {
            Ok(response) => self.told(response),
            Err(undelivered) => What::Unanswered(undelivered.fault.detail.clone().unwrap_or_default()),
        });
        answer
    }

    /// Sends a request, if its host is allowed.
    pub(super) async fn fetch(&self, outgoing: &Outgoing) -> Result<Response, Undelivered> {
        self.allow(&outgoing.real.url, &outgoing.shown.url)?;
        self.sends(outgoing);
        let sending = Sending { request: outgoing.real.clone(), credentials: outgoing.credentials.clone(), rate: outgoing.rate.clone() };
        let answer = self.setting.world.send(sending).await;
        let response = answer.map_err(|unanswered| undelivered(outgoing, unanswered))?;
        if response.body.len() > self.setting.budget.response {
            let detail = format!("the response is bigger than {} bytes", self.setting.budget.response);
            return Err(Fault::standard(Standard::Communication, "Response too big", detail).into());
        }
        Ok(response)
    }

    /// Refuses hosts that the connection does not allow, before anything is sent; the second address is what is shown of the first.
    pub(super) fn allow(&self, url: &Url, shown: &Url) -> Result<(), Fault> {
        match &self.setting.connection.hosts {
            Some(allowed) if !hosts::allows(allowed, url.host_str().unwrap_or_default()) => {
                let refusal = hosts::refusal(allowed, shown.host_str().unwrap_or_default());
                let fault = Fault::standard(Standard::Configuration, "Host not allowed", refusal);
                Err(if url.host() == shown.host() { fault } else { fault.fatal() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn undelivered(outgoing: &Outgoing, why: Unanswered) -> Undelivered {
    let fault = Fault::standard(why.kind.standard(), "No answer", outgoing.told(&why));
    // What catches it would tell of the secret that makes the host.
    let fault = if outgoing.hides_host() { fault.fatal() } else { fault };
    match why.denial {
        None => {
            Undelivered { passing: matches!(why.kind, UnansweredKind::Communication | UnansweredKind::Timeout), ..Undelivered::from(fault) }
        }
        Some(denial) => {
            let fault = Fault { status: denial.status, title: Some("No token".to_owned()), ..fault };
            Undelivered { passing: denial.status != UNAUTHORIZED, fault, denial: Some(denial) }
        }
    }
}

/// Refuses responses that are not successful. A redirection is successful only where the flow says so.
pub(super) fn expected(redirect: bool, exchange: &Exchange<'_>) -> Result<(), Fault> {
    let response = &exchange.response;
    let good = if redirect { 200..400 } else { 200..300 };
    if good.contains(&response.status) {
        return Ok(());
    }
    let detail = format!("{}{}", answered(exchange), excerpt(response));
    let fault = Fault::standard(Standard::Communication, "Unsuccessful response", detail);
    Err(Fault { status: response.status, ..fault })
}

/// What came of a request, in a few words.
pub(super) fn answered(Exchange { outgoing, response, impatience }: &Exchange<'_>) -> String {
    let impatience = impatience.as_ref().map(|why| format!(" and {why}")).unwrap_or_default();
    format!("{} answered {}{impatience}", outgoing.named(), response.status)
}

impl Run<'_> {
    /// What a call returns of a response.
    pub(super) fn output(&self, form: HttpOutput, reads: &ResponseForm, exchange: &Exchange<'_>) -> Result<Data, Fault> {
        let content = || self.read(reads, &exchange.response);
        Ok(match form {
            HttpOutput::Content => content()?,
            HttpOutput::Raw => self.said(&json!(STANDARD.encode(&exchange.response.body))),
            HttpOutput::Response => {
                let [request, status, headers] = self.head(exchange);
                object([request, status, headers, ("content", content()?)])
            }
        })
    }

    /// All that is known of a response but its content.
    pub(super) fn head(&self, Exchange { outgoing, response, .. }: &Exchange<'_>) -> [(&'static str, Data); 3] {
        [
            ("request", Data::new(to_jq(&described(&outgoing.real)), data::marked(&described(&outgoing.shown)))),
            ("statusCode", Data::plain(to_jq(&json!(response.status)))),
            ("headers", self.said(&Value::Object(joined(&response.headers, str::to_owned)))),
        ]
    }
}

fn described(request: &Request) -> Value {
    json!({ "method": request.method.to_ascii_lowercase(), "uri": request.url.as_str(), "headers": joined(&request.headers, str::to_owned) })
}
