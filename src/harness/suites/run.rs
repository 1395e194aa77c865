//! One run: a bundle's units, which one worker runs, or several where turns are free and there is enough to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::sleep;

use super::lane::Lane;
use super::turns::{Kind, Turn, Turns};
use crate::harness::failing::{MOST_DEATHS, too_many_deaths};
use crate::harness::pool::Pool;
use crate::harness::{AbortedRun, Chosen, Job};
use crate::model::{CaseReport, Coverage, CoveragePoint, ENGINE_LEVEL, Evidence};

/// How many units a worker is given at once.
const MOST_UNITS: usize = 16;
/// How long a run goes on before it looks for another worker: starting one takes a good part of this.
const ALONE: Duration = Duration::from_millis(25);

/// Runs all suites of a bundle. Whatever it does, there is evidence of it; where the machine kept it from running there is none.
pub(super) async fn suites(
    pool: &Pool,
    turns: &Turns,
    job: &Job,
    tell: &(dyn Fn(&CaseReport) + Send + Sync),
) -> Result<Evidence, AbortedRun> {
    let (started, began) = (pool.config.clock.now(), Instant::now());
    let run = Run { pool, turns, job, tell, standing: Mutex::default(), sharing: watch::Sender::new(()) };
    let failure = match run.perform().await {
        Ok(()) => None,
        Err(Broken::Failed(reason)) => Some(reason),
        Err(Broken::Aborted(reason)) => return Err(job.aborted(reason)),
    };
    let reports = std::mem::take(&mut run.standing().reports);
    let coverage = std::mem::take(&mut run.standing().coverage).in_order();
    Ok(Evidence {
        connector: job.connector.clone(),
        digest: job.digest,
        level: ENGINE_LEVEL,
        started,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        runner: env!("CARGO_PKG_VERSION").to_owned(),
        cases: reports.into_values().flatten().collect(),
        failure,
        partial: job.chosen != Chosen::All,
        coverage,
    })
}

impl Job {
    pub(super) fn aborted(&self, reason: String) -> AbortedRun {
        AbortedRun { connector: self.connector.clone(), digest: self.digest, reason }
    }
}

/// Why a run does not go on to its end.
pub(super) enum Broken {
    /// It failed as a whole.
    Failed(String),
    /// There is no evidence.
    Aborted(String),
}

/// One run.
pub(super) struct Run<'a> {
    pub(super) pool: &'a Pool,
    turns: &'a Turns,
    pub(super) job: &'a Job,
    tell: &'a (dyn Fn(&CaseReport) + Send + Sync),
    standing: Mutex<Standing>,
    /// Told where others could take over what workers have not begun.
    pub(super) sharing: watch::Sender<()>,
}

/// How far it is.
#[derive(Default)]
struct Standing {
    /// What came of units, by their numbers.
    reports: BTreeMap<usize, Option<CaseReport>>,
    /// What the cases exercised, by the numbers of the points.
    coverage: Coverage,
    /// How many units there are, once that is known.
    count: Option<usize>,
    /// Units that no worker has.
    waiting: BTreeSet<usize>,
    /// Suites, by their paths, whose `beforeSuite` has ended a worker, and why.
    broken: Vec<(String, String)>,
    /// How long its turns that are over have taken.
    spent: Duration,
    deaths: usize,
    /// How many units had ended when a worker's end was given a second chance.
    tried_again: Option<usize>,
}

impl Run<'_> {
    async fn perform(&self) -> Result<(), Broken> {
        let mut lanes = FuturesUnordered::new();
        loop {
            if lanes.is_empty() {
                if self.is_done() {
                    return Ok(());
                }
                lanes.push(Lane::new(self, self.turns.take().await, Kind::Own).work());
            }
            tokio::select! {
                ended = lanes.next() => ended.unwrap_or(Ok(()))?,
                () = sleep(ALONE) => {
                    for turn in self.more_turns(lanes.len()) {
                        lanes.push(Lane::new(self, turn, Kind::Lent).work());
                    }
                }
            }
        }
    }

    /// Turns that are free, where there is something to do in them: up to as many as there are at work.
    fn more_turns(&self, busy: usize) -> Vec<Turn<'_>> {
        let waiting = self.standing().waiting.len();
        if waiting == 0 && self.turns.has_free() {
            self.sharing.send_replace(());
        }
        (0..busy.min(waiting)).map_while(|_| self.turns.take_free()).collect()
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every unit has ended.
    fn is_done(&self) -> bool {
        let standing = self.standing();
        standing.count.is_some_and(|count| standing.reports.len() >= count)
    }

    /// Units for a worker: enough that it need not ask all the time, and so few that others have their share.
    pub(super) fn take_units(&self) -> Units<'_> {
        let mut standing = self.standing();
        let units = match standing.count {
            // Of those that there are not, none is run.
            None => (0..MOST_UNITS).collect(),
            Some(_) => {
                let share = standing.waiting.len() / (2 * self.pool.config.concurrency.max(1));
                let units: BTreeSet<usize> = standing.waiting.iter().take(share.clamp(1, MOST_UNITS)).copied().collect();
                standing.waiting.retain(|unit| !units.contains(unit));
                units
            }
        };
        Units { run: self, units }
    }

    /// So many units are there.
    pub(super) fn counted(&self, count: usize) {
        let mut standing = self.standing();
        if standing.count.is_none() {
            standing.count = Some(count);
            standing.waiting.extend(MOST_UNITS..count);
        }
    }

    /// Suites whose `beforeSuite` has ended a worker, and why.
    pub(super) fn broken_suites(&self) -> Vec<(String, String)> {
        self.standing().broken.clone()
    }

    /// The `beforeSuite` of the suite at this path has ended a worker.
    pub(super) fn breaks(&self, suite: String, why: String) -> Result<(), Broken> {
        self.standing().broken.push((suite, why));
        self.died()
    }

    /// A worker has died of a case.
    pub(super) fn died(&self) -> Result<(), Broken> {
        let mut standing = self.standing();
        standing.deaths += 1;
        if standing.deaths < MOST_DEATHS {
            return Ok(());
        }
        Err(Broken::Failed(too_many_deaths()))
    }

    /// Whether what comes next has its second chance still; it has none after this.
    pub(super) fn may_try_again(&self) -> bool {
        let mut standing = self.standing();
        let ended = Some(standing.reports.len());
        std::mem::replace(&mut standing.tried_again, ended) != ended
    }

    /// What a lane may take at most of the time of the run.
    pub(super) fn time_left(&self) -> Duration {
        self.pool.config.run_limit.saturating_sub(self.standing().spent)
    }

    /// A turn is over that took so long.
    pub(super) fn spend(&self, time: Duration) {
        self.standing().spent += time;
    }
}

/// Units that one worker has to run; what it has not run goes back to the others.
pub(super) struct Units<'a> {
    run: &'a Run<'a>,
    units: BTreeSet<usize>,
}

impl Units<'_> {
    /// How many it has left.
    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    /// Their numbers.
    pub(super) fn numbers(&self) -> Vec<usize> {
        self.units.iter().copied().collect()
    }

    /// Whether this is one of them.
    pub(super) fn has(&self, unit: usize) -> bool {
        self.units.contains(&unit)
    }

    /// There are so many units.
    pub(super) fn counted(&mut self, count: usize) {
        self.run.counted(count);
        self.units.retain(|unit| *unit < count);
    }

    /// What cases can exercise. Every worker says it, and all the same.
    pub(super) fn points(&self, points: Vec<CoveragePoint>) {
        let mut standing = self.run.standing();
        if standing.coverage.is_empty() {
            standing.coverage = Coverage { points };
        }
    }

    /// One of them has ended, and exercised the points of these numbers.
    pub(super) fn ended(&mut self, unit: usize, report: Option<CaseReport>, reached: Vec<usize>) {
        if self.units.remove(&unit) {
            report.iter().for_each(|report| (self.run.tell)(report));
            let mut standing = self.run.standing();
            standing.coverage.cover(reached);
            standing.reports.insert(unit, report);
        }
    }
}

impl Units<'_> {
    /// Leaves the rest to others.
    pub(super) fn give_back(&mut self) {
        let mut standing = self.run.standing();
        // Before they are counted nobody knows which of them there are, and the next worker begins with the same.
        if standing.count.is_some() {
            standing.waiting.append(&mut self.units);
        }
    }
}

impl Drop for Units<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}
