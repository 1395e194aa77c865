//! `call: http` and `call: request`: from a task to a request, and from its response to an output or an error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jaq_json::Val;
use serde_json::{Map, Value, json};
use url::Url;

use super::arguments::Moment;
use super::{Run, content};
use crate::flow::exchange::{Request, Response};
use crate::flow::expression::value::{text_of, to_jq};
use crate::flow::fault::{Fault, Standard};
use crate::flow::hosts;
use crate::flow::model::{Authentication, Http, HttpOutput, NOTHING};
use crate::flow::session::Sending;
use crate::flow::template::Template;

impl Run<'_> {
    pub(super) async fn http(&self, http: &Http, input: &Val, moment: &Moment<'_>) -> Result<Val, Fault> {
        let request = self.request(http, input, moment)?;
        let mut authenticated = request.clone();
        let authentication = if http.connection { self.setting.connection.authentication.as_ref() } else { http.authentication.as_ref() };
        if let Some(authentication) = authentication {
            self.authenticate(&mut authenticated, authentication, input, moment)?;
        }
        self.allow(&authenticated.url)?;
        let sending = Sending { request: authenticated, credentials: None, rate: None };
        let response = self.setting.world.send(sending).await.map_err(|unanswered| {
            Fault::standard(unanswered.kind.standard(), "No answer", format!("{} {}: {unanswered}", request.method, shown(&request.url)))
        })?;
        if response.body.len() > self.setting.budget.response {
            let detail = format!("the response is bigger than {} bytes", self.setting.budget.response);
            return Err(Fault::standard(Standard::Communication, "Response too big", detail));
        }
        self.judge(http, &request, &response)?;
        Ok(output(http.output, &request, &response))
    }

    fn request(&self, http: &Http, input: &Val, moment: &Moment<'_>) -> Result<Request, Fault> {
        let method = text_of(&self.evaluate(&http.method, input, moment)?).to_ascii_uppercase();
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(Fault::expression(format!("`{method}` is not an HTTP method")));
        }
        let mut url = self.url(http, input, moment)?;
        for (name, value) in self.entries(http.query.as_ref(), input, moment)? {
            content::append_query(&mut url, &name, &value);
        }
        let mut headers = Vec::new();
        for (name, value) in self.entries(http.headers.as_ref(), input, moment)? {
            headers.extend(header(name, &value)?);
        }
        let body = match &http.body {
            None => Value::Null,
            Some(body) => self.bounded(&self.evaluate(body, input, moment)?)?,
        };
        let body = content::write(body, &mut headers);
        Ok(Request { method, url, headers, body })
    }

    fn url(&self, http: &Http, input: &Val, moment: &Moment<'_>) -> Result<Url, Fault> {
        let given = http.address.evaluate(input, moment).map_err(Fault::expression)?;
        let text = match &self.setting.connection.base {
            Some(base) if http.connection && !given.contains("://") => {
                let base = text_of(&self.evaluate(base, &NOTHING, moment)?);
                format!("{}/{}", base.trim_end_matches('/'), given.trim_start_matches('/'))
            }
            Some(_) | None => given,
        };
        let wrong = |why: String| Fault::standard(Standard::Configuration, "Not an address", format!("`{text}` {why}"));
        let url = Url::parse(&text).map_err(|error| wrong(format!("is not an address: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("is not an HTTP address".to_owned()));
        }
        Ok(url)
    }

    fn entries(&self, template: Option<&Template>, input: &Val, moment: &Moment<'_>) -> Result<Map<String, Value>, Fault> {
        let Some(template) = template else { return Ok(Map::new()) };
        match self.bounded(&self.evaluate(template, input, moment)?)? {
            Value::Object(entries) => Ok(entries),
            Value::Null => Ok(Map::new()),
            other => Err(Fault::expression(format!("headers and query are maps, not `{other}`"))),
        }
    }

    fn authenticate(&self, request: &mut Request, how: &Authentication, input: &Val, moment: &Moment<'_>) -> Result<(), Fault> {
        let text = |template: &Template| self.evaluate(template, input, moment).map(|value| text_of(&value));
        match how {
            Authentication::Basic { username, password } => {
                let credentials = STANDARD.encode(format!("{}:{}", text(username)?, text(password)?));
                request.headers.push(("authorization".to_owned(), format!("Basic {credentials}")));
            }
            Authentication::Bearer(token) => {
                let token = json!(format!("Bearer {}", text(token)?));
                request.headers.extend(header("authorization".to_owned(), &token)?);
            }
            Authentication::KeyInHeader { name, value } => request.headers.extend(header(name.clone(), &json!(text(value)?))?),
            Authentication::KeyInQuery { name, value } => content::append_query(&mut request.url, name, &json!(text(value)?)),
        }
        Ok(())
    }

    /// Refuses hosts that the connection does not allow, before anything is sent.
    fn allow(&self, url: &Url) -> Result<(), Fault> {
        let host = url.host_str().unwrap_or_default();
        match &self.setting.connection.hosts {
            Some(allowed) if !hosts::allows(allowed, host) => {
                Err(Fault::standard(Standard::Configuration, "Host not allowed", hosts::refusal(allowed, host)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Turns statuses that stand for errors into errors.
    fn judge(&self, http: &Http, request: &Request, response: &Response) -> Result<(), Fault> {
        let status = response.status;
        let answered = || format!("{} {} answered {status}", request.method, shown(&request.url));
        if let Some(mapping) = http.errors.iter().find(|mapping| mapping.statuses.contains(&status)) {
            return Err(self.declared(&mapping.raise, Some(answered()))?);
        }
        let good = if http.redirect { 200..400 } else { 200..300 };
        if good.contains(&status) {
            return Ok(());
        }
        let fault =
            Fault::standard(Standard::Communication, "Unsuccessful response", format!("{}{}", answered(), content::excerpt(response)));
        Err(Fault { status, ..fault })
    }
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

fn output(form: HttpOutput, request: &Request, response: &Response) -> Val {
    match form {
        HttpOutput::Content => content::read(response),
        HttpOutput::Raw => to_jq(&json!(STANDARD.encode(&response.body))),
        HttpOutput::Response => {
            let map =
                |headers: &[(String, String)]| headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>();
            let whole = json!({
                "request": { "method": request.method.to_ascii_lowercase(), "uri": request.url.as_str(), "headers": map(&request.headers) },
                "statusCode": response.status,
                "headers": map(&response.headers),
            });
            match (to_jq(&whole), content::read(response)) {
                (Val::Obj(mut entries), content) => {
                    std::sync::Arc::make_mut(&mut entries).insert(to_jq(&json!("content")), content);
                    Val::Obj(entries)
                }
                (other, _) => other,
            }
        }
    }
}

/// An address as messages show it: without its query.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}
