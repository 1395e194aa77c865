//! Runs the suites of a bundle, in the worker: each case on its stage, told before and after.

mod body;
mod connection;
mod difference;
mod exchange;
mod expectation;
mod mock;
mod recorded;
mod rehearsal;
mod sequence;
mod stage;
mod trigger;

use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub(super) use self::rehearsal::Transcript;
pub(super) use self::stage::{Chosen, Scene, Stage};
use crate::flow::{Outcome, Program, Target};
use crate::harness::protocol::{Heading, Word};
use crate::manifest::{Bundle, Case, Exchange, Lifecycle, Manifest, Suite, SuiteFile, cut, nearest};
use crate::model::{BundleFiles, CaseOutcome, CaseReport, Place};

/// How many failures one case tells, and how long each may be, in characters.
const MOST_FAILURES: usize = 20;
const LONGEST_FAILURE: usize = 20_000;

/// Who asked for the suites.
pub(super) trait Parent {
    /// Says something to it.
    fn say(&mut self, word: Word) -> Result<()>;

    /// Whether it has asked to stop before the next case.
    fn wants_a_pause(&mut self) -> Result<bool>;

    /// Does some work to its end, and listens to the parent where the work asks it for something.
    fn drive(&mut self, work: Pin<&mut dyn Future<Output = ()>>) -> Result<()>;
}

/// Runs the chosen cases, counted through all suites. Before it may be paused it runs one, so that every turn gets on.
pub(super) fn run(connector: &str, files: &BundleFiles, stage: &Stage<'_>, parent: &mut dyn Parent) -> Result<()> {
    let bundle = match Bundle::read(connector, files) {
        Ok(bundle) => bundle,
        Err(problems) => return parent.say(Word::Invalid(problems)),
    };
    let program = match Program::compile(&bundle) {
        Ok(program) => program,
        Err(problems) => return parent.say(Word::Invalid(problems)),
    };
    let cases = bundle.suites.iter().flat_map(|file| file.suite.cases.iter().enumerate().map(move |(index, case)| (file, index, case)));
    let Chosen { from, most, .. } = stage.chosen;
    let chosen = cases.filter(|(_, _, case)| stage.chosen.is_one(case)).enumerate().skip(from).take(most);
    for (number, (file, index, case)) in chosen {
        if number > from && parent.wants_a_pause()? {
            return parent.say(Word::Paused);
        }
        let heading = heading(file, index, case);
        parent.say(Word::Started(heading.clone()))?;
        let began = Instant::now();
        let failures = match stage.staged(case, &bundle.recordings) {
            Err(failure) => vec![failure],
            Ok(case) => {
                let subject = Subject { manifest: &bundle.manifest, program: &program, suite: &file.suite, case: &case, files, stage };
                driven(parent, subject.failures())?
            }
        };
        if let Some(exchanges) = stage.taken().filter(|_| failures.is_empty()) {
            parent.say(Word::Recorded(exchanges))?;
        }
        parent.say(Word::Ended(report(heading, failures, began)))?;
    }
    parent.say(Word::Done)
}

/// What comes of some work.
fn driven<T>(parent: &mut dyn Parent, work: impl Future<Output = T>) -> Result<T> {
    let mut ended = None;
    parent.drive(pin!(async { ended = Some(work.await) }))?;
    ended.context("the work was given up")
}

fn heading(file: &SuiteFile, index: usize, case: &Case) -> Heading {
    let place = file.document.place(&format!("/cases/{index}"));
    Heading {
        suite: file.suite.title.clone(),
        case: case.title.clone(),
        place: Place { file: file.path.clone(), ..place },
        target: target(case).map_or_else(String::new, |target| target.to_string()),
    }
}

fn report(heading: Heading, failures: Vec<String>, began: Instant) -> CaseReport {
    CaseReport {
        suite: heading.suite,
        case: heading.case,
        place: heading.place,
        target: heading.target,
        outcome: if failures.is_empty() { CaseOutcome::Passed } else { CaseOutcome::Failed },
        failures: failures.into_iter().take(MOST_FAILURES).map(|failure| cut(&failure, LONGEST_FAILURE)).collect(),
        skipped: None,
        micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
    }
}

fn target(case: &Case) -> Option<Target> {
    match (&case.action, &case.trigger, case.test_connection) {
        (Some(action), None, false) => Some(Target::Action(action.clone())),
        (None, Some(trigger), false) => Some(match case.lifecycle {
            None => Target::Trigger(trigger.clone()),
            Some(Lifecycle::Subscribe) => Target::Subscribe(trigger.clone()),
            Some(Lifecycle::Unsubscribe) => Target::Unsubscribe(trigger.clone()),
        }),
        (None, None, true) => Some(Target::TestConnection),
        (None | Some(_), None | Some(_), true | false) => None,
    }
}

/// How a run of a flow ended, and what it took.
struct Ran {
    outcome: Outcome,
    requests: usize,
    elapsed: Duration,
}

/// One case with all it needs.
struct Subject<'a> {
    manifest: &'a Manifest,
    program: &'a Program,
    suite: &'a Suite,
    case: &'a Case,
    files: &'a BundleFiles,
    stage: &'a Stage<'a>,
}

impl Subject<'_> {
    /// Runs the case and tells what was not as expected.
    async fn failures(&self) -> Vec<String> {
        let Some(target) = target(self.case) else {
            return vec!["the case names no flow, or more than one: `action`, `trigger` or `testConnection`".to_owned()];
        };
        if let Err(failure) = self.known(&target) {
            return vec![failure];
        }
        let connection = match self.stage.connection(self.manifest, self.suite, self.case) {
            Ok(connection) => connection,
            Err(failures) => return failures,
        };
        let given = self.case.input.clone().unwrap_or_else(|| json!({}));
        let flaws = self.program.input_flaws(&target, &given);
        if !flaws.is_empty() {
            return flaws.into_iter().map(|flaw| format!("the input does not fit its schema: {flaw}")).collect();
        }
        let over = json!({ "subscription": self.case.subscription, "input": given });
        let redactor = self.program.redactor_of(&target, &over, &connection);
        let failures = match self.misplaced(&target) {
            Some(failure) => vec![failure],
            None => match &target {
                Target::Trigger(name) | Target::Subscribe(name) | Target::Unsubscribe(name) => {
                    self.trigger(name, &given, &connection).await
                }
                Target::Action(_) | Target::TestConnection => self.judge(&target, &given, &connection).await,
            },
        };
        failures.iter().map(|failure| redactor.text(failure)).collect()
    }

    /// Runs a flow on its stage, and compares how it ends with what is expected.
    async fn judge(&self, target: &Target, input: &Value, connection: &Map<String, Value>) -> Vec<String> {
        let ran = self.ran(target, input, connection, &self.case.exchanges, self.stage.beginning()).await;
        match ran {
            Err(failures) => failures,
            Ok(ran) => {
                let mut failures = expectation::failures(&self.case.expect, &ran);
                failures.extend(self.misfits(target, &ran.outcome));
                failures
            }
        }
    }

    /// Runs a flow; the error is which of its requests were not as expected: what follows from a wrong request would only hide it.
    async fn ran(
        &self,
        target: &Target,
        input: &Value,
        connection: &Map<String, Value>,
        exchanges: &[Exchange],
        now: Timestamp,
    ) -> Result<Ran, Vec<String>> {
        let flow = stage::Flow { program: self.program, target, input, connection };
        self.stage.ran(flow, exchanges, self.files, now).await
    }

    /// What the case says that does not go with what it runs.
    fn misplaced(&self, target: &Target) -> Option<String> {
        let case = self.case;
        let is_webhook = match target {
            Target::Trigger(name) | Target::Subscribe(name) | Target::Unsubscribe(name) => {
                self.manifest.triggers.get(name).is_some_and(|trigger| trigger.on.webhook.is_some())
            }
            Target::Action(_) | Target::TestConnection => false,
        };
        let is_poll = matches!(target, Target::Trigger(_)) && !is_webhook;
        let webhooks = [
            ("request", case.request.is_some()),
            ("lifecycle", case.lifecycle.is_some()),
            ("subscription", case.subscription.is_some()),
            ("sequence", !case.sequence.is_empty()),
            ("expect.answer", case.expect.answer.is_some()),
        ];
        let polls = [("polls", !case.polls.is_empty()), ("cursor", case.cursor.is_some()), ("expect.cursor", case.expect.cursor.is_some())];
        let misplaced = |keys: &[(&'static str, bool)]| keys.iter().find(|(_, given)| *given).map(|(key, _)| *key);
        if let (false, Some(key)) = (is_webhook, misplaced(&webhooks)) {
            return Some(format!("`{key}` is for webhook triggers, and {target} is none"));
        }
        if let (false, Some(key)) = (is_poll, misplaced(&polls)) {
            return Some(format!("`{key}` is for polled triggers, and {target} is none"));
        }
        let single =
            [("request", case.request.is_some()), ("lifecycle", case.lifecycle.is_some()), ("exchanges", !case.exchanges.is_empty())];
        if let (false, Some(key)) = (case.sequence.is_empty(), misplaced(&single)) {
            return Some(format!("`{key}` says nothing beside `sequence`: move it into what happens there"));
        }
        None
    }

    fn known(&self, target: &Target) -> Result<(), String> {
        if self.program.has(target) {
            return Ok(());
        }
        let (what, name, known): (_, _, Vec<&str>) = match target {
            Target::Action(name) => ("action", name, self.manifest.actions.names().collect()),
            Target::Trigger(name) => ("trigger", name, self.manifest.triggers.names().collect()),
            Target::Subscribe(name) | Target::Unsubscribe(name) => {
                let key = if matches!(target, Target::Subscribe(_)) { "subscribe" } else { "unsubscribe" };
                return Err(format!("the trigger `{name}` has no flow to {key}: add `on.webhook.{key}`"));
            }
            Target::TestConnection => return Err("the connector has no test connection: add `connection.test`".to_owned()),
        };
        if known.contains(&name.as_str()) {
            return Err(format!("the {what} `{name}` has no flow: add `do`"));
        }
        let hint = nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Err(format!("the connector has no {what} `{name}`{hint}"))
    }

    /// What does not fit the `output` schema: an action's output, or the data of a trigger's events.
    fn misfits(&self, target: &Target, outcome: &Outcome) -> Vec<String> {
        match (target, &outcome.result) {
            (Target::Trigger(_), _) => {
                let data = outcome.events.iter().map(|event| event.get("data").unwrap_or(&Value::Null));
                let flaws = data.enumerate().flat_map(|(index, data)| {
                    let flaws = self.program.output_flaws(target, data);
                    flaws.into_iter().map(move |flaw| format!("event {} does not fit the trigger's output schema: {flaw}", index + 1))
                });
                flaws.collect()
            }
            (Target::Action(_) | Target::Subscribe(_) | Target::Unsubscribe(_) | Target::TestConnection, Ok(output)) => {
                let flaws = self.program.output_flaws(target, output);
                flaws.into_iter().map(|flaw| format!("the output does not fit its schema: {flaw}")).collect()
            }
            (Target::Action(_) | Target::Subscribe(_) | Target::Unsubscribe(_) | Target::TestConnection, Err(_)) => Vec::new(),
        }
    }
}
