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
use self::scan::Scanner;
use self::secrets::Values;
use self::tape::{Tape, TapedLine};
use super::conversation::{Conversation, End, Line, Patience, Sources};
use super::exchange::NetworkTransport;
use super::files::Files;
use super::listening::Listening;
use super::policy::Policy;
use super::room::Room;
use super::run::{Live, RunLimits};
use super::veil::Veil;
use crate::flow::Session;
use crate::harness::Chosen;
use crate::harness::failing::{MOST_DEATHS, too_many_deaths, unread};
use crate::harness::protocol::{Cases, Overstayed, Suites, Task, pack};
use crate::manifest::{Bundle, Case, HookName, trials};
use crate::model::{BundleFiles, CaseReport, ConnectorName, Coverage, ENGINE_LEVEL, Evidence, Failure, lasting};

/// What live cases run with.
pub struct CasesSetup {
    /// Whose they are.
    pub connector: ConnectorName,
    /// The connector.
    pub bundle: Bundle,
    /// Which of its cases are to be run, of those that are marked.
    pub chosen: Chosen,
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
    /// The unit that comes next.
    next: usize,
    end: RanEnd,
}

/// How a worker's part in it ended.
enum RanEnd {
    Done,
    /// It ended within a case, whose report is the last; or within the hook before this suite, for this reason.
    Within(Option<(String, String)>),
    /// It ended between cases, or did not begin.
    Broken(String),
}

impl Live {
    /// Runs the cases that are marked as live against the service, one after the other. What they show is no evidence to publish on. Fails
    /// only where no worker can be started.
    pub async fn cases(&self, setup: &CasesSetup) -> Result<Evidence> {
        let (started, began) = (self.pool.config.clock.now(), Instant::now());
        let session = Arc::new(Session::default());
        let numbers = setup.marked(|case| case.live);
        let (mut cases, mut deaths, mut from): (Vec<CaseReport>, usize, usize) = (Vec::new(), 0, 0);
        let mut broken = Vec::new();
        let failure = loop {
            let Ran { reports, next, end } = self.marked_cases(setup, (&numbers, from), &broken, &session, None).await?;
            cases.extend(reports);
            from = next;
            match end {
                RanEnd::Done => break None,
                RanEnd::Broken(reason) => break Some(reason),
                RanEnd::Within(hook) if deaths + 1 < MOST_DEATHS => {
                    deaths += 1;
                    broken.extend(hook);
                }
                RanEnd::Within(_) => break Some(too_many_deaths()),
            }
        };
        let mut veil = setup.veil(session);
        let failure = failure.map(|reason| veil.text(&reason));
        Ok(setup.evidence(started, began, cases, failure))
    }

    /// Runs cases by their numbers on one worker, from one of their units on. The hooks before broken suites are not run again: whatever
    /// they do, the service has had it.
    async fn marked_cases(
        &self,
        setup: &CasesSetup,
        (numbers, from): (&BTreeSet<usize>, usize),
        broken: &[(String, String)],
        session: &Arc<Session>,
        tape: Option<Arc<Tape>>,
    ) -> Result<Ran> {
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
            let end = conversation.hold(worker.ways(), setup.task(numbers, from, broken), &patience, &mut listening).await?;
            let reason = match end {
                End::Done => {
                    // Where cases are recorded, those that are to rehearse them have never seen a secret.
                    if conversation.clean && tape.is_none() {
                        self.pool.give_back(worker);
                    }
                    let Docket { reports, next, .. } = conversation.docket.unwrap_or_default();
                    return Ok(Ran { reports: setup.veiled(reports, session), next, end: RanEnd::Done });
                }
                End::Invalid(problems) => unread(&problems),
                // It was dead before it was asked.
                End::Dead if warm && !conversation.begun => continue,
                End::Dead => worker.death().await.reason,
                End::Overstayed(limit) => overstayed(limit, limits),
                End::Wrong(reason) => reason,
                End::Outcome { .. } | End::Turned { .. } => "it said what it was not asked".to_owned(),
            };
            let Docket { mut reports, running, hook, next, .. } = conversation.docket.unwrap_or_default();
            let end = match running {
                Some((heading, began)) => {
                    let told = hook.as_ref().map_or_else(|| reason.clone(), |(name, _)| format!("in the hook `{name}`: {reason}"));
                    reports.push(heading.report(vec![told.into()], began));
                    let before = hook.filter(|(name, _)| *name == HookName::BeforeSuite);
                    RanEnd::Within(before.map(|(_, suite)| (suite, reason)))
                }
                None => RanEnd::Broken(reason),
            };
            return Ok(Ran { reports: setup.veiled(reports, session), next, end });
        }
    }
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
        let (mut veil, known) = (self.veil(Arc::clone(session)), self.values().untold(session));
        // Where nothing can be looked for, the veil has to do.
        let scanner = Scanner::new(&known).ok();
        let mut text = |text: String| {
            let text = veil.text(&text);
            match &scanner {
                Some(scanner) => scanner.covered(text),
                None => text,
            }
        };
        let mut failure = |failure: Failure| Failure { message: text(failure.message), ..failure };
        let veiled = |report: CaseReport| CaseReport { failures: report.failures.into_iter().map(&mut failure).collect(), ..report };
        reports.into_iter().map(veiled).collect()
    }

    /// The numbers of the chosen cases that are meant. One that is skipped is skipped here, too.
    fn marked(&self, is_meant: impl Fn(&Case) -> bool) -> BTreeSet<usize> {
        let all = trials(&self.bundle.suites).enumerate().filter(|(number, _)| self.chosen.has(*number));
        all.filter(|(_, trial)| trial.case.skip.is_none() && is_meant(trial.case)).map(|(number, _)| number).collect()
    }

    /// Some of the cases, from one of their units on.
    fn suites(&self, files: &BundleFiles, numbers: &BTreeSet<usize>, from: usize) -> Suites {
        // Beside the cases there is the end of each suite; of units that there are not, none is run.
        let most = numbers.len() + self.bundle.suites.len();
        Suites {
            connector: self.connector.as_str().to_owned(),
            files: pack(files),
            chosen: Chosen::Only(numbers.clone()),
            broken: Vec::new(),
            units: (from..most).collect(),
        }
    }

    fn task(&self, numbers: &BTreeSet<usize>, from: usize, broken: &[(String, String)]) -> Task {
        Task::Cases(Box::new(Cases {
            suites: Suites { broken: broken.to_vec(), ..self.suites(&self.bundle.files, numbers, from) },
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
            partial: true,
            coverage: Coverage::default(),
        }
    }
}

fn overstayed(limit: Overstayed, limits: RunLimits) -> String {
    match limit {
        Overstayed::Run => format!("it ran longer than {} and was stopped", lasting(limits.budget.time)),
        Overstayed::Evaluation => format!("an expression was evaluated for longer than {}", lasting(limits.evaluation)),
    }
}
