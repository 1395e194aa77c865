//! Looks for secrets in a recording before it is written: what is found in whatever spelling keeps it from being written.

use std::borrow::Cow;

use aho_corasick::AhoCorasick;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::encoded;
use super::secrets::{Kind, Known};
use crate::flow::every_spelling;

/// How often what is encoded is decoded.
const DEEPEST: usize = 3;

/// What stands in the place of a line that holds a secret.
const COVERED: &str = "(not shown: a secret is in it, in another spelling)";

/// Finds secrets.
pub(super) struct Scanner<'k> {
    finder: AhoCorasick,
    names: Vec<&'k str>,
}

impl<'k> Scanner<'k> {
    pub(super) fn new(known: &'k [Known]) -> Result<Self, String> {
        let secrets = known.iter().filter(|known| known.kind == Kind::Secret);
        let (names, spellings): (Vec<&str>, Vec<String>) =
            secrets.flat_map(|known| spellings(&known.text).map(|spelling| (known.name.as_str(), spelling))).unzip();
        let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(spellings);
        Ok(Self { finder: finder.map_err(|error| format!("its secrets cannot be looked for: {error}"))?, names })
    }

    /// Which secret is in a recording, and where: never the secret itself.
    pub(super) fn found(&self, recording: &Value) -> Option<String> {
        self.within(recording, "").map(|(name, place)| format!("{name} is in it, at `{place}`"))
    }

    /// A text for people, without the lines in which a secret stands in a spelling that nobody has thought of replacing.
    pub(super) fn covered(&self, text: String) -> String {
        if self.name_in(&text, DEEPEST).is_none() {
            return text;
        }
        let lines = text.split('\n').map(|line| if self.name_in(line, DEEPEST).is_some() { COVERED } else { line });
        let covered = lines.collect::<Vec<_>>().join("\n");
        // It may be spread over several.
        if self.name_in(&covered, DEEPEST).is_some() { COVERED.to_owned() } else { covered }
    }

    fn within(&self, value: &Value, place: &str) -> Option<(&'k str, String)> {
        match value {
            Value::String(text) => Some((self.name_in(text, DEEPEST)?, place.to_owned())),
            Value::Number(number) => Some((self.name_in(&number.to_string(), 0)?, place.to_owned())),
            Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| self.within(item, &format!("{place}[{index}]"))),
            Value::Object(members) => members.iter().find_map(|(key, value)| match self.name_in(key, DEEPEST) {
                Some(name) => Some((name, format!("{place}, as a key"))),
                None => self.within(value, &if place.is_empty() { key.clone() } else { format!("{place}.{key}") }),
            }),
            Value::Null | Value::Bool(_) => None,
        }
    }

    /// The secret in a text: as it stands there, without its blanks, or in what is encoded in it.
    fn name_in(&self, text: &str, depth: usize) -> Option<&'k str> {
        let found = |text: &str| self.finder.find(text).and_then(|found| self.names.get(found.pattern().as_usize()).copied());
        if let Some(name) = found(text) {
            return Some(name);
        }
        // Base64 is broken into lines, and so are texts by whoever folds them.
        let unbroken: String = text.split_whitespace().collect();
        if unbroken.len() < text.len()
            && let Some(name) = found(&unbroken)
        {
            return Some(name);
        }
        if depth == 0 {
            return None;
        }
        for unescaped in [percent_decode_str(text).decode_utf8_lossy(), Cow::Owned(encoded::from_markup(text))] {
            if unescaped != text
                && let Some(name) = self.name_in(&unescaped, depth - 1)
            {
                return Some(name);
            }
        }
        let in_hex = encoded::in_hex(&unbroken).find_map(|bytes| self.name_in(&read(&bytes), depth - 1));
        in_hex.or_else(|| self.name_in_base64(&unbroken, depth))
    }

    fn name_in_base64(&self, text: &str, depth: usize) -> Option<&'k str> {
        encoded::within(text).iter().find_map(|found| self.name_in(&read(&found.bytes), depth - 1))
    }
}

/// In every way it is usually spelt, and without its blanks, as it stands in a text that has lost them.
fn spellings(secret: &str) -> impl Iterator<Item = String> {
    let unbroken: String = secret.split_whitespace().collect();
    every_spelling(secret).chain((unbroken != secret && !unbroken.is_empty()).then_some(unbroken))
}

/// The text of bytes; of UTF-16, which has a zero beside each letter of most secrets, the letters.
fn read(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;

    fn found(recording: &Value) -> Option<String> {
        let known = |name: &str, text: &str, kind| Known { name: name.to_owned(), text: text.to_owned(), instead: "x".to_owned(), kind };
        let known = [
            known("the value of `token`", "t0p s3cret/42", Kind::Secret),
            known("the value of `account`", "4711123", Kind::Secret),
            known("the value of `region`", "europe", Kind::Other),
        ];
        let found = Scanner::new(&known).unwrap().found(recording);
        assert!(found.as_ref().is_none_or(|told| !told.contains("s3cret")), "{found:?}");
        found
    }

    #[test]
    fn secrets_are_found_however_they_are_spelt() {
        let secret = "t0p s3cret/42";
        let twice = STANDARD.encode(STANDARD.encode(format!("alice:{secret}")));
        let broken = STANDARD.encode(format!("{}{secret}", "x".repeat(40)));
        let (head, tail) = broken.split_at(58);
        for text in [
            secret.to_owned(),
            secret.to_uppercase(),
            "t0p%2520s3cret%252F42".to_owned(),
            hex::encode(secret),
            STANDARD.encode(format!("a{secret}b")),
            format!("/path/{}", STANDARD.encode(secret)),
            twice,
            STANDARD.encode(hex::encode(STANDARD.encode(secret))),
            format!("{head}\n{tail}"),
            "t0p&#32;s3cret&#x2F;42".to_owned(),
            secret.chars().map(|char| format!("&#{};", u32::from(char))).collect(),
            secret.chars().map(|char| format!("{char} ")).collect(),
            STANDARD.encode(secret.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            hex::encode(secret.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()),
        ] {
            let recording = json!({ "exchanges": [{ "response": { "body": ["x", { "a": format!("_{text}_") }] } }] });
            let told = found(&recording).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(told, "the value of `token` is in it, at `exchanges[0].response.body[1].a`");
        }
        let number = json!({ "exchanges": [{ "response": { "body": { "id": 4_711_123 } } }] });
        assert_eq!(found(&number).unwrap(), "the value of `account` is in it, at `exchanges[0].response.body.id`");
        let key = json!({ "exchanges": [{ "response": { "body": { secret: 1 } } }] });
        assert_eq!(found(&key).unwrap(), "the value of `token` is in it, at `exchanges[0].response.body, as a key`");
        let reversed: String = secret.chars().rev().collect();
        assert_eq!(found(&json!({ "a": "europe, t0p, s3cret", "b": reversed, "c": 47_111 })), None);
    }

    #[test]
    fn lines_in_which_a_secret_is_spelt_otherwise_are_not_shown() {
        let known = [Known { name: "it".to_owned(), text: "t0p s3cret/42".to_owned(), instead: String::new(), kind: Kind::Secret }];
        let scanner = Scanner::new(&known).unwrap();
        let shown = |text: &str| scanner.covered(text.to_owned());
        assert_eq!(shown("one\n+ T0P S3CRET/42\n"), format!("one\n{COVERED}\n"));
        assert_eq!(shown("one\nt0p\ns3cret/42"), COVERED);
        assert_eq!(shown("[redacted]\n two\n"), "[redacted]\n two\n");
    }
}
