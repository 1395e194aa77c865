//! What a run tells and returns, without its secrets: those of its connection, and the tokens that it gets on its way.

use std::sync::Arc;

use serde_json::Value;

use crate::flow::{Redactor, Session};

/// Takes the secrets of a run out of whatever is shown: those of its connection, and the tokens that it gets on its way.
pub struct Veil {
    redactor: Redactor,
    session: Arc<Session>,
    known: Vec<String>,
}

impl Veil {
    /// Knows the values of a connection's secrets.
    pub fn new<'v>(secrets: impl IntoIterator<Item = &'v Value>, session: Arc<Session>) -> Self {
        Self { redactor: Redactor::new(secrets), session, known: Vec::new() }
    }

    /// What takes out everything that is secret by now.
    pub fn redactor(&mut self) -> &Redactor {
        let tokens = self.session.secrets();
        if tokens != self.known {
            self.redactor = std::mem::take(&mut self.redactor).and(tokens.clone());
            self.known = tokens;
        }
        &self.redactor
    }

    /// A value without secrets.
    pub fn value(&mut self, value: Value) -> Value {
        self.redactor().value(value)
    }

    /// A text without secrets.
    pub fn text(&mut self, text: &str) -> String {
        self.redactor().text(text)
    }
}
