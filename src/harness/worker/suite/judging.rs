//! Schemas and assertions of a suite, ready to judge what came.

use std::cell::OnceCell;

use serde_json::{Map, Value};

use super::spot::Spot;
use crate::flow::{Assertion, Judge, Program, Variables};
use crate::manifest::Schema;
use crate::model::Failure;

/// What is told of an assertion about requests that fails in a live run.
const UNSEEN: &str = "; in a live run `requests` is null: assert under the `request` of an exchange what tests alone can tell of it";

/// What the schemas and the assertions of a case can refer to.
#[derive(Clone, Copy)]
pub(super) struct Judging<'a> {
    pub(super) program: &'a Program,
    /// The values of the connection's properties.
    pub(super) connection: &'a Map<String, Value>,
    /// What the suite has given before.
    pub(super) variables: &'a Variables,
    /// Whether the requests were the service's to see, so that nothing can be said of them here.
    pub(super) without_requests: bool,
}

impl Judging<'_> {
    /// What a schema finds wrong with a value.
    pub(super) fn flaws(&self, schema: &Schema, value: &Value) -> Vec<String> {
        flaws(&self.program.judge(schema), value)
    }

    /// The assertions that do not hold of a value; `spot` is the list of them.
    pub(super) fn unheld(&self, assertions: &[String], over: &Value, spot: Spot<'_>) -> Vec<Failure> {
        let unheld = assertions.iter().enumerate().filter_map(|(index, text)| {
            let why = Assertion::parse(text).and_then(|assertion| self.holds(&assertion, over)).err()?;
            let unseen = if self.without_requests && text.contains("requests") { UNSEEN } else { "" };
            Some(spot.index(index).fails(told(text, &why) + unseen))
        });
        unheld.collect()
    }

    fn holds(&self, assertion: &Assertion, over: &Value) -> Result<(), String> {
        assertion.judge(over, self.connection, self.variables)
    }
}

/// A schema and assertions about the same thing, read when they are first needed.
#[derive(Default)]
pub(super) struct Rules {
    schema: OnceCell<Result<Judge, String>>,
    assertions: OnceCell<Vec<Result<Assertion, String>>>,
}

impl Rules {
    /// What the schema finds wrong with a value.
    pub(super) fn flaws(&self, schema: &Schema, judging: Judging<'_>, value: &Value) -> Vec<String> {
        flaws(self.schema.get_or_init(|| judging.program.judge(schema)), value)
    }

    /// Which of the assertions do not hold, each with why.
    pub(super) fn unheld(&self, texts: &[String], judging: Judging<'_>, over: &Value) -> Vec<(usize, String)> {
        let assertions = self.assertions.get_or_init(|| texts.iter().map(|text| Assertion::parse(text)).collect());
        let judged = assertions.iter().map(|assertion| assertion.as_ref().map_err(Clone::clone).and_then(|it| judging.holds(it, over)));
        judged.zip(texts).enumerate().filter_map(|(index, (judged, text))| Some((index, told(text, &judged.err()?)))).collect()
    }
}

fn flaws(judge: &Result<Judge, String>, value: &Value) -> Vec<String> {
    match judge {
        Ok(judge) => judge.flaws(value),
        Err(message) => vec![format!("the schema cannot be used: {message}")],
    }
}

fn told(text: &str, why: &str) -> String {
    format!("`{}` {why}", text.trim())
}
