//! Where in a suite's file something stands, so that a failure can name it.

use crate::flow::finding::At;
use crate::manifest::Document;
use crate::model::{Failure, Place};

/// A part of a suite's file. Its place is looked up only where something fails.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    document: &'a Document,
    /// The file's path relative to the connector's folder.
    path: &'a str,
    at: At<'a>,
}

impl<'a> Spot<'a> {
    /// What stands in a file at a JSON Pointer.
    pub(super) fn new(document: &'a Document, path: &'a str, pointer: &'a str) -> Self {
        Self { document, path, at: At::base(pointer) }
    }

    /// The value of a key.
    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self { at: self.at.key(key), ..*self }
    }

    /// An entry of a list.
    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { at: self.at.index(index), ..*self }
    }

    /// Its place: that of the key, or of the entry.
    pub(super) fn place(&self) -> Place {
        Place { file: self.path.to_owned(), ..self.document.key_place(&self.at.pointer()) }
    }

    /// The failure of what stands here.
    pub(super) fn fails(&self, message: impl Into<String>) -> Failure {
        Failure { message: message.into(), place: Some(self.place()) }
    }
}
