//! Requests that were sent, and their answers, as a suite writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::body;
use super::body::by_name;
use crate::flow::exchange::joined;
use crate::flow::{Body, Request, Response};
use crate::manifest::{Exchange, ExpectedRequest, MockedResponse, Ordered};

/// Headers that whoever sends a request writes, or that say no more than which program sent it.
const UNSAID: [&str; 7] = ["accept-encoding", "connection", "content-length", "host", "keep-alive", "user-agent", "traceparent"];

/// The exchanges, in the order of their requests. Where all go to one host, addresses are paths.
pub(super) fn exchanges(sent: &[(Request, &Response)]) -> Vec<Exchange> {
    let first = sent.first().map(|(request, _)| request.url.origin());
    let is_one_host = sent.iter().all(|(request, _)| Some(request.url.origin()) == first);
    let exchange = |(request, response): &(Request, &Response)| Exchange {
        request: Some(expected(request, is_one_host)),
        response: Some(mocked(response)),
        ..Exchange::default()
    };
    sent.iter().map(exchange).collect()
}

fn expected(request: &Request, is_one_host: bool) -> ExpectedRequest {
    let whole = || {
        let mut url = request.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.to_string()
    };
    let query = request.url.query().map(|_| match by_name(request.url.query_pairs()) {
        Value::Object(query) => query.into_iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Ordered::default(),
    });
    let said: Vec<_> =
        request.headers.iter().filter(|(name, _)| !UNSAID.iter().any(|known| known.eq_ignore_ascii_case(name))).cloned().collect();
    let headers = joined(&said, str::to_ascii_lowercase);
    ExpectedRequest {
        method: request.method.to_ascii_lowercase(),
        url: (!is_one_host).then(whole),
        path: is_one_host.then(|| request.url.path().to_owned()),
        query,
        query_includes: None,
        headers: headers.into_iter().map(|(name, value)| (name, value.as_str().map(str::to_owned))).collect(),
        body: request.body.as_ref().map(|body| match body {
            Body::Text(text) => json!(text),
            Body::Json(_) | Body::Form(_) | Body::Multipart(_) | Body::Bytes(_) => body::shown(body),
        }),
        body_includes: None,
        body_schema: None,
        assert: Vec::new(),
    }
}

/// The answer, of whose headers only those that matter are left.
fn mocked(response: &Response) -> MockedResponse {
    let headers = joined(&response.headers, str::to_ascii_lowercase);
    let kind = response.header("content-type").map(str::to_ascii_lowercase);
    let (body, bytes) = match std::str::from_utf8(&response.body) {
        Ok("") => (None, None),
        Ok(text) => (Some(written(text, kind.as_deref())), None),
        Err(_) => (None, Some(STANDARD.encode(&response.body))),
    };
    MockedResponse {
        status: Some(response.status),
        headers: headers.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect(),
        body,
        bytes,
        file: None,
        delay: None,
        fault: None,
    }
}

/// Text as JSON where its type says that it is, and JSON tells all of it.
fn written(text: &str, kind: Option<&str>) -> Value {
    let media = kind.and_then(|kind| kind.split(';').next()).map(str::trim).unwrap_or_default();
    let is_json = media.ends_with("/json") || media.ends_with("+json");
    match serde_json::from_str::<Value>(text) {
        Ok(json @ (Value::Array(_) | Value::Object(_))) if is_json && is_exact(&json, text) => json,
        Ok(_) | Err(_) => json!(text),
    }
}

/// Whether a text's JSON is written again in as many digits, and with no key less.
fn is_exact(json: &Value, text: &str) -> bool {
    outside_texts(&json.to_string()) == outside_texts(text)
}

/// How many digits and colons stand outside of the texts of JSON.
fn outside_texts(json: &str) -> (usize, usize) {
    let (mut digits, mut colons, mut within, mut escaped) = (0, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = within,
            b'"' => within = !within,
            b'0'..=b'9' if !within => digits += 1,
            b':' if !within => colons += 1,
            _ => {}
        }
    }
    (digits, colons)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_as_json_where_nothing_is_lost() {
        let kind = Some("application/json; charset=utf-8");
        assert_eq!(written(r#"{"a": [1, 2.5]}"#, kind), json!({"a": [1, 2.5]}));
        assert_eq!(written(r#"{"\u0041\"7:": 1}"#, kind), json!({"A\"7:": 1}));
        for text in [r#"{"a": 1.00000000000000000001}"#, r#"{"a": 1, "a": 2}"#, "\"text\"", "7", "{"] {
            assert_eq!(written(text, kind), json!(text), "{text}");
        }
        assert_eq!(written("{}", Some("text/plain")), json!("{}"));
        assert_eq!(written("{}", Some("application/vnd.api+json")), json!({}));
    }
}
