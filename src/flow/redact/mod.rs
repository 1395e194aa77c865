//! Takes secrets out of whatever leaves a flow.

mod spellings;

use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde_json::{Map, Value};

use self::spellings::spellings;
use super::data::{self, Data, REDACTED};
use super::exchange::{Body, Part, Request};
use super::expression::value::to_jq;
use super::fault::Fault;

/// What stands at the end of a text that was cut.
const CUT: char = '…';
/// What is shorter is not looked for in texts, in bytes: it stands in most of them by chance, and redacted everywhere it would be told all the
/// more. What depends on it is redacted all the same.
const SHORTEST: usize = 3;
/// How much of a secret's beginning tells nothing of it, in bytes.
const TOO_LITTLE: usize = 1;

/// A secret in every way it is usually spelt, also in base64 with something around it.
pub(crate) fn every_spelling(secret: &str) -> impl Iterator<Item = String> {
    spellings(secret).into_iter()
}

/// A secret in every way in which it is a text by itself, each beside another text that is spelt in the same way. In base64 it is none:
/// what stands around it there is encoded with it.
pub(crate) fn respelt(secret: &str, instead: &str) -> impl Iterator<Item = (String, String)> {
    spellings::whole(secret).into_iter().zip(spellings::whole(instead))
}

/// The values that must not be shown, also as they are spelt in addresses, headers, JSON and pages.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Shared by all that are the same: what finds them is made once, and where nothing is looked through not even that.
    known: Arc<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The longest first.
    secrets: Vec<String>,
    finder: OnceLock<AhoCorasick>,
}

impl Known {
    /// Finds the secrets; the first pattern is what stands for one already. Nothing where there are none.
    fn finder(&self) -> Option<&AhoCorasick> {
        let make = || {
            let patterns = std::iter::once(REDACTED).chain(self.secrets.iter().map(String::as_str));
            // Most finders look through little, so the kind that is made soonest is the fastest.
            let kind = Some(AhoCorasickKind::NoncontiguousNFA);
            let finder = AhoCorasick::builder().kind(kind).match_kind(MatchKind::LeftmostLongest).build(patterns);
            // It fails only for more patterns than memory has room for; then everything is a secret.
            finder.or_else(|_| AhoCorasick::new([""]))
        };
        if self.secrets.is_empty() {
            return None;
        }
        match self.finder.get() {
            Some(finder) => Some(finder),
            None => make().ok().map(|finder| self.finder.get_or_init(|| finder)),
        }
    }
}

impl Redactor {
    /// Takes the values of the secret properties.
    pub(crate) fn new<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        let mut plain = Vec::new();
        values.into_iter().for_each(|value| leaves(value, &mut plain));
        Self::default().and(plain)
    }

    /// Takes further secrets.
    #[must_use]
    pub(crate) fn and(self, texts: impl IntoIterator<Item = String>) -> Self {
        let mut new = texts.into_iter().filter(|text| text.len() >= SHORTEST).peekable();
        if new.peek().is_none() {
            return self;
        }
        let mut secrets: Vec<String> = self.known.secrets.iter().cloned().chain(new.flat_map(|text| spellings(&text))).collect();
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Self { known: Arc::new(Known { secrets, finder: OnceLock::new() }) }
    }

    /// A text without secrets, and without the beginning of one that was cut. What was redacted before stays as it is, whatever the
    /// secrets are.
    pub fn text(&self, text: &str) -> String {
        let text = self.whole(text);
        if self.known.secrets.is_empty() || !text.contains(CUT) {
            return text;
        }
        let mut pieces: Vec<String> = text.split(CUT).map(str::to_owned).collect();
        let cut = pieces.len() - 1;
        pieces[..cut].iter_mut().for_each(|piece| self.end_begun(piece));
        pieces.join(&CUT.to_string())
    }

    /// Redacts the beginning of a secret at the end of a text.
    fn end_begun(&self, text: &mut String) {
        let is_begun =
            |at: &usize| text.len() - at > TOO_LITTLE && self.known.secrets.iter().any(|secret| secret.starts_with(&text[*at..]));
        if let Some(at) = text.char_indices().map(|(at, _)| at).find(is_begun) {
            text.replace_range(at.., REDACTED);
        }
    }

    /// A text without secrets that stand in it as a whole.
    fn whole(&self, text: &str) -> String {
        let Some(finder) = self.known.finder() else { return text.to_owned() };
        let mut shown = String::with_capacity(text.len());
        finder.replace_all_with(text, &mut shown, |_, _, shown| {
            shown.push_str(REDACTED);
            true
        });
        shown
    }

    /// The beginning of a text that was cut off: without secrets, and without the beginning of one at its end.
    pub(crate) fn beginning(&self, text: &str) -> String {
        let is_begun = |at: &usize| self.known.secrets.iter().any(|secret| secret.starts_with(&text[*at..]));
        let end = text.char_indices().map(|(at, _)| at).find(is_begun).unwrap_or(text.len());
        self.whole(&text[..end])
    }

    /// Whether a secret is in a value.
    pub(crate) fn finds(&self, value: &Value) -> bool {
        let Some(finder) = self.known.finder() else { return false };
        match value {
            Value::String(text) => finder.is_match(text.as_str()),
            Value::Number(number) => self.is_secret(number),
            Value::Array(items) => items.iter().any(|item| self.finds(item)),
            Value::Object(map) => map.iter().any(|(key, value)| finder.is_match(key.as_str()) || self.finds(value)),
            Value::Null | Value::Bool(_) => false,
        }
    }

    fn is_secret(&self, number: &serde_json::Number) -> bool {
        let digits = number.to_string();
        self.known.secrets.binary_search_by(|secret| digits.len().cmp(&secret.len()).then_with(|| secret.as_str().cmp(&digits))).is_ok()
    }

    /// A value without secrets, keys included.
    pub(crate) fn value(&self, value: Value) -> Value {
        if self.known.secrets.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Number(number) if self.is_secret(&number) => Value::String(REDACTED.to_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                Value::Object(map.into_iter().map(|(key, value)| (self.text(&key), self.value(value))).collect::<Map<_, _>>())
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
        }
    }

    /// A value of which the secrets are not shown, nor what is made of them.
    pub(crate) fn data(&self, value: &Value) -> Data {
        if self.known.secrets.is_empty() {
            return Data::plain(to_jq(value));
        }
        Data::new(to_jq(value), data::marked(&self.value(value.clone())))
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
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
    fn the_beginning_of_a_secret_that_was_cut_goes_too() {
        let redactor = Redactor::new([&json!("t0ps3cret")]);
        assert_eq!(redactor.text("it said: a t0ps3c… and t0ps3cret…"), "it said: a [redacted]… and [redacted]…");
        assert_eq!(redactor.text("a t0ps3c and t…"), "a t0ps3c and t…");
    }

    #[test]
    fn what_was_redacted_stays_as_it_is() {
        let redactor = Redactor::new([&json!("red"), &json!("act"), &json!("e")]);
        assert_eq!(redactor.text(&redactor.text("red fact")), "[redacted] f[redacted]");
    }

    #[test]
    fn a_secret_that_was_cut_off_is_gone_too() {
        let redactor = Redactor::new([&json!("t0ps3cret")]);
        assert_eq!(redactor.beginning("a t0ps3cret b t0ps3c"), "a [redacted] b ");
        assert_eq!(redactor.beginning("é t0ps3cre"), "é ");
        assert_eq!(redactor.beginning("nothing"), "nothing");
    }
}
