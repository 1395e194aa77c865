//! A request that reaches a webhook, and what the flow sees of it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::flow::content::essence;
use crate::flow::exchange::{bytes, joined};

/// How long the body of a request may be, in bytes.
pub const MOST_BODY: usize = 8 << 20;

/// A request that reaches a webhook, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Incoming {
    /// The method, in any case.
    pub method: String,
    /// The whole address, query included, as the service knows it: some sign it.
    pub url: String,
    /// The path below the connector's own address.
    pub path: String,
    /// Headers with their values, in any case and order.
    pub headers: Vec<(String, String)>,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// The body, byte for byte.
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
}

/// The body is not what its content type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotJson;

impl Incoming {
    /// The value of a header; of several of one name all of them, with commas between them.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let first = values.next()?;
        let others: Vec<&str> = values.collect();
        if others.is_empty() {
            return Some(first.into());
        }
        Some(format!("{first}, {}", others.join(", ")).into())
    }

    /// The first value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The request as expressions and flows see it: `{ method, path, headers, query, body }`.
    pub(super) fn seen(&self, body: Value) -> Map<String, Value> {
        let Value::Object(seen) = json!({
            "method": self.method.to_ascii_lowercase(),
            "path": self.path,
            "headers": joined(&self.headers, str::to_ascii_lowercase),
            "query": by_name(&self.query),
            "body": body,
        }) else {
            return Map::new();
        };
        seen
    }

    /// The request as a signature sees it: with its whole address, and its body as text.
    pub(super) fn signed(&self, body: &str) -> Map<String, Value> {
        let mut seen = self.seen(Value::String(body.to_owned()));
        seen.insert("url".to_owned(), Value::String(self.url.clone()));
        seen.insert("form".to_owned(), if self.is_form() { self.form() } else { Value::Null });
        seen
    }

    /// The body by its content type: JSON, a form's fields, text, or Base64 of anything else. Nothing is null.
    pub(super) fn content(&self) -> Result<Value, NotJson> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        let kind = self.kind();
        if kind == "application/json" || kind.ends_with("+json") {
            return serde_json::from_slice(&self.body).map_err(|_| NotJson);
        }
        if self.is_form() {
            return Ok(self.form());
        }
        // Some services say nothing about their JSON.
        if kind.is_empty()
            && let Ok(value) = serde_json::from_slice(&self.body)
        {
            return Ok(value);
        }
        Ok(Value::String(match std::str::from_utf8(&self.body) {
            Ok(text) => text.to_owned(),
            Err(_) if kind.starts_with("text/") => String::from_utf8_lossy(&self.body).into_owned(),
            Err(_) => STANDARD.encode(&self.body),
        }))
    }

    fn kind(&self) -> String {
        essence(&self.header("content-type").unwrap_or_default())
    }

    fn is_form(&self) -> bool {
        self.kind() == "application/x-www-form-urlencoded"
    }

    fn form(&self) -> Value {
        let fields: Vec<_> = url::form_urlencoded::parse(&self.body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        by_name(&fields)
    }
}

/// Names to values; a name that is given several times has a list.
fn by_name(pairs: &[(String, String)]) -> Value {
    let mut map = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value.clone());
        match map.get_mut(name) {
            None => drop(map.insert(name.clone(), value)),
            Some(Value::Array(several)) => several.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(kind: &str, body: &[u8]) -> Incoming {
        let headers = if kind.is_empty() { vec![] } else { vec![("Content-Type".to_owned(), kind.to_owned())] };
        Incoming { headers, body: body.to_vec(), ..Incoming::default() }
    }

    #[test]
    fn a_body_is_read_by_its_content_type() {
        for (kind, body, value) in [
            ("application/json; charset=utf-8", &b"{\"a\": 1}"[..], Ok(json!({"a": 1}))),
            ("application/cloudevents+json", b"[1]", Ok(json!([1]))),
            ("application/json", b"{", Err(NotJson)),
            ("application/json", b"", Ok(Value::Null)),
            ("application/x-www-form-urlencoded", b"a=1&b=x%20y&a=2", Ok(json!({"a": ["1", "2"], "b": "x y"}))),
            ("text/plain", b"{}", Ok(json!("{}"))),
            ("text/plain", b"\xff", Ok(json!("\u{fffd}"))),
            ("application/octet-stream", b"\xff\x00", Ok(json!("/wA="))),
            ("", b"{\"a\": 1}", Ok(json!({"a": 1}))),
            ("", b"hello", Ok(json!("hello"))),
        ] {
            assert_eq!(with(kind, body).content(), value, "{kind}");
        }
    }

    #[test]
    fn a_flow_sees_lowercase_names_and_everything_that_came_twice() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let incoming = Incoming {
            method: "POST".to_owned(),
            path: "/hooks".to_owned(),
            headers: vec![pair("X-A", "1"), pair("x-a", "2"), pair("X-B", "3")],
            query: vec![pair("q", "1"), pair("Q", "2"), pair("q", "3")],
            ..Incoming::default()
        };
        let seen = json!({"method": "post", "path": "/hooks", "headers": {"x-a": "1, 2", "x-b": "3"}, "query": {"q": ["1", "3"], "Q": "2"}, "body": 7});
        assert_eq!(Value::Object(incoming.seen(json!(7))), seen);
        assert_eq!(incoming.header("X-a").as_deref(), Some("1, 2"));
    }
}
