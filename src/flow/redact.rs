//! Takes secrets out of whatever leaves a flow.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::data::Data;
use super::exchange::{Body, Part, Request};
use super::expression::value::to_jq;
use super::fault::Fault;
use super::uri::percent_encode;

const REDACTED: &str = "[redacted]";

/// The values that must not be shown, also encoded as they travel in addresses and headers.
#[derive(Debug, Default)]
pub struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// Takes the values of the secret properties.
    pub(crate) fn new<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        let mut plain = Vec::new();
        values.into_iter().for_each(|value| leaves(value, &mut plain));
        Self::default().and(plain)
    }

    /// The longest first, so that a secret that contains another goes whole.
    fn in_order(mut self) -> Self {
        self.secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.secrets.dedup();
        self
    }

    /// Takes further secrets.
    #[must_use]
    pub(crate) fn and(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        self.secrets.extend(texts.into_iter().filter(|text| !text.is_empty()).flat_map(spellings));
        self.in_order()
    }

    /// A text without secrets. What was redacted before stays as it is, whatever the secrets are.
    pub fn text(&self, text: &str) -> String {
        if !self.secrets.iter().any(|secret| text.contains(secret.as_str())) {
            return text.to_owned();
        }
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let redacted =
                std::iter::once(REDACTED).chain(self.secrets.iter().map(String::as_str)).find(|secret| rest.starts_with(*secret));
            let (piece, taken) = redacted.map_or((&rest[..first.len_utf8()], first.len_utf8()), |secret| (REDACTED, secret.len()));
            shown.push_str(piece);
            rest = &rest[taken..];
        }
        shown
    }

    /// The beginning of a text that was cut off: without secrets, and without the beginning of one at its end.
    pub(crate) fn beginning(&self, text: &str) -> String {
        let is_begun = |at: &usize| self.secrets.iter().any(|secret| secret.starts_with(&text[*at..]));
        let end = text.char_indices().map(|(at, _)| at).find(is_begun).unwrap_or(text.len());
        self.text(&text[..end])
    }

    /// A value without secrets, keys included.
    pub(crate) fn value(&self, value: Value) -> Value {
        if self.secrets.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Number(number) if self.secrets.contains(&number.to_string()) => Value::String(REDACTED.to_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                Value::Object(map.into_iter().map(|(key, value)| (self.text(&key), self.value(value))).collect::<Map<_, _>>())
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
        }
    }

    /// A value of which the secrets are not shown, nor what is made of them.
    pub(crate) fn data(&self, value: &Value) -> Data {
        if self.secrets.is_empty() {
            return Data::plain(to_jq(value));
        }
        Data::new(to_jq(value), to_jq(&self.value(value.clone())))
    }

    /// A request without secrets.
    pub(crate) fn request(&self, request: Request) -> Request {
        let url = self.text(request.url.as_str()).parse();
        let text = |bytes: Vec<u8>| match std::str::from_utf8(&bytes) {
            Ok(text) => self.text(text).into_bytes(),
            Err(_) => bytes,
        };
        let body = request.body.map(|body| match body {
            Body::Json(value) => Body::Json(self.value(value)),
            Body::Text(body) => Body::Text(self.text(&body)),
            Body::Form(fields) => Body::Form(self.pairs(fields)),
            Body::Multipart(parts) => Body::Multipart(parts.into_iter().map(|part| Part { content: text(part.content), ..part }).collect()),
            Body::Bytes(bytes) => Body::Bytes(text(bytes)),
        });
        // An address that is none any more has its secret in its host.
        let url = url.unwrap_or_else(|_| {
            let mut bare = request.url.clone();
            bare.set_path("");
            bare.set_query(None);
            bare
        });
        Request { url, headers: self.pairs(request.headers), body, ..request }
    }

    /// Values by their names, without secrets.
    pub(crate) fn pairs(&self, pairs: Vec<(String, String)>) -> Vec<(String, String)> {
        pairs.into_iter().map(|(name, value)| (name, self.text(&value))).collect()
    }

    /// An error without secrets.
    pub(crate) fn fault(&self, mut fault: Fault) -> Fault {
        for text in fault.texts() {
            *text = self.text(text);
        }
        fault
    }
}

/// The texts and numbers of a value.
fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Number(number) => into.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, into)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A secret as it is, and as it travels: in addresses, forms, JSON and headers.
fn spellings(text: String) -> Vec<String> {
    let form = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let json = serde_json::Value::from(text.as_str()).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let mut all = vec![percent_encode(&text), form, json, STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)];
    for before in 0..3 {
        let bytes = [&vec![0; before], text.as_bytes()].concat();
        all.extend(
            [within(&STANDARD_NO_PAD.encode(&bytes), before, bytes.len()), within(&URL_SAFE_NO_PAD.encode(&bytes), before, bytes.len())]
                .into_iter()
                .flatten(),
        );
    }
    all.push(text);
    all
}

/// The digits of base64 that stand for a secret alone, where it is encoded with something before it, such as a user's name, and something
/// after. Nothing where so few could stand for anything.
fn within(encoded: &str, before: usize, end: usize) -> Option<String> {
    const FEWEST: usize = 6;
    let digits = encoded.get((before * 8).div_ceil(6)..end * 8 / 6)?;
    (digits.len() >= FEWEST).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_from_texts_keys_and_numbers_and_in_encoded_forms() {
        let redactor = Redactor::new([&json!("s3cr&t"), &json!(4711), &json!("")]);
        let value = json!({"a s3cr&t": ["x s3cr&t y", 4711, "s3cr%26t", "czNjciZ0"], "b": "no"});
        let shown = json!({"a [redacted]": ["x [redacted] y", "[redacted]", "[redacted]", "[redacted]"], "b": "no"});
        assert_eq!(redactor.value(value), shown);
        assert_eq!(redactor.fault(Fault::expression("has s3cr&t")).detail.as_deref(), Some("has [redacted]"));
    }

    #[test]
    fn secrets_go_where_they_are_encoded_with_something_around_them() {
        let redactor = Redactor::new([&json!("t0p\"s3cret")]);
        for around in ["", "a", "ab", "alice:"] {
            let text = STANDARD.encode(format!("{around}t0p\"s3cret{around}"));
            let shown = redactor.text(&text);
            assert!(shown.contains(REDACTED) && shown.len() < REDACTED.len() + 2 * around.len() + 8, "{text}: {shown}");
        }
        assert_eq!(redactor.text(r#"{"a":"t0p\"s3cret"}"#), r#"{"a":"[redacted]"}"#);
        assert_eq!(redactor.and(["other one".to_owned()]).text("b=other+one&c=other%20one"), "b=[redacted]&c=[redacted]");
    }

    #[test]
    fn what_was_redacted_stays_as_it_is() {
        let redactor = Redactor::new([&json!("e"), &json!("act")]);
        assert_eq!(redactor.text(&redactor.text("e fact")), "[redacted] f[redacted]");
    }

    #[test]
    fn a_secret_that_was_cut_off_is_gone_too() {
        let redactor = Redactor::new([&json!("t0ps3cret")]);
        assert_eq!(redactor.beginning("a t0ps3cret b t0ps3c"), "a [redacted] b ");
        assert_eq!(redactor.beginning("é t0ps3cre"), "é ");
        assert_eq!(redactor.beginning("nothing"), "nothing");
    }
}
