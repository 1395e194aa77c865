//! Warm workers: kept between tasks, replaced when they have served long or ended.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use super::process::{Worker, WorkersConfig};

/// How many tasks a worker serves before a fresh one takes its place.
const MOST_TASKS: u32 = 1000;

/// The workers that wait for a task.
pub(super) struct Pool {
    pub(super) config: WorkersConfig,
    idle: Mutex<Vec<Worker>>,
}

impl Pool {
    pub(super) fn new(config: WorkersConfig) -> Self {
        Self { config, idle: Mutex::default() }
    }

    /// A worker that waits, or a new one.
    pub(super) async fn take(&self) -> Result<Worker> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(worker) => Ok(worker),
            None => Worker::start(&self.config).await,
        }
    }

    /// Gives a worker back that has done its task.
    pub(super) fn give_back(&self, worker: Worker) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if worker.tasks < MOST_TASKS && idle.len() < self.config.concurrency.max(1) {
            idle.push(worker);
        }
    }
}
