//! A harness in memory: runs end when the test says so, and fail where the content says `FAILS`.

use std::collections::BTreeMap;

use anyhow::Result;
use async_trait::async_trait;
use switchboard::harness::{AbortedRun, Harness, Job, Progress};
use switchboard::model::{CaseOutcome, CaseReport, Digest, ENGINE_LEVEL, Evidence, Place};

use super::{State, Universe};

/// Runs under way and ended.
#[derive(Default)]
pub struct HarnessState {
    running: BTreeMap<Digest, Job>,
    finished: BTreeMap<Digest, Evidence>,
    aborted: BTreeMap<Digest, AbortedRun>,
    /// Whether no worker can be had.
    pub out_of_workers: bool,
}

impl HarnessState {
    /// The process died, and its workers with it.
    pub fn lose_everything(&mut self) {
        *self = Self::default();
    }

    /// What is being tested.
    pub fn running(&self) -> Vec<Digest> {
        self.running.keys().copied().collect()
    }

    /// Whether any run is under way.
    pub fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }
}

impl State {
    /// Every run under way ends.
    pub fn finish_tests(&mut self, now: jiff::Timestamp) {
        for (digest, job) in std::mem::take(&mut self.harness.running) {
            if self.harness.out_of_workers {
                let reason = "cannot start a worker".to_owned();
                self.harness.aborted.insert(digest, AbortedRun { connector: job.connector, digest, reason });
                continue;
            }
            let fails = job.files.get("connector.yaml").is_some_and(|bytes| String::from_utf8_lossy(bytes).contains("FAILS"));
            let case = CaseReport {
                suite: "all".to_owned(),
                case: "one".to_owned(),
                place: Place::file("tests/all.yaml"),
                target: "actions/get".to_owned(),
                outcome: if fails { CaseOutcome::Failed } else { CaseOutcome::Passed },
                failures: Vec::new(),
                skipped: None,
                micros: 1,
            };
            let evidence = Evidence {
                connector: job.connector,
                digest,
                level: ENGINE_LEVEL,
                started: now,
                millis: 1,
                runner: "universe".to_owned(),
                cases: vec![case],
                failure: None,
                partial: false,
                coverage: switchboard::model::Coverage::default(),
            };
            if !fails {
                self.audit.passed.insert(digest);
            }
            self.harness.finished.insert(digest, evidence);
        }
    }
}

#[async_trait]
impl Harness for Universe {
    async fn start(&self, job: Job) -> Result<()> {
        self.call("harness.start", |state, _| {
            if !state.harness.finished.contains_key(&job.digest) && !state.harness.aborted.contains_key(&job.digest) {
                state.harness.running.insert(job.digest, job);
            }
            Ok(())
        })
    }

    async fn progress(&self) -> Result<Progress> {
        self.call("harness.progress", |state, _| {
            let running = state.harness.running.keys().copied().collect();
            let aborted = state.harness.aborted.values().cloned().collect();
            Ok(Progress { running, finished: state.harness.finished.values().cloned().collect(), aborted })
        })
    }

    async fn acknowledge(&self, digest: &Digest) -> Result<()> {
        self.call("harness.acknowledge", |state, _| {
            state.harness.finished.remove(digest);
            state.harness.aborted.remove(digest);
            Ok(())
        })
    }

    async fn cancel(&self, digest: &Digest) -> Result<()> {
        self.call("harness.cancel", |state, _| {
            state.harness.running.remove(digest);
            Ok(())
        })
    }

    async fn finished(&self) {
        std::future::pending().await
    }
}
