//! The bodies of responses into values.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::csv::{self, CsvOptions};
use super::short;
use super::text::{essence, text};
use super::xml::{self, XmlOptions};
use crate::flow::exchange::Response;
use crate::flow::expression::value::DEEPEST;
use crate::manifest::is_obeyed;

/// What a response is read as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum ResponseForm {
    /// As its content type says: JSON, text, or base64 of anything else. What says it is JSON and is not comes as text.
    #[default]
    Auto,
    /// As its content type says, which must be true of a response that is successful: JSON that is none is an error.
    Announced,
    /// As JSON.
    Json,
    /// As text.
    Text,
    /// As XML, in JSON: see [`XmlOptions`].
    Xml(XmlOptions),
    /// As CSV, in JSON: see [`CsvOptions`].
    Csv(CsvOptions),
    /// As bytes, in base64.
    Binary,
}

/// A response's body as a value. An empty body is null, but the empty text in a form that makes text, and no rows in CSV.
///
/// `Auto` never fails. An error is a fragment that says what the response is not, and where.
pub(crate) fn decode(form: &ResponseForm, response: &Response) -> Result<Value, String> {
    let is_empty = response.body.is_empty();
    match form {
        ResponseForm::Auto | ResponseForm::Announced | ResponseForm::Json | ResponseForm::Xml(_) if is_empty => Ok(Value::Null),
        ResponseForm::Auto => Ok(auto(response)),
        ResponseForm::Announced => announced(response),
        ResponseForm::Json => json(response).map_err(|why| format!("{why}{}", other_type(response))),
        ResponseForm::Text => text(response, None).map(|text| Value::String(text.into_owned())),
        ResponseForm::Xml(options) => xml::read(&text(response, xml::declared(&response.body)?)?, options),
        ResponseForm::Csv(options) => csv::read(&text(response, None)?, *options),
        ResponseForm::Binary => Ok(Value::String(STANDARD.encode(&response.body))),
    }
}

fn announced(response: &Response) -> Result<Value, String> {
    match response.header("content-type").map(essence) {
        Some(kind) if is_json(&kind) && (200..300).contains(&response.status) => json(response)
            .map_err(|why| format!("{why}, though its content type is `{}`; with `responseType: text` it is read as text", short(&kind))),
        Some(_) | None => Ok(auto(response)),
    }
}

fn auto(response: &Response) -> Value {
    let kind = response.header("content-type").map(essence);
    if kind.as_deref().is_none_or(is_json)
        && let Ok(value) = json(response)
    {
        return value;
    }
    let plain = std::str::from_utf8(&response.body).map(Cow::Borrowed);
    let text = match kind {
        None => plain.ok(),
        Some(kind) if is_text(&kind) => text(response, None).ok().or(plain.ok()),
        Some(_) => None,
    };
    Value::String(text.map_or_else(|| STANDARD.encode(&response.body), Cow::into_owned))
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

fn is_text(kind: &str) -> bool {
    let is_xml = kind == "application/xml" || kind.ends_with("+xml");
    kind.starts_with("text/") || is_json(kind) || is_xml || kind == "application/x-www-form-urlencoded"
}

fn json(response: &Response) -> Result<Value, String> {
    let value = serde_json::from_str(&json_text(response)?).map_err(|error| format!("the response is not JSON: {error}"))?;
    fitting(value)
}

/// JSON is UTF-8, RFC 8259, whatever a service says of its charset. A zero byte is in no JSON, but in UTF-16.
fn json_text(response: &Response) -> Result<Cow<'_, str>, String> {
    match std::str::from_utf8(&response.body) {
        Ok(text) if !text.contains('\0') => Ok(Cow::Borrowed(text.trim_start_matches('\u{feff}'))),
        Ok(_) | Err(_) => text(response, None),
    }
}

/// What hints at why a response is not JSON: most often it is a page that tells of an error.
fn other_type(response: &Response) -> String {
    match response.header("content-type").map(essence) {
        Some(kind) if !is_json(&kind) => format!(" (its content type is `{}`)", short(&kind)),
        Some(_) | None => String::new(),
    }
}

/// A value that an expression can take, or a refusal.
pub(super) fn fitting(value: Value) -> Result<Value, String> {
    if is_deeper(&value, DEEPEST) { Err(format!("the response nests deeper than {DEEPEST} levels")) } else { Ok(value) }
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| levels == 0 || is_deeper(item, levels - 1)),
        Value::Object(entries) => entries.values().any(|value| levels == 0 || is_deeper(value, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The beginning of a response's text, for messages: `: its text`, or nothing.
pub(crate) fn excerpt(response: &Response) -> String {
    const LONGEST: usize = 300;
    let is_known = response.header("content-type").map(essence).is_some_and(|kind| is_text(&kind));
    let plain = std::str::from_utf8(&response.body).map(Cow::Borrowed).ok();
    let text = plain.or_else(|| text(response, None).ok().filter(|_| is_known)).unwrap_or_default();
    let text = text.trim_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
    if text.is_empty() {
        return String::new();
    }
    let visible = text.chars().map(|char| if is_obeyed(char) && char != '\n' && char != '\t' { ' ' } else { char });
    let dots = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!(": {}{dots}", visible.take(LONGEST).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn response(kind: Option<&str>, body: &[u8]) -> Response {
        let headers = kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())).into_iter().collect();
        Response { status: 200, headers, body: body.to_vec() }
    }

    #[test]
    fn auto_goes_by_the_content_type() {
        for (kind, body, expected) in [
            (Some("application/json; charset=utf-8"), &b"{\"a\": 1}"[..], json!({"a": 1})),
            (Some("application/problem+json"), b"[1]", json!([1])),
            (Some("text/json"), b"\xef\xbb\xbfnull", Value::Null),
            (Some("application/json; charset=latin1"), b"\"\xc3\xbc\"", json!("ü")),
            (Some("application/json; charset=latin1"), b"\"\xfc\"", json!("ü")),
            (Some("application/json; charset=utf-16le"), b"7\0", json!(7)),
            (Some("application/json"), b"<html>", json!("<html>")),
            (Some("application/json"), b"\xff", json!("/w==")),
            (Some("text/plain"), b"7", json!("7")),
            (Some("text/html; charset=iso-8859-1"), b"\xfc", json!("ü")),
            (Some("text/plain; charset=none-such"), b"a", json!("a")),
            (Some("application/atom+xml"), b"<a/>", json!("<a/>")),
            (Some("application/octet-stream"), b"abc", json!("YWJj")),
            (Some("image/png"), b"\x89P", json!("iVA=")),
            (None, b"7", json!(7)),
            (None, b"seven", json!("seven")),
            (None, b"\xff\xfea\0", json!("//5hAA==")),
            (None, b"", Value::Null),
        ] {
            assert_eq!(decode(&ResponseForm::Auto, &response(kind, body)), Ok(expected), "{kind:?}");
        }
    }

    #[test]
    fn what_is_not_json_says_where() {
        let told = |kind, body: &[u8]| decode(&ResponseForm::Json, &response(kind, body)).unwrap_err();
        let json = Some("application/json");
        assert_eq!(told(json, b"{\"a\":\n  x}"), "the response is not JSON: expected value at line 2 column 3");
        assert_eq!(
            told(Some("text/html; charset=utf-8"), b"<html>"),
            "the response is not JSON: expected value at line 1 column 1 (its content type is `text/html`)"
        );
        assert_eq!(told(json, b"\xff"), "the response is not text in UTF-8");
        assert_eq!(told(json, "[".repeat(10_000).as_bytes()), "the response is not JSON: recursion limit exceeded at line 1 column 128");
    }

    #[test]
    fn json_nests_no_deeper_than_expressions_can() {
        let nested = |levels: usize| response(None, format!("{}1{}", "[".repeat(levels), "]".repeat(levels)).as_bytes());
        assert!(decode(&ResponseForm::Json, &nested(DEEPEST)).is_ok());
        let refused = decode(&ResponseForm::Json, &nested(DEEPEST + 1));
        assert_eq!(refused, Err("the response nests deeper than 100 levels".to_owned()));
        assert!(decode(&ResponseForm::Auto, &nested(DEEPEST + 1)).unwrap().is_string());
    }

    #[test]
    fn a_form_that_is_asked_for_goes_before_the_content_type() {
        let body = response(Some("application/octet-stream"), b"a,b\n1,2\n");
        assert_eq!(decode(&ResponseForm::Text, &body), Ok(json!("a,b\n1,2\n")));
        assert_eq!(decode(&ResponseForm::Csv(CsvOptions::default()), &body), Ok(json!([{"a": "1", "b": "2"}])));
        assert_eq!(decode(&ResponseForm::Binary, &body), Ok(json!("YSxiCjEsMgo=")));
        let xml = response(None, b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xfc</a>");
        assert_eq!(decode(&ResponseForm::Xml(XmlOptions::default()), &xml), Ok(json!({"a": "ü"})));
    }

    #[test]
    fn an_empty_body_is_nothing_in_its_form() {
        for (form, expected) in [
            (ResponseForm::Auto, Value::Null),
            (ResponseForm::Json, Value::Null),
            (ResponseForm::Xml(XmlOptions::default()), Value::Null),
            (ResponseForm::Csv(CsvOptions::default()), json!([])),
            (ResponseForm::Text, json!("")),
            (ResponseForm::Binary, json!("")),
        ] {
            assert_eq!(decode(&form, &response(Some("application/json"), b"")), Ok(expected), "{form:?}");
        }
    }

    #[test]
    fn an_excerpt_is_short_and_harmless() {
        assert_eq!(excerpt(&response(None, b" \n")), "");
        assert_eq!(excerpt(&response(None, b"\xff")), "");
        assert_eq!(excerpt(&response(Some("text/plain; charset=latin1"), b"\xfc")), ": ü");
        assert_eq!(excerpt(&response(None, b" no\nsuch\x1b[2J thing ")), ": no\nsuch [2J thing");
        assert_eq!(excerpt(&response(None, "ü".repeat(301).as_bytes())), format!(": {}…", "ü".repeat(300)));
    }
}
