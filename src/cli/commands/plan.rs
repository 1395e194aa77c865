//! `plan`: what the next pass would do, and what waits on what. The same code as a pass, up to the plan.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::cli::Door;
use crate::cli::failure::{Ended, Outcome};
use crate::cli::look::Look;
use crate::cli::output::Human;
use crate::cli::render;
use crate::model::{BundleFiles, ConnectorName, Digest, EnvironmentName};
use crate::planning::{Plan, PlannedStep, Step};

/// Flags of `plan`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only what concerns this connector
    connector: Option<String>,

    /// Exit with 0 in sync, 2 changes pending, 1 failure
    #[arg(long)]
    detailed_exitcode: bool,

    /// Show the differing lines of each step that changes content
    #[arg(long)]
    diff: bool,
}

/// The plan, and the differing lines where they were asked for.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Shown {
    #[serde(flatten)]
    plan: Plan,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    differences: BTreeMap<ConnectorName, String>,
}

impl Human for Shown {
    fn human(&self) -> String {
        render::plan::plan(&self.plan, &self.differences)
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let mut look = Look::begin(door, "plan").await?;
    if let Some(name) = &arguments.connector {
        let connector = look.find(name, &format!("plan {name}"))?;
        look.plan.steps.retain(|planned| planned.connector == connector);
        look.plan.holds.retain(|hold| hold.connector == connector);
    }
    let mut differences = BTreeMap::new();
    if arguments.diff {
        for planned in &look.plan.steps {
            if let Some(difference) = difference(&look, planned).await? {
                differences.insert(planned.connector.clone(), difference);
            }
        }
    }
    let outcome = match (look.plan.gaps.is_empty(), arguments.detailed_exitcode && !look.plan.is_empty()) {
        (false, _) => Outcome::Findings,
        (true, true) => Outcome::Changes,
        (true, false) => Outcome::Done,
    };
    door.shell.result(&Shown { plan: look.plan, differences })?;
    look.assembled.close().await;
    Ok(outcome)
}

/// What a step changes in the environment it gives content to; `None` for steps that give none.
async fn difference(look: &Look, planned: &PlannedStep) -> Result<Option<String>> {
    let production = || look.snapshot.policy.production.first();
    let (environment, after) = match &planned.step {
        Step::Deploy { environment, tree, .. } => {
            let read = look.assembled.world.repository.read_bundles(std::slice::from_ref(tree)).await.pop();
            (Some(environment), read.and_then(Result::ok))
        }
        Step::Publish { environment, digest, .. } => (Some(environment), look.assembled.world.registry.bundle(digest).await?),
        Step::OpenReview { digest, .. } => (production(), look.assembled.world.registry.bundle(digest).await?),
        Step::Delete { .. } | Step::Withdraw { .. } | Step::RunTests { .. } => return Ok(None),
    };
    let before = held(look, &planned.connector, environment).await?;
    Ok(Some(render::difference::bundles(before.as_ref(), after.as_ref())))
}

async fn held(look: &Look, connector: &ConnectorName, environment: Option<&EnvironmentName>) -> Result<Option<BundleFiles>> {
    let held = |environment| look.snapshot.connectors.get(connector)?.holdings.get(environment);
    let digest: Option<Digest> = environment.and_then(held).map(|held| held.digest);
    match digest {
        Some(digest) => look.assembled.world.registry.bundle(&digest).await,
        None => Ok(None),
    }
}
