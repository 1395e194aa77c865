//! A secret in all the ways in which it travels: in addresses, forms, headers, JSON and pages.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::flow::uri::percent_encode;

/// What markup writes for its own characters, as different programs do.
const MARKUP: [&[(char, &str)]; 3] = [
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")],
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&#34;"), ('\'', "&#x27;")],
];

/// A secret as it is, and in every way it is usually spelt.
pub(super) fn spellings(text: &str) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = whole(text).into_iter().chain(encoded(text)).collect();
    for before in 0..3 {
        let bytes = [&vec![0; before], text.as_bytes()].concat();
        let encoded = [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)];
        all.extend(encoded.iter().filter_map(|encoded| within(encoded, before, bytes.len())));
    }
    all
}

/// The spellings of a text that are texts by themselves, always as many and in the same order: so of two texts, each has its counterpart.
pub(super) fn whole(text: &str) -> Vec<String> {
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut all = vec![text.to_owned(), hex::encode(text), hex::encode_upper(text)];
    for escaped in [percent_encode(text), form] {
        all.push(lower_hex(&escaped));
        all.push(escaped);
    }
    for json in in_json(text) {
        // Text of JSON stands in JSON, too.
        all.extend(in_json(&json));
        all.push(json);
    }
    all.extend(MARKUP.map(|escapes| in_markup(text, escapes)));
    // Bytes of Latin-1 that are read as UTF-8.
    all.push(text.chars().map(|char| if ('\u{80}'..='\u{ff}').contains(&char) { char::REPLACEMENT_CHARACTER } else { char }).collect());
    all
}

fn encoded(text: &str) -> [String; 2] {
    [STANDARD.encode(text), URL_SAFE_NO_PAD.encode(text)]
}

/// As JSON writes it: with slashes escaped or not, with all that is not ASCII escaped or not.
fn in_json(text: &str) -> [String; 5] {
    let json = serde_json::Value::from(text).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let slashed = |text: &str| text.replace('/', "\\/");
    let ascii = in_ascii(&json);
    [slashed(&json), slashed(&ascii), in_ascii(&json).replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"), ascii, json]
}

fn in_ascii(json: &str) -> String {
    let mut units = [0; 2];
    let escaped = |char: char| match char {
        ' '..='~' => char.to_string(),
        _ => char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    json.chars().map(escaped).collect()
}

fn in_markup(text: &str, escapes: &[(char, &str)]) -> String {
    let escaped =
        |char: char| escapes.iter().find(|(known, _)| *known == char).map_or_else(|| char.to_string(), |(_, escape)| (*escape).to_owned());
    text.chars().map(escaped).collect()
}

/// `%2F` as `%2f`.
fn lower_hex(escaped: &str) -> String {
    let mut pieces = escaped.split('%');
    let mut lower = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        lower.extend(["%", &digits.to_ascii_lowercase(), rest]);
    }
    lower
}

/// The digits of base64 that stand for a secret alone, where it is encoded with something before it, such as a user's name, and something
/// after. Nothing where so few could stand for anything.
fn within(encoded: &str, before: usize, end: usize) -> Option<String> {
    const FEWEST: usize = 6;
    let digits = encoded.get((before * 8).div_ceil(6)..end * 8 / 6)?;
    (digits.len() >= FEWEST).then(|| digits.to_owned())
}
