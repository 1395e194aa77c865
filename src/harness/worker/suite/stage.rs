//! Where the flows of cases run: on mocked exchanges, on what was recorded of them, or against the service.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::mock::{self, Mock};
use super::rehearsal::{Rehearsed, Transcript};
use super::{Ran, connection};
use crate::flow::{Budget, Program, Target};
use crate::harness::protocol::{Marked, Word};
use crate::harness::worker::piped::Piped;
use crate::manifest::{Case, Exchange, Expectation, Manifest, Recording, Suite};
use crate::model::{BundleFiles, Clock as _, SystemClock};

/// The cases that are run, and on what.
pub(in crate::harness::worker) struct Stage<'a> {
    pub(in crate::harness::worker) chosen: Chosen,
    pub(in crate::harness::worker) scene: Scene<'a>,
}

/// Which cases are run.
#[derive(Debug, Clone, Copy)]
pub(in crate::harness::worker) struct Chosen {
    /// All of them where nothing is said.
    pub(in crate::harness::worker) marked: Option<Marked>,
    /// From which of these on, and how many at most.
    pub(in crate::harness::worker) from: usize,
    pub(in crate::harness::worker) most: usize,
}

/// What a case's flow runs on.
pub(in crate::harness::worker) enum Scene<'a> {
    /// Its exchanges, or those of its recording.
    Mocked,
    /// The answers that a live run of it had.
    Rehearsal(&'a Transcript),
    /// The service.
    Live {
        world: &'a Piped<'a>,
        /// The values of the connection.
        connection: &'a Map<String, Value>,
        budget: Budget,
    },
}

/// A flow, with what it runs from.
#[derive(Clone, Copy)]
pub(super) struct Flow<'a> {
    pub(super) program: &'a Program,
    pub(super) target: &'a Target,
    pub(super) input: &'a Value,
    pub(super) connection: &'a Map<String, Value>,
}

impl Chosen {
    pub(super) fn is_one(&self, case: &Case) -> bool {
        self.marked.is_none_or(|marked| marked.marks(case))
    }
}

impl Stage<'_> {
    /// The case as it is run here, or why it cannot be.
    pub(super) fn staged<'c>(&self, case: &'c Case, recordings: &BTreeMap<String, Recording>) -> Result<Cow<'c, Case>, String> {
        let several = !case.sequence.is_empty() || !case.polls.is_empty();
        if case.recording.is_some() && several {
            return Err(
                "`recording` is for a case of one run: write what happens in a sequence or in several polls as `exchanges`".to_owned()
            );
        }
        if case.recording.is_some() && !case.exchanges.is_empty() {
            return Err("the case has `exchanges` and a `recording`: delete one of them".to_owned());
        }
        match (&self.scene, &case.recording) {
            (Scene::Live { .. }, _) if several => {
                Err("a live run is one run of one flow: a sequence, or several polls, cannot be had from a service".to_owned())
            }
            (Scene::Live { .. }, _) if case.lifecycle.is_some() => {
                Err("a subscription is not made live: it would stay with the service, and lead nowhere".to_owned())
            }
            (Scene::Live { .. }, _) => Ok(Cow::Owned(live(case))),
            (Scene::Rehearsal(_), _) | (Scene::Mocked, None) => Ok(Cow::Borrowed(case)),
            (Scene::Mocked, Some(path)) => match recordings.get(path) {
                Some(recording) => Ok(Cow::Owned(Case { exchanges: recording.exchanges.clone(), ..case.clone() })),
                None => Err(format!(
                    "there is no recording `{path}` yet: write it with `switchboard test --record --environment NAME`, \
                     or give the case `exchanges` instead"
                )),
            },
        }
    }

    /// The values of the connection that a case has here.
    pub(super) fn connection(&self, manifest: &Manifest, suite: &Suite, case: &Case) -> Result<Map<String, Value>, Vec<String>> {
        match &self.scene {
            Scene::Mocked | Scene::Rehearsal(_) => connection::values(manifest, suite.connection.iter().chain(case.connection.iter())),
            Scene::Live { connection, .. } => {
                let given = connection.iter().map(|(name, value)| (name.as_str(), value));
                connection::values(manifest, given.chain(case.connection.iter()))
            }
        }
    }

    /// When a case begins.
    pub(super) fn beginning(&self) -> Timestamp {
        match &self.scene {
            Scene::Mocked | Scene::Rehearsal(_) => mock::beginning(),
            Scene::Live { .. } => SystemClock.now(),
        }
    }

    /// Runs the flow of a case; the error is which of its requests were not as expected.
    pub(super) async fn ran(
        &self,
        flow: Flow<'_>,
        exchanges: &[Exchange],
        files: &BundleFiles,
        now: Timestamp,
    ) -> Result<Ran, Vec<String>> {
        let Flow { program, target, input, connection } = flow;
        match &self.scene {
            Scene::Mocked => {
                let world = Mock::new(exchanges, files, now);
                let outcome = world.drive(program.run(target, input, connection, &world, Budget::default())).await;
                let failures = world.failures();
                if failures.is_empty() { Ok(Ran { outcome, requests: world.sent(), elapsed: world.elapsed() }) } else { Err(failures) }
            }
            Scene::Rehearsal(transcript) => {
                let world = Rehearsed::new(transcript, files, now);
                let outcome = world.drive(program.run(target, input, connection, &world, Budget::default())).await;
                let (requests, elapsed) = (world.sent(), world.elapsed());
                world.end().map(|()| Ran { outcome, requests, elapsed })
            }
            Scene::Live { world, budget, .. } => {
                world.tell(&Word::Taped(true));
                let outcome = program.run(target, input, connection, *world, *budget).await;
                world.tell(&Word::Taped(false));
                Ok(Ran { outcome, requests: 0, elapsed: Duration::ZERO })
            }
        }
    }

    /// What a case has sent that was rehearsed.
    pub(super) fn taken(&self) -> Option<Vec<Exchange>> {
        match &self.scene {
            Scene::Rehearsal(transcript) => Some(transcript.taken()),
            Scene::Mocked | Scene::Live { .. } => None,
        }
    }
}

/// A case without what only a test can tell: which requests are sent and how long that takes is the service's affair, too.
fn live(case: &Case) -> Case {
    let expect = Expectation { requests: None, retries: None, elapsed: None, ..case.expect.clone() };
    Case { exchanges: Vec::new(), expect, ..case.clone() }
}
