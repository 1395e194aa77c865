//! Where the flows of cases run: on mocked exchanges, on what was recorded of them, or against the service.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::judging::Judging;
use super::mock::{self, Mock};
use super::rehearsal::{Rehearsed, Transcript};
use super::spot::Spot;
use super::trial::Ended;
use super::{Ran, connection};
use crate::flow::{Budget, Outcome, Point, Program, SuiteProgram, Target, Variables};
use crate::harness::protocol::Word;
use crate::harness::worker::piped::Piped;
use crate::manifest::{Case, Exchange, Expectation, HookName, Manifest, Recording, Suite};
use crate::model::{BundleFiles, Clock as _, Failure, SystemClock};

/// What the flows of cases run on.
pub(in crate::harness::worker) enum Stage<'a> {
    /// Their exchanges, or those of their recordings.
    Mocked,
    /// The answers that a live run of the case had.
    Rehearsal(&'a Transcript),
    /// The service.
    Live {
        world: &'a Piped<'a>,
        /// The values of the connection.
        connection: &'a Map<String, Value>,
        budget: Budget,
    },
}

/// A hook of a suite, with what it runs from.
#[derive(Clone, Copy)]
pub(super) struct RunHook<'a> {
    pub(super) suite: &'a SuiteProgram,
    pub(super) name: HookName,
    pub(super) input: &'a Value,
    pub(super) program: &'a Program,
    pub(super) over: &'a Variables,
}

/// A flow, with what it runs from.
#[derive(Clone, Copy)]
pub(super) struct Flow<'a> {
    pub(super) program: &'a Program,
    pub(super) target: &'a Target,
    pub(super) input: &'a Value,
    pub(super) connection: &'a Map<String, Value>,
}

/// What is noted of a run, and what its requests are compared by.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// Where its exchanges stand.
    pub(super) spot: Spot<'a>,
    pub(super) judging: Judging<'a>,
    pub(super) files: &'a BundleFiles,
    pub(super) counts_retries: bool,
    /// Which points it has come by.
    pub(super) reached: &'a RefCell<BTreeSet<Point>>,
    /// How it has ended, where somebody asks for that.
    pub(super) ended: Option<&'a RefCell<Ended>>,
}

impl Stage<'_> {
    /// The case as it is run here, or why it cannot be.
    pub(super) fn staged<'c>(&self, case: Cow<'c, Case>, recordings: &BTreeMap<String, Recording>) -> Result<Cow<'c, Case>, String> {
        let several = !case.sequence.is_empty() || !case.polls.is_empty();
        if case.recording.is_some() && several {
            return Err(
                "`recording` is for a case of one run: write what happens in a sequence or in several polls as `exchanges`".to_owned()
            );
        }
        if case.recording.is_some() && !case.exchanges.is_empty() {
            return Err("the case has `exchanges` and a `recording`: delete one of them".to_owned());
        }
        match (self, &case.recording) {
            (Self::Live { .. }, _) if several => {
                Err("a live run is one run of one flow: a sequence, or several polls, cannot be had from a service".to_owned())
            }
            (Self::Live { .. }, _) if case.lifecycle.is_some() => {
                Err("a subscription is not made live: it would stay with the service, and lead nowhere".to_owned())
            }
            (Self::Live { .. }, _) => Ok(Cow::Owned(live(&case))),
            (Self::Rehearsal(_), _) | (Self::Mocked, None) => Ok(case),
            (Self::Mocked, Some(path)) => match recordings.get(path) {
                Some(recording) => Ok(Cow::Owned(Case { exchanges: recording.exchanges.clone(), recording: None, ..case.into_owned() })),
                None => Err(format!(
                    "there is no recording `{path}` yet: write it with `switchboard test --record --environment NAME`, \
                     or give the case `exchanges` instead"
                )),
            },
        }
    }

    /// The values of the connection that a case has here.
    pub(super) fn connection(&self, manifest: &Manifest, suite: &Suite, case: &Case) -> Result<Map<String, Value>, Vec<String>> {
        match self {
            Self::Mocked | Self::Rehearsal(_) => connection::values(manifest, suite.connection.iter().chain(case.connection.iter())),
            Self::Live { connection, .. } => {
                let given = connection.iter().map(|(name, value)| (name.as_str(), value));
                connection::values(manifest, given.chain(case.connection.iter()))
            }
        }
    }

    /// When a case begins.
    pub(super) fn beginning(&self) -> Timestamp {
        match self {
            Self::Mocked | Self::Rehearsal(_) => mock::beginning(),
            Self::Live { .. } => SystemClock.now(),
        }
    }

    /// The values that hooks and expressions of a suite have.
    pub(super) fn of_suite(&self, manifest: &Manifest, suite: &Suite) -> Map<String, Value> {
        match self {
            Self::Mocked | Self::Rehearsal(_) => connection::of_suite(manifest, suite),
            Self::Live { connection, .. } => (*connection).clone(),
        }
    }

    /// Whether the connection is a real one, of whose secrets assertions are not to tell anything.
    pub(super) fn is_live(&self) -> bool {
        match self {
            Self::Mocked | Self::Rehearsal(_) => false,
            Self::Live { .. } => true,
        }
    }

    /// Runs the flow of a case; the error is which of its requests were not as expected.
    pub(super) async fn ran(
        &self,
        flow: Flow<'_>,
        exchanges: &[Exchange],
        beside: Beside<'_>,
        now: Timestamp,
    ) -> Result<Ran, Vec<Failure>> {
        let Flow { program, target, input, connection } = flow;
        let ends = |outcome: &Outcome| {
            if let Some(ended) = beside.ended {
                ended.borrow_mut().add(outcome);
            }
        };
        match self {
            Self::Mocked => {
                let mock = Mock::new(exchanges, beside.spot, beside.judging, beside.files, now);
                let world = mock.map_err(|failure| vec![failure])?.counting_retries(beside.counts_retries);
                let outcome = world.drive(program.run(target, input, connection, &world, Budget::default())).await;
                beside.reached.borrow_mut().extend(world.reached_points());
                ends(&outcome);
                let failures = world.failures(&outcome);
                if failures.is_empty() { Ok(world.ran(outcome)) } else { Err(failures) }
            }
            Self::Rehearsal(transcript) => {
                let world = Rehearsed::new(transcript, beside.files, now).counting_retries(beside.counts_retries);
                let outcome = world.drive(program.run(target, input, connection, &world, Budget::default())).await;
                ends(&outcome);
                world.end(outcome).map_err(|told| told.into_iter().map(Failure::from).collect())
            }
            Self::Live { world, budget, .. } => {
                world.tell(&Word::Taped(true));
                let outcome = program.run(target, input, connection, *world, *budget).await;
                world.tell(&Word::Taped(false));
                ends(&outcome);
                Ok(Ran { outcome, sent: Vec::new(), retries: 0, elapsed: Duration::ZERO })
            }
        }
    }

    /// Runs a hook; nothing where the suite has none of this name.
    pub(super) async fn ran_hook<'m>(
        &self,
        hook: RunHook<'_>,
        mock: impl FnOnce() -> Result<Mock<'m>, Failure>,
    ) -> Result<Option<Outcome>, Vec<Failure>> {
        let RunHook { suite, name, input, program, over } = hook;
        match self {
            Self::Mocked | Self::Rehearsal(_) => {
                let world = mock().map_err(|failure| vec![failure])?;
                let run = suite.run_hook(name, input, program, over, &world, Budget::default());
                let Some(outcome) = world.drive(run).await else { return Ok(None) };
                let failures = world.failures(&outcome);
                if failures.is_empty() { Ok(Some(outcome)) } else { Err(failures) }
            }
            Self::Live { world, budget, .. } => Ok(suite.run_hook(name, input, program, over, *world, *budget).await),
        }
    }

    /// What a case has sent that was rehearsed.
    pub(super) fn taken(&self) -> Option<Vec<Exchange>> {
        match self {
            Self::Rehearsal(transcript) => Some(transcript.taken()),
            Self::Mocked | Self::Live { .. } => None,
        }
    }
}

/// A case without what only a test can tell: which requests are sent and how long that takes is the service's affair, too.
fn live(case: &Case) -> Case {
    let expect = Expectation { requests: None, retries: None, elapsed: None, ..case.expect.clone() };
    Case { exchanges: Vec::new(), expect, ..case.clone() }
}
