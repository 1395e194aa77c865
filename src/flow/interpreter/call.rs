//! `call: http`, `call: request` and `call: openapi`: from a task to a request, and from its response to an output or an error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use url::Url;

use super::arguments::{Moment, object};
use super::turn::Going;
use super::{Run, content};
use crate::flow::content::{BodyForm, ResponseForm, excerpt};
use crate::flow::data::Data;
use crate::flow::exchange::{Request, Response};
use crate::flow::expression::value::{text_of, to_jq};
use crate::flow::fault::{Fault, Standard};
use crate::flow::hosts;
use crate::flow::model::{Http, HttpOutput};
use crate::flow::session::{Credentials, Rate, Sending};
use crate::flow::template::Template;
use crate::flow::told::What;

/// A request on its way, beside what may be shown of it.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) real: Request,
    pub(super) shown: Request,
    pub(super) credentials: Option<Credentials>,
    pub(super) rate: Option<Rate>,
}

/// What a request is made of, on the real side or on the other.
pub(super) struct Side {
    method: String,
    address: String,
    headers: Value,
    query: Value,
    body: Value,
    sends: BodyForm,
}

impl Outgoing {
    /// Adds a header.
    pub(super) fn header(&mut self, name: &str, real: &str, shown: &str) -> Result<(), Fault> {
        self.real.headers.extend(header(name.to_owned(), &json!(real))?);
        self.shown.headers.extend(header(name.to_owned(), &json!(shown))?);
        Ok(())
    }

    /// Adds a query parameter.
    pub(super) fn query(&mut self, name: &str, real: &Value, shown: &Value) {
        content::append_query(&mut self.real.url, name, real);
        content::append_query(&mut self.shown.url, name, shown);
    }

    /// The request in a few words, for messages: without its query.
    pub(super) fn named(&self) -> String {
        let mut url = self.shown.url.clone();
        url.set_query(None);
        format!("{} {url}", self.shown.method)
    }
}

impl Side {
    fn request(self) -> Result<Request, Fault> {
        let method = self.method.to_ascii_uppercase();
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(Fault::expression(format!("`{method}` is not an HTTP method")));
        }
        let mut url = Self::parse(&self.address)?;
        for (name, value) in entries(self.query)? {
            content::append_query(&mut url, &name, &value);
        }
        let mut headers = Vec::new();
        for (name, value) in entries(self.headers)? {
            headers.extend(header(name, &value)?);
        }
        let body = content::write(self.sends, &self.body, &mut headers)?;
        Ok(Request { method, url, headers, body })
    }

    pub(super) fn parse(address: &str) -> Result<Url, Fault> {
        let wrong = |why: String| Fault::standard(Standard::Configuration, "Not an address", format!("`{address}` {why}"));
        let url = Url::parse(address).map_err(|error| wrong(format!("is not an address: {error}")))?;
        if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(wrong("is not an HTTP address".to_owned())) }
    }
}

fn entries(value: Value) -> Result<Map<String, Value>, Fault> {
    match value {
        Value::Object(entries) => Ok(entries),
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(Fault::expression("headers and query are maps")),
    }
}

impl Run<'_> {
    pub(super) async fn http(&self, http: &Http, input: &Data, moment: &mut Moment<'_>, going: &Going<'_>) -> Result<Data, Fault> {
        let mut outgoing = self.outgoing(http, input, moment)?;
        let authentication = if http.connection { self.setting.connection.authentication.as_ref() } else { http.authentication.as_ref() };
        if let Some(authentication) = authentication {
            self.authenticate(&mut outgoing, authentication, input, moment)?;
        }
        let response = self.deliver(&outgoing, going).await?;
        self.judge(http, &outgoing, &response)?;
        output(http.output, &http.reads, &outgoing, &response)
    }

    /// Sends a request, and tells of it.
    pub(super) async fn deliver(&self, outgoing: &Outgoing, going: &Going<'_>) -> Result<Response, Fault> {
        going.tell(|| What::Sent(Box::new(outgoing.shown.clone())));
        let answer = self.fetch(outgoing).await;
        going.tell(|| match &answer {
            Ok(response) => content::told(response),
            Err(fault) => What::Unanswered(fault.detail.clone().unwrap_or_default()),
        });
        answer
    }

    /// Sends a request, if its host is allowed.
    pub(super) async fn fetch(&self, outgoing: &Outgoing) -> Result<Response, Fault> {
        self.allow(&outgoing.real.url)?;
        let sending = Sending { request: outgoing.real.clone(), credentials: outgoing.credentials.clone(), rate: outgoing.rate.clone() };
        let answer = self.setting.world.send(sending).await;
        let response = answer.map_err(|unanswered| {
            Fault::standard(unanswered.kind.standard(), "No answer", format!("{}: {unanswered}", outgoing.named()))
        })?;
        if response.body.len() > self.setting.budget.response {
            let detail = format!("the response is bigger than {} bytes", self.setting.budget.response);
            return Err(Fault::standard(Standard::Communication, "Response too big", detail));
        }
        Ok(response)
    }

    fn outgoing(&self, http: &Http, input: &Data, moment: &Moment<'_>) -> Result<Outgoing, Fault> {
        let method = self.evaluate(&http.method, input, moment)?;
        let (address, shown_address) = self.address(http, input, moment)?;
        let part =
            |template: &Option<Template>| template.as_ref().map_or(Ok(Data::null()), |template| self.evaluate(template, input, moment));
        let (headers, query, body) = (part(&http.headers)?, part(&http.query)?, part(&http.body)?);
        let real = Side {
            method: text_of(method.real()),
            address,
            headers: self.bounded_value(headers.real())?,
            query: self.bounded_value(query.real())?,
            body: self.bounded_value(body.real())?,
            sends: http.sends,
        };
        let is_secret = shown_address.is_some() || [&method, &headers, &query, &body].into_iter().any(Data::is_secret);
        if !is_secret {
            let real = real.request()?;
            return Ok(Outgoing { shown: real.clone(), real, credentials: None, rate: None });
        }
        let shown = Side {
            method: text_of(&method.masked()),
            address: shown_address.unwrap_or_else(|| real.address.clone()),
            headers: self.bounded_value(&headers.masked())?,
            query: self.bounded_value(&query.masked())?,
            body: self.bounded_value(&body.masked())?,
            sends: http.sends,
        };
        // What is wrong with the real side is told in the words of the other.
        let shown = shown.request();
        let real = real.request().map_err(|_| match &shown {
            Err(fault) => fault.clone(),
            Ok(_) => Fault::expression("a secret makes a request that cannot be sent"),
        })?;
        let shown = shown.unwrap_or_else(|_| Request { url: bare(&real.url), headers: Vec::new(), body: None, ..real.clone() });
        Ok(Outgoing { real, shown, credentials: None, rate: None })
    }

    /// The address, and what may be shown of it where a secret is in it.
    fn address(&self, http: &Http, input: &Data, moment: &Moment<'_>) -> Result<(String, Option<String>), Fault> {
        let (real, shown) = http.address.evaluate(input, moment).map_err(Fault::expression)?;
        match &self.setting.connection.base {
            Some(base) if http.connection && !real.contains("://") => {
                let (base, shown_base) = self.evaluate(base, &Data::null(), moment)?.texts();
                let join = |base: &str, path: &str| format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'));
                let is_secret = shown.is_some() || shown_base.is_some();
                let shown = is_secret.then(|| join(shown_base.as_deref().unwrap_or(&base), shown.as_deref().unwrap_or(&real)));
                Ok((join(&base, &real), shown))
            }
            Some(_) | None => Ok((real, shown)),
        }
    }

    /// Refuses hosts that the connection does not allow, before anything is sent.
    pub(super) fn allow(&self, url: &Url) -> Result<(), Fault> {
        let host = url.host_str().unwrap_or_default();
        match &self.setting.connection.hosts {
            Some(allowed) if !hosts::allows(allowed, host) => {
                Err(Fault::standard(Standard::Configuration, "Host not allowed", hosts::refusal(allowed, host)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Turns statuses that stand for errors into errors.
    fn judge(&self, http: &Http, outgoing: &Outgoing, response: &Response) -> Result<(), Fault> {
        let answered = || format!("{} answered {}", outgoing.named(), response.status);
        if let Some(mapping) = http.errors.iter().find(|mapping| mapping.statuses.contains(&response.status)) {
            return Err(self.declared(&mapping.raise, Some(answered()))?);
        }
        expected(http.redirect, outgoing, response)
    }
}

/// Refuses responses that are not successful. A redirection is successful only where the flow says so.
pub(super) fn expected(redirect: bool, outgoing: &Outgoing, response: &Response) -> Result<(), Fault> {
    let good = if redirect { 200..400 } else { 200..300 };
    if good.contains(&response.status) {
        return Ok(());
    }
    let detail = format!("{} answered {}{}", outgoing.named(), response.status, excerpt(response));
    let fault = Fault::standard(Standard::Communication, "Unsuccessful response", detail);
    Err(Fault { status: response.status, ..fault })
}

/// An address of which nothing but the host may be shown.
pub(super) fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_path("/");
    bare
}

fn header(name: String, value: &Value) -> Result<Option<(String, String)>, Fault> {
    let Some(text) = content::scalar(value) else { return Ok(None) };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(Fault::expression(format!("`{name}` is not the name of a header")));
    }
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Fault::expression(format!("the value of the header `{name}` has control characters")));
    }
    Ok(Some((name, text)))
}

/// What a call returns of a response.
pub(super) fn output(form: HttpOutput, reads: &ResponseForm, outgoing: &Outgoing, response: &Response) -> Result<Data, Fault> {
    Ok(match form {
        HttpOutput::Content => Data::plain(content::read(reads, response)?),
        HttpOutput::Raw => Data::plain(to_jq(&json!(STANDARD.encode(&response.body)))),
        HttpOutput::Response => object([
            ("request", Data::new(to_jq(&described(&outgoing.real)), to_jq(&described(&outgoing.shown)))),
            ("statusCode", Data::plain(to_jq(&json!(response.status)))),
            ("headers", Data::plain(to_jq(&map(&response.headers)))),
            ("content", Data::plain(content::read(reads, response)?)),
        ]),
    })
}

fn described(request: &Request) -> Value {
    json!({ "method": request.method.to_ascii_lowercase(), "uri": request.url.as_str(), "headers": map(&request.headers) })
}

/// Headers as a map; those that come several times are one text with commas, RFC 9110, section 5.3.
fn map(headers: &[(String, String)]) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in headers {
        match map.get_mut(name) {
            Some(Value::String(before)) => {
                before.push_str(", ");
                before.push_str(value);
            }
            Some(_) | None => drop(map.insert(name.clone(), json!(value))),
        }
    }
    Value::Object(map)
}
