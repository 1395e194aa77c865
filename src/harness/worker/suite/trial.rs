//! Runs one unit: a case with the hooks around it, or the hook that ends a suite.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};

use super::hook::Hooks;
use super::ready::{Ready, Unit};
use super::spot::Spot;
use super::{Parent, Stage, Subject, driven, target};
use crate::flow::{Outcome, Point, Variables};
use crate::harness::protocol::{Heading, Part, Word};
use crate::manifest::{Case, HookName, Row, cut};
use crate::model::{CaseOutcome, CaseReport, Failure, Place};

/// How many failures one case tells, and how long each may be, in characters.
const MOST_FAILURES: usize = 20;
const LONGEST_FAILURE: usize = 20_000;

/// How the runs of a case have ended: what comes after it starts from that.
#[derive(Default)]
pub(super) struct Ended {
    output: Value,
    error: Value,
    events: Vec<Value>,
}

impl Ended {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let mut ended = Self::default();
        ended.add(outcome);
        ended
    }

    /// Adds a run that came after.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        (self.output, self.error) = match &outcome.result {
            Ok(output) => (output.clone(), Value::Null),
            Err(fault) => (Value::Null, fault.to_json()),
        };
        self.events.extend(outcome.events.iter().cloned());
    }
}

impl Ready {
    pub(super) fn unit(&mut self, number: usize, unit: Unit, stage: &Stage<'_>, parent: &mut dyn Parent) -> Result<()> {
        let heading = self.heading(unit);
        let (suite, skipped) = match unit {
            Unit::Trial { suite, case, .. } => (suite, self.bundle.suites[suite].suite.cases[case].skip.clone()),
            Unit::End { suite } => (suite, None),
        };
        if let Some(why) = skipped {
            return parent.put(Word::Ended(number, Some(skip(heading, why)), Vec::new()));
        }
        parent.say(Word::Started(number, heading.clone()))?;
        let began = Instant::now();
        self.prepare(suite, stage, parent)?;
        let mut reached = BTreeSet::new();
        let failures = match unit {
            Unit::Trial { case, row, .. } => self.trial(suite, (case, row), stage, &mut reached, parent)?,
            Unit::End { .. } => match self.variables(suite, stage) {
                Ok(over) => {
                    parent.say(Word::Entered(self.part(suite, HookName::AfterSuite)))?;
                    let failures = driven(parent, self.hooks(suite, stage).run(HookName::AfterSuite, &Value::Null, &over))?.err();
                    self.redacted(failures.unwrap_or_default(), &over)
                }
                // Nothing was set up, and each case has told why.
                Err(_) => Vec::new(),
            },
        };
        let is_told = matches!(unit, Unit::Trial { .. }) || !failures.is_empty();
        // The hook that ends a suite sends nothing that is recorded, and what its case has sent was told by then.
        if matches!(unit, Unit::Trial { .. })
            && let Some(exchanges) = stage.taken().filter(|_| failures.is_empty())
        {
            parent.say(Word::Recorded(exchanges))?;
        }
        // A case that failed proves nothing of what it came by.
        let proved = if failures.is_empty() { reached.into_iter().map(|Point(number)| number).collect() } else { Vec::new() };
        parent.put(Word::Ended(number, is_told.then(|| report(heading, failures, began)), proved))
    }

    fn heading(&self, unit: Unit) -> Heading {
        let (suite, pointer, title, target) = match unit {
            Unit::Trial { suite, case, row } => {
                let written = &self.bundle.suites[suite].suite.cases[case];
                let target = target(written).map_or_else(String::new, |target| target.to_string());
                let row = row.and_then(|index| Some(Row { index, name: written.each.names().nth(index)? }));
                (suite, format!("/cases/{case}"), written.title_with(row), target)
            }
            Unit::End { suite } => (suite, format!("/{}", HookName::AfterSuite), HookName::AfterSuite.to_string(), String::new()),
        };
        let file = &self.bundle.suites[suite];
        let place = file.document.place(&pointer);
        Heading { suite: file.suite.title.clone(), case: title, place: Place { file: file.path.clone(), ..place }, target }
    }

    fn hooks<'a>(&'a self, suite: usize, stage: &'a Stage<'a>) -> Hooks<'a> {
        Hooks { program: &self.program, file: &self.bundle.suites[suite], suite: &self.suites[suite], files: &self.bundle.files, stage }
    }

    fn part(&self, suite: usize, name: HookName) -> Part {
        Part::Hook(name, self.bundle.suites[suite].path.clone())
    }

    /// Runs the hook before a suite, once.
    fn prepare(&mut self, suite: usize, stage: &Stage<'_>, parent: &mut dyn Parent) -> Result<()> {
        if self.prepared.contains_key(&suite) || !self.hooks(suite, stage).has(HookName::BeforeSuite) {
            return Ok(());
        }
        parent.say(Word::Entered(self.part(suite, HookName::BeforeSuite)))?;
        let over = self.unprepared(suite, stage);
        let prepared = driven(parent, self.hooks(suite, stage).run(HookName::BeforeSuite, &Value::Null, &over))?;
        let prepared = prepared.map_err(|failures| self.redacted(failures, &over));
        self.prepared.insert(suite, prepared);
        parent.say(Word::Entered(Part::Case))
    }

    fn unprepared(&self, suite: usize, stage: &Stage<'_>) -> Variables {
        let connection = stage.of_suite(&self.bundle.manifest, &self.bundle.suites[suite].suite);
        Variables { connection, ..Variables::default() }
    }

    /// What a suite's hooks and cases can read; or why the suite is not run.
    fn variables(&self, suite: usize, stage: &Stage<'_>) -> Result<Variables, Vec<Failure>> {
        let before_suite = self.prepared.get(&suite).cloned().unwrap_or(Ok(Value::Null))?;
        Ok(Variables { before_suite, ..self.unprepared(suite, stage) })
    }

    fn redacted(&self, failures: Vec<Failure>, over: &Variables) -> Vec<Failure> {
        if failures.is_empty() {
            return failures;
        }
        let redactor = self.program.redactor(&over.connection);
        failures.into_iter().map(|failure| Failure { message: redactor.text(&failure.message), ..failure }).collect()
    }

    /// Runs a case between its hooks, and tells what was not as expected.
    fn trial(
        &self,
        suite: usize,
        (case, row): (usize, Option<usize>),
        stage: &Stage<'_>,
        reached: &mut BTreeSet<Point>,
        parent: &mut dyn Parent,
    ) -> Result<Vec<Failure>> {
        let (hooks, written) = (self.hooks(suite, stage), &self.bundle.suites[suite].suite.cases[case]);
        let mut over = match self.variables(suite, stage) {
            Ok(over) => over,
            Err(failures) => return Ok(failures),
        };
        over.each = row.and_then(|row| written.each.iter().nth(row)).map_or(Value::Null, |(_, value)| value.clone());
        if hooks.has(HookName::BeforeEach) {
            parent.say(Word::Entered(self.part(suite, HookName::BeforeEach)))?;
            match driven(parent, hooks.run(HookName::BeforeEach, &Value::Null, &over))? {
                Ok(output) => over.before_each = output,
                Err(failures) => return Ok(self.redacted(failures, &over)),
            }
            parent.say(Word::Entered(Part::Case))?;
        }
        let ended = hooks.has(HookName::AfterEach).then(RefCell::<Ended>::default);
        let mut failures = driven(parent, self.case(suite, case, stage, &over, ended.as_ref(), reached))?;
        if let Some(ended) = ended.map(RefCell::into_inner) {
            parent.say(Word::Entered(self.part(suite, HookName::AfterEach)))?;
            let input = json!({ "output": ended.output, "events": ended.events, "error": ended.error });
            let told = driven(parent, hooks.run(HookName::AfterEach, &input, &over))?.err();
            failures.extend(self.redacted(told.unwrap_or_default(), &over));
        }
        Ok(failures)
    }

    async fn case(
        &self,
        suite: usize,
        case: usize,
        stage: &Stage<'_>,
        over: &Variables,
        ended: Option<&RefCell<Ended>>,
        reached: &mut BTreeSet<Point>,
    ) -> Vec<Failure> {
        let file = &self.bundle.suites[suite];
        let given = match self.given(suite, case, stage, over) {
            Ok(given) => given,
            Err(failure) => return self.redacted(vec![failure], over),
        };
        let given = match stage.staged(given, &self.bundle.recordings) {
            Ok(given) => given,
            Err(failure) => return self.redacted(vec![failure.into()], over),
        };
        let pointer = format!("/cases/{case}");
        let subject = Subject {
            manifest: &self.bundle.manifest,
            program: &self.program,
            suite: &file.suite,
            case: &given,
            spot: Spot::new(&file.document, &file.path, &pointer),
            files: &self.bundle.files,
            stage,
            asserted: OnceCell::new(),
            variables: over,
            ended,
            reached: RefCell::default(),
        };
        let failures = subject.failures().await;
        reached.append(&mut subject.reached.into_inner());
        failures
    }

    /// The case with what its expressions give.
    fn given(&self, suite: usize, case: usize, stage: &Stage<'_>, over: &Variables) -> Result<Cow<'_, Case>, Failure> {
        let (file, suite) = (&self.bundle.suites[suite], &self.suites[suite]);
        if suite.is_literal(case) {
            return Ok(Cow::Borrowed(&file.suite.cases[case]));
        }
        let nothing = Value::Null;
        let written = file.document.value().get("cases").and_then(|cases| cases.get(case)).unwrap_or(&nothing);
        let connection = suite.connection(case, written, &self.program, over)?;
        let own = connection.clone().into_iter();
        let over = Variables { connection: over.connection.clone().into_iter().chain(own).collect(), ..over.clone() };
        let mut given = suite.filled(case, written, &self.program, &over, !stage.is_live())?;
        if let Some(place) = given.get_mut("connection") {
            *place = Value::Object(connection);
        }
        let case = Case::read(given).map_err(|unfit| {
            let pointer = format!("/cases/{case}{}", unfit.pointer);
            Spot::new(&file.document, &file.path, &pointer).fails(unfit.to_string())
        });
        Ok(Cow::Owned(case?))
    }
}

fn skip(heading: Heading, why: String) -> CaseReport {
    CaseReport { outcome: CaseOutcome::Skipped, skipped: Some(why), ..report(heading, Vec::new(), Instant::now()) }
}

fn report(heading: Heading, failures: Vec<Failure>, began: Instant) -> CaseReport {
    heading.report(failures.into_iter().take(MOST_FAILURES).map(shortened).collect(), began)
}

fn shortened(failure: Failure) -> Failure {
    Failure { message: cut(&failure.message, LONGEST_FAILURE), ..failure }
}
