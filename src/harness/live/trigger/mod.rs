//! A trigger that runs live: what starts its flow comes from outside or with time, its flow and its expressions run in workers, and its
//! state is kept here, under a lease, so that no two processes run one trigger.
//!
//! 1. Something happens: a request reaches [`LiveTrigger::request`], or [`LiveTrigger::follow`] sees that a poll is due.
//! 2. A worker runs the flow and says what the trigger's expressions make of it.
//! 3. New events are handed to the [`Report`], then the state is stored, then the request is answered. A process that is killed in between
//!    hands the same events out again: none is lost.

mod arriving;
mod kept;
mod news;
mod poll;
mod request;
mod serve;
mod server;
mod subscription;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use self::kept::Kept;
pub use self::news::{Follow, News, Report};
pub use self::poll::Polled;
pub use self::serve::{Place, Served, WhenDone};
use super::files::Files;
use super::policy::Policy;
use super::run::{Ending, Live, LiveRun, Performed, RunLimits, Subject, problem};
use super::veil::Veil;
use crate::flow::trigger::{Answer, StateError, Trigger};
use crate::flow::{Program, Session, Target, Told};
use crate::harness::protocol::{Settling, Start};
use crate::manifest::{Bundle, Validation};
use crate::model::{Clock as _, Problem, SystemClock};
use crate::store::{TriggerKey, TriggerStates};

/// What a trigger runs with.
pub struct TriggerSetup {
    /// The connector.
    pub bundle: Bundle,
    /// Which of its triggers, by whose values; it must be there and have a flow.
    pub key: TriggerKey,
    /// The trigger's parameters.
    pub input: Value,
    /// The values of the connection's properties, secrets among them.
    pub connection: Map<String, Value>,
    /// What becomes of parameters and events that do not fit their schemas.
    pub validation: Validation,
    /// What its flows may reach.
    pub policy: Policy,
    /// What its requests share with those of other runs of the same connection.
    pub session: Arc<Session>,
    /// What each run may use.
    pub limits: RunLimits,
}

/// What is done with the state that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// It goes on from it.
    Kept,
    /// It begins anew. A subscription that stands is no memory, and stays.
    Forgotten,
}

/// Why a trigger cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    /// There is something wrong with the connector.
    #[error("the connector has {} problems", .0.len())]
    Invalid(Vec<Problem>),
    /// Another process runs it.
    #[error("{holder} runs it")]
    Held {
        /// Who.
        holder: String,
        /// Until when, unless it goes on.
        until: Timestamp,
    },
    /// What is stored is no state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store failed.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// A trigger that runs live.
pub struct LiveTrigger {
    live: Live,
    setup: TriggerSetup,
    program: Program,
    kept: Kept,
    veil: Mutex<Veil>,
    report: Arc<dyn Report>,
    /// Cancelled once nothing more can be delivered or kept.
    broken: CancellationToken,
    why: Mutex<Option<anyhow::Error>>,
}

/// How a run ended. No secret of its connection is in it.
enum Run {
    Succeeded {
        events: Vec<Value>,
        output: Value,
        settling: Option<Settling>,
    },
    /// The request started none.
    Turned {
        answer: Answer,
        why: Option<String>,
    },
    /// The error, RFC 7807.
    Failed(Value),
}

impl LiveTrigger {
    /// Takes the trigger's lease and reads its state.
    pub async fn open(
        live: Live,
        setup: TriggerSetup,
        states: Arc<dyn TriggerStates>,
        memory: Memory,
        report: Arc<dyn Report>,
    ) -> Result<Self, Unopened> {
        let program = Program::compile(&setup.bundle).map_err(Unopened::Invalid)?;
        let trigger = program.trigger(&setup.key.trigger).ok_or_else(|| anyhow::anyhow!("there is no {}", setup.key))?;
        let kept = Kept::open(states, &setup.key, trigger.begin(SystemClock.now()), memory).await?;
        let properties = setup.bundle.manifest.connection.iter().flat_map(|connection| connection.properties.iter());
        let secrets = properties.filter(|(_, property)| property.secret).filter_map(|(name, _)| setup.connection.get(name));
        let veil = Mutex::new(Veil::new(secrets, Arc::clone(&setup.session)));
        Ok(Self { live, program, kept, veil, report, setup, broken: CancellationToken::new(), why: Mutex::default() })
    }

    /// Gives the lease back.
    pub async fn close(&self) -> Result<()> {
        self.kept.close().await
    }

    /// How long one run may take.
    fn longest_run(&self) -> Duration {
        self.setup.limits.budget.time
    }

    fn trigger(&self) -> Result<&Trigger> {
        self.program.trigger(&self.setup.key.trigger).ok_or_else(|| anyhow::anyhow!("there is no {}", self.setup.key))
    }

    fn target(&self) -> Target {
        Target::Trigger(self.setup.key.trigger.clone())
    }

    /// Runs one of the trigger's flows. Dropping it ends its worker.
    async fn run(&self, target: Target, start: Start) -> Run {
        let mut follow = self.report.follow(&target);
        let is_followed = follow.is_some();
        let mut hear = |told: &Told| follow.iter_mut().for_each(|follow| follow.hear(told));
        let setup = &self.setup;
        let performed = self.live.perform(
            LiveRun {
                subject: Subject::Connector {
                    connector: setup.bundle.manifest.name.clone(),
                    files: setup.bundle.files.clone(),
                    target,
                    connection: setup.connection.clone(),
                    validation: setup.validation,
                },
                input: Value::Null,
                policy: setup.policy.clone(),
                session: Arc::clone(&setup.session),
                files: Files::Bundle(setup.bundle.files.clone()),
                listener: if is_followed { Some(&mut hear) } else { None },
                limits: setup.limits,
            },
            start,
        );
        let performed = performed.await;
        let run = self.came_of(performed);
        follow.into_iter().for_each(Follow::end);
        run
    }

    fn came_of(&self, performed: Result<Performed>) -> Run {
        let mut veil = self.veil.lock().unwrap_or_else(PoisonError::into_inner);
        let (outcome, settling) = match performed {
            Ok(Performed::Ran { outcome, settling }) => (outcome, settling),
            Ok(Performed::Turned { answer, why }) => return Run::Turned { answer, why: why.map(|why| veil.text(&why)) },
            Err(error) => return Run::Failed(could_not_run(&veil.text(&format!("{error:#}")))),
        };
        outcome.warnings.iter().for_each(|warning| self.report.tell(News::Warning(veil.text(warning))));
        match outcome.ending {
            Ending::Output(output) => {
                let events = outcome.events.into_iter().map(|event| veil.value(event)).collect();
                let settling = settling.map(|mut settling| {
                    settling.marks.cursor = veil.value(settling.marks.cursor);
                    settling
                });
                Run::Succeeded { events, output: veil.value(output), settling }
            }
            Ending::Fault(fault) => Run::Failed(veil.value(fault)),
            Ending::Invalid(problems) => {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Run::Failed(could_not_run(&problems.join("; ")))
            }
        }
    }

    /// Notes that the trigger can go on no more, and why.
    fn breaks(&self, error: anyhow::Error) {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.broken.cancel();
    }

    /// Waits until the trigger can go on no more: the lease is lost, or events can be handed to nobody.
    async fn end(&self) -> anyhow::Error {
        let lost = tokio::select! {
            lost = self.kept.hold() => Some(lost),
            () = self.broken.cancelled() => None,
        };
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        why.or(lost).unwrap_or_else(|| anyhow::anyhow!("the trigger can go on no more"))
    }
}

fn could_not_run(detail: &str) -> Value {
    problem("runtime", 500, "The flow could not be run", detail, None)
}
