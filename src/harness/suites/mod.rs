//! Runs suites in workers, as their parent: the adapter of the harness, with the runs that are not acknowledged yet.
//!
//! A `run` is one bundle's. It has its `turns` at the workers, in the order in which runs ask; its work at one turn is a `lane`.

mod lane;
mod run;
mod turns;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use self::turns::Turns;
use super::pool::Pool;
use super::process::WorkersConfig;
use super::{AbortedRun, Harness, Job, Progress};
use crate::model::{CaseReport, Digest, Evidence};

/// Runs suites in worker processes. Dropping it ends them all. Assumption: it is used within a tokio runtime.
pub struct Workers {
    shared: Arc<Shared>,
}

struct Shared {
    pool: Pool,
    turns: Turns,
    runs: Mutex<Runs>,
    wake: Notify,
}

#[derive(Default)]
struct Runs {
    running: BTreeMap<Digest, JoinHandle<()>>,
    ended: Vec<Result<Evidence, AbortedRun>>,
}

impl Runs {
    fn has_ended(&self, digest: &Digest) -> bool {
        self.ended.iter().any(|ended| digest_of(ended) == digest)
    }
}

fn digest_of(ended: &Result<Evidence, AbortedRun>) -> &Digest {
    match ended {
        Ok(evidence) => &evidence.digest,
        Err(aborted) => &aborted.digest,
    }
}

impl Workers {
    /// Starts no process before there is something to run.
    pub fn new(config: WorkersConfig) -> Self {
        let turns = Turns::new(config.concurrency, config.slice);
        Self { shared: Arc::new(Shared { pool: Pool::new(config), turns, runs: Mutex::default(), wake: Notify::new() }) }
    }

    /// Starts the workers that so many jobs will need, which takes them a while, so that they are there when the jobs are.
    pub async fn warm(&self, jobs: usize) {
        self.shared.pool.warm(jobs).await;
    }

    /// Runs one job and waits for its evidence, beside those that were started.
    pub async fn run(&self, job: Job) -> Result<Evidence, AbortedRun> {
        self.shared.run(job, &|_| ()).await
    }

    /// The same, and tells each report as soon as it is there, in no order.
    pub async fn run_telling(&self, job: Job, tell: &(dyn Fn(&CaseReport) + Send + Sync)) -> Result<Evidence, AbortedRun> {
        self.shared.run(job, tell).await
    }
}

impl Shared {
    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, job: Job, tell: &(dyn Fn(&CaseReport) + Send + Sync)) -> Result<Evidence, AbortedRun> {
        let run = AssertUnwindSafe(run::suites(&self.pool, &self.turns, &job, tell)).catch_unwind().await;
        // A run that panicked must not count as running for ever.
        run.unwrap_or_else(|_| Err(job.aborted("the run broke off in Switchboard itself".to_owned())))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for (_, run) in std::mem::take(&mut self.shared.runs().running) {
            run.abort();
        }
    }
}

#[async_trait]
impl Harness for Workers {
    async fn start(&self, job: Job) -> Result<()> {
        let mut runs = self.shared.runs();
        if runs.running.contains_key(&job.digest) || runs.has_ended(&job.digest) {
            return Ok(());
        }
        let (shared, digest) = (Arc::clone(&self.shared), job.digest);
        let run = tokio::spawn(async move {
            let ended = shared.run(job, &|_| ()).await;
            let mut runs = shared.runs();
            // Where it is no longer listed it was cancelled, and nobody waits for it.
            if runs.running.remove(&digest).is_some() {
                runs.ended.push(ended);
                drop(runs);
                shared.wake.notify_waiters();
            }
        });
        runs.running.insert(digest, run);
        Ok(())
    }

    async fn progress(&self) -> Result<Progress> {
        let runs = self.shared.runs();
        Ok(Progress {
            running: runs.running.keys().copied().collect(),
            finished: runs.ended.iter().filter_map(|ended| ended.as_ref().ok().cloned()).collect(),
            aborted: runs.ended.iter().filter_map(|ended| ended.as_ref().err().cloned()).collect(),
        })
    }

    async fn acknowledge(&self, digest: &Digest) -> Result<()> {
        self.shared.runs().ended.retain(|ended| digest_of(ended) != digest);
        Ok(())
    }

    async fn cancel(&self, digest: &Digest) -> Result<()> {
        if let Some(run) = self.shared.runs().running.remove(digest) {
            run.abort();
        }
        Ok(())
    }

    async fn finished(&self) {
        let ended = self.shared.wake.notified();
        tokio::pin!(ended);
        // Registered before looking, so that a run that ends in between is not missed.
        ended.as_mut().enable();
        if self.shared.runs().ended.is_empty() {
            ended.await;
        }
    }
}
