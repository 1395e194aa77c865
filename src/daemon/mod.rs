//! THE HEARTBEAT: wait for a wake, run a pass, repeat. A wake carries no data; every pass looks at everything anew.

mod lease;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::model::ConnectorName;
use crate::pass::{self, Memory, Report, World};
use crate::planning::{PlannedStep, Step};

pub use lease::{Lease, LeaseError};

/// How the heart beats.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// A pass runs at least this often, give or take a tenth; for remotes this is how a change is noticed at all.
    pub interval: Duration,
    /// How long a stop waits for the pass in flight before it hands its steps back to the next start.
    pub grace: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { interval: Duration::from_secs(30), grace: Duration::from_secs(8) }
    }
}

/// After so many busy passes in a row the daemon takes a breath: no fault may turn it into a spinning loop.
const BREATHLESS: u32 = 1_000;
const BREATH: Duration = Duration::from_secs(1);
const LONGEST_FAILURE_PAUSE: Duration = Duration::from_secs(30);

/// Runs passes until told to stop. `on_report` sees every pass; `wake` asks for one.
///
/// A pass that fails as a whole (the store's disk is full, say) is tried again after a growing pause, with nothing assumed.
pub async fn run(
    world: &World,
    epoch: u64,
    heartbeat: &Heartbeat,
    wake: Arc<Notify>,
    stop: CancellationToken,
    mut on_report: impl FnMut(&Result<Report>),
) {
    let mut memory = new_memory();
    let mut busy = 0_u32;
    let mut failures = 0_u32;
    while !stop.is_cancelled() {
        let Some(report) = run_one(world, &mut memory, epoch, heartbeat.grace, &stop).await else { break };
        on_report(&report);
        let pause = match &report {
            Ok(report) if !report.plan.is_empty() => {
                (busy, failures) = (busy.saturating_add(1), 0);
                if busy < BREATHLESS { Some(Duration::ZERO) } else { Some(BREATH) }
            }
            Ok(_) => {
                (busy, failures) = (0, 0);
                None
            }
            Err(_) => {
                memory = new_memory();
                failures = failures.saturating_add(1);
                Some(Duration::from_millis(250).saturating_mul(1 << failures.min(8)).min(LONGEST_FAILURE_PAUSE))
            }
        };
        match pause {
            Some(pause) if pause.is_zero() => {}
            Some(pause) => tokio::select! { () = tokio::time::sleep(pause) => {}, () = stop.cancelled() => {} },
            None => wait(world, &memory, heartbeat, &wake, &stop).await,
        }
    }
}

fn new_memory() -> Memory {
    let mut memory = Memory::new();
    memory.lease_held = true;
    memory
}

/// A step that was taken so often in a row and is still wanted has no effect that anybody sees.
const MOST_REPETITIONS: u32 = 50;

/// Runs passes until nothing is left to do now: what `apply` does. A step that failed is tried once and told of in its report; one that
/// is wanted again and again is an error.
pub async fn run_to_rest(world: &World, epoch: u64, mut on_report: impl FnMut(&Report)) -> Result<()> {
    let mut memory = new_memory();
    let mut taken: HashMap<ConnectorName, (Step, u32)> = HashMap::new();
    loop {
        let report = pass::run(world, &mut memory, epoch).await?;
        on_report(&report);
        for planned in report.performed.iter().filter(|performed| performed.outcome.is_ok()).map(|performed| &performed.planned) {
            count(&mut taken, planned)?;
        }
        if !report.plan.is_empty() {
            continue;
        }
        if report.is_at_rest() {
            return Ok(());
        }
        world.harness.finished().await;
    }
}

fn count(taken: &mut HashMap<ConnectorName, (Step, u32)>, planned: &PlannedStep) -> Result<()> {
    let PlannedStep { connector, step, .. } = planned;
    let (last, times) = taken.entry(connector.clone()).or_insert_with(|| (step.clone(), 0));
    if !step.is_attempt_of(last) {
        (*last, *times) = (step.clone(), 0);
    }
    *times += 1;
    if *times > MOST_REPETITIONS {
        bail!("{connector}: the step `{}` was taken {MOST_REPETITIONS} times and is still wanted", step.verb());
    }
    Ok(())
}

/// One pass; `None` where a stop came and the pass did not end within the grace period. Its steps are idempotent,
/// so dropping them half-way hands them back to the next start.
async fn run_one(world: &World, memory: &mut Memory, epoch: u64, grace: Duration, stop: &CancellationToken) -> Option<Result<Report>> {
    let graceful = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        report = pass::run(world, memory, epoch) => Some(report),
        () = graceful => None,
    }
}

async fn wait(world: &World, memory: &Memory, heartbeat: &Heartbeat, wake: &Notify, stop: &CancellationToken) {
    let jitter = heartbeat.interval.mul_f64(0.9 + 0.2 * fastrand::f64());
    let until_retry = pass::next_attempt(memory, world.clock.now()).and_then(|left| Duration::try_from(left).ok());
    let deadline = Instant::now() + until_retry.map_or(jitter, |left| left.min(jitter));
    tokio::select! {
        () = wake.notified() => {}
        () = world.harness.finished() => {}
        () = tokio::time::sleep_until(deadline) => {}
        () = stop.cancelled() => {}
    }
}
