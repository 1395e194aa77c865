//! Runs flows live, each on a worker of its own, and tells how they ended, whatever became of the worker.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::conversation::{Conversation, End, Patience, Sources};
use super::exchange::{ExchangeLimits, NetworkTransport};
use super::files::Files;
use super::listening::{Listener, Listening};
use super::network::Network;
use super::policy::Policy;
use super::room::Room;
use crate::flow::trigger::Answer;
use crate::flow::{Budget, Session, Target};
use crate::harness::pool::Pool;
use crate::harness::process::WorkersConfig;
use crate::harness::protocol::{self, Content, Overstayed, Settling, Start, Task, pack};
use crate::manifest::Validation;
use crate::model::{BundleFiles, Problem, lasting};

/// Which flow runs.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A stand-alone workflow document, YAML or JSON; `file` names it in problems.
    Workflow {
        /// Its name.
        file: String,
        /// The document.
        content: Vec<u8>,
        /// The values of its secrets.
        secrets: Map<String, Value>,
    },
    /// One of a connector's flows.
    Connector {
        /// The connector's name, which is its folder's.
        connector: String,
        /// The bundle.
        files: BundleFiles,
        /// The flow.
        target: Target,
        /// The values of the connection's properties, secrets among them.
        connection: Map<String, Value>,
        /// What becomes of an input or output that does not fit its schema.
        validation: Validation,
    },
}

/// What one run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// What it may use as a whole.
    pub budget: Budget,
    /// How long one evaluation of an expression may take.
    pub evaluation: Duration,
    /// What each request may take.
    pub exchange: ExchangeLimits,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { budget: Budget::default(), evaluation: Duration::from_secs(10), exchange: ExchangeLimits::default() }
    }
}

/// One run.
pub struct LiveRun<'a> {
    /// The flow.
    pub subject: Subject,
    /// What it starts from.
    pub input: Value,
    /// What it may reach. A connector's `connection.hosts` belong into it: what the worker believes they are is not relied on.
    pub policy: Policy,
    /// What its requests share with those of other runs of the same connection; see [`Live::session`].
    pub session: Arc<Session>,
    /// The files it may read.
    pub files: Files,
    /// Who hears what happens.
    pub listener: Option<Listener<'a>>,
    /// What it may use.
    pub limits: RunLimits,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveOutcome {
    /// With what.
    pub ending: Ending,
    /// The events it emitted before, in order: CloudEvents 1.0.
    pub events: Vec<Value>,
    /// What did not fit its schema, where that is no error: lowercase fragments.
    pub warnings: Vec<String>,
}

/// What came of a run, with what only triggers ask for.
pub(super) enum Performed {
    /// The flow ran, or could not.
    Ran {
        /// How it ended.
        outcome: LiveOutcome,
        /// What the settlement of a trigger's run needs.
        settling: Option<Settling>,
    },
    /// The request started no flow.
    Turned {
        /// What it is answered.
        answer: Answer,
        /// Why, where it is refused.
        why: Option<String>,
    },
}

impl Performed {
    /// An ending without anything beside it.
    fn of(ending: Ending) -> Self {
        Self::Ran { outcome: LiveOutcome { ending, events: Vec::new(), warnings: Vec::new() }, settling: None }
    }
}

/// With what a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Its output.
    Output(Value),
    /// An error, RFC 7807.
    Fault(Value),
    /// It was not run, for these reasons.
    Invalid(Vec<Problem>),
}

/// Runs flows live. Assumption: it is used within a tokio runtime.
pub struct Live {
    pub(super) pool: Pool,
    pub(super) turns: Semaphore,
    pub(super) network: Network,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
}

impl Live {
    /// Starts no process and opens no connection before there is something to run.
    pub fn new(config: WorkersConfig, network: Network) -> Self {
        let turns = Semaphore::new(config.concurrency.max(1));
        Self { pool: Pool::new(config), turns, network, sessions: Mutex::default() }
    }

    /// What all runs of one connection share: tokens and rates. The name tells connections apart, such as `production/crm`.
    pub fn session(&self, connection: &str) -> Arc<Session> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sessions.entry(connection.to_owned()).or_default())
    }

    /// Runs a flow. Fails only where no worker can be started or the flow cannot be handed to one; dropping it ends the worker.
    pub async fn run(&self, mut run: LiveRun<'_>) -> Result<LiveOutcome> {
        let start = Start::Input(run.input.take());
        match self.perform(run, start).await? {
            Performed::Ran { outcome, settling: _ } => Ok(outcome),
            Performed::Turned { .. } => bail!("a request was answered that nobody made"),
        }
    }

    /// Runs a flow from whatever it starts from; the run's own input counts for nothing.
    pub(super) async fn perform(&self, run: LiveRun<'_>, start: Start) -> Result<Performed> {
        // The semaphore is never closed, so waiting for a turn cannot fail.
        let _turn = self.turns.acquire().await;
        let LiveRun { subject, input: _, policy, session, files, listener, limits } = run;
        let transport = NetworkTransport::new(self.network.clone(), policy, limits.exchange);
        let room = Room::for_answers_of(limits.exchange.response);
        let sources = Sources { line: &transport, session: &session, files: &files, room: &room };
        let mut listening = Listening::new(listener);
        let patience = Patience::within(limits.budget.time, limits.evaluation);
        loop {
            let mut worker = self.pool.take().await?;
            let warm = worker.tasks > 0;
            let task = task(&subject, &start, limits, listening.is_wanted());
            let mut conversation = Conversation::new(sources);
            let end = conversation.hold(worker.ways(), task, &patience, &mut listening).await?;
            let fault = match end {
                End::Outcome { result, events, warnings, settling } => {
                    if conversation.clean {
                        self.pool.give_back(worker);
                    }
                    let ending = result.map_or_else(Ending::Fault, Ending::Output);
                    let settling = settling.map(|settling| *settling);
                    return Ok(Performed::Ran { outcome: LiveOutcome { ending, events, warnings }, settling });
                }
                End::Turned { answer, why } => {
                    if conversation.clean {
                        self.pool.give_back(worker);
                    }
                    return Ok(Performed::Turned { answer, why });
                }
                End::Invalid(problems) => {
                    self.pool.give_back(worker);
                    return Ok(Performed::of(Ending::Invalid(problems)));
                }
                End::Done => broken_off("it said what it was not asked", conversation.during),
                // It was dead before it was asked.
                End::Dead if warm && !conversation.begun => continue,
                End::Dead => broken_off(&worker.death().await.reason, conversation.during),
                End::Wrong(reason) => broken_off(&reason, conversation.during),
                End::Overstayed(limit) => overstayed(limit, limits, conversation.during),
            };
            listening.broken_off(&fault);
            return Ok(Performed::of(Ending::Fault(fault)));
        }
    }
}

fn task(subject: &Subject, start: &Start, limits: RunLimits, heard: bool) -> Task {
    let subject = match subject {
        Subject::Workflow { file, content, secrets } => {
            protocol::Subject::Workflow { file: file.clone(), content: Content::of(content), secrets: secrets.clone() }
        }
        Subject::Connector { connector, files, target, connection, validation } => protocol::Subject::Connector {
            connector: connector.clone(),
            files: pack(files),
            target: target.clone(),
            connection: connection.clone(),
            validation: *validation,
        },
    };
    let RunLimits { budget, evaluation, exchange: _ } = limits;
    Task::Live(Box::new(protocol::Live { subject, start: start.clone(), budget, evaluation, heard }))
}

fn overstayed(limit: Overstayed, limits: RunLimits, during: Option<String>) -> Value {
    let (title, detail) = match limit {
        Overstayed::Run => ("Out of time", format!("the flow ran longer than {}", lasting(limits.budget.time))),
        Overstayed::Evaluation => {
            ("Expression out of time", format!("an expression was evaluated for longer than {}", lasting(limits.evaluation)))
        }
    };
    problem("timeout", 408, title, &detail, during)
}

fn broken_off(reason: &str, during: Option<String>) -> Value {
    problem("runtime", 500, "The flow's worker ended", reason, during)
}

/// A standard error, RFC 7807, of the task that began last: it was running or waiting when the run was ended.
pub(super) fn problem(kind: &str, status: u16, title: &str, detail: &str, during: Option<String>) -> Value {
    json!({
        "type": format!("https://open-workflow-specification.org/spec/1.0.0/errors/{kind}"),
        "status": status,
        "title": title,
        "detail": detail,
        "instance": during.unwrap_or_else(|| "/".to_owned()),
    })
}
