//! The values of `deduplicateBy` that were seen: a bounded number of them, those not seen for the longest time forgotten first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The longest key that is kept as it is, in bytes; of others a digest is kept.
const LONGEST_KEY: usize = 24;

/// How many bytes of a digest are kept: enough that no two keys of one trigger will ever share one.
const DIGEST: usize = 16;

/// Keys in the order in which they were last seen.
#[derive(Debug, Clone, Default)]
pub struct Window {
    next: u64,
    by_key: HashMap<Arc<str>, u64>,
    by_age: BTreeMap<u64, Arc<str>>,
}

impl Window {
    /// Whether a value was seen.
    pub fn has(&self, value: &Value) -> bool {
        self.by_key.contains_key(key(value).as_str())
    }

    /// Remembers that a value was seen, by its key, and tells whether it was seen for the first time, as far as is remembered.
    pub(super) fn remember(&mut self, key: String, limit: usize) -> bool {
        let is_new = self.keep(key.into());
        while self.by_key.len() > limit
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_key.remove(&oldest);
        }
        is_new
    }

    /// How many values are remembered.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    fn keep(&mut self, key: Arc<str>) -> bool {
        self.next += 1;
        self.by_age.insert(self.next, Arc::clone(&key));
        match self.by_key.insert(key, self.next) {
            Some(before) => self.by_age.remove(&before).is_none(),
            None => true,
        }
    }
}

impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        self.by_age.values().eq(other.by_age.values())
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.by_age.values())
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut window = Self::default();
        for key in Vec::<Arc<str>>::deserialize(deserializer)? {
            window.keep(key);
        }
        Ok(window)
    }
}

/// A value as a short key: `=` and a text, `:` and other JSON, or `#` and a digest of either.
pub(super) fn key(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::String(plain) => {
            text.push('=');
            text.push_str(plain);
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            text.push(':');
            write_canonical(other, &mut text);
        }
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if text.len() <= LONGEST_KEY && text.bytes().all(is_plain) {
        return text;
    }
    format!("#{}", URL_SAFE_NO_PAD.encode(&Sha256::digest(text.as_bytes())[..DIGEST]))
}

/// JSON in which equal values are equal texts: keys in order, whole numbers without a fraction.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in entries {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Number(number) => match number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15) {
            Some(whole) => text.push_str(&format!("{whole:.0}")),
            None => text.push_str(&number.to_string()),
        },
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_new_once_and_the_longest_unseen_is_forgotten_first() {
        let mut window = Window::default();
        for id in [1, 2, 3] {
            assert!(window.remember(key(&json!(id)), 3));
        }
        assert!(!window.remember(key(&json!(1)), 3), "1 is known, and now the one seen last");
        assert!(window.remember(key(&json!(4)), 3));
        assert_eq!([1, 2, 3, 4].map(|id| window.has(&json!(id))), [true, false, true, true]);
        assert_eq!(window.len(), 3);
    }

    #[test]
    fn equal_values_are_one_and_others_are_not() {
        let equal = [
            (json!(1), json!(1.0)),
            (json!({"a": 1, "b": [2]}), json!({"b": [2], "a": 1})),
            (json!("x".repeat(100)), json!("x".repeat(100))),
        ];
        for (one, other) in equal {
            assert_eq!(key(&one), key(&other), "{one} {other}");
        }
        let different =
            [json!(1), json!("1"), json!(":1"), json!("=1"), json!([1]), json!(["1"]), json!(true), json!("true"), json!(1.5), json!("")];
        let keys: std::collections::BTreeSet<String> = different.iter().map(key).collect();
        assert_eq!(keys.len(), different.len(), "{keys:?}");
        assert_ne!(key(&json!("x".repeat(100))), key(&json!("x".repeat(101))));
    }

    #[test]
    fn what_is_stored_is_short_and_comes_back_in_its_order() {
        let long = |id: u32| json!({ "id": id, "long": "\u{1}".repeat(50) });
        let mut window = Window::default();
        for id in 0..100 {
            window.remember(key(&long(id)), 100);
        }
        let text = serde_json::to_string(&window).unwrap();
        assert!(text.len() <= 100 * (LONGEST_KEY + 3) + 2, "{}", text.len());
        let mut back: Window = serde_json::from_str(&text).unwrap();
        assert_eq!(back, window);
        back.remember(key(&json!("another")), 100);
        assert_eq!([0, 1].map(|id| back.has(&long(id))), [false, true], "the first is forgotten first");
    }
}
