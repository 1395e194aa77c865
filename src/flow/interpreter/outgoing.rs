//! Requests in the making: what a flow says of them, on the real side and on the one that may be shown.

use serde_json::{Map, Value, json};
use url::Url;

use super::arguments::Moment;
use super::redirect::is_same_host;
use super::{Run, content};
use crate::flow::content::BodyForm;
use crate::flow::data::Data;
use crate::flow::exchange::{self, Request, Response};
use crate::flow::expression::value::text_of;
use crate::flow::fault::{Fault, Standard};
use crate::flow::methods;
use crate::flow::model::{Http, Place};
use crate::flow::session::{Credentials, Rate};
use crate::flow::template::Template;
use crate::flow::world::Unanswered;

/// A request ready to be sent, and the same request as it may be shown.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) real: Request,
    pub(super) shown: Request,
    pub(super) credentials: Option<Credentials>,
    pub(super) rate: Option<Rate>,
    /// Whether it goes to a host that a service named and that is not the flow's, so that no credentials go along.
    pub(super) elsewhere: bool,
    /// How many headers there were before credentials were added, on either side.
    pub(super) headers: (usize, usize),
}

/// What a request is made of: the real one, or the one that may be shown.
#[derive(Debug, Clone)]
pub(super) struct Side {
    method: String,
    address: String,
    headers: Value,
    query: Value,
    body: Value,
    sends: BodyForm,
    /// Query parameters that stand for those of the same name in the address.
    instead: Vec<String>,
}

/// A request before it is put together, so that parts of it can still change.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    real: Side,
    /// Nothing where no secret is in it.
    shown: Option<Side>,
    /// Whether data, not the connection, says to which host it goes.
    elsewhere: bool,
}

/// A request with its response.
pub(super) struct Exchange<'o> {
    pub(super) outgoing: std::borrow::Cow<'o, Outgoing>,
    pub(super) response: Response,
    /// Why it was not sent again, where the service asked to wait longer than allowed.
    pub(super) impatience: Option<String>,
}

impl Outgoing {
    /// A request of which all may be shown.
    pub(super) fn plain(request: Request) -> Self {
        Self::new(request.clone(), request)
    }

    pub(super) fn new(real: Request, shown: Request) -> Self {
        let headers = (real.headers.len(), shown.headers.len());
        Self { real, shown, credentials: None, rate: None, elsewhere: false, headers }
    }

    /// Adds a header.
    pub(super) fn header(&mut self, name: &str, real: &str, shown: &str) -> Result<(), Fault> {
        // What is wrong with a secret is not to be caught.
        let own = header(name.to_owned(), &json!(real)).map_err(|fault| if real == shown { fault } else { fault.fatal() });
        self.real.headers.extend(own?);
        self.shown.headers.extend(header(name.to_owned(), &json!(shown))?);
        Ok(())
    }

    /// Sets a query parameter.
    pub(super) fn query(&mut self, name: &str, real: &str, shown: &str) {
        content::set_query(&mut self.real.url, name, &json!(real));
        content::set_query(&mut self.shown.url, name, &json!(shown));
    }

    /// Why it was not answered. Where a secret makes its host, nothing is told that may name it.
    pub(super) fn told(&self, why: &Unanswered) -> String {
        if self.hides_host() { format!("{}: no answer came", self.named()) } else { format!("{}: {why}", self.named()) }
    }

    /// Whether a secret makes the host, or its port.
    pub(super) fn hides_host(&self) -> bool {
        self.real.url.host() != self.shown.url.host() || self.real.url.port() != self.shown.url.port()
    }

    /// The request in a few words, for messages: without its query.
    pub(super) fn named(&self) -> String {
        let mut url = self.shown.url.clone();
        url.set_query(None);
        // Addresses without a host, which alone have no place for a user, are none of HTTP.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        format!("{} {url}", self.shown.method)
    }
}

impl Draft {
    /// Sets a part of the request; a value that was there gives way.
    pub(super) fn set(&mut self, place: &Place, value: &Data, run: &Run<'_>) -> Result<(), Fault> {
        if value.is_secret() && self.shown.is_none() {
            self.shown = Some(self.real.clone());
        }
        self.real.set(place, run.bounded(value)?)?;
        match &mut self.shown {
            Some(shown) => shown.set(place, run.bounded_value(&value.public())?),
            None => Ok(()),
        }
    }

    /// Puts the request together.
    pub(super) fn outgoing(self) -> Result<Outgoing, Fault> {
        let elsewhere = self.elsewhere;
        let placed = |outgoing: Outgoing| Outgoing { elsewhere, ..outgoing };
        let Some(shown) = self.shown else { return self.real.request().map(Outgoing::plain).map(placed) };
        // What is wrong with the real side is told in the words of the other.
        let shown = shown.request();
        let real = self.real.request().map_err(|_| match &shown {
            Err(fault) => fault.clone(),
            Ok(_) => Fault::expression("a secret makes a request that cannot be sent").fatal(),
        })?;
        let shown = shown.unwrap_or_else(|_| Request { url: bare(&real.url), headers: Vec::new(), body: None, ..real.clone() });
        Ok(placed(Outgoing::new(real, shown)))
    }
}

impl Side {
    fn set(&mut self, place: &Place, value: Value) -> Result<(), Fault> {
        let scalar = |value: Value, what: &str| match value {
            Value::Array(_) | Value::Object(_) => Err(Fault::expression(format!("a list or a map cannot go into {what}"))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value),
        };
        match place {
            Place::Query(name) => {
                entered(&mut self.query)?.insert(name.clone(), scalar(value, "the query")?);
                if !self.instead.contains(name) {
                    self.instead.push(name.clone());
                }
            }
            Place::Header(name) => {
                let headers = entered(&mut self.headers)?;
                headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
                headers.insert(name.clone(), scalar(value, "a header")?);
            }
            Place::Body(path) => {
                let wrong = || Fault::expression(format!("the body is no map that `{}` can be set in", path.join(".")));
                let mut at = &mut self.body;
                for key in path {
                    if at.is_null() {
                        *at = Value::Object(Map::new());
                    }
                    at = at.as_object_mut().ok_or_else(wrong)?.entry(key.clone()).or_insert(Value::Null);
                }
                *at = value;
            }
        }
        Ok(())
    }

    fn request(self) -> Result<Request, Fault> {
        let method = self.method.to_ascii_uppercase();
        if !methods::is_sendable(&method) {
            return Err(Fault::expression(format!("`{method}` is not an HTTP method that can be sent")));
        }
        let mut url = Self::parse(&self.address)?;
        for (name, value) in entries(self.query)? {
            if self.instead.contains(&name) {
                content::set_query(&mut url, &name, &value);
            } else {
                content::append_query(&mut url, &name, &value);
            }
        }
        let mut headers = Vec::new();
        for (name, value) in entries(self.headers)? {
            headers.extend(header(name, &value)?);
        }
        let body = content::write(self.sends, &self.body, &mut headers)?;
        Ok(Request { method, url, headers, body })
    }

    pub(super) fn parse(address: &str) -> Result<Url, Fault> {
        let wrong = |kind, why: String| Fault::standard(kind, "Not an address", format!("`{address}` {why}"));
        // dsl.md, "Supported Protocols": what goes wrong with a call is an error of communication.
        let unread = |error| wrong(Standard::Communication, format!("is not an address: {error}"));
        let url = Url::parse(address).map_err(unread)?;
        if matches!(url.scheme(), "http" | "https") {
            return Ok(url);
        }
        Err(wrong(Standard::Configuration, "is not an HTTP address".to_owned()))
    }
}

impl Run<'_> {
    /// What a task says of its request.
    pub(super) fn draft(&self, http: &Http, input: &Data, moment: &Moment<'_>) -> Result<Draft, Fault> {
        let method = self.evaluate(&http.method, input, moment)?;
        let (address, shown_address) = self.address(http, input, moment)?;
        let elsewhere = self.is_elsewhere(http, &address, moment)?;
        let part =
            |template: &Option<Template>| template.as_ref().map_or(Ok(Data::null()), |template| self.evaluate(template, input, moment));
        let (headers, query, body) = (part(&http.headers)?, part(&http.query)?, part(&http.body)?);
        let real = Side {
            method: text_of(method.real()),
            address,
            headers: self.bounded(&headers)?,
            query: self.bounded(&query)?,
            body: self.bounded(&body)?,
            sends: http.sends,
            instead: Vec::new(),
        };
        let is_secret = shown_address.is_some() || [&method, &headers, &query, &body].into_iter().any(Data::is_secret);
        if !is_secret {
            return Ok(Draft { real, shown: None, elsewhere });
        }
        let shown = Side {
            method: text_of(&method.public()),
            address: shown_address.unwrap_or_else(|| real.address.clone()),
            headers: self.bounded_value(&headers.public())?,
            query: self.bounded_value(&query.public())?,
            body: self.bounded_value(&body.public())?,
            sends: http.sends,
            instead: Vec::new(),
        };
        Ok(Draft { real, shown: Some(shown), elsewhere })
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

    /// Whether a request of the connection goes to another host than that of its base address, because data says so. It then goes without
    /// the connection's credentials.
    fn is_elsewhere(&self, http: &Http, address: &str, moment: &Moment<'_>) -> Result<bool, Fault> {
        let Some(base) = self.setting.connection.base.as_ref().filter(|_| http.connection && !http.address.names_host()) else {
            return Ok(false);
        };
        let (base, _) = self.evaluate(base, &Data::null(), moment)?.texts();
        let (base, address) = (Url::parse(&base), Url::parse(address));
        Ok(base.is_ok_and(|base| address.is_ok_and(|address| !is_same_host(&base, &address))))
    }
}

fn entered(value: &mut Value) -> Result<&mut Map<String, Value>, Fault> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().ok_or_else(|| Fault::expression("headers and query are maps"))
}

fn entries(value: Value) -> Result<Map<String, Value>, Fault> {
    match value {
        Value::Object(entries) => Ok(entries),
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(Fault::expression("headers and query are maps")),
    }
}

/// The address that is shown where the real one depends on a secret.
pub(super) fn bare(url: &Url) -> Url {
    Url::parse("https://redacted.invalid/").unwrap_or_else(|_| url.clone())
}

fn header(name: String, value: &Value) -> Result<Option<(String, String)>, Fault> {
    let Some(text) = content::scalar(value) else { return Ok(None) };
    if !exchange::is_header_name(&name) {
        return Err(Fault::expression(format!("`{name}` is not the name of a header")));
    }
    if exchange::is_refused(&name) {
        return Err(Fault::expression(exchange::refusal(&name)));
    }
    if !exchange::is_header_value(&text) {
        return Err(Fault::expression(format!("the value of the header `{name}` has control characters")));
    }
    Ok(Some((name, text)))
}
