//! A request compared with the one that was expected, and a mocked answer made of its description.

use serde_json::{Map, Value, json};

use super::difference::{between, pretty, same};
use crate::flow::{Body, Request, Response};
use crate::manifest::{ExpectedRequest, MockedResponse, Ordered};

/// How a request differs from the expected one, in what the expectation speaks of.
pub(super) fn mismatch(expected: &ExpectedRequest, actual: &Request) -> Option<String> {
    let (expected, actual) = (spoken_of(expected), seen(actual, Some(expected)));
    (!same(&expected, &actual)).then(|| between(&expected, &actual))
}

/// An expected request in one line.
pub(super) fn named(expected: &ExpectedRequest) -> String {
    let address = expected.url.as_deref().or(expected.path.as_deref()).unwrap_or("(any address)");
    format!("{} {address}", expected.method.to_ascii_uppercase())
}

/// A whole request, for people.
pub(super) fn shown(actual: &Request) -> String {
    pretty(&seen(actual, None)).trim_end().to_owned()
}

fn spoken_of(expected: &ExpectedRequest) -> Value {
    let mut spoken = Map::new();
    spoken.insert("method".to_owned(), json!(expected.method.to_ascii_lowercase()));
    for (key, value) in [("url", &expected.url), ("path", &expected.path)] {
        if let Some(value) = value {
            spoken.insert(key.to_owned(), json!(value));
        }
    }
    if let Some(query) = &expected.query {
        let query: Map<_, _> = query.iter().map(|(name, value)| (name.to_owned(), in_query(value))).collect();
        spoken.insert("query".to_owned(), Value::Object(query));
    }
    if !expected.headers.is_empty() {
        let headers: Map<_, _> = expected.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect();
        spoken.insert("headers".to_owned(), Value::Object(headers));
    }
    if let Some(body) = &expected.body {
        spoken.insert("body".to_owned(), body.clone());
    }
    Value::Object(spoken)
}

/// A request in the form of an expectation; only what `like` speaks of, where it is given.
fn seen(actual: &Request, like: Option<&ExpectedRequest>) -> Value {
    let mut seen = Map::new();
    seen.insert("method".to_owned(), json!(actual.method.to_ascii_lowercase()));
    if like.is_some_and(|like| like.url.is_some()) {
        let mut url = actual.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        seen.insert("url".to_owned(), json!(url.as_str()));
    }
    if like.is_none_or(|like| like.path.is_some()) {
        seen.insert("path".to_owned(), json!(actual.url.path()));
    }
    if like.map_or(actual.url.query().is_some(), |like| like.query.is_some()) {
        seen.insert("query".to_owned(), query(actual));
    }
    let headers = headers(actual, like.map(|like| &like.headers));
    if !headers.is_empty() {
        seen.insert("headers".to_owned(), Value::Object(headers));
    } else if like.is_some_and(|like| !like.headers.is_empty()) {
        seen.insert("headers".to_owned(), json!({}));
    }
    if like.map_or(actual.body.is_some(), |like| like.body.is_some()) {
        let as_text = like.is_some_and(|like| matches!(like.body, Some(Value::String(_))));
        seen.insert("body".to_owned(), body(actual, as_text));
    }
    Value::Object(seen)
}

fn query(actual: &Request) -> Value {
    let mut query: Map<String, Value> = Map::new();
    for (name, value) in actual.url.query_pairs() {
        match query.get_mut(name.as_ref()) {
            None => {
                query.insert(name.into_owned(), json!(value));
            }
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(single) => *single = json!([single.clone(), value]),
        }
    }
    Value::Object(query)
}

/// A parameter as it reads in an address: text, or a list of texts.
fn in_query(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        Value::Array(values) => match values.as_slice() {
            [single] => in_query(single),
            several => several.iter().map(in_query).collect(),
        },
        other => Value::String(other.to_string()),
    }
}

fn headers(actual: &Request, like: Option<&Ordered<String>>) -> Map<String, Value> {
    let wanted = |name: &str| like.is_none_or(|like| like.names().any(|known| known.eq_ignore_ascii_case(name)));
    let headers = actual.headers.iter().filter(|(name, _)| wanted(name));
    headers.map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect()
}

/// The body as JSON, unless it is text that is expected as text.
fn body(actual: &Request, as_text: bool) -> Value {
    match &actual.body {
        None => Value::Null,
        Some(Body::Json(json)) => json.clone(),
        Some(Body::Text(text)) if as_text => json!(text),
        Some(Body::Text(text)) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        Some(Body::Form(fields)) if as_text => {
            json!(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
        }
        Some(Body::Form(fields)) => fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect(),
        Some(Body::Multipart(parts)) => {
            parts.iter().map(|part| json!({ "name": part.name, "content": String::from_utf8_lossy(&part.content) })).collect()
        }
        Some(Body::Bytes(bytes)) => json!(String::from_utf8_lossy(bytes)),
    }
}

/// The answer a suite describes: text as it is, anything else as JSON.
pub(super) fn answer(mocked: &MockedResponse) -> Response {
    let mut headers: Vec<_> = mocked.headers.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let (body, kind) = match &mocked.body {
        None => (Vec::new(), None),
        Some(Value::String(text)) => (text.clone().into_bytes(), Some("text/plain; charset=utf-8")),
        Some(json) => (json.to_string().into_bytes(), Some("application/json")),
    };
    if let Some(kind) = kind
        && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    Response { status: mocked.status, headers, body }
}
