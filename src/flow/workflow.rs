//! Stand-alone workflow documents: `document`, `do`, and what may stand beside them.

use serde_json::{Map, Value};

use super::codes;
use super::data::{Data, stand_ins};
use super::expression::value::{text_to_jq, to_jq};
use super::finding::{At, Finding};
use super::interpreter::{self, Budget, Library, Setting};
use super::model::{ConnectionModel, Flow};
use super::parse::{Parser, Reusable};
use super::program::{Outcome, located};
use super::redact::Redactor;
use super::world::World;
use crate::manifest::Document;
use crate::model::Problem;

/// A workflow of its own, ready to run.
#[derive(Debug)]
pub struct Workflow {
    flow: Flow,
    library: Library,
    secrets: Vec<String>,
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
        let mut findings = Vec::new();
        let declared = Parser::declared_in(map, &at, &mut findings);
        let mut parser = Parser::new(&declared);
        let Reusable { functions, extensions } = parser.reusable(map, &at);
        let (flow, source) = parser.workflow(map, &at);
        findings.append(&mut parser.findings);
        match flow {
            Some(flow) if findings.is_empty() => Ok(Self {
                flow: Flow { extensions, ..flow },
                library: Library { functions, ..Library::default() },
                secrets: declared.secrets,
                source,
            }),
            Some(_) | None => Err(located(findings, &document)),
        }
    }

    /// Runs it, with the values of its secrets; a task that reads one which is not there fails. Evaluates expressions: only for worker
    /// processes.
    pub async fn run(&self, input: &Value, secrets: &Map<String, Value>, world: &dyn World, budget: Budget) -> Outcome {
        let given = self.secrets.iter().filter_map(|name| Some((name, secrets.get(name)?)));
        let values = given.clone().map(|(name, value)| (text_to_jq(name), Data::new(to_jq(value), stand_ins(value))));
        let setting = Setting {
            library: &self.library,
            connection: &ConnectionModel::default(),
            values: Data::plain(to_jq(&Value::Object(Map::new()))),
            secrets: Data::map(values.collect()),
            world,
            budget,
            source: &self.source,
            redactor: Redactor::new(given.map(|(_, value)| value)),
        };
        interpreter::run(&setting, &self.flow, Data::plain(to_jq(input))).await
    }
}
