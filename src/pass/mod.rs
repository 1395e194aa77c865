//! THE SPINE: one turn of the loop. It observes, plans, performs and reports; only here do planning and the ports meet.
//!
//! Walkthrough: `observe` reads every port into one immutable snapshot; [`planning::plan`] compares
//! what git asks for with what is; the plan is stored under the lease's epoch; `perform` takes each step as
//! it stands, choosing nothing; facts are appended. A crash anywhere leaves facts and holdings from which the next pass goes on.

mod folders;
mod ledger;
mod memory;
mod observe;
mod perform;
mod read;
mod releases;
mod world;

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use futures_util::StreamExt as _;
use jiff::SignedDuration;

use crate::model::{ConnectorName, Fact};
use crate::planning::{self, Plan, PlannedStep, Snapshot, WaitingOn};
use crate::store::{NewFact, StoredPlan};

pub use memory::Memory;
pub use read::declare;
pub use world::{RetryPolicy, World};

/// What one pass saw and did.
#[derive(Debug)]
pub struct Report {
    /// What it saw.
    pub snapshot: Snapshot,
    /// What it planned.
    pub plan: Plan,
    /// What became of each step, in the order in which they ended.
    pub performed: Vec<Performed>,
}

/// What became of one step.
#[derive(Debug)]
pub struct Performed {
    /// The step.
    pub planned: PlannedStep,
    /// How it ended; the error says why it will be tried again.
    pub outcome: Result<()>,
}

impl Report {
    /// Whether nothing is left to do now: nothing was planned, and no tests are running.
    pub fn is_at_rest(&self) -> bool {
        self.plan.is_empty() && !self.snapshot.connectors.values().any(|connector| connector.testing)
    }
}

/// Observes and plans, and changes nothing: what `plan`, `list` and `show` print.
pub async fn preview(world: &World, memory: &mut Memory) -> Result<(Snapshot, Plan)> {
    let snapshot = observe::observe(world, memory).await?;
    let plan = planning::plan(&snapshot);
    memory.forget_retries_except(&still_wanted(&plan));
    Ok((snapshot, plan))
}

/// Runs one pass under the lease's epoch.
///
/// Fails only where the store or the registry cannot be used; everything else becomes a gap, a hold or a step's outcome.
pub async fn run(world: &World, memory: &mut Memory, epoch: u64) -> Result<Report> {
    observe::collect_evidence(world, memory).await?;
    let (snapshot, plan) = preview(world, memory).await?;
    observe::remember_reviews(world, memory, &snapshot).await?;
    observe::remember_lapses(world, &snapshot).await?;
    store_plan(world, memory, epoch, &plan).await?;
    stop_superseded_tests(world, memory, &snapshot).await?;

    let outcomes: Vec<Performed> = futures_util::stream::iter(plan.steps.iter().cloned())
        .map(|planned| perform_one(world, planned))
        .buffer_unordered(world.concurrency.max(1))
        .collect()
        .await;
    for performed in &outcomes {
        note_outcome(world, memory, performed);
    }
    let touched: Vec<ConnectorName> = plan.steps.iter().map(|planned| planned.connector.clone()).collect();
    memory.forget_holdings(&touched);
    Ok(Report { snapshot, plan, performed: outcomes })
}

/// Gives back the workers of tests whose outcome nobody waits for, before others are started.
async fn stop_superseded_tests(world: &World, memory: &Memory, snapshot: &Snapshot) -> Result<()> {
    for digest in snapshot.superseded(&memory.testing) {
        if let Err(error) = world.harness.cancel(&digest).await {
            tracing::warn!("cannot stop the tests of {}: {error:#}", digest.short());
            continue;
        }
        let Some(connector) = memory.ledger.tested(&digest).cloned() else { continue };
        let fact = NewFact { at: world.clock.now(), connector, fact: Fact::TestsStopped { digest } };
        world.store.append(&[fact]).await.context("cannot remember that tests were stopped")?;
    }
    Ok(())
}

/// The connectors whose failed step is still wanted: about to be tried, or waiting for its next attempt.
fn still_wanted(plan: &Plan) -> BTreeSet<&ConnectorName> {
    let waiting = plan.holds.iter().filter(|hold| matches!(hold.waiting_on, WaitingOn::Retry { .. }));
    waiting.map(|hold| &hold.connector).chain(plan.steps.iter().map(|planned| &planned.connector)).collect()
}

async fn perform_one(world: &World, planned: PlannedStep) -> Performed {
    let limit = world.step_deadline;
    let outcome = match tokio::time::timeout(limit, perform::perform(world, &planned)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(anyhow::anyhow!("it did not end within {} s", limit.as_secs())),
    };
    Performed { planned, outcome }
}

/// The plan is stored before anything is performed: a holder that lost the lease fails here and changes nothing.
async fn store_plan(world: &World, memory: &mut Memory, epoch: u64, plan: &Plan) -> Result<()> {
    let body = serde_json::to_string(plan).context("cannot write the plan as JSON")?;
    if memory.stored_plan.as_deref() != Some(body.as_str()) || !plan.is_empty() {
        world.store.put_plan(&StoredPlan { epoch, at: world.clock.now(), body: body.clone() }).await.context("cannot store the plan")?;
        memory.stored_plan = Some(body);
    }
    Ok(())
}

fn note_outcome(world: &World, memory: &mut Memory, performed: &Performed) {
    let name = &performed.planned.connector;
    let Err(failure) = &performed.outcome else {
        memory.set_retry(name, None);
        return;
    };
    tracing::warn!(connector = %name, step = performed.planned.step.verb(), "step failed: {failure:#}");
    let failures = memory
        .retry(name)
        .filter(|retry| retry.step.is_attempt_of(&performed.planned.step))
        .map_or(1, |retry| retry.failures.saturating_add(1));
    let retry = world.retry_of(performed.planned.step.clone(), failures, format!("{failure:#}"));
    memory.set_retry(name, Some(retry));
}

/// The moment of the next attempt of any failed step.
pub fn next_attempt(memory: &Memory, now: jiff::Timestamp) -> Option<SignedDuration> {
    memory.earliest_retry().map(|at| at.duration_since(now).max(SignedDuration::ZERO))
}
