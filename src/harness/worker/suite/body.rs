//! The body of a request beside the one that was expected, both in the form in which the expectation speaks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

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
    request.header("content-type").is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"))
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
mod tests {
    use super::super::difference::same;
    use super::*;

    fn request(body: Body) -> Request {
        let headers = vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        Request { method: "POST".to_owned(), url: "https://example.com".parse().unwrap(), headers, body: Some(body) }
    }

    fn is_met(expected: &Value, body: &Body) -> bool {
        let (expected, actual) = compared(expected, &request(body.clone()));
        same(&expected, &actual)
    }

    fn check(body: &Body, met: &[Value], unmet: &[Value]) {
        for expected in met {
            assert!(is_met(expected, body), "{expected} is not met by {}", shown(body));
        }
        for expected in unmet {
            assert!(!is_met(expected, body), "{expected} is met by {}", shown(body));
        }
    }

    #[test]
    fn a_map_or_text_compares_with_a_form() {
        let fields = [("a", "1"), ("tag", "x y"), ("tag", "z"), ("tag", ""), ("m[k]", "v")];
        let form = Body::Form(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec());
        let met = [
            json!({"tag": ["x y", "z", ""], "a": 1, "m[k]": ["v"], "none": null, "empty": []}),
            json!("a=1&tag=x+y&tag=z&tag=&m%5Bk%5D=v"),
        ];
        let unmet = [
            json!({"a": "1", "tag": ["x y", "z"], "m[k]": "v"}),
            json!({"a": "1"}),
            json!({"a": 1, "tag": ["x y", "z", ""], "m": {"k": "v"}}),
        ];
        check(&form, &met, &unmet);
        check(
            &Body::Text("a=1&tag=x+y&tag=z".to_owned()),
            &[json!({"a": 1, "tag": ["x y", "z"]}), json!("a=1&tag=x+y&tag=z")],
            &[json!({"a": 1})],
        );
    }

    fn parts() -> Body {
        let part = |name: &str, filename: Option<&str>, content_type: Option<&str>, content: &[u8]| Part {
            name: name.to_owned(),
            filename: filename.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
            content: content.to_vec(),
        };
        Body::Multipart(vec![
            part("title", None, None, b"7"),
            part("meta", None, Some("application/json"), b"{\"a\": 1}"),
            part("file", Some("a.csv"), Some("text/csv"), b"a,b"),
            part("file", Some("b.bin"), None, &[0xff, 0]),
        ])
    }

    #[test]
    fn a_list_compares_with_parts_in_order_in_what_it_says_of_them() {
        let met = [
            json!([{"name": "title", "value": 7}, {"value": {"a": 1.0}}, {"filename": "a.csv", "content": "a,b"}, {"base64": "_wA"}]),
            json!([{"filename": null}, {"contentType": "application/json"}, {}, {"name": "file"}]),
        ];
        let unmet = [
            json!([{}, {}, {}]),
            json!([{}, {}, {}, {}, {}]),
            json!([{"filename": "x"}, {}, {}, {}]),
            json!([{}, {}, {"contentType": "text/plain"}, {}]),
            json!([{}, {}, {"content": "b"}, {}]),
            json!([{}, {}, {}, {"base64": "/wE="}]),
            json!([{"fileName": null}, {}, {}, {}]),
            json!(["7", {}, {}, {}]),
        ];
        check(&parts(), &met, &unmet);
    }

    #[test]
    fn a_map_compares_with_parts_by_name() {
        let met = [
            json!({"file": [{"content": "a,b"}, {"filename": "b.bin", "base64": "/wA="}], "title": "7", "meta": {"value": {"a": 1}}}),
            json!({"file": [{}, {}], "title": [7], "meta": {}, "none": null}),
        ];
        let unmet = [
            json!({"file": [{}, {}], "title": "7"}),
            json!({"file": {}, "title": "7", "meta": {}}),
            json!({"file": [{}, {}], "title": "8", "meta": {}}),
            json!({"file": [{}, {}], "title": "7", "meta": null}),
            json!({"file": [{}, {}], "title": "7", "meta": {}, "more": ""}),
            json!({"file": [{}, {}, {}], "title": "7", "meta": {}}),
            json!("title=7"),
        ];
        check(&parts(), &met, &unmet);
    }

    #[test]
    fn bytes_compare_with_base64_or_with_their_text() {
        check(
            &Body::Bytes(vec![0xff, 0]),
            &[json!({"base64": "/wA="}), json!({"base64": "_wA"})],
            &[json!({"base64": "/wE="}), json!("/wA=")],
        );
        check(&Body::Bytes(b"hi".to_vec()), &[json!("hi"), json!({"base64": "aGk="})], &[json!({"base64": "hi"}), json!({})]);
        check(&Body::Json(json!({"base64": "aGk="})), &[json!({"base64": "aGk="})], &[json!({"base64": "aGk"})]);
    }
}
