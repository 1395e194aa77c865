//! PORT: runs bundles' test suites in worker processes and returns their evidence; runs flows live for those who ask.
//!
//! Whatever evaluates expressions does it in a worker: the same program, started as a child without an environment and with limits.
//!
//! - `worker` is the child: it runs suites against their mocked exchanges, and flows whose every effect is a question to the parent.
//! - `protocol` is what passes between the two, frames of JSON over pipes; `weight` bounds how much of it waits.
//! - `process` and `pool` are workers as the parent sees them: started, spoken to, ended, and kept warm.
//! - `failing` says why a bundle's cases are not run, or not to their end, whoever runs them.
//! - `suites` is the adapter of the port: a queue of runs that take turns at the workers.
//! - [`live`] answers the questions of live flows and cases from the network, records cases, and keeps triggers going.

mod failing;
pub mod live;
mod pool;
mod process;
mod protocol;
mod suites;
mod weight;
pub mod worker;

pub use process::WorkersConfig;
pub use suites::Workers;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::model::{BundleFiles, ConnectorName, Digest, Evidence};

/// How long an answer may take, from the request to its last byte; in a test by its own clock.
const EXCHANGE_TIME: Duration = Duration::from_secs(120);

/// One bundle to test.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whose tests.
    pub connector: ConnectorName,
    /// The content they are evidence for.
    pub digest: Digest,
    /// The content.
    pub files: BundleFiles,
    /// Which of its cases are to run.
    pub chosen: Chosen,
}

/// Which of a bundle's cases are to run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Chosen {
    /// All of them. Nothing else is evidence of the content.
    #[default]
    All,
    /// Those of these numbers, counted through all suites as [`trials`](crate::manifest::trials) does.
    Only(BTreeSet<usize>),
}

impl Chosen {
    /// Whether the case of this number is to run.
    pub fn has(&self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::Only(numbers) => numbers.contains(&number),
        }
    }
}

/// A run that ended without evidence: no worker could be had, or workers were killed. That says nothing about the content, which is
/// to be tested again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the tests of {connector} could not be run: {reason}")]
pub struct AbortedRun {
    /// Whose tests.
    pub connector: ConnectorName,
    /// The content they were for.
    pub digest: Digest,
    /// Why, a lowercase fragment.
    pub reason: String,
}

/// Where the runs stand.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// What is still running or waiting for a worker.
    pub running: Vec<Digest>,
    /// What ended with evidence and has not been acknowledged.
    pub finished: Vec<Evidence>,
    /// What ended without and has not been acknowledged.
    pub aborted: Vec<AbortedRun>,
}

/// Guarantees: a bundle is evaluated only in a worker process; whatever it does there, the outcome is evidence and the caller lives. What
/// the machine does to a worker is no evidence of the bundle.
/// Runs are kept in memory alone: after a restart nothing is running, and the next pass starts what is missing.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Starts a run unless that digest is running or ended and not acknowledged. Returns at once.
    async fn start(&self, job: Job) -> Result<()>;

    /// Tells where the runs stand.
    async fn progress(&self) -> Result<Progress>;

    /// Forgets a run that ended, once what came of it is stored.
    async fn acknowledge(&self, digest: &Digest) -> Result<()>;

    /// Stops a run whose outcome nobody waits for any more, and gives its worker to the next; nothing is told of it. It can be started
    /// anew. Does nothing where no such run goes on.
    async fn cancel(&self, digest: &Digest) -> Result<()>;

    /// Returns once a run ends after this call, or at once where one that ended is unacknowledged.
    async fn finished(&self);
}
