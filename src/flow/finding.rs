//! Problems as the flow's parser finds them: by pointer, turned into places once the walk is over.

use crate::manifest::{Document, cut, escape};
use crate::model::Problem;

/// How long a message may be that repeats a name, in characters.
const LONGEST_MESSAGE: usize = 600;

/// A step of the walk through a document; the pointer is only written out where something is found.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Base(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// Begins at a JSON Pointer.
    pub(crate) fn base(pointer: &'a str) -> Self {
        Self { parent: None, step: Step::Base(pointer) }
    }

    /// The value of a key.
    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    /// An entry of a list.
    pub(crate) fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// The JSON Pointer, RFC 6901.
    pub(crate) fn pointer(&self) -> String {
        let mut text = self.parent.map(At::pointer).unwrap_or_default();
        match self.step {
            Step::Base(pointer) => text.push_str(pointer),
            Step::Key(key) => {
                text.push('/');
                text.push_str(&escape(key));
            }
            Step::Index(index) => {
                text.push('/');
                text.push_str(&index.to_string());
            }
        }
        text
    }
}

/// Whether a finding is about a key or about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Key,
    Value,
}

/// One problem, by pointer.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) pointer: String,
    pub(crate) about: About,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Finding {
    pub(crate) fn new(at: &At<'_>, code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: at.pointer(), about: About::Value, code, message: message.into(), hint: None }
    }

    pub(crate) fn of_key(at: &At<'_>, code: &'static str, message: impl Into<String>) -> Self {
        Self { about: About::Key, ..Self::new(at, code, message) }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds "did you mean", where a known word is near enough.
    pub(crate) fn did_you_mean<'k>(self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        match crate::manifest::nearest(word, known) {
            Some(near) => self.hint(format!("Did you mean `{near}`?")),
            None => self,
        }
    }

    /// The problem at its place.
    pub(crate) fn locate(self, document: &Document) -> Problem {
        let place = match self.about {
            About::Key => document.key_place(&self.pointer),
            About::Value => document.place(&self.pointer),
        };
        let problem = Problem::error(self.code, place, cut(&self.message, LONGEST_MESSAGE));
        match self.hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}
