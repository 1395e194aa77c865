//! A YAML file as a value together with the place of every part of it.

use serde_json::Value;

use super::tree::{Mark, Node, Tree};
use super::{code, text, values};
use crate::model::{Place, Problem};

/// How many problems of one file are told.
pub(super) const MOST_PROBLEMS: usize = 100;

/// One YAML document: its value, and where each part of it stands. Equal keys, tags, deep nesting and the like were refused.
#[derive(Debug, Clone)]
pub struct Document {
    file: String,
    value: Value,
    nodes: Vec<Node>,
}

impl Document {
    /// Reads bytes as one document; `file` is the path from the repository's root.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let text = text::read(file, bytes).map_err(|problem| vec![problem])?;
        let tree = Tree::read(file, text).map_err(|problem| vec![problem])?;
        let (value, problems) = values::of(file, &tree).map_err(|problem| vec![problem])?;
        let problems: Vec<_> = tree.problems.into_iter().chain(problems).collect();
        if problems.is_empty() { Ok(Self { file: file.to_owned(), value, nodes: tree.nodes }) } else { Err(in_order(problems)) }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The path from the repository's root.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The place of the value at a JSON Pointer (RFC 6901), or of its nearest ancestor that exists.
    pub fn place(&self, pointer: &str) -> Place {
        self.placed(self.nodes[self.nearest(pointer).0].value)
    }

    /// The place of the key whose value is at a JSON Pointer; of the value itself where it is an entry of a list.
    pub fn key_place(&self, pointer: &str) -> Place {
        self.placed(self.nodes[self.nearest(pointer).0].key)
    }

    /// The stretch of the file that the value at a JSON Pointer takes up.
    pub(super) fn mark(&self, pointer: &str) -> Option<Mark> {
        let (node, found) = self.nearest(pointer);
        found.then(|| self.nodes[node].value)
    }

    /// The stretch of the file that the key of the value at a JSON Pointer takes up.
    pub(super) fn key_mark(&self, pointer: &str) -> Option<Mark> {
        let (node, found) = self.nearest(pointer);
        found.then(|| self.nodes[node].key)
    }

    fn placed(&self, mark: Mark) -> Place {
        Place { file: self.file.clone(), line: mark.line, column: mark.column }
    }

    /// The node at a pointer, or its nearest ancestor; and whether it is the one asked for.
    fn nearest(&self, pointer: &str) -> (usize, bool) {
        let (mut node, mut value) = (0, &self.value);
        for token in pointer.split('/').skip(1) {
            let inside = self.nodes[node].target as usize;
            let (position, child) = match value {
                Value::Object(map) => {
                    let token = unescape(token);
                    match map.iter().position(|(key, _)| *key == token).and_then(|at| map.get(token.as_ref()).map(|child| (at, child))) {
                        Some(found) => found,
                        None => return (node, false),
                    }
                }
                Value::Array(list) => match token.parse::<usize>().ok().and_then(|at| list.get(at).map(|child| (at, child))) {
                    Some(found) => found,
                    None => return (node, false),
                },
                _ => return (node, false),
            };
            node = (0..position).fold(inside + 1, |child, _| child + self.nodes[child].size as usize);
            value = child;
        }
        (node, true)
    }
}

/// The key that a token of a JSON Pointer stands for.
pub(crate) fn unescape(token: &str) -> std::borrow::Cow<'_, str> {
    if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() }
}

/// One key as a token of a JSON Pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// One file's problems in the order of their places, not more than people read.
pub(super) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (&a.place, &a.code).cmp(&(&b.place, &b.code)));
    problems.dedup();
    if problems.len() > MOST_PROBLEMS {
        let place = problems[MOST_PROBLEMS].place.clone();
        problems.truncate(MOST_PROBLEMS);
        problems.push(
            Problem::error(code::MORE, place, "there are more problems from here on").hint("Mend the problems shown and validate again."),
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(line: u32, column: u32) -> Place {
        Place { file: "f.yaml".to_owned(), line, column }
    }

    fn problem(text: &str) -> String {
        let problems = Document::parse("f.yaml", text.as_bytes()).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn values_and_keys_are_found_by_pointer() {
        let text = "a: 1\nb:\n  - x\n  - {c/d: é, e: [1, 2]}\n'f~': \"g\"\n";
        let document = Document::parse("f.yaml", text.as_bytes()).unwrap();
        assert_eq!(document.value(), &json!({"a": 1, "b": ["x", {"c/d": "é", "e": [1, 2]}], "f~": "g"}));
        assert_eq!(document.place("/a"), place(1, 4));
        assert_eq!(document.key_place("/a"), place(1, 1));
        assert_eq!(document.place("/b/1/c~1d"), place(4, 11));
        assert_eq!(document.key_place("/b/1/e"), place(4, 14));
        assert_eq!(document.place("/b/1/e/1"), place(4, 21));
        assert_eq!(document.place("/f~0"), place(5, 7));
    }

    #[test]
    fn a_missing_value_is_placed_at_its_nearest_ancestor() {
        let document = Document::parse("f.yaml", b"a:\n  b: 1\n").unwrap();
        assert_eq!(document.key_place("/a/c/d"), place(1, 1));
        assert_eq!(document.key_place("/x"), place(1, 1));
        assert_eq!(document.place("/a/b/0"), place(2, 6));
    }

    #[test]
    fn what_an_alias_repeats_stands_where_it_was_written() {
        let document = Document::parse("f.yaml", b"a: &x\n  b: 1\nc: *x\n").unwrap();
        assert_eq!(document.value(), &json!({"a": {"b": 1}, "c": {"b": 1}}));
        assert_eq!(document.place("/c"), place(3, 4));
        assert_eq!(document.place("/c/b"), place(2, 6));
    }

    #[test]
    fn equal_keys_are_refused_with_both_places() {
        assert_eq!(problem("a: 1\nb: 2\n\"a\": 3\n"), "f.yaml:3:1: error[SB008]: the key `a` is given twice; first in line 1, column 1");
    }
}
