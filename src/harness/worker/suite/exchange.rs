//! A request compared with the one that was expected, and a mocked answer made of its description.

use serde_json::{Map, Value, json};

use super::body::{self, as_texts, by_name};
use super::difference::{between, pretty, same};
use crate::flow::content::from_base64;
use crate::flow::exchange::joined;
use crate::flow::{Request, Response};
use crate::manifest::{ExpectedRequest, MockedResponse, Ordered};

/// How a request differs from the expected one, in what the expectation speaks of.
pub(super) fn mismatch(expected: &ExpectedRequest, actual: &Request) -> Option<String> {
    let (mut wanted, mut seen) = (spoken_of(expected), seen(actual, Some(expected)));
    if let Some(expected) = &expected.body {
        let (expected, actual) = body::compared(expected, actual);
        wanted.insert("body".to_owned(), expected);
        seen.insert("body".to_owned(), actual);
    }
    let (wanted, seen) = (Value::Object(wanted), Value::Object(seen));
    (!same(&wanted, &seen)).then(|| between(&wanted, &seen))
}

/// An expected request in one line.
pub(super) fn named(expected: &ExpectedRequest) -> String {
    let address = expected.url.as_deref().or(expected.path.as_deref()).unwrap_or("(any address)");
    format!("{} {address}", expected.method.to_ascii_uppercase())
}

/// A whole request, for people.
pub(super) fn shown(actual: &Request) -> String {
    let mut whole = seen(actual, None);
    whole.extend(actual.body.as_ref().map(|body| ("body".to_owned(), body::shown(body))));
    pretty(&Value::Object(whole)).trim_end().to_owned()
}

/// What an expectation speaks of, but for the body.
fn spoken_of(expected: &ExpectedRequest) -> Map<String, Value> {
    let mut spoken = Map::new();
    spoken.insert("method".to_owned(), json!(expected.method.to_ascii_lowercase()));
    for (key, value) in [("url", &expected.url), ("path", &expected.path)] {
        if let Some(value) = value {
            spoken.insert(key.to_owned(), json!(value));
        }
    }
    if let Some(query) = &expected.query {
        let query: Map<_, _> = query.iter().map(|(name, value)| (name.to_owned(), as_texts(value))).collect();
        spoken.insert("query".to_owned(), Value::Object(query));
    }
    if !expected.headers.is_empty() {
        let headers: Map<_, _> = expected.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect();
        spoken.insert("headers".to_owned(), Value::Object(headers));
    }
    spoken
}

/// A request without its body in the form of an expectation; only what `like` speaks of, where it is given.
fn seen(actual: &Request, like: Option<&ExpectedRequest>) -> Map<String, Value> {
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
        seen.insert("query".to_owned(), by_name(actual.url.query_pairs()));
    }
    let headers = headers(actual, like.map(|like| &like.headers));
    if !headers.is_empty() {
        seen.insert("headers".to_owned(), Value::Object(headers));
    } else if like.is_some_and(|like| !like.headers.is_empty()) {
        seen.insert("headers".to_owned(), json!({}));
    }
    seen
}

fn headers(actual: &Request, like: Option<&Ordered<Option<String>>>) -> Map<String, Value> {
    let wanted = |name: &str| like.is_none_or(|like| like.names().any(|known| known.eq_ignore_ascii_case(name)));
    let headers: Vec<_> = actual.headers.iter().filter(|(name, _)| wanted(name)).cloned().collect();
    joined(&headers, str::to_ascii_lowercase)
}

/// The answer a suite describes: bytes from base64, text as it is, anything else as JSON.
pub(super) fn answer(mocked: &MockedResponse) -> Response {
    let mut headers: Vec<_> = mocked.headers.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let body = match &mocked.bytes {
        Some(bytes) => {
            typed(&mut headers, "application/octet-stream");
            from_base64(bytes).unwrap_or_default()
        }
        None => written(mocked.body.as_ref(), &mut headers),
    };
    Response { status: mocked.status.unwrap_or(200), headers, body }
}

/// A body that a suite writes: text as it is, anything else as JSON, with the type that it has where none is given.
pub(super) fn written(body: Option<&Value>, headers: &mut Vec<(String, String)>) -> Vec<u8> {
    match body {
        None => Vec::new(),
        Some(Value::String(text)) => {
            typed(headers, "text/plain; charset=utf-8");
            text.clone().into_bytes()
        }
        Some(json) => {
            typed(headers, "application/json");
            json.to_string().into_bytes()
        }
    }
}

fn typed(headers: &mut Vec<(String, String)>, kind: &str) {
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Body;

    #[test]
    fn a_body_that_differs_is_shown_in_the_words_of_its_expectation() {
        let fields = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())];
        let url = "https://example.com/charges?x=1".parse().unwrap();
        let request = Request { method: "POST".to_owned(), url, headers: Vec::new(), body: Some(Body::Form(fields)) };
        let expecting = |body: Value| serde_json::from_value(json!({ "method": "post", "path": "/charges", "body": body })).unwrap();
        assert_eq!(mismatch(&expecting(json!({"b": 2, "a": 1})), &request), None);
        let told = mismatch(&expecting(json!({"a": 1, "b": 3})), &request).unwrap();
        assert!(told.contains("-    \"b\": \"3\"\n+    \"b\": \"2\""), "{told}");
        assert!(shown(&request).contains("\"body\": {\n    \"a\": \"1\","), "{}", shown(&request));
    }
}
