//! PORT: runs bundles' test suites in worker processes and returns their evidence. The adapter is [`Workers`].

mod flow_run;
mod limits;
mod offline;
mod pool;
mod process;
mod protocol;
mod run;
mod suite;
pub mod worker;
mod workers;

pub use flow_run::{FlowOutcome, run_flow};
pub use workers::{Workers, WorkersConfig};

use anyhow::Result;
use async_trait::async_trait;

use crate::model::{BundleFiles, ConnectorName, Digest, Evidence};

/// One bundle to test.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whose tests.
    pub connector: ConnectorName,
    /// The content they are evidence for.
    pub digest: Digest,
    /// The content.
    pub files: BundleFiles,
}

/// Where the runs stand.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// What is still running or waiting for a worker.
    pub running: Vec<Digest>,
    /// What ended and has not been acknowledged.
    pub finished: Vec<Evidence>,
}

/// Guarantees: a bundle is evaluated only in a worker process; whatever it does there, the outcome is evidence and the caller lives.
/// Runs are kept in memory alone: after a restart nothing is running, and the next pass starts what is missing.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Starts a run unless that digest is running or finished and not acknowledged. Returns at once.
    async fn start(&self, job: Job) -> Result<()>;

    /// Tells where the runs stand.
    async fn progress(&self) -> Result<Progress>;

    /// Forgets a finished run, once its evidence is stored.
    async fn acknowledge(&self, digest: &Digest) -> Result<()>;

    /// Stops a run whose outcome nobody waits for any more.
    async fn cancel(&self, digest: &Digest) -> Result<()>;

    /// Returns once a run finishes after this call, or at once where a finished one is unacknowledged.
    async fn finished(&self);
}
