//! How a text is written as a YAML scalar.

use serde_json::Value;

use crate::manifest::scalar;

/// How a scalar is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Plain,
    Single,
    Double,
}

/// A new scalar: plain where it can be.
pub(super) fn new(value: &str) -> String {
    write(value, Quoting::Plain, false)
}

/// A new scalar within brackets.
pub(super) fn in_flow(value: &str) -> String {
    write(value, Quoting::Plain, true)
}

/// A scalar in the quoting wanted, or in the nearest one that can hold the value.
pub(super) fn write(value: &str, wanted: Quoting, in_flow: bool) -> String {
    match wanted {
        Quoting::Plain if is_plain(value, in_flow) => value.to_owned(),
        Quoting::Single if !value.contains(needs_escape) => format!("'{}'", value.replace('\'', "''")),
        Quoting::Plain | Quoting::Single | Quoting::Double => double_quoted(value),
    }
}

/// Whether a text may stand without quotes and is still text.
fn is_plain(value: &str, in_flow: bool) -> bool {
    let begins_well = !value.starts_with(|first: char| first.is_whitespace() || "-?:,[]{}#&*!|>'\"%@`=".contains(first));
    let ends_well = !value.ends_with(|last: char| last.is_whitespace() || last == ':');
    let holds_nothing_special = !value.contains(": ") && !value.contains(" #") && !value.contains(needs_escape);
    begins_well
        && ends_well
        && holds_nothing_special
        && !(in_flow && value.contains([',', '[', ']', '{', '}', ':']))
        && !matches!(value, "<<" | "---" | "...")
        && scalar::resolve(value) == Ok(Value::String(value.to_owned()))
}

fn needs_escape(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

fn double_quoted(value: &str) -> String {
    let mut token = String::with_capacity(value.len() + 2);
    token.push('"');
    for character in value.chars() {
        match character {
            '"' => token.push_str("\\\""),
            '\\' => token.push_str("\\\\"),
            '\n' => token.push_str("\\n"),
            '\t' => token.push_str("\\t"),
            '\r' => token.push_str("\\r"),
            special if needs_escape(special) => token.push_str(&format!("\\u{:04X}", u32::from(special))),
            ordinary => token.push(ordinary),
        }
    }
    token.push('"');
    token
}
