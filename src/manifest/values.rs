//! Located nodes into one value, with aliases expanded within bounds and equal keys refused.

use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::document::MOST_PROBLEMS;
use super::tree::{Content, DEEPEST, MOST_NODES, Mark, Node, Tree};
use super::{code, excerpt, scalar, syntax};
use crate::model::{Place, Problem};

/// How much text a file may hold, aliases expanded, in bytes.
const MOST_TEXT: usize = 4 * 1024 * 1024;

struct Values<'a, 't> {
    file: &'a str,
    tree: &'a Tree<'t>,
    problems: Vec<Problem>,
    made: usize,
    text: usize,
    /// How many aliases are being expanded: what is wrong in them is reported where it stands.
    expanding: usize,
}

/// The value of a tree, with what is wrong in it; fails where its expansion exceeds the bounds.
pub(super) fn of(file: &str, tree: &Tree<'_>) -> Result<(Value, Vec<Problem>), Problem> {
    let mut values = Values { file, tree, problems: Vec::new(), made: 0, text: 0, expanding: 0 };
    let value = values.make(0, 0)?;
    Ok((value, values.problems))
}

/// The children of a node, in order.
fn children(nodes: &[Node], node: usize) -> impl Iterator<Item = usize> {
    let end = node + nodes[node].size as usize;
    let mut next = node + 1;
    std::iter::from_fn(move || {
        let child = (next < end).then_some(next)?;
        next += nodes[child].size as usize;
        Some(child)
    })
}

impl Values<'_, '_> {
    fn make(&mut self, node: usize, depth: usize) -> Result<Value, Problem> {
        self.made += 1;
        if self.made > MOST_NODES {
            return Err(syntax::too_many_values(self.place(node)));
        }
        let tree = self.tree;
        match &tree.contents[node].1 {
            Content::Quoted(text) => {
                self.count(text, node)?;
                Ok(Value::String(text.to_string()))
            }
            Content::Plain(text) => {
                self.count(text, node)?;
                Ok(self.plain(text, node))
            }
            Content::Alias => {
                self.expanding += 1;
                let value = self.make(tree.nodes[node].target as usize, depth);
                self.expanding -= 1;
                value
            }
            Content::Sequence | Content::Map if depth >= DEEPEST => Err(syntax::too_deep(self.place(node))),
            Content::Sequence => children(&tree.nodes, node).map(|child| self.make(child, depth + 1)).collect(),
            Content::Map => self.map(node, depth),
        }
    }

    fn map(&mut self, node: usize, depth: usize) -> Result<Value, Problem> {
        let tree = self.tree;
        let mut map = Map::new();
        for child in children(&tree.nodes, node) {
            let key = tree.contents[child].0.as_ref();
            self.count(key, child)?;
            let value = self.make(child, depth + 1)?;
            match map.entry(key) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(_) => self.refuse_duplicate(node, child, key),
            }
        }
        Ok(Value::Object(map))
    }

    fn plain(&mut self, text: &str, node: usize) -> Value {
        scalar::resolve(text).unwrap_or_else(|unreadable| {
            let text = excerpt::of(text);
            let message = match unreadable {
                scalar::Unreadable::NotFinite => format!("`{text}` is not a number that JSON has"),
                scalar::Unreadable::TooManyDigits => format!("`{text}` has more digits than can be kept exactly"),
            };
            let problem = Problem::error(code::NUMBER, self.place(node), message);
            self.report(problem.hint(format!("Put it in quotes where it is meant as text: `\"{text}\"`.")));
            Value::Null
        })
    }

    fn refuse_duplicate(&mut self, map: usize, child: usize, key: &str) {
        // Finding the first of the two takes time; nobody reads thousands of problems.
        if self.problems.len() > MOST_PROBLEMS {
            return;
        }
        let tree = self.tree;
        let Some(first) = children(&tree.nodes, map).find(|other| tree.contents[*other].0 == key) else { return };
        let (first, second) = (tree.nodes[first].key, tree.nodes[child].key);
        let message = format!("the key `{}` is given twice; first in line {}, column {}", excerpt::of(key), first.line, first.column);
        self.report(Problem::error(code::DUPLICATE_KEY, self.located(second), message).hint("Remove one of the two."));
    }

    fn report(&mut self, problem: Problem) {
        if self.expanding == 0 && self.problems.len() <= MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn count(&mut self, text: &str, node: usize) -> Result<(), Problem> {
        self.text += text.len();
        if self.text > MOST_TEXT { Err(syntax::too_much_text(self.place(node))) } else { Ok(()) }
    }

    fn place(&self, node: usize) -> Place {
        self.located(self.tree.nodes[node].value)
    }

    fn located(&self, mark: Mark) -> Place {
        Place { file: self.file.to_owned(), line: mark.line, column: mark.column }
    }
}
