//! Parts of a form, `multipart/form-data`.

use serde_json::{Map, Value};

use super::{from_base64, kind_of, scalar, short};
use crate::flow::exchange::Part;
use crate::manifest::nearest;

/// How many parts a form may have.
const MOST: usize = 1000;
/// How many bytes a name, a file's name or a type may have.
const LONGEST: usize = 1000;
/// What a part is described with.
const KEYS: [&str; 6] = ["name", "value", "content", "base64", "filename", "contentType"];

/// The parts that a list of parts makes, or a map of them by name. Null is no part.
///
/// A part is described by its `name`, one of `value` (a scalar, or a map or list that travels as JSON), `content` (text) and
/// `base64`, and where they are wanted `filename` and `contentType`. In a map a part may also be a scalar alone, and a list
/// repeats the name.
pub(super) fn parts(value: &Value) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let at = format!("part {} of the form", index + 1);
                match item {
                    Value::Null => {}
                    Value::Object(part) => push(&mut parts, described(&at, text(&at, part, "name")?, part)?)?,
                    other => return Err(format!("{at} is described by a map, not by {}", kind_of(other))),
                }
            }
        }
        Value::Object(entries) => {
            for (name, value) in entries {
                let single = std::slice::from_ref(value);
                for value in value.as_array().map_or(single, Vec::as_slice) {
                    push(&mut parts, by_name(name, value)?)?;
                }
            }
        }
        other => return Err(format!("a multipart body is a list of parts or a map of them, not {}", kind_of(other))),
    }
    Ok(parts)
}

fn push(parts: &mut Vec<Part>, part: Option<Part>) -> Result<(), String> {
    parts.extend(part);
    if parts.len() > MOST { Err(format!("a multipart body has at most {MOST} parts")) } else { Ok(()) }
}

fn by_name(name: &str, value: &Value) -> Result<Option<Part>, String> {
    let at = format!("the form's part `{}`", short(name));
    match value {
        Value::Null => Ok(None),
        Value::Object(part) if part.contains_key("name") => Err(format!("{at} has its name already: leave out `name`")),
        Value::Object(part) => described(&at, Some(sound(&at, "name", name.to_owned())?), part),
        Value::Array(_) => Err(format!("{at} is a list in a list")),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let content = scalar(value).unwrap_or_default().into_bytes();
            Ok(Some(Part { name: sound(&at, "name", name.to_owned())?, filename: None, content_type: None, content }))
        }
    }
}

fn described(at: &str, name: Option<String>, part: &Map<String, Value>) -> Result<Option<Part>, String> {
    if let Some(unknown) = part.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let hint = nearest(unknown, KEYS).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("{at} has no `{}`{hint}", short(unknown)));
    }
    let name = name.ok_or_else(|| format!("{at} has no `name`"))?;
    let Some(content) = content(at, part)? else { return Ok(None) };
    let filename = text(at, part, "filename")?;
    let content_type = text(at, part, "contentType")?.or_else(|| holds_json(part).then(|| "application/json".to_owned()));
    if let Some(kind) = &content_type
        && (!kind.contains('/') || !kind.is_ascii())
    {
        return Err(format!("{at}: `{}` is not a content type", short(kind)));
    }
    Ok(Some(Part { name, filename, content_type, content }))
}

fn holds_json(part: &Map<String, Value>) -> bool {
    part.get("value").is_some_and(|value| value.is_array() || value.is_object())
}

/// The bytes of a part; nothing where all that is given of them is null.
fn content(at: &str, part: &Map<String, Value>) -> Result<Option<Vec<u8>>, String> {
    let given: Vec<_> = ["value", "content", "base64"].into_iter().filter_map(|key| Some((key, part.get(key)?))).collect();
    let mut told = given.iter().filter(|(_, value)| !value.is_null());
    let content = match (told.next(), told.next()) {
        (None, _) if given.is_empty() => return Err(format!("{at} has none of `value`, `content` and `base64`")),
        (None, _) => return Ok(None),
        (Some((first, _)), Some((second, _))) => return Err(format!("{at} has both `{first}` and `{second}`")),
        (Some((key, value)), None) => match (*key, value) {
            ("value", Value::Array(_) | Value::Object(_)) => value.to_string().into_bytes(),
            ("value", value) => scalar(value).unwrap_or_default().into_bytes(),
            ("content", Value::String(text)) => text.clone().into_bytes(),
            ("base64", Value::String(text)) => from_base64(text).ok_or_else(|| format!("{at}: its `base64` is not base64"))?,
            (key, other) => return Err(format!("{at}: its `{key}` must be text, not {}", kind_of(other))),
        },
    };
    Ok(Some(content))
}

fn text(at: &str, part: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match part.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => sound(at, key, text.clone()).map(Some),
        Some(other) => Err(format!("{at}: its `{key}` must be text, not {}", kind_of(other))),
    }
}

/// What stands in a part's headers has no control characters. Quotes are made safe where the part is sent.
fn sound(at: &str, key: &str, text: String) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err(format!("{at}: its `{key}` has a control character in it"));
    }
    // A name is repeated by every part of a list.
    if text.len() > LONGEST { Err(format!("{at}: its `{key}` is longer than {LONGEST} bytes")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn part(name: &str, filename: Option<&str>, content_type: Option<&str>, content: &[u8]) -> Part {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Part { name: name.to_owned(), filename: owned(filename), content_type: owned(content_type), content: content.to_vec() }
    }

    #[test]
    fn a_list_describes_its_parts() {
        let value = json!([
            {"name": "title", "value": "Report"},
            {"name": "count", "value": 3, "filename": null},
            {"name": "meta", "value": {"a": [1]}},
            {"name": "file", "content": "a,b\n", "filename": "a \"b\".csv", "contentType": "text/csv"},
            {"name": "file", "base64": "/wA=", "filename": "b.bin"},
            {"name": "none", "value": null},
            null,
        ]);
        let expected = vec![
            part("title", None, None, b"Report"),
            part("count", None, None, b"3"),
            part("meta", None, Some("application/json"), b"{\"a\":[1]}"),
            part("file", Some("a \"b\".csv"), Some("text/csv"), b"a,b\n"),
            part("file", Some("b.bin"), None, &[0xff, 0]),
        ];
        assert_eq!(parts(&value), Ok(expected));
    }

    #[test]
    fn a_map_names_its_parts() {
        let value = json!({"title": "Report", "public": true, "none": null, "tag": ["a", {"value": "b"}], "file": {"base64": "/wA=", "filename": "b"}});
        let expected = vec![
            part("title", None, None, b"Report"),
            part("public", None, None, b"true"),
            part("tag", None, None, b"a"),
            part("tag", None, None, b"b"),
            part("file", Some("b"), None, &[0xff, 0]),
        ];
        assert_eq!(parts(&value), Ok(expected));
    }

    #[test]
    fn what_is_no_part_is_refused_by_its_name() {
        for (value, expected) in [
            (json!("x"), "a multipart body is a list of parts or a map of them, not text"),
            (json!(["x"]), "part 1 of the form is described by a map, not by text"),
            (json!([{"value": 1}]), "part 1 of the form has no `name`"),
            (json!([{"name": "a"}]), "part 1 of the form has none of `value`, `content` and `base64`"),
            (json!([{"name": "a", "value": 1, "base64": ""}]), "part 1 of the form has both `value` and `base64`"),
            (json!([{"name": "a\r\nx: y", "value": 1}]), "part 1 of the form: its `name` has a control character in it"),
            (json!({"a\0": 1}), "the form's part `a `: its `name` has a control character in it"),
            (
                json!({"a": {"content": "", "contentType": "a/b\r\nx: y"}}),
                "the form's part `a`: its `contentType` has a control character in it",
            ),
            (json!({"a": {"content": "", "contentType": "text"}}), "the form's part `a`: `text` is not a content type"),
            (json!({"a": {"content": 1}}), "the form's part `a`: its `content` must be text, not a number"),
            (json!({"a": {"base64": "!"}}), "the form's part `a`: its `base64` is not base64"),
            (json!({"a": {"content": "", "fileName": "b"}}), "the form's part `a` has no `fileName`; did you mean `filename`?"),
            (json!({"a": {"content": "", "name": "b"}}), "the form's part `a` has its name already: leave out `name`"),
            (json!({"a": {"content": "", "filename": "x".repeat(1001)}}), "the form's part `a`: its `filename` is longer than 1000 bytes"),
            (json!({"a\n": {"content": ""}}), "the form's part `a `: its `name` has a control character in it"),
            (json!({"a": [[1]]}), "the form's part `a` is a list in a list"),
            (json!({"a": vec![1; 1001]}), "a multipart body has at most 1000 parts"),
        ] {
            assert_eq!(parts(&value), Err(expected.to_owned()), "{value}");
        }
    }
}
