//! The parts of sentences about values that break a schema.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::document::unescape;
use super::suggestion::joined;
use super::{code, excerpt};

/// A bound that was broken.
pub(super) fn bound(kind: &ValidationErrorKind) -> Option<(&'static str, String)> {
    let entries = |limit: u64| if limit == 1 { "1 entry".to_owned() } else { format!("{limit} entries") };
    Some(match kind {
        ValidationErrorKind::MinItems { limit } => (code::LENGTH, format!("expected at least {}", entries(*limit))),
        ValidationErrorKind::MaxItems { limit } => (code::LENGTH, format!("expected at most {}", entries(*limit))),
        ValidationErrorKind::MinLength { limit: 1 } => (code::LENGTH, "expected some text, found nothing".to_owned()),
        ValidationErrorKind::MinLength { limit } => (code::LENGTH, format!("expected at least {limit} characters")),
        ValidationErrorKind::MaxLength { limit } => (code::LENGTH, format!("expected at most {limit} characters")),
        ValidationErrorKind::Minimum { limit } => (code::RANGE, format!("expected at least {limit}")),
        ValidationErrorKind::Maximum { limit } => (code::RANGE, format!("expected at most {limit}")),
        ValidationErrorKind::UniqueItems => (code::NOT_ALLOWED, "an entry is given twice".to_owned()),
        _ => return None,
    })
}

/// The last name in a pointer; entries of a list are named after the list.
pub(super) fn last_name(pointer: &str) -> Option<String> {
    let mut tokens = pointer.rsplit('/').take_while(|token| !token.is_empty());
    let last = tokens.next()?;
    match (last.parse::<usize>(), tokens.next()) {
        (Ok(index), Some(list)) => Some(format!("{}[{index}]", excerpt::of(&unescape(list)))),
        (Ok(_) | Err(_), _) => Some(excerpt::of(&unescape(last))),
    }
}

/// How many keys a map has.
pub(super) fn count(found: &Value) -> String {
    match found.as_object().map_or(0, serde_json::Map::len) {
        0 => "none".to_owned(),
        several => format!("{several} keys"),
    }
}

/// JSON's types in words.
pub(super) const TYPES: &[(&str, &str)] = &[
    ("object", "a map"),
    ("array", "a list"),
    ("string", "text"),
    ("number", "a number"),
    ("integer", "a whole number"),
    ("boolean", "`true` or `false`"),
    ("null", "nothing"),
];

/// The types that a schema allows.
pub(super) fn types(kind: &TypeKind) -> Vec<&str> {
    match kind {
        TypeKind::Single(single) => vec![single.as_str()],
        TypeKind::Multiple(several) => several.iter().map(|kind| kind.as_str()).collect(),
    }
}

/// JSON's types as people call them.
pub(super) fn types_in_words(types: &[&str]) -> String {
    let words: Vec<&str> = TYPES.iter().filter(|(kind, _)| types.contains(kind)).map(|(_, words)| *words).collect();
    joined(&words, "or")
}

/// A value in a message about it.
pub(super) fn found_in_words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("the number {}", excerpt::of(&number.to_string())),
        Value::String(text) if text.is_empty() => "empty text".to_owned(),
        Value::String(text) => format!("the text `{}`", excerpt::of(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

/// An allowed value as people write it.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
