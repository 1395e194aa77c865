//! A connector's flows, parsed together: what `validate` checks, and what workers run.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::data::{self, Data};
use super::expression::value::to_jq;
use super::fault::Fault;
use super::finding::{At, Finding};
use super::interpreter::{self, Budget, Library, Setting};
use super::model::{self, ConnectionModel, Flow, NamedError, SchemaSource};
use super::parse::{Declared, Parser};
use super::points::Points;
use super::redact::Redactor;
use super::schema::Judge;
use super::trigger::{self, Hushed, Trigger};
use super::world::World;
use crate::manifest::{Bundle, Document, Manifest, Schema, Tasks, escape};
use crate::model::{CoveragePoint, Problem, Severity};

/// Which of a connector's flows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// An action, by its name.
    Action(String),
    /// A trigger, by its name.
    Trigger(String),
    /// The flow that asks a service to send requests to a trigger, by the trigger's name.
    Subscribe(String),
    /// The flow that asks it to stop.
    Unsubscribe(String),
    /// The test connection.
    TestConnection,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(name) => write!(f, "actions/{name}"),
            Self::Trigger(name) => write!(f, "triggers/{name}"),
            Self::Subscribe(name) => write!(f, "triggers/{name}/subscribe"),
            Self::Unsubscribe(name) => write!(f, "triggers/{name}/unsubscribe"),
            Self::TestConnection => f.write_str("connection/test"),
        }
    }
}

/// How a flow ended; no secret of the connection is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its output, or the error that ended it.
    pub result: Result<Value, Fault>,
    /// The events it emitted, in order: CloudEvents 1.0.
    pub events: Vec<Value>,
}

/// A connector's flows, ready to run.
#[derive(Debug)]
pub struct Program {
    pub(super) connector: String,
    pub(super) library: Library,
    schemas: BTreeMap<Target, [Option<model::Schema>; 2]>,
    pub(super) triggers: BTreeMap<String, Trigger>,
    pub(super) connection: ConnectionModel,
    pub(super) secrets: Vec<String>,
    /// The redactor that was asked for last, and of which values: one run after another mostly has the same connection.
    latest: Mutex<(Vec<Value>, Redactor)>,
    points: Points,
}

/// Every problem in a bundle's flows, and the flows where they can run. Nothing is evaluated, so it is safe in any process.
pub fn check(bundle: &Bundle) -> (Vec<Problem>, Option<Program>) {
    let Parsed { program, findings, doubts } = Program::parse(bundle);
    let program = findings.is_empty().then_some(program);
    let doubts = located(doubts, &bundle.document).into_iter().map(|problem| Problem { severity: Severity::Warning, ..problem });
    (located(findings, &bundle.document).into_iter().chain(doubts).collect(), program)
}

/// A program, if nothing was found that keeps it from running.
struct Parsed {
    program: Program,
    findings: Vec<Finding>,
    doubts: Vec<Finding>,
}

impl Program {
    /// Parses every flow of a bundle, or tells every problem in them. Nothing is evaluated: expressions are compiled when they are first run.
    pub fn compile(bundle: &Bundle) -> Result<Self, Vec<Problem>> {
        let Parsed { program, findings, .. } = Self::parse(bundle);
        if findings.is_empty() { Ok(program) } else { Err(located(findings, &bundle.document)) }
    }

    fn parse(bundle: &Bundle) -> Parsed {
        let manifest = &bundle.manifest;
        let declared = declared(manifest);
        let mut parser = Parser::new(&declared);
        "connection".clone_into(&mut parser.points.target);
        let connection = match &manifest.connection {
            Some(connection) => parser.connection(connection),
            None => ConnectionModel { hosts: Some(Vec::new()), ..ConnectionModel::default() },
        };
        let mut program = Self {
            connector: manifest.name.clone(),
            library: Library {
                types: manifest.types.iter().map(|(name, schema)| (name.to_owned(), schema.0.clone())).collect(),
                ..Library::default()
            },
            schemas: BTreeMap::new(),
            triggers: BTreeMap::new(),
            connection,
            secrets: secrets(manifest),
            latest: Mutex::default(),
            points: Points::default(),
        };
        program.flows(manifest, &mut parser);
        let Parser { findings, doubts, points, .. } = parser;
        program.library.errors = declared.errors;
        program.points = points;
        Parsed { program, findings, doubts }
    }

    fn flows(&mut self, manifest: &Manifest, parser: &mut Parser<'_>) {
        if let Some(test) = manifest.connection.as_ref().and_then(|connection| connection.test.as_ref()) {
            self.flow(Target::TestConnection, Some(&test.tasks), [None, None], parser, "/connection/test/do");
        }
        for (name, action) in manifest.actions.iter() {
            let schemas = [action.input.as_ref(), action.output.as_ref()];
            let pointer = format!("/actions/{}/do", escape(name));
            self.flow(Target::Action(name.to_owned()), action.tasks.as_ref(), schemas, parser, &pointer);
            undeclared(&action.errors, parser, &format!("/actions/{}/errors", escape(name)));
        }
        for (name, trigger) in manifest.triggers.iter() {
            let base = format!("/triggers/{}", escape(name));
            let schemas = [trigger.input.as_ref(), trigger.output.as_ref()];
            parser.emits = true;
            self.flow(Target::Trigger(name.to_owned()), trigger.tasks.as_ref(), schemas, parser, &format!("{base}/do"));
            parser.emits = false;
            if let Some(webhook) = &trigger.on.webhook {
                let [subscribe, unsubscribe] = [&webhook.subscribe, &webhook.unsubscribe].map(|flow| flow.as_ref().map(|flow| &flow.tasks));
                let pointer = |key: &str| format!("{base}/on/webhook/{key}/do");
                self.flow(Target::Subscribe(name.to_owned()), subscribe, [None, None], parser, &pointer("subscribe"));
                self.flow(Target::Unsubscribe(name.to_owned()), unsubscribe, [None, None], parser, &pointer("unsubscribe"));
            }
            undeclared(&trigger.errors, parser, &format!("{base}/errors"));
            if let Some(mut trigger) = trigger::parse(parser, trigger, &base) {
                trigger.hidden.clone_from(&self.secrets);
                self.triggers.insert(name.to_owned(), trigger);
            }
        }
        trigger::distinct(parser, manifest);
    }

    fn flow(&mut self, target: Target, tasks: Option<&Tasks>, schemas: [Option<&Schema>; 2], parser: &mut Parser<'_>, pointer: &str) {
        let Some(Tasks(written)) = tasks else { return };
        parser.reads_definition = false;
        let point = parser.points.of_flow(&target, pointer);
        let tasks = parser.tasks(written, &At::base(pointer), "/do");
        let definition = if parser.reads_definition { json!({ "do": written }) } else { Value::Null };
        self.schemas.insert(
            target.clone(),
            schemas.map(|schema| schema.map(|Schema(written)| model::Schema::new(SchemaSource::Inline(written.clone())))),
        );
        self.library.flows.insert(target, Flow { tasks, definition, point: Some(point), ..Flow::default() });
    }

    /// What of the flows can be exercised, by the numbers that [`World::reached`] is told. The document is that of the bundle.
    pub fn points(&self, document: &Document) -> Vec<CoveragePoint> {
        self.points.located(document)
    }

    /// Whether there is such a flow.
    pub fn has(&self, target: &Target) -> bool {
        self.library.flows.contains_key(target)
    }

    /// A trigger, ready to decide about requests and moments.
    pub fn trigger(&self, name: &str) -> Option<&Trigger> {
        self.triggers.get(name)
    }

    /// Runs one of the flows. What `subscribe` returns is to be kept, and holds its own secret; [`Trigger::secrets`] tells it. Evaluates
    /// expressions: only for worker processes.
    pub async fn run(&self, target: &Target, input: &Value, connection: &Map<String, Value>, world: &dyn World, budget: Budget) -> Outcome {
        let Some(flow) = self.library.flows.get(target) else {
            let fault = Fault::standard(super::fault::Standard::Configuration, "No such flow", format!("the connector has no {target}"));
            return Outcome { result: Err(fault), events: Vec::new() };
        };
        let source = format!("/{}/{target}", self.connector);
        let setting = self.setting(connection, world, budget, &source);
        let Some(trigger) = self.trigger_of(target) else {
            return interpreter::run(&setting, flow, Data::plain(to_jq(input))).await;
        };
        let texts = trigger.secrets(&trigger.evaluator(connection), input);
        let own = Redactor::default().and(texts.iter().cloned());
        // What makes the subscription returns it as it is, to be kept.
        let makes = matches!(target, Target::Subscribe(_));
        let hushed = Hushed { world, redactor: &own, hides_messages: makes && trigger.keeps_secret() };
        if makes {
            let setting = Setting { world: &hushed, ..setting };
            let ended = interpreter::run(&setting, flow, Data::plain(to_jq(input))).await;
            let events = ended.events.into_iter().map(|event| own.value(event)).collect();
            return Outcome { result: ended.result.map_err(|fault| own.fault(fault)), events };
        }
        let redactor = setting.redactor.clone().and(texts);
        let setting = Setting { world: &hushed, redactor, ..setting };
        interpreter::run(&setting, flow, own.data(input)).await
    }

    /// What a flow of the connector runs with.
    pub(super) fn setting<'a>(
        &'a self,
        connection: &Map<String, Value>,
        world: &'a dyn World,
        budget: Budget,
        source: &'a str,
    ) -> Setting<'a> {
        Setting {
            library: &self.library,
            connection: &self.connection,
            values: data::of_connection(connection, &self.secrets),
            secrets: Data::null(),
            world,
            budget,
            source,
            redactor: self.redactor(connection),
        }
    }

    fn trigger_of(&self, target: &Target) -> Option<&Trigger> {
        match target {
            Target::Trigger(name) | Target::Subscribe(name) | Target::Unsubscribe(name) => self.triggers.get(name),
            Target::Action(_) | Target::TestConnection => None,
        }
    }

    /// Takes the secrets of a run out of whatever is shown: those of the connection, and the trigger's own, which the `subscription` and
    /// the `input` of this map give. Evaluates expressions: only for worker processes.
    pub fn redactor_of(&self, target: &Target, over: &Value, connection: &Map<String, Value>) -> Redactor {
        let own = self.trigger_of(target).map(|trigger| trigger.secrets(&trigger.evaluator(connection), over));
        self.redactor(connection).and(own.into_iter().flatten())
    }

    /// The values of a connection, without those that are secret.
    pub(crate) fn without_secrets(&self, connection: &Map<String, Value>) -> Map<String, Value> {
        let shown = |(name, value): (&String, &Value)| {
            let value = if self.secrets.contains(name) { json!(data::REDACTED) } else { value.clone() };
            (name.clone(), value)
        };
        connection.iter().map(shown).collect()
    }

    /// Takes the secrets of a connection out of whatever is shown.
    pub fn redactor(&self, connection: &Map<String, Value>) -> Redactor {
        let values = self.secrets.iter().filter_map(|name| connection.get(name));
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if !values.clone().eq(&latest.0) {
            *latest = (values.clone().cloned().collect(), Redactor::new(values));
        }
        latest.1.clone()
    }

    /// What is wrong with an input, by the flow's `input` schema. Only for worker processes.
    pub fn input_flaws(&self, target: &Target, value: &Value) -> Vec<String> {
        self.flaws(target, 0, value)
    }

    /// What is wrong with an output or the data of an event, by the flow's `output` schema. Only for worker processes.
    pub fn output_flaws(&self, target: &Target, value: &Value) -> Vec<String> {
        self.flaws(target, 1, value)
    }

    /// A schema of a suite, which may refer to the connector's types. Only for worker processes.
    pub(crate) fn judge(&self, Schema(schema): &Schema) -> Result<Judge, String> {
        Judge::new(schema, &self.library.types)
    }

    fn flaws(&self, target: &Target, which: usize, value: &Value) -> Vec<String> {
        let schema = self.schemas.get(target).and_then(|schemas| schemas[which].as_ref());
        match schema.and_then(|schema| schema.in_place(&self.library.types)) {
            None => Vec::new(),
            Some(Ok(judge)) => judge.flaws(value),
            Some(Err(message)) => vec![format!("the schema cannot be used: {message}")],
        }
    }
}

/// What the flows of a manifest may refer to.
pub(super) fn declared(manifest: &Manifest) -> Declared {
    let errors = manifest.errors.iter().map(|(name, declared)| {
        let error = NamedError {
            kind: format!("#/errors/{}", escape(name)),
            status: declared.status,
            title: Some(declared.title.clone()),
            detail: declared.description.clone(),
        };
        (name.to_owned(), error)
    });
    let connection = manifest.connection.as_ref();
    Declared {
        errors: errors.collect(),
        properties: connection.map(|connection| connection.properties.names().map(str::to_owned).collect()),
        hosts: Some(connection.map(|connection| connection.hosts.clone()).unwrap_or_default()),
        actions: manifest.actions.names().map(str::to_owned).collect(),
        ..Declared::default()
    }
}

fn secrets(manifest: &Manifest) -> Vec<String> {
    let properties = manifest.connection.iter().flat_map(|connection| connection.properties.iter());
    properties.filter(|(_, property)| property.secret).map(|(name, _)| name.to_owned()).collect()
}

fn undeclared(names: &[String], parser: &mut Parser<'_>, pointer: &str) {
    let at = At::base(pointer);
    for (index, name) in names.iter().enumerate() {
        parser.error_named(name, &at.index(index));
    }
}

/// Findings as problems, in the order of their places.
pub(super) fn located(findings: Vec<Finding>, document: &Document) -> Vec<Problem> {
    let mut problems: Vec<_> = findings.into_iter().map(|finding| finding.locate(document)).collect();
    problems.sort();
    problems
}
