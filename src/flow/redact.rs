//! Takes secrets out of whatever leaves a flow.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

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
        let mut secrets: Vec<_> = plain.into_iter().filter(|text| !text.is_empty()).flat_map(spellings).collect();
        // The longest first, so that a secret that contains another goes whole.
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { secrets }
    }

    /// A text without secrets.
    pub fn text(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), REDACTED) } else { text }
        })
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

/// A secret as it is, and as it travels.
fn spellings(text: String) -> [String; 4] {
    [percent_encode(&text), STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text), text]
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
}
