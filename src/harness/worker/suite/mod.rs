//! Runs the suites of a bundle, in the worker: each case on its stage, told before and after.
//!
//! - `ready` is a bundle that was read, with its units in their order; `trial` runs a unit, with the `hook`s around it.
//! - A [`Subject`] is one case with all it needs, its `connection` among it; `trigger` and `sequence` are how those of triggers go on.
//! - Its `stage` gives the World that its flows run in: the service; or a test's `world`, in which requests are answered by a `mock`,
//!   whose `script` says which come in which order and whose `answer`s are the suite's, or by a `rehearsal` of what the service said,
//!   which is `recorded` as a suite writes it.
//! - `expectation` compares how it ended; `exchange` and `body` compare requests, `judging` holds schemas and assertions against them.
//!   Of a request that is `unexpected`, `nearness` tells which was meant, and `difference` how two values differ.
//! - A [`Spot`] is where in the file something stands.

mod answer;
mod body;
mod connection;
mod difference;
mod exchange;
mod expectation;
mod hook;
mod judging;
mod mock;
mod nearness;
mod ready;
mod recorded;
mod rehearsal;
mod script;
mod sequence;
mod spot;
mod stage;
mod trial;
mod trigger;
mod unexpected;
mod world;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::judging::Judging;
pub(super) use self::ready::Ready;
pub(super) use self::rehearsal::Transcript;
use self::spot::Spot;
pub(super) use self::stage::Stage;
use self::trial::Ended;
use crate::flow::{Outcome, Point, Program, Request, Target, Variables};
use crate::harness::protocol::{Suites, Word};
use crate::manifest::{Case, Exchange, Expectation, Lifecycle, Manifest, Suite, nearest};
use crate::model::{BundleFiles, Failure};

/// Who asked for the suites.
pub(super) trait Parent {
    /// Says something to it.
    fn say(&mut self, word: Word) -> Result<()>;

    /// Says something with what is said next: of what has ended, which is told before anything can go wrong again.
    fn put(&mut self, word: Word) -> Result<()>;

    /// Whether it has asked to stop before the next unit.
    fn wants_a_pause(&mut self) -> Result<bool>;

    /// Does some work to its end, and listens to the parent where the work asks it for something.
    fn drive(&mut self, work: Pin<&mut dyn Future<Output = ()>>) -> Result<()>;
}

/// What comes of some work.
fn driven<T>(parent: &mut dyn Parent, work: impl Future<Output = T>) -> Result<T> {
    let mut ended = None;
    parent.drive(pin!(async { ended = Some(work.await) }))?;
    ended.context("the work was given up")
}

/// Reads a bundle and runs the first of its units; returns what was read, for more of them.
pub(super) fn begin(task: Suites, stage: &Stage<'_>, parent: &mut dyn Parent) -> Result<Option<Ready>> {
    let units = task.units.clone();
    match Ready::read(task) {
        Ok(mut ready) => {
            parent.put(Word::Counted(ready.count()))?;
            parent.put(Word::Points(ready.points()))?;
            ready.run(&units, stage, parent)?;
            Ok(Some(ready))
        }
        Err(problems) => {
            parent.say(Word::Invalid(problems))?;
            Ok(None)
        }
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
    /// The requests that were sent, those for tokens and those that were sent again among them.
    sent: Vec<Request>,
    retries: usize,
    elapsed: Duration,
}

/// One case with all it needs.
struct Subject<'a> {
    manifest: &'a Manifest,
    program: &'a Program,
    suite: &'a Suite,
    case: &'a Case,
    /// Where the case stands.
    spot: Spot<'a>,
    files: &'a BundleFiles,
    stage: &'a Stage<'a>,
    /// What assertions read of a real connection.
    asserted: OnceCell<Map<String, Value>>,
    /// What its expressions can read, with the values of the suite's connection.
    variables: &'a Variables,
    /// How its runs have ended so far, where somebody asks for that.
    ended: Option<&'a RefCell<Ended>>,
    /// Where its runs came by.
    reached: RefCell<BTreeSet<Point>>,
}

impl Subject<'_> {
    /// Runs the case and tells what was not as expected.
    async fn failures(&self) -> Vec<Failure> {
        let Some(target) = target(self.case) else {
            return vec!["the case names no flow, or more than one: `action`, `trigger` or `testConnection`".to_owned().into()];
        };
        if let Err(failure) = self.known(&target) {
            return vec![failure.into()];
        }
        let connection = match self.stage.connection(self.manifest, self.suite, self.case) {
            Ok(connection) => connection,
            Err(failures) => return failures.into_iter().map(Failure::from).collect(),
        };
        let given = self.case.input.clone().unwrap_or_else(|| json!({}));
        let flaws = self.program.input_flaws(&target, &given);
        if !flaws.is_empty() {
            let told = |flaw| self.spot.key("input").fails(format!("the input does not fit its schema: {flaw}"));
            return flaws.into_iter().map(told).collect();
        }
        let failures = match self.misplaced() {
            Some(failure) => vec![failure],
            None => match &target {
                Target::Trigger(name) | Target::Subscribe(name) | Target::Unsubscribe(name) => {
                    self.trigger(name, &given, &connection).await
                }
                Target::Action(_) | Target::TestConnection => self.judge(&target, &given, &connection).await,
            },
        };
        if failures.is_empty() {
            return failures;
        }
        let over = json!({ "subscription": self.case.subscription, "input": given });
        let redactor = self.program.redactor_of(&target, &over, &connection);
        failures.into_iter().map(|failure| Failure { message: redactor.text(&failure.message), ..failure }).collect()
    }

    /// Runs a flow against the case's exchanges, and compares how it ends with what is expected.
    async fn judge(&self, target: &Target, input: &Value, connection: &Map<String, Value>) -> Vec<Failure> {
        let ran = self.ran(target, input, connection, (&self.case.exchanges, self.spot), self.stage.beginning()).await;
        match ran {
            Err(failures) => failures,
            Ok(ran) => {
                let mut failures = expectation::failures(&self.case.expect, &ran, self.judging(connection), self.spot.key("expect"));
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
        (exchanges, spot): (&[Exchange], Spot<'_>),
        now: Timestamp,
    ) -> Result<Ran, Vec<Failure>> {
        let flow = stage::Flow { program: self.program, target, input, connection };
        let beside = stage::Beside {
            spot: spot.key("exchanges"),
            judging: self.judging(connection),
            files: self.files,
            counts_retries: self.expects_retries(),
            reached: &self.reached,
            ended: self.ended,
        };
        self.stage.ran(flow, exchanges, beside, now).await
    }

    /// What the schemas and the assertions of the case refer to.
    fn judging<'a>(&'a self, connection: &'a Map<String, Value>) -> Judging<'a> {
        let connection =
            if self.stage.is_live() { self.asserted.get_or_init(|| self.program.without_secrets(connection)) } else { connection };
        Judging { program: self.program, connection, variables: self.variables, without_requests: self.stage.is_live() }
    }

    fn expects_retries(&self) -> bool {
        let case = self.case;
        let polls = case.polls.iter().flat_map(|poll| &poll.expect);
        let happenings = case.sequence.iter().flat_map(|happening| &happening.expect);
        std::iter::once(&case.expect).chain(polls).chain(happenings).any(|expect: &Expectation| expect.retries.is_some())
    }

    /// How the case as a whole has ended.
    fn ends(&self, whole: &Outcome) {
        if let Some(ended) = self.ended {
            *ended.borrow_mut() = Ended::of(whole);
        }
    }

    /// What the case says that does not go together, or not with what it runs.
    fn misplaced(&self) -> Option<Failure> {
        let flaw = self.case.flaws().into_iter().next().or_else(|| self.case.misplaced(self.manifest))?;
        Some(self.spot.key(flaw.pointer.trim_start_matches('/')).fails(flaw.message))
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
    fn misfits(&self, target: &Target, outcome: &Outcome) -> Vec<Failure> {
        match (target, &outcome.result) {
            (Target::Trigger(_), _) => {
                let data = outcome.events.iter().map(|event| event.get("data").unwrap_or(&Value::Null));
                let flaws = data.enumerate().flat_map(|(index, data)| {
                    let flaws = self.program.output_flaws(target, data);
                    flaws
                        .into_iter()
                        .map(move |flaw| format!("event {} does not fit the trigger's output schema: {flaw}", index + 1).into())
                });
                flaws.collect()
            }
            (Target::Action(_) | Target::Subscribe(_) | Target::Unsubscribe(_) | Target::TestConnection, Ok(output)) => {
                let flaws = self.program.output_flaws(target, output);
                flaws.into_iter().map(|flaw| format!("the output does not fit its schema: {flaw}").into()).collect()
            }
            (Target::Action(_) | Target::Subscribe(_) | Target::Unsubscribe(_) | Target::TestConnection, Err(_)) => Vec::new(),
        }
    }
}
