//! A YAML text with the stretches its values take up: where to cut and where to add.

use std::ops::Range;

use serde_json::Value;

use super::{EditError, token};
use crate::manifest::Document;
use crate::manifest::document::escape;

/// The order in which a manifest's keys usually stand.
const USUAL_ORDER: &[&str] = &[
    "apiVersion",
    "name",
    "title",
    "description",
    "icon",
    "kind",
    "version",
    "status",
    "owner",
    "sharedWith",
    "connection",
    "actions",
    "triggers",
    "types",
    "errors",
    "docs",
];

pub(super) struct Layout<'t> {
    pub text: &'t str,
    pub document: Document,
}

impl<'t> Layout<'t> {
    pub fn read(text: &'t str) -> Result<Self, EditError> {
        match Document::parse("", text.as_bytes()) {
            Ok(document) => Ok(Self { text, document }),
            Err(problems) => Err(problems.into_iter().next().map_or_else(|| EditError::Entangled(String::new()), EditError::Unreadable)),
        }
    }

    /// The text with a stretch replaced.
    pub fn splice(&self, at: Range<usize>, with: &str) -> String {
        let mut text = String::with_capacity(self.text.len() + with.len());
        text.push_str(&self.text[..at.start]);
        text.push_str(with);
        text.push_str(&self.text[at.end..]);
        text
    }

    /// The stretch of a value.
    pub fn span(&self, pointer: &str) -> Range<usize> {
        self.document.mark(pointer).map_or(0..0, |mark| mark.start as usize..mark.end as usize)
    }

    fn key_span(&self, pointer: &str) -> Range<usize> {
        self.document.key_mark(pointer).map_or(0..0, |mark| mark.start as usize..mark.end as usize)
    }

    /// The line end that the file uses.
    pub fn line_end(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// The beginning of the line that an offset is in.
    pub fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The beginning of the line after the one that an offset is in; an offset that begins a line ended the one before.
    pub fn next_line(&self, at: usize) -> usize {
        if at > 0 && self.text[..at].ends_with('\n') {
            return at;
        }
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// Whether a value stands within brackets or braces.
    pub fn is_in_flow(&self, pointer: &str) -> bool {
        let ancestors = pointer.match_indices('/').map(|(end, _)| &pointer[..end]);
        ancestors.into_iter().any(|ancestor| self.text[self.span(ancestor).start..].starts_with(['[', '{']))
    }

    /// Writes a text in the place of a scalar, quoted as that was.
    pub fn replace_scalar(&self, pointer: &str, value: &str) -> String {
        let old = &self.text[self.span(pointer)];
        let quoting = match old.chars().next() {
            Some('\'') => token::Quoting::Single,
            Some('"') => token::Quoting::Double,
            _ => token::Quoting::Plain,
        };
        self.replace_with(pointer, &token::write(value, quoting, self.is_in_flow(pointer)))
    }

    /// Writes a token in the place of a value.
    pub fn replace_with(&self, pointer: &str, token: &str) -> String {
        let span = self.span(pointer);
        if let Some(start) = self.block_header(pointer) {
            let end = start + self.text[start..span.end].trim_end().len();
            return self.splice(start..end, token);
        }
        if span.is_empty() {
            let colon = self.after_colon(pointer);
            return self.splice(colon..colon, &format!(" {token}"));
        }
        self.splice(span, token)
    }

    /// Where the `|` or `>` of a block scalar stands, if the value is one.
    fn block_header(&self, pointer: &str) -> Option<usize> {
        let colon = self.after_colon(pointer);
        let gap = self.text.get(colon..self.span(pointer).start)?;
        let header = gap.trim_start().lines().next()?;
        let header = header.split(" #").next().unwrap_or_default();
        header.find(['|', '>']).map(|at| colon + (gap.len() - gap.trim_start().len()) + at)
    }

    /// Right after the `:` of a key.
    pub fn after_colon(&self, pointer: &str) -> usize {
        let key_end = self.key_span(pointer).end;
        self.text[key_end..].find(':').map_or(key_end, |colon| key_end + colon + 1)
    }

    /// Adds a key with its written value to the map that holds it; `None` where that map is not there.
    pub fn insert(&self, path: &[&str], written: &str) -> Option<String> {
        let (key, parents) = path.split_last()?;
        let parent = super::pointer(parents);
        let Value::Object(map) = self.document.value().pointer(&parent)? else { return None };
        let entry = format!("{}: {written}", token::in_flow(key));
        let start = self.span(&parent).start;
        let in_flow = self.is_in_flow(&format!("{parent}/"));
        let Some(neighbour) = neighbour(map, key, parents.is_empty()) else {
            return in_flow.then(|| self.splice(start + 1..start + 1, &entry));
        };
        let neighbour = format!("{parent}/{}", escape(neighbour));
        let end = self.span(&neighbour).end.max(self.after_colon(&neighbour));
        if in_flow {
            return Some(self.splice(end..end, &format!(", {entry}")));
        }
        let key_start = self.key_span(&neighbour).start;
        let indent = self.text[self.line_start(key_start)..key_start].chars().count();
        Some(self.add_line(end, &format!("{}{entry}", " ".repeat(indent))))
    }

    /// Adds a line after the one in which a value ends.
    pub fn add_line(&self, after: usize, line: &str) -> String {
        let at = self.next_line(after);
        let end = self.line_end();
        let ended = at == 0 || self.text[..at].ends_with('\n');
        let written = if ended { format!("{line}{end}") } else { format!("{end}{line}") };
        self.splice(at..at, &written)
    }
}

/// The key after which a new one goes: the nearest of those it usually follows, or the last.
fn neighbour<'m>(map: &'m serde_json::Map<String, Value>, key: &str, is_root: bool) -> Option<&'m str> {
    let usual = USUAL_ORDER.iter().position(|usual| *usual == key).filter(|_| is_root);
    let before = usual.and_then(|at| USUAL_ORDER[..at].iter().rev().find_map(|usual| map.get_key_value(*usual)));
    before.map(|(key, _)| key.as_str()).or_else(|| map.keys().next_back().map(String::as_str))
}
