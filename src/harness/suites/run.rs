//! One run: a bundle's cases on a worker, turn by turn, and on the next worker where a case has ended the first.

use std::io::ErrorKind;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::{self, timeout, timeout_at};

use super::turns::{Turn, Turns};
use crate::harness::pool::Pool;
use crate::harness::process::{Blame, Death, Worker};
use crate::harness::protocol::{Heading, Task, Word, pack};
use crate::harness::{AbortedRun, Job};
use crate::model::{CaseOutcome, CaseReport, Coverage, ENGINE_LEVEL, Evidence, Problem};

/// How many workers the cases of one bundle may end before the rest is not run.
const MOST_DEATHS: usize = 8;

/// Runs all suites of a bundle. Whatever it does, there is evidence of it; where the machine kept it from running there is none.
pub(super) async fn suites(pool: &Pool, turns: &Turns, job: &Job) -> Result<Evidence, AbortedRun> {
    let (started, began) = (pool.config.clock.now(), Instant::now());
    let mut run = Run { pool, turns, job, cases: Vec::new(), spent: Duration::ZERO, deaths: 0, tried_again: None };
    let failure = run.perform().await.map_err(|reason| job.aborted(reason))?;
    Ok(Evidence {
        connector: job.connector.clone(),
        digest: job.digest,
        level: ENGINE_LEVEL,
        started,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        runner: env!("CARGO_PKG_VERSION").to_owned(),
        cases: run.cases,
        failure,
        coverage: Coverage::default(),
    })
}

impl Job {
    pub(super) fn aborted(&self, reason: String) -> AbortedRun {
        AbortedRun { connector: self.connector.clone(), digest: self.digest, reason }
    }
}

struct Run<'a> {
    pool: &'a Pool,
    turns: &'a Turns,
    job: &'a Job,
    cases: Vec<CaseReport>,
    /// How long its turns before this one took.
    spent: Duration,
    deaths: usize,
    /// How many cases had ended when a worker's end was given a second chance.
    tried_again: Option<usize>,
}

/// It has ended, and why it failed as a whole, where it did.
struct Ended(Option<String>);

fn failed(reason: String) -> Result<Option<Ended>, String> {
    Ok(Some(Ended(Some(reason))))
}

/// How a worker's part in it ended.
enum End {
    Done,
    /// Before the next case.
    Paused,
    Invalid(Vec<Problem>),
    /// The bundle cannot be handed over.
    TooLarge(String),
    /// It was dead before it said anything.
    Silent(Death),
    /// It ended between cases.
    Between(Death),
    /// It ended within a case.
    Within(Death, Heading, Instant),
}

impl Run<'_> {
    /// Returns why the run as a whole failed, where it did; the error is why there is no evidence.
    async fn perform(&mut self) -> Result<Option<String>, String> {
        loop {
            let turn = self.turns.take().await;
            if let Some(Ended(failure)) = self.take_turn(&turn).await? {
                return Ok(failure);
            }
            self.spent += turn.spent();
        }
    }

    /// Goes on until the run has ended or the turn is to be given back; the error is why there is no evidence.
    async fn take_turn(&mut self, turn: &Turn<'_>) -> Result<Option<Ended>, String> {
        let limit = self.pool.config.run_limit;
        loop {
            if self.spent + turn.spent() >= limit {
                return failed(format!("the tests did not end within {}; the cases after these were not run", shown(limit)));
            }
            let worker = self.pool.take().await.map_err(|error| format!("{error:#}"))?;
            let warm = worker.tasks > 0;
            match self.go_on(worker, turn).await {
                End::Done => return Ok(Some(Ended(None))),
                End::Paused => {}
                End::Invalid(problems) => return failed(told(&problems)),
                End::TooLarge(reason) => return failed(reason),
                End::Silent(_) if warm => {}
                End::Silent(death) | End::Between(death) if death.blame == Blame::Machine => return Err(death.reason),
                End::Within(death, ..) if death.blame == Blame::Machine && self.may_try_again() => {}
                // The bundle may have ended the worker that read it, and so may a machine that was short of something.
                End::Silent(_) | End::Between(_) if self.may_try_again() => {}
                End::Silent(death) | End::Between(death) => return failed(format!("the tests could not be run: {}", death.reason)),
                End::Within(death, heading, began) => {
                    self.cases.push(ended_by(heading, death.reason, began));
                    self.deaths += 1;
                    if self.deaths >= MOST_DEATHS {
                        return failed(format!("{MOST_DEATHS} cases ended their workers; the cases after them were not run"));
                    }
                }
            }
            if turn.is_to_be_given_back() {
                return Ok(None);
            }
        }
    }

    /// Whether the next case has its second chance still; it has none after this.
    fn may_try_again(&mut self) -> bool {
        self.tried_again.replace(self.cases.len()) != Some(self.cases.len())
    }

    async fn go_on(&mut self, mut worker: Worker, turn: &Turn<'_>) -> End {
        let connector = self.job.connector.as_str().to_owned();
        let task = Task::Suites { connector, files: pack(&self.job.files), from: self.cases.len() };
        let deadline = self.pool.config.case_deadline;
        match timeout(deadline, worker.ask(task)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.kind() == ErrorKind::InvalidData => {
                return End::TooLarge(format!("the tests could not be run: {error}"));
            }
            Ok(Err(_)) => return End::Silent(worker.death().await),
            // It does not even read.
            Err(_) => return End::Silent(Death { blame: Blame::Machine, ..too_long(worker, deadline).await }),
        }
        let mut case: Option<(Heading, Instant)> = None;
        let mut silent = true;
        let mut is_over = pin!(turn.is_over(self.pool.config.run_limit.saturating_sub(self.spent)));
        let mut asked_to_pause = false;
        let mut until = time::Instant::now() + deadline;
        let death = loop {
            let heard = tokio::select! {
                biased;
                heard = timeout_at(until, worker.hear()) => heard,
                () = &mut is_over, if !asked_to_pause => {
                    asked_to_pause = true;
                    worker.pause().await;
                    continue;
                }
            };
            until = time::Instant::now() + deadline;
            match heard {
                Ok(Ok(Word::Started(next))) => case = Some((next, Instant::now())),
                Ok(Ok(Word::Ended(report))) => {
                    self.cases.push(report);
                    case = None;
                }
                Ok(Ok(Word::Done)) => {
                    self.pool.give_back(worker);
                    return End::Done;
                }
                Ok(Ok(Word::Paused)) if asked_to_pause => {
                    self.pool.give_back(worker);
                    return End::Paused;
                }
                Ok(Ok(Word::Invalid(problems))) => {
                    self.pool.give_back(worker);
                    return End::Invalid(problems);
                }
                Ok(Ok(
                    Word::Asked { .. }
                    | Word::Withdrew(_)
                    | Word::Began(_)
                    | Word::Told(_)
                    | Word::Overstayed { .. }
                    | Word::Outcome { .. }
                    | Word::Taped(_)
                    | Word::Recorded(_)
                    | Word::Turned { .. }
                    | Word::Paused,
                )) => {
                    break Death { reason: "it said what it was not asked".to_owned(), blame: Blame::Task };
                }
                Ok(Err(_)) => break worker.death().await,
                Err(_) => break too_long(worker, deadline).await,
            }
            silent = false;
        };
        match case {
            Some((heading, began)) => End::Within(death, heading, began),
            None if silent => End::Silent(death),
            None => End::Between(death),
        }
    }
}

async fn too_long(worker: Worker, deadline: Duration) -> Death {
    worker.stop().await;
    Death { reason: format!("it did not end within {} and was stopped", shown(deadline)), blame: Blame::Task }
}

fn shown(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

/// The report of a case that ended its worker.
pub(in crate::harness) fn ended_by(heading: Heading, reason: String, began: Instant) -> CaseReport {
    CaseReport {
        suite: heading.suite,
        case: heading.case,
        place: heading.place,
        target: heading.target,
        outcome: CaseOutcome::Failed,
        failures: vec![reason],
        skipped: None,
        micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
    }
}

fn told(problems: &[Problem]) -> String {
    const MOST: usize = 20;
    let mut lines: Vec<_> = problems.iter().take(MOST).map(ToString::to_string).collect();
    if problems.len() > MOST {
        lines.push(format!("and {} more", problems.len() - MOST));
    }
    format!("the connector has problems:\n{}", lines.join("\n"))
}
