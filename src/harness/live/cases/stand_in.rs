//! Puts what stands for it in the place of everything that must not be recorded, in whatever spelling it is found.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use url::Url;

use super::encoded;
use super::secrets::{Kind, Known};
use crate::flow::{Response, respelt};

/// How often what is encoded is decoded, where it holds something that is encoded in turn.
const DEEPEST: usize = 3;
/// Of what is shorter and no secret, what stands in an answer by chance is left alone, in characters.
const SHORTEST: usize = 4;

/// Headers of answers that mean something to flows.
const MEANT: [&str; 15] = [
    "allow",
    "authentication-info",
    "content-disposition",
    "content-language",
    "content-location",
    "content-range",
    "content-type",
    "etag",
    "last-modified",
    "link",
    "location",
    "retry-after",
    "sunset",
    "www-authenticate",
    "preference-applied",
];
/// How the names of others begin: what is left of a rate, and where in a list an answer is.
const MEANT_BEGINNINGS: [&str; 8] =
    ["ratelimit", "x-ratelimit", "x-rate-limit", "x-total", "x-page", "x-per-page", "x-next", "x-pagination"];

/// Replaces what is known.
pub(super) struct StandIns {
    plain: Finder,
    /// Where a text is JSON, what stands in it is spelt as JSON has it.
    json: Finder,
}

/// Finds the texts, and says what stands for each.
struct Finder {
    finder: AhoCorasick,
    instead: Vec<(String, Kind)>,
}

impl Finder {
    fn new(known: &[Known], is_json: bool) -> Result<Self, String> {
        let mut pairs: Vec<(String, String, Kind)> = Vec::new();
        let meant = known.iter().filter(|known| known.kind == Kind::Secret || known.text.chars().count() >= SHORTEST);
        for Known { text, instead, kind, .. } in meant {
            // Of spellings that are the same for the text, the first counts.
            let first = is_json.then(|| (in_json(text), in_json(instead)));
            pairs.extend(first.into_iter().chain(respelt(text, instead)).map(|(text, instead)| (text, instead, *kind)));
        }
        let mut seen = BTreeSet::new();
        pairs.retain(|(text, ..)| seen.insert(text.clone()));
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(pairs.iter().map(|(text, ..)| text));
        let finder = finder.map_err(|error| format!("its secrets cannot be looked for: {error}"))?;
        Ok(Self { finder, instead: pairs.into_iter().map(|(_, instead, kind)| (instead, kind)).collect() })
    }

    fn replaced(&self, bytes: &[u8]) -> Vec<u8> {
        let mut all = Vec::with_capacity(bytes.len());
        self.finder.replace_all_with_bytes(bytes, &mut all, |found, text, all| {
            let (instead, kind) = &self.instead[found.pattern().as_usize()];
            let is_part = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            let is_within = is_part(found.start().checked_sub(1).and_then(|at| bytes.get(at))) || is_part(bytes.get(found.end()));
            // What is no secret is a word of its own, or something else.
            all.extend_from_slice(if *kind == Kind::Other && is_within { text } else { instead.as_bytes() });
            true
        });
        all
    }

    fn finds_secret(&self, bytes: &[u8]) -> bool {
        self.finder.find_iter(bytes).any(|found| self.instead[found.pattern().as_usize()].1 == Kind::Secret)
    }
}

impl StandIns {
    pub(super) fn new(known: &[Known]) -> Result<Self, String> {
        Ok(Self { plain: Finder::new(known, false)?, json: Finder::new(known, true)? })
    }

    /// An address without what is known.
    pub(super) fn url(&self, url: &Url) -> Result<Url, String> {
        let text = self.text(url.as_str());
        Url::parse(&text).map_err(|_| "the address of a request is none with what the suite's `connection` gives".to_owned())
    }

    /// An answer without what is known, and without the headers that mean nothing to flows. `meant` are names that flows may read.
    pub(super) fn response(&self, response: &Response, meant: &dyn Fn(&str) -> bool) -> Response {
        let kept = response.headers.iter().filter(|(name, _)| is_meant(name) || meant(name));
        let headers = kept.map(|(name, value)| (name.clone(), self.text(value))).collect();
        let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let finder = if kind.contains("json") { &self.json } else { &self.plain };
        let body = match std::str::from_utf8(&response.body) {
            Ok(text) => finder.replaced(decoded(text, finder, DEEPEST).as_bytes()),
            Err(_) => finder.replaced(&response.body),
        };
        Response { status: response.status, headers, body }
    }

    fn text(&self, text: &str) -> String {
        let bytes = self.plain.replaced(decoded(text, &self.plain, DEEPEST).as_bytes());
        // Whole texts are replaced by whole texts.
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn in_json(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

fn is_meant(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    MEANT.contains(&name.as_str()) || MEANT_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// A text in which secrets are replaced where they are encoded in base64, with whatever stands around them.
fn decoded(text: &str, finder: &Finder, depth: usize) -> String {
    if depth == 0 {
        return text.to_owned();
    }
    let (mut whole, mut end) = (String::with_capacity(text.len()), 0);
    for found in encoded::within(text) {
        if found.range.start < end {
            continue;
        }
        let inner = match std::str::from_utf8(&found.bytes) {
            Ok(inner) => decoded(inner, finder, depth - 1).into_bytes(),
            Err(_) => found.bytes.clone(),
        };
        if inner != found.bytes || finder.finds_secret(&inner) {
            whole.push_str(&text[end..found.range.start]);
            whole.push_str(&found.again(&finder.replaced(&inner)));
            end = found.range.end;
        }
    }
    whole.push_str(&text[end..]);
    whole
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    fn known(text: &str, instead: &str, kind: Kind) -> Known {
        Known { name: "it".to_owned(), text: text.to_owned(), instead: instead.to_owned(), kind }
    }

    fn stand_ins() -> StandIns {
        StandIns::new(&[
            known("t0p s3cret/42", "to \"ken\"", Kind::Secret),
            known("crm.internal:8080", "api.example.com", Kind::Other),
            known("open", "shut", Kind::Other),
        ])
        .unwrap()
    }

    #[test]
    fn a_secret_is_replaced_in_the_spelling_that_it_has() {
        let stand_ins = stand_ins();
        for (text, expected) in [
            ("Bearer t0p s3cret/42", "Bearer to \"ken\""),
            ("https://h/t0p%20s3cret%2F42?a=t0p+s3cret%2f42", "https://h/to%20%22ken%22?a=to+%22ken%22"),
            (&hex::encode("t0p s3cret/42"), &hex::encode("to \"ken\"")),
            ("http://crm.internal:8080/next, open opened re-open", "http://api.example.com/next, shut opened re-shut"),
        ] {
            assert_eq!(stand_ins.text(text), expected);
        }
        for engine in [&STANDARD, &URL_SAFE_NO_PAD] {
            for (before, after) in [("", ""), ("alice:", ""), ("a", "!!"), ("ü", "ß")] {
                let encoded = |text: &str| format!("/x/{}, y", engine.encode(format!("{before}{text}{after}")));
                assert_eq!(stand_ins.text(&encoded("t0p s3cret/42")), encoded("to \"ken\""), "{before} {after}");
            }
        }
    }

    #[test]
    fn json_stays_json_and_only_headers_that_mean_something_stay() {
        let headers = ["Content-Type: application/json", "Set-Cookie: a", "X-RateLimit-Left: 1", "X-Own: t0p s3cret/42", "Date: now"];
        let headers = headers.iter().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = br#"{"a":"t0p s3cret\/42","b":"t0p s3cret/42","c":"{\"d\":\"t0p s3cret/42\"}"}"#.to_vec();
        let response = Response { status: 200, headers: headers.collect(), body };
        let response = stand_ins().response(&response, &|name| name == "X-Own");
        let names: Vec<_> = response.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(names, ["Content-Type: application/json", "X-RateLimit-Left: 1", "X-Own: to \"ken\""]);
        let json: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((&json["a"], &json["b"]), (&"to \"ken\"".into(), &"to \"ken\"".into()));
    }
}
