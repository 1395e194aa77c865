//! What test suites add to a connector's flows: hooks, which are flows, and expressions in the values of cases.

use std::collections::BTreeMap;

use jaq_json::Val;
use serde_json::{Map, Value, json};

use super::data::{self, Data};
use super::expression::value::{to_jq, to_json};
use super::expression::{Argument, Arguments};
use super::finding::At;
use super::interpreter::{self, Budget};
use super::model::Flow;
use super::parse::{Blank, Parser};
use super::program::{Outcome, Program, declared, located};
use super::world::World;
use crate::manifest::{Bundle, HookName, SuiteFile};
use crate::model::{Problem, Severity};

/// What one expression of a case may give, in bytes.
const MOST: usize = 16 << 20;

/// The hooks of one suite, and the expressions of its cases, ready to run.
#[derive(Debug)]
pub struct SuiteProgram {
    hooks: BTreeMap<HookName, Flow>,
    /// By the case's place in the suite.
    cases: Vec<Vec<Blank>>,
}

/// What hooks and cases can read beside their data.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// `$connection`: the values of the connection.
    pub connection: Map<String, Value>,
    /// `$each`: the row.
    pub each: Value,
    /// `$beforeSuite`: what that hook returned.
    pub before_suite: Value,
    /// `$beforeEach`: what that hook returned.
    pub before_each: Value,
}

/// Every problem in the hooks and expressions of a bundle's suites. Nothing is evaluated, so it is safe in any process.
pub fn check_suites(bundle: &Bundle) -> Vec<Problem> {
    let declared = declared(&bundle.manifest);
    let mut problems = Vec::new();
    for file in &bundle.suites {
        let mut parser = Parser::new(&declared);
        SuiteProgram::parse(file, &mut parser);
        let doubts = located(parser.doubts, &file.document).into_iter().map(|problem| Problem { severity: Severity::Warning, ..problem });
        problems.extend(located(parser.findings, &file.document).into_iter().chain(doubts));
    }
    problems
}

impl SuiteProgram {
    /// Parses the suites of a bundle, in their order, or tells every problem in them.
    pub fn compile(bundle: &Bundle) -> Result<Vec<Self>, Vec<Problem>> {
        let declared = declared(&bundle.manifest);
        let (mut programs, mut problems) = (Vec::new(), Vec::new());
        for file in &bundle.suites {
            let mut parser = Parser::new(&declared);
            programs.push(Self::parse(file, &mut parser));
            problems.extend(located(parser.findings, &file.document));
        }
        if problems.is_empty() { Ok(programs) } else { Err(problems) }
    }

    fn parse(file: &SuiteFile, parser: &mut Parser<'_>) -> Self {
        let suite = &file.suite;
        let has = |name: HookName| suite.hook(name).is_some();
        let rows = suite.cases.iter().any(|case| !case.each.is_empty());
        let variables = |is_after: bool, rows: bool| {
            let known =
                [("$beforeSuite", has(HookName::BeforeSuite)), ("$beforeEach", is_after && has(HookName::BeforeEach)), ("$each", rows)];
            known.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect::<Vec<_>>()
        };
        let hooks = HookName::ALL.into_iter().filter_map(|name| {
            let seen = match name {
                HookName::BeforeSuite => Vec::new(),
                HookName::BeforeEach => variables(false, rows),
                HookName::AfterEach => variables(true, rows),
                HookName::AfterSuite => variables(false, false),
            };
            let hook = suite.hook(name)?;
            Some((name, parser.hook(&hook.tasks, &seen, &At::base("").key(name.key()).key("do"))))
        });
        let hooks = hooks.collect();
        let written = file.document.value().get("cases").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let base = At::base("/cases");
        let cases = suite.cases.iter().zip(written).enumerate();
        let cases = cases.map(|(index, (case, written))| parser.case(written, &variables(true, !case.each.is_empty()), &base.index(index)));
        Self { hooks, cases: cases.collect() }
    }

    /// Whether nothing in the case at this place is an expression.
    pub fn is_literal(&self, case: usize) -> bool {
        self.cases.get(case).is_none_or(Vec::is_empty)
    }

    /// The values of the connection that a case gives, with what their expressions give. Evaluates expressions: only for workers.
    pub fn connection(&self, case: usize, written: &Value, program: &Program, over: &Variables) -> Result<Map<String, Value>, String> {
        let mut given = json!({ "connection": written.get("connection") });
        self.fill(case, &mut given, program, over, |blank| blank.pointer.starts_with("/connection/"))?;
        Ok(given.get("connection").and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// A case with what its expressions give, but for its connection and, where nobody looks at them, its exchanges: there, secrets
    /// are what they are. Evaluates expressions: only for workers.
    pub fn filled(&self, case: usize, written: &Value, program: &Program, over: &Variables, with_exchanges: bool) -> Result<Value, String> {
        // The rows are many, and each of them is given already.
        let kept = written.as_object().into_iter().flatten().filter(|(key, _)| *key != "each");
        let mut given = Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect());
        self.fill(case, &mut given, program, over, |blank| {
            !blank.pointer.starts_with("/connection/") && (with_exchanges || !blank.is_exact)
        })?;
        Ok(given)
    }

    fn fill(
        &self,
        case: usize,
        given: &mut Value,
        program: &Program,
        over: &Variables,
        is_meant: impl Fn(&Blank) -> bool,
    ) -> Result<(), String> {
        let seen = Seen { variables: over, connection: data::of_connection(&over.connection, &program.secrets) };
        for blank in self.cases.get(case).into_iter().flatten().filter(|blank| is_meant(blank)) {
            let value = blank.value(&seen).map_err(|why| format!("`{}`: {why}", blank.pointer))?;
            if let Some(place) = given.pointer_mut(&blank.pointer) {
                *place = value;
            }
        }
        Ok(())
    }

    /// Runs a hook, where the suite has it. Evaluates expressions: only for workers.
    pub async fn run_hook(
        &self,
        name: HookName,
        input: &Value,
        program: &Program,
        over: &Variables,
        world: &dyn World,
        budget: Budget,
    ) -> Option<Outcome> {
        let flow = self.hooks.get(&name)?;
        let source = format!("/{}/tests/{name}", program.connector);
        let setting = program.setting(&over.connection, world, budget, &source);
        Some(interpreter::run_among(&setting, flow, Data::plain(to_jq(input)), over.named()).await)
    }
}

impl Blank {
    fn value(&self, seen: &Seen<'_>) -> Result<Value, String> {
        let value = self.template.evaluate(&Data::null(), seen).map_err(|why| why.to_string())?;
        let json = |value: &Val| to_json(value, MOST).map_err(|unfit| unfit.to_string());
        let value = if self.is_exact { json(value.real())? } else { json(&value.shown().map_err(|telling| telling.to_string())?)? };
        match value {
            Value::String(text) if self.is_typed && text.contains("${") => Err(format!("`{text}` is not what is wanted here")),
            value => Ok(value),
        }
    }
}

impl Variables {
    /// All but the connection, by their names.
    pub(crate) fn named(&self) -> Vec<(&'static str, Data)> {
        let values = [("$each", &self.each), ("$beforeSuite", &self.before_suite), ("$beforeEach", &self.before_each)];
        values.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, Data::plain(to_jq(value)))).collect()
    }
}

/// The variables as expressions of a case see them.
pub(super) struct Seen<'a> {
    pub(super) variables: &'a Variables,
    pub(super) connection: Data,
}

impl Arguments for Seen<'_> {
    fn argument(&self, argument: Argument) -> Data {
        match argument {
            Argument::Connection => self.connection.clone(),
            Argument::Context
            | Argument::Input
            | Argument::Output
            | Argument::Task
            | Argument::Workflow
            | Argument::Runtime
            | Argument::Secrets
            | Argument::Authorization => Data::null(),
        }
    }

    fn local(&self, name: &str) -> Data {
        match name {
            "$each" => Data::plain(to_jq(&self.variables.each)),
            "$beforeSuite" => Data::plain(to_jq(&self.variables.before_suite)),
            "$beforeEach" => Data::plain(to_jq(&self.variables.before_each)),
            _ => Data::null(),
        }
    }

    fn now(&self) -> Data {
        Data::null()
    }
}
