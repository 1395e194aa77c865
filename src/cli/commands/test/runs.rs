//! Several connectors' tests at once, with progress on the way.

use std::collections::BTreeMap;

use anyhow::Result;
use futures_util::StreamExt as _;
use indicatif::ProgressBar;

use super::kept::Kept;
use crate::assemble;
use crate::cli::tested::Shown;
use crate::cli::{Door, progress};
use crate::harness::{AbortedRun, Job, Workers};
use crate::manifest::Bundle;
use crate::model::{ConnectorName, Problem};

/// How runs are to be done.
pub(super) struct Runs<'d> {
    pub(super) door: &'d Door,
    pub(super) kept: &'d Kept,
    /// Whether to run what has passed before, too.
    pub(super) again: bool,
}

impl Runs<'_> {
    /// Runs jobs, tells what each showed, and returns it all, and the runs that could not be made. On a terminal it is told as it comes;
    /// elsewhere in the order of the jobs, so that two runs read the same.
    pub(super) async fn perform(&self, jobs: Vec<Job>, tell: impl Fn(&Shown)) -> Result<Performed> {
        let workers = Workers::new(assemble::workers(&self.door.settings)?);
        if self.again || !self.kept.is_open() {
            workers.warm(jobs.len()).await;
        }
        let progress = Progress::begin(self.door, jobs.len());
        let run = |(index, job): (usize, Job)| {
            let (workers, progress) = (&workers, &progress);
            async move {
                progress.began(&job.connector);
                let connector = job.connector.clone();
                let ended = self.one(workers, job).await;
                progress.ended(&connector);
                (index, ended)
            }
        };
        let numbered = jobs.into_iter().enumerate();
        let mut ended = futures_util::stream::iter(numbered).map(run).buffer_unordered(self.door.settings.workers.max(1));
        let mut order = Order { waits_for: 0, early: BTreeMap::new(), as_it_comes: self.door.shell.is_seen() };
        let mut performed = Performed::default();
        while let Some((index, result)) = ended.next().await {
            for result in order.next(index, result) {
                match result {
                    Ok(shown) => {
                        progress.bar.suspend(|| tell(&shown));
                        performed.evidence.push(shown);
                    }
                    Err(NotRun::Aborted(run)) => performed.aborted.push(run),
                    Err(NotRun::Unreadable(problems)) => performed.problems.extend(problems),
                }
            }
        }
        progress.bar.finish_and_clear();
        Ok(performed)
    }

    async fn one(&self, workers: &Workers, job: Job) -> Result<Shown, NotRun> {
        if !self.again
            && let Some(evidence) = self.kept.good(&job.digest).await
        {
            return Ok(Shown { evidence, reused: true });
        }
        let files = job.files.clone();
        let evidence = workers.run(job).await.map_err(NotRun::Aborted)?;
        // What cannot be read is told as everywhere else.
        if evidence.failure.is_some() && evidence.cases.is_empty() {
            Bundle::read(evidence.connector.as_str(), &files).map_err(NotRun::Unreadable)?;
        }
        self.kept.keep(&evidence).await;
        Ok(Shown { evidence, reused: false })
    }
}

/// What came of several connectors' tests.
#[derive(Default)]
pub(super) struct Performed {
    pub(super) evidence: Vec<Shown>,
    /// What is wrong with connectors that could not be read.
    pub(super) problems: Vec<Problem>,
    pub(super) aborted: Vec<AbortedRun>,
}

/// Why there is no evidence.
enum NotRun {
    Aborted(AbortedRun),
    /// The connector cannot be read.
    Unreadable(Vec<Problem>),
}

/// Puts what ends early where it belongs.
struct Order<T> {
    waits_for: usize,
    early: BTreeMap<usize, T>,
    as_it_comes: bool,
}

impl<T> Order<T> {
    /// What can be told, now that this one has ended.
    fn next(&mut self, index: usize, ended: T) -> Vec<T> {
        if self.as_it_comes {
            return vec![ended];
        }
        self.early.insert(index, ended);
        let mut ready = Vec::new();
        while let Some(next) = self.early.remove(&self.waits_for) {
            ready.push(next);
            self.waits_for += 1;
        }
        ready
    }
}

/// What people see on a terminal while tests run. Nothing else knows how it looks.
struct Progress {
    bar: ProgressBar,
    running: std::cell::RefCell<Vec<ConnectorName>>,
}

impl Progress {
    fn begin(door: &Door, total: usize) -> Self {
        Self { bar: progress::bar(door.shell, "Testing", total), running: std::cell::RefCell::default() }
    }

    fn began(&self, connector: &ConnectorName) {
        self.running.borrow_mut().push(connector.clone());
        self.show();
    }

    fn ended(&self, connector: &ConnectorName) {
        self.running.borrow_mut().retain(|running| running != connector);
        self.bar.inc(1);
        self.show();
    }

    fn show(&self) {
        let running = self.running.borrow();
        let others = if running.len() > 1 { format!(" and {} more", running.len() - 1) } else { String::new() };
        self.bar.set_message(running.first().map_or_else(|| "Testing".to_owned(), |first| format!("Testing {first}{others}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_early_waits_for_those_before_it() {
        let mut order = Order { waits_for: 0, early: BTreeMap::new(), as_it_comes: false };
        assert_eq!(order.next(1, "b"), Vec::<&str>::new());
        assert_eq!(order.next(0, "a"), ["a", "b"]);
        assert_eq!(order.next(2, "c"), ["c"]);
        let mut order = Order { as_it_comes: true, ..order };
        assert_eq!(order.next(7, "d"), ["d"]);
    }
}
