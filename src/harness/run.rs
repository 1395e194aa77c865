//! One run: a bundle's cases on a worker, and on the next one where a case has ended the first.

use std::io::ErrorKind;
use std::time::Instant;

use tokio::time::timeout;

use super::pool::Pool;
use super::process::{Blame, Death, Worker};
use super::protocol::{Heading, Task, Word, pack};
use super::{AbortedRun, Job};
use crate::model::{CaseOutcome, CaseReport, ENGINE_LEVEL, Evidence, Problem};

/// How many workers the cases of one bundle may end before the rest is not run.
const MOST_DEATHS: usize = 8;

/// Runs all suites of a bundle. Whatever it does, there is evidence of it; where the machine kept it from running there is none.
pub(super) async fn suites(pool: &Pool, job: &Job) -> Result<Evidence, AbortedRun> {
    let (started, began) = (pool.config.clock.now(), Instant::now());
    let mut run = Run { pool, job, cases: Vec::new(), deaths: 0, tried_again: None };
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
    })
}

impl Job {
    pub(super) fn aborted(&self, reason: String) -> AbortedRun {
        AbortedRun { connector: self.connector.clone(), digest: self.digest, reason }
    }
}

struct Run<'a> {
    pool: &'a Pool,
    job: &'a Job,
    cases: Vec<CaseReport>,
    deaths: usize,
    /// How many cases had ended when a worker's end was given a second chance.
    tried_again: Option<usize>,
}

/// How a worker's turn ended.
enum Turn {
    Done,
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
            let worker = self.pool.take().await.map_err(|error| format!("{error:#}"))?;
            let warm = worker.tasks > 0;
            match self.turn(worker).await {
                Turn::Done => return Ok(None),
                Turn::Invalid(problems) => return Ok(Some(told(&problems))),
                Turn::TooLarge(reason) => return Ok(Some(reason)),
                Turn::Silent(_) if warm => {}
                Turn::Silent(death) | Turn::Between(death) if death.blame == Blame::Machine => return Err(death.reason),
                Turn::Within(death, ..) if death.blame == Blame::Machine && self.may_try_again() => {}
                // The bundle may have ended the worker that read it, and so may a machine that was short of something.
                Turn::Silent(_) | Turn::Between(_) if self.may_try_again() => {}
                Turn::Silent(death) | Turn::Between(death) => return Ok(Some(format!("the tests could not be run: {}", death.reason))),
                Turn::Within(death, heading, began) => {
                    self.cases.push(ended_by(heading, death.reason, began));
                    self.deaths += 1;
                    if self.deaths >= MOST_DEATHS {
                        return Ok(Some(format!("{MOST_DEATHS} cases ended their workers; the cases after them were not run")));
                    }
                }
            }
        }
    }

    /// Whether the next case has its second chance still; it has none after this.
    fn may_try_again(&mut self) -> bool {
        self.tried_again.replace(self.cases.len()) != Some(self.cases.len())
    }

    async fn turn(&mut self, mut worker: Worker) -> Turn {
        let connector = self.job.connector.as_str().to_owned();
        let task = Task::Suites { connector, files: pack(&self.job.files), from: self.cases.len() };
        let deadline = self.pool.config.case_deadline;
        match timeout(deadline, worker.ask(task)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.kind() == ErrorKind::InvalidData => {
                return Turn::TooLarge(format!("the tests could not be run: {error}"));
            }
            Ok(Err(_)) => return Turn::Silent(worker.death().await),
            // It does not even read.
            Err(_) => return Turn::Silent(Death { blame: Blame::Machine, ..too_long(worker, deadline).await }),
        }
        let mut case: Option<(Heading, Instant)> = None;
        let mut silent = true;
        let death = loop {
            match timeout(deadline, worker.hear()).await {
                Ok(Ok(Word::Started(next))) => case = Some((next, Instant::now())),
                Ok(Ok(Word::Ended(report))) => {
                    self.cases.push(report);
                    case = None;
                }
                Ok(Ok(Word::Done)) => {
                    self.pool.give_back(worker);
                    return Turn::Done;
                }
                Ok(Ok(Word::Invalid(problems))) => {
                    self.pool.give_back(worker);
                    return Turn::Invalid(problems);
                }
                Ok(Ok(Word::Asked { .. } | Word::Withdrew(_) | Word::Told(_) | Word::Overstayed { .. } | Word::Outcome { .. })) => {
                    break Death { reason: "it said what it was not asked".to_owned(), blame: Blame::Task };
                }
                Ok(Err(_)) => break worker.death().await,
                Err(_) => break too_long(worker, deadline).await,
            }
            silent = false;
        };
        match case {
            Some((heading, began)) => Turn::Within(death, heading, began),
            None if silent => Turn::Silent(death),
            None => Turn::Between(death),
        }
    }
}

async fn too_long(worker: Worker, deadline: std::time::Duration) -> Death {
    worker.stop().await;
    Death { reason: format!("it did not end within {} and was stopped", shown(deadline)), blame: Blame::Task }
}

fn shown(time: std::time::Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

fn ended_by(heading: Heading, reason: String, began: Instant) -> CaseReport {
    CaseReport {
        suite: heading.suite,
        case: heading.case,
        place: heading.place,
        target: heading.target,
        outcome: CaseOutcome::Failed,
        failures: vec![reason],
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
