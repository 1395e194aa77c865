//! Bodies and queries: values into what travels, and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jaq_json::Val;
use serde_json::Value;
use url::Url;

use crate::flow::exchange::{Body, Response};
use crate::flow::expression::value::{text_to_jq, to_jq};
use crate::flow::model::NOTHING;
use crate::flow::told::What;

/// A value as it stands in a header or in a query; nothing for null.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}

/// Adds a parameter to an address: once for each entry of a list, not at all for null.
pub(super) fn append_query(url: &mut Url, name: &str, value: &Value) {
    let single = std::slice::from_ref(value);
    let texts: Vec<_> = value.as_array().map_or(single, Vec::as_slice).iter().filter_map(scalar).collect();
    if !texts.is_empty() {
        url.query_pairs_mut().extend_pairs(texts.iter().map(|text| (name, text)));
    }
}

/// The body of a request, with the header that says what it is where the flow does not say it.
pub(super) fn write(body: Value, headers: &mut Vec<(String, String)>) -> Option<Body> {
    let given = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, value)| value.clone());
    let (body, kind) = match body {
        Value::Null => return None,
        Value::String(text) => (Body::Text(text), "text/plain; charset=utf-8"),
        Value::Object(fields) if given.as_deref().is_some_and(|kind| essence(kind) == "application/x-www-form-urlencoded") => {
            (Body::Form(fields.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()), "")
        }
        json => (Body::Json(json), "application/json"),
    };
    if given.is_none() {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    Some(body)
}

/// The body of a response: JSON and text as such, anything else in base64.
pub(super) fn read(response: &Response) -> Val {
    if response.body.is_empty() {
        return NOTHING;
    }
    let kind = response.header("content-type").map(essence);
    let is_json = kind.as_deref().is_none_or(|kind| kind == "application/json" || kind.ends_with("+json") || kind == "text/json");
    if is_json && let Ok(value) = serde_json::from_slice::<Value>(&response.body) {
        return to_jq(&value);
    }
    let is_text = kind.as_deref().is_none_or(|kind| {
        kind.starts_with("text/")
            || is_json
            || kind == "application/xml"
            || kind.ends_with("+xml")
            || kind == "application/x-www-form-urlencoded"
    });
    match std::str::from_utf8(&response.body) {
        Ok(text) if is_text => text_to_jq(text),
        Ok(_) | Err(_) => text_to_jq(&STANDARD.encode(&response.body)),
    }
}

/// What is told of a response.
pub(super) fn told(response: &Response) -> What {
    const LONGEST: usize = 2000;
    let text = String::from_utf8_lossy(&response.body[..response.body.len().min(LONGEST)]).into_owned();
    What::Answered { status: response.status, headers: response.headers.clone(), body: text }
}

/// The beginning of a response's text, for messages.
pub(super) fn excerpt(response: &Response) -> String {
    const LONGEST: usize = 300;
    match std::str::from_utf8(&response.body) {
        Ok(text) if !text.trim().is_empty() => {
            let text = text.trim();
            match text.char_indices().nth(LONGEST) {
                Some((end, _)) => format!(": {}…", &text[..end]),
                None => format!(": {text}"),
            }
        }
        Ok(_) | Err(_) => String::new(),
    }
}

/// A media type without its parameters, in lowercase.
fn essence(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
