//! Cases that run live: a worker judges them as ever, and the effects of their flows happen here. What crosses the network can be recorded.
//!
//! A recording is free of secrets by the way it is made:
//! 1. A case runs live, and a `tape` takes down what crosses the network.
//! 2. In the answers, `stand_in` puts what the suite's `connection` says in the place of every secret (`secrets`: those of the connection,
//!    and the tokens that were handed out on the way).
//! 3. In the `rehearsal`, a worker runs the case once more with the suite's values alone, on these answers, and writes down what it sends.
//!    It has never seen a secret.
//! 4. A `scan` refuses what holds one all the same, and the case is run as any test runs it, on what is to be written.

mod docket;
mod encoded;
mod record;
mod rehearsal;
mod scan;
mod secrets;
mod stand_in;
mod tape;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use serde_json::{Map, Value};

pub(super) use self::docket::Docket;
pub use self::record::{Recorded, RecordedCases};
use self::secrets::Values;
use self::tape::{Tape, TapedLine};
use super::conversation::{Conversation, End, Line, Patience, Sources};
use super::exchange::NetworkTransport;
use super::files::Files;
use super::listening::Listening;
use super::policy::Policy;
use super::room::Room;
use super::run::{Live, RunLimits, shown};
use super::veil::Veil;
use crate::flow::Session;
use crate::harness::protocol::{Cases, Marked, Overstayed, Task, pack};
use crate::harness::suites::ended_by;
use crate::manifest::Bundle;
use crate::model::{CaseReport, ConnectorName, Coverage, ENGINE_LEVEL, Evidence};

/// How many workers the cases of one connector may end before the rest is not run.
const MOST_DEATHS: usize = 8;

/// What live cases run with.
pub struct CasesSetup {
    /// Whose they are.
    pub connector: ConnectorName,
    /// The connector.
    pub bundle: Bundle,
    /// The values of the connection's properties, secrets among them.
    pub connection: Map<String, Value>,
    /// The properties whose values were looked up: they are treated as secrets.
    pub referenced: BTreeSet<String>,
    /// What they may reach.
    pub policy: Policy,
    /// What each may use.
    pub limits: RunLimits,
}

/// Cases that one worker has run.
struct Ran {
    reports: Vec<CaseReport>,
    end: RanEnd,
}

/// How a worker's part in it ended.
enum RanEnd {
    Done,
    /// It ended within a case, whose report is the last.
    Within,
    /// It ended between cases, or did not begin.
    Broken(String),
}

impl Live {
    /// Runs the cases that are marked as live against the service, one after the other. What they show is no evidence to publish on. Fails
    /// only where no worker can be started.
    pub async fn cases(&self, setup: &CasesSetup) -> Result<Evidence> {
        let (started, began) = (self.pool.config.clock.now(), Instant::now());
        let session = Arc::new(Session::default());
        let (mut cases, mut deaths): (Vec<CaseReport>, usize) = (Vec::new(), 0);
        let failure = loop {
            let span = Span { marked: Marked::Live, from: cases.len(), most: usize::MAX };
            let Ran { reports, end } = self.marked_cases(setup, span, &session, None).await?;
            cases.extend(reports);
            match end {
                RanEnd::Done => break None,
                RanEnd::Broken(reason) => break Some(reason),
                RanEnd::Within if deaths + 1 < MOST_DEATHS => deaths += 1,
                RanEnd::Within => break Some(format!("{MOST_DEATHS} cases ended their workers; the cases after them were not run")),
            }
        };
        let mut veil = setup.veil(session);
        let failure = failure.map(|reason| veil.text(&reason));
        Ok(setup.evidence(started, began, cases, failure))
    }

    /// Runs some of the cases on one worker.
    async fn marked_cases(&self, setup: &CasesSetup, span: Span, session: &Arc<Session>, tape: Option<Arc<Tape>>) -> Result<Ran> {
        // The semaphore is never closed, so waiting for a turn cannot fail.
        let _turn = self.turns.acquire().await;
        let limits = setup.limits;
        let transport = NetworkTransport::new(self.network.clone(), setup.policy.clone(), limits.exchange);
        let taped = tape.as_deref().map(|tape| TapedLine { line: &transport, tape });
        let line: &dyn Line = taped.as_ref().map_or(&transport as &dyn Line, |taped| taped);
        let (files, room) = (Files::Bundle(setup.bundle.files.clone()), Room::for_answers_of(limits.exchange.response));
        let sources = Sources { line, session, files: &files, room: &room };
        let mut listening = Listening::new(None);
        loop {
            let mut worker = self.pool.take().await?;
            let warm = worker.tasks > 0;
            let mut conversation = Conversation::about_cases(sources, Docket::new(tape.clone()));
            let patience = Patience::with_cases_within(limits.budget.time, limits.evaluation);
            let end = conversation.hold(worker.ways(), setup.task(span), &patience, &mut listening).await?;
            let reason = match end {
                End::Done => {
                    // Where cases are recorded, those that are to rehearse them have never seen a secret.
                    if conversation.clean && tape.is_none() {
                        self.pool.give_back(worker);
                    }
                    let reports = conversation.docket.map(|docket| docket.reports).unwrap_or_default();
                    return Ok(Ran { reports: setup.veiled(reports, session), end: RanEnd::Done });
                }
                End::Invalid(problems) => {
                    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    format!("the connector has problems:\n{}", problems.join("\n"))
                }
                // It was dead before it was asked.
                End::Dead if warm && !conversation.begun => continue,
                End::Dead => worker.death().await.reason,
                End::Overstayed(limit) => overstayed(limit, limits),
                End::Wrong(reason) => reason,
                End::Outcome { .. } | End::Turned { .. } => "it said what it was not asked".to_owned(),
            };
            let docket = conversation.docket.unwrap_or_default();
            let (mut reports, running) = (docket.reports, docket.running);
            let end = match running {
                Some((heading, began)) => {
                    reports.push(ended_by(heading, reason, began));
                    RanEnd::Within
                }
                None => RanEnd::Broken(reason),
            };
            return Ok(Ran { reports: setup.veiled(reports, session), end });
        }
    }
}

/// Which of the marked cases.
#[derive(Clone, Copy)]
struct Span {
    marked: Marked,
    from: usize,
    most: usize,
}

impl CasesSetup {
    fn values(&self) -> Values<'_> {
        Values { manifest: &self.bundle.manifest, given: &self.connection, referenced: &self.referenced }
    }

    /// What takes the secrets out of whatever is told of them.
    fn veil(&self, session: Arc<Session>) -> Veil {
        Veil::new(self.values().secrets(), session)
    }

    fn veiled(&self, reports: Vec<CaseReport>, session: &Arc<Session>) -> Vec<CaseReport> {
        let mut veil = self.veil(Arc::clone(session));
        let mut text = |text: String| veil.text(&text);
        let veiled = |report: CaseReport| CaseReport { failures: report.failures.into_iter().map(&mut text).collect(), ..report };
        reports.into_iter().map(veiled).collect()
    }

    fn task(&self, Span { marked, from, most }: Span) -> Task {
        Task::Cases(Box::new(Cases {
            connector: self.connector.as_str().to_owned(),
            files: pack(&self.bundle.files),
            marked,
            from,
            most,
            connection: self.connection.clone(),
            budget: self.limits.budget,
            evaluation: self.limits.evaluation,
        }))
    }

    fn evidence(&self, started: jiff::Timestamp, began: Instant, cases: Vec<CaseReport>, failure: Option<String>) -> Evidence {
        Evidence {
            connector: self.connector.clone(),
            digest: self.bundle.digest,
            level: ENGINE_LEVEL,
            started,
            millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            runner: env!("CARGO_PKG_VERSION").to_owned(),
            cases,
            failure,
            coverage: Coverage::default(),
        }
    }
}

fn overstayed(limit: Overstayed, limits: RunLimits) -> String {
    match limit {
        Overstayed::Run => format!("it ran longer than {} and was stopped", shown(limits.budget.time)),
        Overstayed::Evaluation => format!("an expression was evaluated for longer than {}", shown(limits.evaluation)),
    }
}
