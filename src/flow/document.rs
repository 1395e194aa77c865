//! Stand-alone workflow documents: `document`, `do`, and what may stand beside them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::codes;
use super::expression::value::to_jq;
use super::finding::{At, Finding};
use super::interpreter::{self, Budget, Setting};
use super::model::{ConnectionModel, Flow, NamedError};
use super::parse::{Facts, Parser};
use super::program::{Outcome, located};
use super::world::World;
use crate::manifest::Document;
use crate::model::Problem;

/// A workflow of its own, ready to run.
#[derive(Debug)]
pub struct Workflow {
    flow: Flow,
    errors: BTreeMap<String, NamedError>,
    source: String,
}

impl Workflow {
    /// Reads a workflow, YAML or JSON, or tells every problem in it. Nothing is evaluated.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let document = Document::parse(file, bytes)?;
        let at = At::base("");
        let Some(map) = document.value().as_object() else {
            return Err(located(vec![Finding::new(&at, codes::DOCUMENT, "a workflow document is a map")], &document));
        };
        let nothing = Facts::default();
        let mut parser = Parser::new(&nothing);
        let errors = parser.reusable_errors(map, &at);
        let mut findings = parser.findings;
        let facts = Facts { errors, emits: true, ..Facts::default() };
        let mut parser = Parser::new(&facts);
        let (flow, source) = parser.workflow(map, &at);
        findings.append(&mut parser.findings);
        match flow {
            Some(flow) if findings.is_empty() => Ok(Self { flow, errors: facts.errors, source }),
            Some(_) | None => Err(located(findings, &document)),
        }
    }

    /// Runs it. Evaluates expressions: only for worker processes.
    pub async fn run(&self, input: &Value, world: &dyn World, budget: Budget) -> Outcome {
        let setting = Setting {
            flow: &self.flow,
            connection: &ConnectionModel::default(),
            errors: &self.errors,
            values: to_jq(&Value::Object(Map::new())),
            world,
            budget,
            source: &self.source,
        };
        let ended = interpreter::run(setting, input).await;
        Outcome { result: ended.result, events: ended.events }
    }
}
