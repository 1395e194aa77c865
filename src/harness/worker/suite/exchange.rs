//! A request compared with the one that was expected.

use std::cell::OnceCell;

use serde_json::{Map, Value, json};

use super::body::{self, as_texts, by_name};
use super::difference::{between, includes, pretty, same};
use crate::flow::exchange::joined;
use crate::flow::{Body, Request};
use crate::manifest::{ExpectedRequest, Ordered};

/// A request that was sent, with what is often compared of it.
pub(super) struct Sent<'r> {
    pub(super) request: &'r Request,
    method: String,
    whole: OnceCell<Value>,
}

/// One thing that an expectation says of a request, beside what the request has of it.
pub(super) struct Aspect {
    /// The key that says it.
    pub(super) key: &'static str,
    pub(super) wanted: Value,
    pub(super) seen: Value,
}

impl<'r> Sent<'r> {
    pub(super) fn of(request: &'r Request) -> Self {
        Self { request, method: request.method.to_ascii_lowercase(), whole: OnceCell::new() }
    }

    /// The request as assertions read it.
    pub(super) fn whole(&self) -> &Value {
        self.whole.get_or_init(|| {
            json!({
                "method": self.method,
                "url": address(self.request),
                "path": self.request.url.path(),
                "query": by_name(self.request.url.query_pairs()),
                "headers": joined(&self.request.headers, str::to_ascii_lowercase),
                "body": body::read(self.request),
            })
        })
    }

    /// Whether it is as expected, but for schemas and assertions. Most requests are told apart before anything of them is copied.
    pub(super) fn fits(&self, expected: &ExpectedRequest) -> bool {
        let is_elsewhere = expected.path.as_ref().is_some_and(|path| path != self.request.url.path());
        if is_elsewhere || !expected.method.eq_ignore_ascii_case(&self.method) {
            return false;
        }
        if let Some(Body::Json(actual)) = &self.request.body
            && (expected.body.as_ref().is_some_and(|whole| !same(whole, actual))
                || expected.body_includes.as_ref().is_some_and(|part| !includes(part, actual)))
        {
            return false;
        }
        self.aspects(expected).iter().all(Aspect::is_met)
    }

    /// Everything that is said of it, but for schemas and assertions.
    pub(super) fn aspects(&self, expected: &ExpectedRequest) -> Vec<Aspect> {
        let request = self.request;
        let aspect = |key: &'static str, (wanted, seen): (Value, Value)| Aspect { key, wanted, seen };
        let mut aspects = vec![aspect("method", (json!(expected.method.to_ascii_lowercase()), json!(self.method)))];
        aspects.extend(expected.url.as_ref().map(|url| aspect("url", (json!(url), json!(address(request))))));
        aspects.extend(expected.path.as_ref().map(|path| aspect("path", (json!(path), json!(request.url.path())))));
        aspects.extend(expected.query.as_ref().map(|query| aspect("query", (texts(query), by_name(request.url.query_pairs())))));
        aspects.extend(expected.query_includes.as_ref().map(|query| aspect("queryIncludes", some_of_query(query, request))));
        if !expected.headers.is_empty() {
            aspects.push(aspect("headers", headers(&expected.headers, request)));
        }
        aspects.extend(expected.body.as_ref().map(|body| aspect("body", body::compared(body, request))));
        aspects.extend(expected.body_includes.as_ref().map(|part| aspect("bodyIncludes", body::included(part, request))));
        aspects
    }
}

impl Aspect {
    pub(super) fn is_met(&self) -> bool {
        same(&self.wanted, &self.seen)
    }
}

/// How a request differs from what an expectation says of it, if it does; and the key that says what it is not, where it is one alone.
pub(super) fn difference(aspects: Vec<Aspect>) -> Option<(String, Option<&'static str>)> {
    let unmet: Vec<&'static str> = aspects.iter().filter(|aspect| !aspect.is_met()).map(|aspect| aspect.key).collect();
    let key = match unmet.as_slice() {
        [] => return None,
        [single] => Some(*single),
        _ => None,
    };
    let (mut wanted, mut seen) = (Map::new(), Map::new());
    for aspect in aspects {
        wanted.insert(aspect.key.to_owned(), aspect.wanted);
        seen.insert(aspect.key.to_owned(), aspect.seen);
    }
    Some((between(&Value::Object(wanted), &Value::Object(seen)), key))
}

/// An expected request in one line.
pub(super) fn named(expected: &ExpectedRequest) -> String {
    let address = expected.url.as_deref().or(expected.path.as_deref()).unwrap_or("(any address)");
    format!("{} {address}", expected.method.to_ascii_uppercase())
}

/// A whole request, for people.
pub(super) fn shown(actual: &Request) -> String {
    let mut whole = Map::new();
    whole.insert("method".to_owned(), json!(actual.method.to_ascii_lowercase()));
    whole.insert("path".to_owned(), json!(actual.url.path()));
    if actual.url.query().is_some() {
        whole.insert("query".to_owned(), by_name(actual.url.query_pairs()));
    }
    if !actual.headers.is_empty() {
        whole.insert("headers".to_owned(), Value::Object(joined(&actual.headers, str::to_ascii_lowercase)));
    }
    whole.extend(actual.body.as_ref().map(|body| ("body".to_owned(), body::shown(body))));
    pretty(&Value::Object(whole)).trim_end().to_owned()
}

/// The address without its query.
fn address(actual: &Request) -> String {
    let mut url = actual.url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn texts(query: &Ordered<Value>) -> Value {
    Value::Object(query.iter().map(|(name, value)| (name.to_owned(), as_texts(value))).collect())
}

/// Those parameters alone that are spoken of.
fn some_of_query(query: &Ordered<Value>, actual: &Request) -> (Value, Value) {
    let is_spoken_of = |name: &str| query.names().any(|known| known == name);
    (texts(query), by_name(actual.url.query_pairs().filter(|(name, _)| is_spoken_of(name))))
}

/// Those headers alone that are spoken of. One that must not be there is null.
fn headers(expected: &Ordered<Option<String>>, actual: &Request) -> (Value, Value) {
    let wanted: Map<_, _> = expected.iter().map(|(name, value)| (name.to_ascii_lowercase(), json!(value))).collect();
    let spoken_of: Vec<_> = actual.headers.iter().filter(|(name, _)| wanted.contains_key(&name.to_ascii_lowercase())).cloned().collect();
    let mut seen = joined(&spoken_of, str::to_ascii_lowercase);
    for (name, _) in wanted.iter().filter(|(_, value)| value.is_null()) {
        seen.entry(name.clone()).or_insert(Value::Null);
    }
    (Value::Object(wanted), Value::Object(seen))
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

pub(super) fn typed(headers: &mut Vec<(String, String)>, kind: &str) {
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        let fields = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())];
        let url = "https://example.com/charges?x=1&y=2&y=3".parse().unwrap();
        let headers = vec![("X-One".to_owned(), "1".to_owned())];
        Request { method: "POST".to_owned(), url, headers, body: Some(Body::Form(fields)) }
    }

    fn mismatch(expected: Value) -> Option<(String, Option<&'static str>)> {
        let expected = serde_json::from_value(expected).unwrap();
        let request = request();
        let sent = Sent::of(&request);
        let difference = difference(sent.aspects(&expected));
        assert_eq!(sent.fits(&expected), difference.is_none());
        difference
    }

    #[test]
    fn a_body_that_differs_is_shown_in_the_words_of_its_expectation() {
        let expecting = |body: Value| json!({ "method": "post", "path": "/charges", "body": body });
        assert_eq!(mismatch(expecting(json!({"b": 2, "a": 1}))), None);
        let (told, key) = mismatch(expecting(json!({"a": 1, "b": 3}))).unwrap();
        assert!(told.contains("-    \"b\": \"3\"\n+    \"b\": \"2\""), "{told}");
        assert_eq!(key, Some("body"));
        assert!(shown(&request()).contains("\"body\": {\n    \"a\": \"1\","), "{}", shown(&request()));
    }

    #[test]
    fn other_parameters_and_headers_may_be_there_unless_they_are_not_to_be() {
        for met in [
            json!({ "queryIncludes": { "x": 1 } }),
            json!({ "queryIncludes": { "y": [2, 3] } }),
            json!({ "headers": { "x-one": "1", "X-Two": null } }),
            json!({ "bodyIncludes": { "b": 2, "c": null } }),
        ] {
            let mut expected = json!({ "method": "POST" });
            expected.as_object_mut().unwrap().extend(met.as_object().unwrap().clone());
            assert_eq!(mismatch(expected), None, "{met}");
        }
        for (key, value) in [
            ("queryIncludes", json!({ "x": 2 })),
            ("queryIncludes", json!({ "y": 2 })),
            ("queryIncludes", json!({ "z": 1 })),
            ("query", json!({ "x": 1 })),
            ("headers", json!({ "X-ONE": null })),
            ("bodyIncludes", json!({ "b": null })),
            ("url", json!("https://example.com/charges/")),
        ] {
            let mut expected = json!({ "method": "post" });
            expected.as_object_mut().unwrap().insert(key.to_owned(), value);
            assert_eq!(mismatch(expected.clone()).unwrap().1, Some(key), "{expected}");
        }
        let (told, _) = mismatch(json!({ "method": "post", "headers": { "x-one": null } })).unwrap();
        assert!(told.contains("-    \"x-one\": null\n+    \"x-one\": \"1\""), "{told}");
        assert_eq!(mismatch(json!({ "method": "get", "path": "/" })).unwrap().1, None);
    }
}
