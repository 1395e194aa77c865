//! One run: a bundle's cases on a worker, and on the next one where a case has ended the first.

use std::time::Instant;

use tokio::time::timeout;

use super::Job;
use super::pool::Pool;
use super::process::Worker;
use super::protocol::{Heading, Task, Word, pack};
use crate::model::{CaseOutcome, CaseReport, ENGINE_LEVEL, Evidence, Problem};

/// How many workers the cases of one bundle may end before the rest is not run.
const MOST_DEATHS: usize = 8;

/// Runs all suites of a bundle. Whatever happens, there is evidence of it.
pub(super) async fn suites(pool: &Pool, job: &Job) -> Evidence {
    let (started, began) = (pool.config.clock.now(), Instant::now());
    let mut run = Run { pool, job, cases: Vec::new(), deaths: 0 };
    let failure = run.perform().await;
    Evidence {
        connector: job.connector.clone(),
        digest: job.digest,
        level: ENGINE_LEVEL,
        started,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        runner: env!("CARGO_PKG_VERSION").to_owned(),
        cases: run.cases,
        failure,
    }
}

struct Run<'a> {
    pool: &'a Pool,
    job: &'a Job,
    cases: Vec<CaseReport>,
    deaths: usize,
}

/// How a worker's turn ended.
enum Turn {
    Done,
    Invalid(Vec<Problem>),
    /// It ended, within a case or outside of any.
    Died(String, Option<Heading>, Instant),
    /// It was dead before it said anything.
    Stale(String),
}

impl Run<'_> {
    /// Returns why the run as a whole failed, where it did.
    async fn perform(&mut self) -> Option<String> {
        loop {
            let worker = match self.pool.take().await {
                Ok(worker) => worker,
                Err(error) => return Some(format!("{error:#}")),
            };
            let warm = worker.tasks > 0;
            match self.turn(worker).await {
                Turn::Done => return None,
                Turn::Invalid(problems) => return Some(told(&problems)),
                Turn::Stale(_) if warm => {}
                Turn::Stale(reason) | Turn::Died(reason, None, _) => return Some(format!("the tests could not be run: {reason}")),
                Turn::Died(reason, Some(heading), began) => {
                    self.cases.push(ended_by(heading, reason, began));
                    self.deaths += 1;
                    if self.deaths >= MOST_DEATHS {
                        return Some(format!("{MOST_DEATHS} cases ended their workers; the cases after them were not run"));
                    }
                }
            }
        }
    }

    async fn turn(&mut self, mut worker: Worker) -> Turn {
        let connector = self.job.connector.as_str().to_owned();
        let task = Task::Suites { connector, files: pack(&self.job.files), from: self.cases.len() };
        let deadline = self.pool.config.case_deadline;
        let mut began = Instant::now();
        match timeout(deadline, worker.ask(&task)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Turn::Stale(worker.reason().await),
            Err(_) => return Turn::Stale(too_long(worker, deadline).await),
        }
        let mut heading = None;
        let mut silent = true;
        loop {
            match timeout(deadline, worker.hear()).await {
                Ok(Ok(Word::Started(next))) => {
                    heading = Some(next);
                    began = Instant::now();
                }
                Ok(Ok(Word::Ended(report))) => {
                    self.cases.push(report);
                    heading = None;
                }
                Ok(Ok(Word::Done)) => {
                    self.pool.give_back(worker);
                    return Turn::Done;
                }
                Ok(Ok(Word::Invalid(problems))) => {
                    self.pool.give_back(worker);
                    return Turn::Invalid(problems);
                }
                Ok(Ok(Word::Output(_) | Word::Fault(_))) => return Turn::Died("it said what it was not asked".to_owned(), heading, began),
                Ok(Err(_)) if silent => return Turn::Stale(worker.reason().await),
                Ok(Err(_)) => return Turn::Died(worker.reason().await, heading, began),
                Err(_) => return Turn::Died(too_long(worker, deadline).await, heading, began),
            }
            silent = false;
        }
    }
}

async fn too_long(worker: Worker, deadline: std::time::Duration) -> String {
    worker.stop().await;
    format!("it did not end within {} and was stopped", shown(deadline))
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

/// Runs a stand-alone task on a worker of its own and returns its one word, or the reason why there is none.
pub(super) async fn alone(pool: &Pool, task: &Task) -> anyhow::Result<Result<Word, String>> {
    let mut worker = pool.take().await?;
    let deadline = pool.config.case_deadline;
    let word = timeout(deadline, async {
        worker.ask(task).await?;
        worker.hear().await
    });
    Ok(match word.await {
        Ok(Ok(word)) => Ok(word),
        Ok(Err(_)) => Err(worker.reason().await),
        Err(_) => Err(too_long(worker, deadline).await),
    })
}
