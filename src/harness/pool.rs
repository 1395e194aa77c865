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

    /// Starts so many workers, at most as many as work at once, while there is something else to do before they have a task. Where one
    /// cannot be started, whoever needs it is told why.
    pub(super) async fn warm(&self, count: usize) {
        for _ in 0..count.min(self.config.concurrency) {
            let Ok(worker) = Worker::start(&self.config).await else { return };
            self.give_back(worker);
        }
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
