//! What the rules find, each with its place and how much it matters for what is asked.

use crate::flow::finding::At;
use crate::manifest::{Bundle, Document, nearest};
use crate::model::{Place, Problem, Severity, Status};

/// How many problems of one bundle are reported: a hostile manifest holds very many.
const MOST: usize = 500;

/// A bundle, and what was found in it so far.
pub(super) struct Findings<'a> {
    pub(super) bundle: &'a Bundle,
    found: Vec<Problem>,
}

impl<'a> Findings<'a> {
    /// Nothing found yet.
    pub(super) fn of(bundle: &'a Bundle) -> Self {
        Self { bundle, found: Vec::new() }
    }

    /// Something that stops the connector from working, whatever its status.
    pub(super) fn broken(&mut self, code: &str, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.needed(Status::Editing, code, place, message, hint);
    }

    /// Something that is needed from a status on: an error then, a warning before.
    pub(super) fn needed(&mut self, from: Status, code: &str, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        if self.found.len() < MOST {
            let severity = if self.bundle.manifest.status >= from { Severity::Error } else { Severity::Warning };
            self.found.push(Problem { severity, ..Problem::error(code, place, message) }.hint(hint));
        }
    }

    /// Something that is hardly meant, but may be.
    pub(super) fn doubtful(&mut self, code: &str, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        if self.found.len() < MOST {
            self.found.push(Problem::warning(code, place, message).hint(hint));
        }
    }

    /// What another room found.
    pub(super) fn add(&mut self, found: Vec<Problem>) {
        self.found.extend(found.into_iter().take(MOST));
    }

    /// The place of a value in the manifest.
    pub(super) fn value(&self, path: &At<'_>) -> Place {
        self.document().place(&path.pointer())
    }

    /// The place of a key in the manifest.
    pub(super) fn key(&self, path: &At<'_>) -> Place {
        self.document().key_place(&path.pointer())
    }

    /// All of it, in the order of the places.
    pub(super) fn in_order(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found.dedup();
        self.found
    }

    fn document(&self) -> &'a Document {
        &self.bundle.document
    }
}

/// The question after a name that does not exist, or else what to do instead.
pub(super) fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>, otherwise: &str) -> String {
    nearest(name, known).map_or_else(|| otherwise.to_owned(), |meant| format!("Did you mean `{meant}`?"))
}
