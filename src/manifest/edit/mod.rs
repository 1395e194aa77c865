//! Changes one value of a YAML file in place: comments, order, quoting and line ends stay as they are, byte for byte, everywhere else.

mod layout;
mod list;
mod token;

use serde_json::Value;

use self::layout::Layout;
use super::Document;
use super::document::escape;
use crate::model::Problem;

/// Why a file was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file is not YAML that Switchboard reads.
    #[error("cannot change a file that cannot be read: {0}")]
    Unreadable(Problem),
    /// The map that should hold the key is not there.
    #[error("cannot set `{0}`: what should hold it is not in the file")]
    NoParent(String),
    /// The value is a map or a list where one text is wanted, or no list where one is wanted.
    #[error("cannot change `{key}`: it holds {found}")]
    WrongKind {
        /// The path, joined by dots.
        key: String,
        /// What it holds.
        found: &'static str,
    },
    /// The change would have touched more than the one value, by way of an alias or an unusual layout.
    #[error("cannot change `{0}` alone: the file's layout ties it to something else; edit the file by hand")]
    Entangled(String),
}

/// Sets a text value, keeping the quoting it had where the new value allows that. An absent key is added after the keys it usually follows.
pub fn set(text: &str, path: &[&str], value: &str) -> Result<String, EditError> {
    let layout = Layout::read(text)?;
    let pointer = pointer(path);
    let changed = match layout.document.value().pointer(&pointer) {
        Some(Value::Object(_)) => return Err(wrong_kind(path, "a map")),
        Some(Value::Array(_)) => return Err(wrong_kind(path, "a list")),
        Some(Value::String(old)) if old == value => return Ok(text.to_owned()),
        Some(_) => layout.replace_scalar(&pointer, value),
        None => layout.insert(path, &token::new(value)).ok_or_else(|| EditError::NoParent(path.join(".")))?,
    };
    let mut expected = layout.document.value().clone();
    put(&mut expected, path, Value::String(value.to_owned()));
    verified(changed, &expected, path)
}

/// Adds a text to a list, at its end, unless it is there. An absent list is added.
pub fn add_to_list(text: &str, path: &[&str], value: &str) -> Result<String, EditError> {
    let layout = Layout::read(text)?;
    let pointer = pointer(path);
    let mut entries = match layout.document.value().pointer(&pointer) {
        Some(Value::Array(entries)) => entries.clone(),
        Some(Value::Null) | None => Vec::new(),
        Some(_) => return Err(wrong_kind(path, "no list")),
    };
    if entries.iter().any(|entry| entry == value) {
        return Ok(text.to_owned());
    }
    let changed = match layout.document.value().pointer(&pointer) {
        Some(Value::Array(_)) => list::add(&layout, &pointer, entries.len(), value),
        Some(_) => layout.replace_with(&pointer, &format!("[{}]", token::in_flow(value))),
        None => layout.insert(path, &format!("[{}]", token::in_flow(value))).ok_or_else(|| EditError::NoParent(path.join(".")))?,
    };
    entries.push(Value::String(value.to_owned()));
    let mut expected = layout.document.value().clone();
    put(&mut expected, path, Value::Array(entries));
    verified(changed, &expected, path)
}

/// Removes a text from a list. One that is not there is fine; a list that becomes empty stays, as `[]`.
pub fn remove_from_list(text: &str, path: &[&str], value: &str) -> Result<String, EditError> {
    let layout = Layout::read(text)?;
    let pointer = pointer(path);
    let mut entries = match layout.document.value().pointer(&pointer) {
        Some(Value::Array(entries)) => entries.clone(),
        Some(Value::Null) | None => return Ok(text.to_owned()),
        Some(_) => return Err(wrong_kind(path, "no list")),
    };
    let Some(index) = entries.iter().position(|entry| entry == value) else { return Ok(text.to_owned()) };
    let changed = list::remove(&layout, &pointer, index, entries.len());
    entries.remove(index);
    let mut expected = layout.document.value().clone();
    put(&mut expected, path, Value::Array(entries));
    verified(changed, &expected, path)
}

fn pointer(path: &[&str]) -> String {
    path.iter().map(|key| format!("/{}", escape(key))).collect()
}

fn wrong_kind(path: &[&str], found: &'static str) -> EditError {
    EditError::WrongKind { key: path.join("."), found }
}

/// Puts a value at a path whose parents are maps.
fn put(root: &mut Value, path: &[&str], value: Value) {
    let mut slot = root;
    for key in path {
        let Value::Object(map) = slot else { return };
        slot = map.entry(*key).or_insert(Value::Null);
    }
    *slot = value;
}

/// The changed text, if reading it again gives exactly what was meant.
fn verified(changed: String, expected: &Value, path: &[&str]) -> Result<String, EditError> {
    match Document::parse("", changed.as_bytes()) {
        Ok(document) if document.value() == expected => Ok(changed),
        Ok(_) | Err(_) => Err(EditError::Entangled(path.join("."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "# head\nname: a\nkind: saas   # kind\nstatus: editing # state\nowner: 'x'\n";

    #[test]
    fn one_value_changes_and_nothing_else() {
        assert_eq!(set(MANIFEST, &["status"], "published").unwrap(), MANIFEST.replace("editing", "published"));
        assert_eq!(set(MANIFEST, &["owner"], "it's").unwrap(), MANIFEST.replace("'x'", "'it''s'"));
        assert_eq!(set(MANIFEST, &["name"], "null").unwrap(), MANIFEST.replace("name: a", "name: \"null\""));
        let crlf = MANIFEST.replace('\n', "\r\n");
        assert_eq!(set(&crlf, &["status"], "published").unwrap(), crlf.replace("editing", "published"));
    }

    #[test]
    fn an_absent_key_is_added_where_it_usually_stands() {
        let expected = MANIFEST.replace("# kind\n", "# kind\nversion: 1.2.0\n");
        assert_eq!(set(MANIFEST, &["version"], "1.2.0").unwrap(), expected);
        let crlf = MANIFEST.replace('\n', "\r\n");
        assert_eq!(set(&crlf, &["version"], "1.2.0").unwrap(), expected.replace('\n', "\r\n"));
    }

    #[test]
    fn lists_grow_and_shrink_in_their_own_notation() {
        let cases = [
            ("s: [a, b] # c\n", "s: [a, b, n] # c\n"),
            ("s: []\n", "s: [n]\n"),
            ("s:\nt: 1\n", "s: [n]\nt: 1\n"),
            ("s: [\n  a,\n  b\n]\n", "s: [\n  a,\n  b,\n  n\n]\n"),
            ("s: [\n  a,\n  b,\n]\n", "s: [\n  a,\n  b,\n  n,\n]\n"),
            ("s:\n- a # x\n- b # y\nt: 1\n", "s:\n- a # x\n- b # y\n- n\nt: 1\n"),
            ("s:\n  - a\n", "s:\n  - a\n  - n\n"),
            ("s:\r\n  - a\r\n", "s:\r\n  - a\r\n  - n\r\n"),
            ("s:\n  - a", "s:\n  - a\n  - n"),
        ];
        for (without, with) in cases {
            assert_eq!(add_to_list(without, &["s"], "n").as_deref(), Ok(with), "adding to {without:?}");
            assert_eq!(add_to_list(with, &["s"], "n").as_deref(), Ok(with), "adding again to {with:?}");
            let shrunk = remove_from_list(with, &["s"], "n").unwrap();
            let expected = if without.starts_with("s:\nt") { "s: []\nt: 1\n" } else { without };
            if !without.ends_with("- a") {
                assert_eq!(shrunk, expected, "removing from {with:?}");
            }
        }
    }

    #[test]
    fn any_entry_can_be_removed() {
        let cases = [
            ("s: [a, b, c]\n", "b", "s: [a, c]\n"),
            ("s: [a, b, c]\n", "a", "s: [b, c]\n"),
            ("s: [a, b, c]\n", "c", "s: [a, b]\n"),
            ("s: [a]\n", "a", "s: []\n"),
            ("s: [a,]\n", "a", "s: []\n"),
            ("s: [\n  a, # one, two\n  b\n]\n", "a", "s: [\n  # one, two\n  b\n]\n"),
            ("s: [\n  a, # one, two\n  b\n]\n", "b", "s: [\n  a # one, two\n]\n"),
            ("s:\n  - a # x\n  # y\n  - b\nt: 1\n", "a", "s:\n  # y\n  - b\nt: 1\n"),
            ("s:\n  - a\nt: 1\n", "a", "s: []\nt: 1\n"),
        ];
        for (before, entry, after) in cases {
            assert_eq!(remove_from_list(before, &["s"], entry).as_deref(), Ok(after), "removing {entry} from {before:?}");
        }
    }

    #[test]
    fn a_value_that_others_repeat_is_left_alone() {
        assert_eq!(set("a: &x 1\nb: *x\n", &["a"], "2"), Err(EditError::Entangled("a".to_owned())));
        assert_eq!(set("a: &x 1\nb: *x\n", &["b"], "two").as_deref(), Ok("a: &x 1\nb: two\n"));
    }
}
