//! The body of a request beside the one that was expected, both in the form in which the expectation speaks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::difference::excerpt;
use crate::flow::content::from_base64;
use crate::flow::{Body, Part, Request};

/// The expected body and the actual one, as they compare.
pub(super) fn compared(expected: &Value, actual: &Request) -> (Value, Value) {
    match (&actual.body, expected) {
        (Some(Body::Text(text)), Value::String(_)) => (expected.clone(), json!(text)),
        (Some(Body::Text(text)), Value::Object(fields)) if is_form(actual) => {
            (expected_fields(fields), by_name(form_urlencoded::parse(text.as_bytes())))
        }
        (Some(Body::Form(fields)), Value::String(_)) => {
            (expected.clone(), json!(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()))
        }
        (Some(Body::Form(actual)), Value::Object(fields)) => (expected_fields(fields), by_name(actual.iter().cloned())),
        (Some(Body::Multipart(parts)), Value::Array(expected)) => in_order(expected, parts),
        (Some(Body::Multipart(parts)), Value::Object(expected)) => named(expected, parts),
        (Some(Body::Bytes(bytes)), Value::Object(map)) if map.len() == 1 && map.contains_key("base64") => {
            let expected = map.iter().map(|(key, value)| (key.clone(), same_base64(value))).collect();
            (Value::Object(expected), json!({ "base64": STANDARD.encode(bytes) }))
        }
        (None, _) => (expected.clone(), Value::Null),
        (Some(body), _) => (expected.clone(), shown(body)),
    }
}

/// The part of a body that is expected, and what the actual one has of it, as they compare.
pub(super) fn included(expected: &Value, actual: &Request) -> (Value, Value) {
    let (wanted, seen) = match (&actual.body, expected) {
        (Some(Body::Text(text)), Value::Object(fields)) if is_form(actual) => {
            (fields_or_none(fields), by_name(form_urlencoded::parse(text.as_bytes())))
        }
        (Some(Body::Form(actual)), Value::Object(fields)) => (fields_or_none(fields), by_name(actual.iter().cloned())),
        (Some(Body::Multipart(parts)), Value::Object(fields)) => {
            let spoken_of: Vec<Part> = parts.iter().filter(|part| fields.contains_key(&part.name)).cloned().collect();
            return of_parts(named(fields, &spoken_of));
        }
        _ => {
            let (wanted, seen) = compared(expected, actual);
            let excerpt = excerpt(&wanted, &seen);
            return (wanted, excerpt);
        }
    };
    // What is expected not to be sent.
    let absent: Vec<String> =
        wanted.as_object().into_iter().flatten().filter(|(_, wanted)| wanted.is_null()).map(|(name, _)| name.clone()).collect();
    let mut excerpt = excerpt(&wanted, &seen);
    if let Value::Object(excerpt) = &mut excerpt {
        for name in absent {
            excerpt.entry(name).or_insert(Value::Null);
        }
    }
    (wanted, excerpt)
}

/// Parts with what there is of each; one that is not wanted at all is shown whole.
fn of_parts((wanted, seen): (Value, Value)) -> (Value, Value) {
    let excerpts = seen.as_object().into_iter().flatten();
    let excerpts =
        excerpts.map(|(name, seen)| (name.clone(), wanted.get(name).map_or_else(|| seen.clone(), |wanted| excerpt(wanted, seen))));
    let excerpts = Value::Object(excerpts.collect());
    (wanted, excerpts)
}

/// What a body holds, as it reads to an assertion or a schema: JSON and forms as values, everything else as for people.
pub(super) fn read(request: &Request) -> Value {
    match &request.body {
        None => Value::Null,
        Some(Body::Text(text)) if is_form(request) => by_name(form_urlencoded::parse(text.as_bytes())),
        Some(Body::Text(text)) if is_json(request) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        Some(Body::Text(text)) => json!(text),
        Some(body @ (Body::Json(_) | Body::Form(_) | Body::Multipart(_) | Body::Bytes(_))) => shown(body),
    }
}

/// A whole body, for people.
pub(super) fn shown(body: &Body) -> Value {
    match body {
        Body::Json(json) => json.clone(),
        Body::Text(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        Body::Form(fields) => by_name(fields.iter().cloned()),
        Body::Multipart(parts) => parts.iter().map(part).collect(),
        Body::Bytes(bytes) => std::str::from_utf8(bytes).map_or_else(|_| json!({ "base64": STANDARD.encode(bytes) }), Value::from),
    }
}

/// Texts by name; a name that comes again has a list.
pub(super) fn by_name<N: AsRef<str>, V: Into<Value>>(pairs: impl IntoIterator<Item = (N, V)>) -> Value {
    let mut named: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match named.get_mut(name.as_ref()) {
            None => {
                named.insert(name.as_ref().to_owned(), value.into());
            }
            Some(Value::Array(values)) => values.push(value.into()),
            Some(single) => *single = json!([single.take(), value.into()]),
        }
    }
    Value::Object(named)
}

/// A value as it reads where everything is text: text, or a list of texts.
pub(super) fn as_texts(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        Value::Array(values) => match values.as_slice() {
            [single] => as_texts(single),
            several => several.iter().map(as_texts).collect(),
        },
        other => Value::String(other.to_string()),
    }
}

fn is_form(request: &Request) -> bool {
    media_type(request).as_deref() == Some("application/x-www-form-urlencoded")
}

fn is_json(request: &Request) -> bool {
    media_type(request).is_some_and(|kind| kind == "application/json" || kind.ends_with("+json"))
}

fn media_type(request: &Request) -> Option<String> {
    request.header("content-type").map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Fields as texts; what is expected not to be sent is null.
fn fields_or_none(fields: &Map<String, Value>) -> Value {
    let mut all: Map<_, _> = fields.iter().filter(|(_, value)| is_nothing(value)).map(|(name, _)| (name.clone(), Value::Null)).collect();
    if let Value::Object(sent) = expected_fields(fields) {
        all.extend(sent);
    }
    Value::Object(all)
}

/// What is null or an empty list is expected not to be sent.
fn expected_fields(fields: &Map<String, Value>) -> Value {
    let sent = fields.iter().filter(|(_, value)| !is_nothing(value));
    let text = |value: &Value| if value.is_object() { value.clone() } else { as_texts(value) };
    Value::Object(sent.map(|(name, value)| (name.clone(), text(value))).collect())
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn in_order(expected: &[Value], parts: &[Part]) -> (Value, Value) {
    let (mut wanted, mut seen) = (Vec::new(), Vec::new());
    for index in 0..expected.len().max(parts.len()) {
        match (expected.get(index), parts.get(index)) {
            (Some(like @ Value::Object(_)), Some(actual)) => {
                let (like, actual) = alike(like, actual);
                wanted.push(like);
                seen.push(actual);
            }
            (like, actual) => {
                wanted.extend(like.cloned());
                seen.extend(actual.map(part));
            }
        }
    }
    (Value::Array(wanted), Value::Array(seen))
}

fn named(expected: &Map<String, Value>, parts: &[Part]) -> (Value, Value) {
    let (mut wanted, mut seen) = (Map::new(), Map::new());
    for (name, like) in expected.iter().filter(|(_, like)| !is_nothing(like)) {
        let like = like.as_array().map_or(std::slice::from_ref(like), Vec::as_slice);
        let mut actual = parts.iter().filter(|part| part.name == *name);
        let (mut likes, mut actuals) = (Vec::new(), Vec::new());
        for like in like {
            let (like, actual) = actual.next().map_or_else(
                || (like.clone(), None),
                |actual| {
                    let (like, actual) = alike(like, actual);
                    (like, Some(actual))
                },
            );
            likes.push(like);
            actuals.extend(actual);
        }
        actuals.extend(actual.map(part));
        wanted.extend(single_or_list(likes).map(|value| (name.clone(), value)));
        seen.extend(single_or_list(actuals).map(|value| (name.clone(), value)));
    }
    for other in parts {
        if !seen.contains_key(&other.name) {
            let others = parts.iter().filter(|part| part.name == other.name);
            seen.extend(single_or_list(others.map(part).collect()).map(|value| (other.name.clone(), value)));
        }
    }
    (Value::Object(wanted), Value::Object(seen))
}

fn single_or_list(mut values: Vec<Value>) -> Option<Value> {
    if values.len() > 1 { Some(Value::Array(values)) } else { values.pop() }
}

/// An expected part and the actual one in what the expectation speaks of: its content alone, or some of what describes it.
fn alike(expected: &Value, actual: &Part) -> (Value, Value) {
    let Value::Object(described) = expected else { return content(expected, actual) };
    let (mut wanted, mut seen) = (Map::new(), Map::new());
    for (key, value) in described {
        let (value, actual) = match key.as_str() {
            "name" => (value.clone(), Some(json!(actual.name))),
            "filename" => (value.clone(), Some(json!(actual.filename))),
            "contentType" => (value.clone(), Some(json!(actual.content_type))),
            "value" | "content" => {
                let (value, actual) = content(value, actual);
                (value, Some(actual))
            }
            "base64" => (same_base64(value), Some(json!(STANDARD.encode(&actual.content)))),
            _ => (value.clone(), None),
        };
        wanted.insert(key.clone(), value);
        seen.extend(actual.map(|actual| (key.clone(), actual)));
    }
    (Value::Object(wanted), Value::Object(seen))
}

/// A part's content: maps and lists compare with its JSON, anything else with its text.
fn content(expected: &Value, actual: &Part) -> (Value, Value) {
    let text = std::str::from_utf8(&actual.content).map_or_else(|_| json!({ "base64": STANDARD.encode(&actual.content) }), Value::from);
    match expected {
        Value::Array(_) | Value::Object(_) => (expected.clone(), serde_json::from_slice(&actual.content).unwrap_or(text)),
        Value::Null => (Value::Null, text),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => (as_texts(expected), text),
    }
}

/// Base64 in the one spelling in which actual bytes are shown.
fn same_base64(expected: &Value) -> Value {
    expected.as_str().and_then(from_base64).map_or_else(|| expected.clone(), |bytes| json!(STANDARD.encode(bytes)))
}

/// A whole part, for people.
fn part(part: &Part) -> Value {
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(part.name));
    for (key, value) in [("filename", &part.filename), ("contentType", &part.content_type)] {
        shown.extend(value.as_ref().map(|value| (key.to_owned(), json!(value))));
    }
    let (key, content) = match std::str::from_utf8(&part.content) {
        Ok(text) => ("content", json!(text)),
        Err(_) => ("base64", json!(STANDARD.encode(&part.content))),
    };
    shown.insert(key.to_owned(), content);
    Value::Object(shown)
}

#[cfg(test)]
mod tests;
