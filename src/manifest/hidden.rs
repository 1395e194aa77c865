//! Characters that are not shown but obeyed: by terminals, or by whatever puts text in its order of reading.

use serde_json::Value;

use super::document::{MOST_PROBLEMS, escape};
use super::text::place_of;
use super::wording::last_name;
use super::{Document, code};
use crate::model::Problem;

/// Whether a character is obeyed instead of shown. Tabs and line ends are; what prints text on one line must see to them.
pub fn is_obeyed(character: char) -> bool {
    character.is_control() || is_direction(character)
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm: they make a line look like another.
/// Source: <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>.
pub(super) fn is_direction(character: char) -> bool {
    matches!(character, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Refuses such characters wherever they stand in a file that people write, and as escapes in every text of it, keys included.
pub(super) fn refuse(document: &Document, bytes: &[u8], problems: &mut Vec<Problem>) {
    if refuse_written(document, bytes, problems) && can_hide(bytes) {
        Search { document, problems }.look(document.value(), &mut String::new());
    }
}

/// The same for a test suite, whose data may hold anything as an escape: there, only what reports show is looked at.
pub(super) fn refuse_in_titles(document: &Document, bytes: &[u8], problems: &mut Vec<Problem>) {
    if !(refuse_written(document, bytes, problems) && can_hide(bytes)) {
        return;
    }
    let mut search = Search { document, problems };
    let value = document.value();
    search.title(value, "", "title");
    for (index, case) in value.get("cases").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let pointer = format!("/cases/{index}");
        search.title(case, &pointer, "title");
        search.title(case, &pointer, "skip");
        for row in case.get("each").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys) {
            search.text(row, &format!("{pointer}/each/{}", escape(row)), true);
        }
    }
}

/// Refuses direction characters as such, in comments as well; `true` where there are none. Control characters never get here.
fn refuse_written(document: &Document, bytes: &[u8], problems: &mut Vec<Problem>) -> bool {
    // Most files have none of these bytes, so that bytes are looked at before characters.
    let start = bytes.iter().position(|byte| matches!(byte, 0xD8 | 0xE2));
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let Some((start, rest)) = start.and_then(|start| Some((start, text.get(start..)?))) else { return true };
    let found = rest.char_indices().filter(|(_, character)| is_direction(*character)).take(MOST_PROBLEMS + 1);
    let before = problems.len();
    problems.extend(found.map(|(at, character)| {
        let message = format!("the direction character U+{:04X} is not allowed", u32::from(character));
        Problem::error(code::HIDDEN_CHARACTER, place_of(document.file(), text, start + at), message)
            .hint("Delete it; a test suite's data may have it as an escape in double quotes.")
    }));
    problems.len() == before
}

/// Only escapes and the line end of IBM's mainframes are left by the time that a file is YAML.
fn can_hide(bytes: &[u8]) -> bool {
    bytes.contains(&b'\\') || bytes.windows(2).any(|pair| pair == "\u{85}".as_bytes())
}

struct Search<'a> {
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl Search<'_> {
    fn title(&mut self, of: &Value, pointer: &str, key: &str) {
        if let Some(title) = of.get(key).and_then(Value::as_str) {
            self.text(title, &format!("{pointer}/{key}"), false);
        }
    }

    fn look(&mut self, value: &Value, pointer: &mut String) {
        let length = pointer.len();
        match value {
            Value::String(text) => self.text(text, pointer, false),
            Value::Array(list) => {
                for (index, entry) in list.iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    self.look(entry, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Object(map) => {
                for (key, entry) in map {
                    pointer.push('/');
                    pointer.push_str(&escape(key));
                    self.text(key, pointer, true);
                    self.look(entry, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str, pointer: &str, is_key: bool) {
        let found = text.chars().find(|character| is_obeyed(*character) && !matches!(character, '\t' | '\n' | '\r'));
        let Some(found) = found.filter(|_| self.problems.len() <= MOST_PROBLEMS) else { return };
        let place = if is_key { self.document.key_place(pointer) } else { self.document.place(pointer) };
        if self.problems.iter().any(|problem| problem.place == place) {
            return;
        }
        let name = last_name(pointer).map_or_else(|| "the text".to_owned(), |name| format!("`{name}`"));
        let message = format!("{name} holds U+{:04X}, a character that is not shown but obeyed", u32::from(found));
        let hint = match text.contains("${") {
            true => "Delete it, or put the expression in single quotes, where the escape is its own.",
            false => "Delete it.",
        };
        self.problems.push(Problem::error(code::HIDDEN_CHARACTER, place, message).hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_those_of_the_bidirectional_algorithm() {
        for character in "\u{61C}\u{200E}\u{200F}\u{202A}\u{202E}\u{2066}\u{2069}\u{1b}\u{9b}\u{7f}".chars() {
            assert!(is_obeyed(character), "{}", character.escape_unicode());
        }
        // Joiners shape letters and emoji, and move nothing.
        for character in "aé日🎉\u{200C}\u{200D}\u{00A0}".chars() {
            assert!(!is_obeyed(character), "{}", character.escape_unicode());
        }
    }
}
