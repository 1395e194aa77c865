//! Parses flows as written into the model, and finds everything that is wrong with them at once.
//!
//! 1. [`Declared`] is what a flow may refer to. A connector's comes from its manifest; for a stand-alone document `reusable` reads it from
//!    what stands under `use`, and `document` reads the rest that stands around its tasks.
//! 2. A [`Parser`] walks over all flows of one file and gathers what it finds; nothing stops it. `connection` reads what the flows of a
//!    connector share.
//! 3. `tasks` parses a list of tasks, and what every task may have: conditions, `shapes` of data, timeouts. Then it asks, by what the task
//!    does: `acts` for `set`, `emit`, `raise` and `switch`; `control` for `for`, `fork` and `try`; `call` for `call: http` and
//!    `call: openapi`; `request` for `call: request` and what it has beyond the DSL: `paginate`, `again` (retries and rates) and `mapping`
//!    (errors). `authentication` reads who sends a request.
//! 4. `case` reads what a test suite says beside the flows: its hooks, and the expressions in the values of its cases.
//! 5. `template` finds the expressions in all values, and each expression is checked against the variables that it sees at its place.

mod acts;
mod again;
mod authentication;
mod call;
mod case;
mod connection;
mod control;
mod document;
mod mapping;
mod paginate;
mod request;
mod reusable;
mod shapes;
mod tasks;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::codes;
use super::expression::{Argument, Expression, Flaw, Scope, Stage};
use super::finding::{At, Finding};
use super::model::{Authentication, DescribedError, NamedError, Retry, Span};
use super::points::Points;

pub(crate) use self::case::Blank;
pub(crate) use self::reusable::Reusable;

/// What a flow may refer to.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// The errors of the manifest, which it can raise by name.
    pub(crate) errors: BTreeMap<String, NamedError>,
    /// The errors of the document, which it can raise by name.
    pub(crate) described: BTreeMap<String, Arc<DescribedError>>,
    /// The connection's properties; `None` where there is no connection at all.
    pub(crate) properties: Option<Vec<String>>,
    /// The hosts it may reach; `None` where that is not for the flow's file to say.
    pub(crate) hosts: Option<Vec<String>>,
    /// The connector's actions.
    pub(crate) actions: Vec<String>,
    /// Whether the present flow may emit events.
    pub(crate) emits: bool,
    /// The functions of the document.
    pub(crate) functions: Vec<String>,
    /// The retry policies of the document.
    pub(crate) retries: BTreeMap<String, Arc<Retry>>,
    /// The timeouts of the document.
    pub(crate) timeouts: BTreeMap<String, Arc<Span>>,
    /// The ways of authentication of the document.
    pub(crate) authentications: BTreeMap<String, Arc<Authentication>>,
    /// The secrets of the document.
    pub(crate) secrets: Vec<String>,
    /// Whether it is a document of its own, whose expressions can read `$secrets`.
    pub(crate) stands_alone: bool,
    /// Whether what is declared once reads the document's definition.
    pub(crate) reads_definition: bool,
    /// Whether nothing is an expression, whatever it looks like: what is parsed comes from a value.
    pub(crate) literal: bool,
    /// Whether text is an expression wherever it can be evaluated: `evaluate.mode: loose`.
    pub(crate) loose: bool,
}

/// One walk over the flows of one file.
pub(crate) struct Parser<'f> {
    pub(crate) declared: &'f Declared,
    pub(crate) emits: bool,
    pub(crate) findings: Vec<Finding>,
    /// What is hardly meant, but may be.
    pub(crate) doubts: Vec<Finding>,
    /// Whether some expression reads its own definition, which otherwise need not be kept.
    pub(crate) reads_definition: bool,
    /// What can be exercised.
    pub(crate) points: Points,
    /// The variables that tasks around the present place give, with their `$`.
    locals: Vec<String>,
    /// Where in the flow the present place stands.
    stage: Stage,
}

impl<'f> Parser<'f> {
    pub(crate) fn new(declared: &'f Declared) -> Self {
        Self {
            declared,
            emits: declared.emits,
            findings: Vec::new(),
            doubts: Vec::new(),
            reads_definition: declared.reads_definition,
            points: Points::default(),
            locals: Vec::new(),
            stage: Stage::Within,
        }
    }

    /// Parses what stands at a stage of the flow.
    pub(crate) fn at_stage<T>(&mut self, stage: Stage, parse: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.stage, stage);
        let parsed = parse(self);
        self.stage = outer;
        parsed
    }

    /// Parses what sees these variables.
    pub(crate) fn with_locals<T>(&mut self, locals: &[&str], parse: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.locals.len();
        self.locals.extend(locals.iter().map(|name| (*name).to_owned()));
        let parsed = parse(self);
        self.locals.truncate(outer);
        parsed
    }

    fn scope(&self) -> Scope<'_> {
        Scope { locals: &self.locals, secrets: self.declared.stands_alone, stage: self.stage }
    }

    fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn map<'v>(&mut self, value: &'v Value, at: &At<'_>, what: &str) -> Option<&'v Map<String, Value>> {
        let map = value.as_object();
        if map.is_none() {
            self.found(Finding::new(at, codes::SHAPE, format!("{what} must be a map, not {}", kind_of(value))));
        }
        map
    }

    fn list<'v>(&mut self, value: &'v Value, at: &At<'_>, what: &str) -> Option<&'v [Value]> {
        let list = value.as_array();
        if list.is_none() {
            self.found(Finding::new(at, codes::SHAPE, format!("{what} must be a list, not {}", kind_of(value))));
        }
        list.map(Vec::as_slice)
    }

    fn text<'v>(&mut self, value: &'v Value, at: &At<'_>, what: &str) -> Option<&'v str> {
        let text = value.as_str();
        if text.is_none() {
            self.found(Finding::new(at, codes::VALUE, format!("{what} must be text, not {}", kind_of(value))));
        }
        text
    }

    fn truth(&mut self, value: &Value, at: &At<'_>, what: &str) -> Option<bool> {
        let truth = value.as_bool();
        if truth.is_none() {
            self.found(Finding::new(at, codes::VALUE, format!("{what} must be true or false, not {}", kind_of(value))));
        }
        truth
    }

    fn one_of(&mut self, text: &str, at: &At<'_>, what: &str, known: &[&str]) -> bool {
        let good = known.contains(&text);
        if !good {
            let message = format!("{what} is `{text}`, but must be one of {}", listed(known));
            self.found(Finding::new(at, codes::VALUE, message).did_you_mean(text, known.iter().copied()));
        }
        good
    }

    fn required<'v>(&mut self, map: &'v Map<String, Value>, key: &str, at: &At<'_>, what: &str) -> Option<&'v Value> {
        let value = map.get(key);
        if value.is_none() {
            self.found(Finding::new(at, codes::MISSING_KEY, format!("{what} needs `{key}`")));
        }
        value
    }

    /// Finds keys that are unknown at this place; `told` says what to do about some of them.
    fn keys_beside(&mut self, map: &Map<String, Value>, at: &At<'_>, what: &str, known: &[&str], told: fn(&str) -> Option<String>) {
        let first = self.findings.len();
        self.keys(map, at, what, known);
        let unknown = map.keys().filter(|key| !known.contains(&key.as_str()));
        for (finding, key) in self.findings[first..].iter_mut().zip(unknown) {
            finding.hint = told(key).or(finding.hint.take());
        }
    }

    /// Finds keys that are unknown at this place.
    fn keys(&mut self, map: &Map<String, Value>, at: &At<'_>, what: &str, known: &[&str]) {
        for key in map.keys().map(String::as_str).filter(|key| !known.contains(key)) {
            let finding = Finding::of_key(&at.key(key), codes::UNKNOWN_KEY, format!("unknown key `{key}` in {what}"));
            self.found(finding.hint(crate::manifest::nearest_or_known(key, known)));
        }
    }

    /// Parses an expression's text.
    fn expression(&mut self, source: &str, at: &At<'_>) -> Option<Expression> {
        match Expression::parse(source, self.scope()) {
            Ok(expression) => {
                self.properties(&expression, at);
                self.notice(&expression);
                Some(expression)
            }
            Err(flaws) => {
                self.flawed(flaws, at);
                None
            }
        }
    }

    fn flawed(&mut self, flaws: impl IntoIterator<Item = Flaw>, at: &At<'_>) {
        for flaw in flaws {
            let finding = Finding::new(at, flaw.code, flaw.message);
            self.findings.push(match flaw.hint {
                Some(hint) => finding.hint(hint),
                None => finding,
            });
        }
    }

    fn notice(&mut self, expression: &Expression) {
        self.reads_definition |= expression.uses(Argument::Task) || expression.uses(Argument::Workflow);
    }

    fn properties(&mut self, expression: &Expression, at: &At<'_>) {
        let declared = self.declared;
        let Some(properties) = &declared.properties else { return };
        for field in expression.connection_fields() {
            if !properties.iter().any(|property| property == field) {
                self.found(
                    Finding::new(at, codes::UNKNOWN_PROPERTY, format!("the connection has no property `{field}`"))
                        .did_you_mean(field, properties.iter().map(String::as_str)),
                );
            }
        }
    }
}

/// What a value is, for messages.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
