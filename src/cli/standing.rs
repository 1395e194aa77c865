//! Where each connector stands: what `list` and `show` print, made from one snapshot and the plan that follows from it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::render::plan::describe;
use crate::model::{ConnectorName, EnvironmentName, Kind, Operation, Person, Problem, Review, Stage, Status, Verdict, Version};
use crate::planning::{Connector, Desired, Held, Hold, Plan, PlannedStep, Retry, Snapshot, WaitingOn, stage_of};

/// One connector in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its name.
    pub connector: ConnectorName,
    /// The title people see; `None` where nothing readable declares it.
    pub title: Option<String>,
    /// Who may edit it.
    pub owner: Option<Person>,
    /// How it came to be.
    pub kind: Option<Kind>,
    /// The version its content is deployed under; `None` where it has none yet.
    pub version: Option<Version>,
    /// What the author asks for; `None` once its folder is deleted.
    pub status: Option<Status>,
    /// Where it stands.
    pub stage: Stage,
    /// What may be done with it now.
    pub operations: Vec<Operation>,
    /// What each environment holds.
    pub environments: BTreeMap<EnvironmentName, Held>,
    /// Which of them `switchboard.yaml` does not declare any more: they keep what they hold.
    pub undeclared: Vec<EnvironmentName>,
    /// What the next pass does with it.
    pub next: Option<Next>,
    /// What it waits on.
    pub waiting_on: Vec<Waiting>,
    /// The last failure of the step that it needs next.
    pub failed: Option<Failed>,
}

/// A step that failed and is still wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Failed {
    /// The step, its failure, and when it is tried again.
    #[serde(flatten)]
    pub retry: Retry,
    /// The step in words.
    pub summary: String,
}

/// A step the plan takes next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Next {
    /// The step, fully specified.
    #[serde(flatten)]
    pub step: PlannedStep,
    /// The step in words.
    pub summary: String,
}

/// What a connector waits on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Waiting {
    /// The typed reason.
    #[serde(flatten)]
    pub on: WaitingOn,
    /// The reason in words; it is read after "waiting on".
    pub summary: String,
}

/// One connector in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// The same in short.
    #[serde(flatten)]
    pub standing: Standing,
    /// The identity of its content.
    pub digest: Option<String>,
    /// Who may edit it too.
    pub shared_with: Vec<Person>,
    /// What the tests of this content showed.
    pub tests: Option<Verdict>,
    /// The completeness report, or why the manifest cannot be read.
    pub report: Vec<Problem>,
    /// Its reviews, oldest first.
    pub reviews: Vec<Review>,
}

/// Every connector of a snapshot, by name.
pub fn all(snapshot: &Snapshot, plan: &Plan) -> Vec<Standing> {
    let mut steps: BTreeMap<&ConnectorName, &PlannedStep> = BTreeMap::new();
    for planned in &plan.steps {
        steps.entry(&planned.connector).or_insert(planned);
    }
    let mut holds: BTreeMap<&ConnectorName, Vec<&Hold>> = BTreeMap::new();
    for hold in &plan.holds {
        holds.entry(&hold.connector).or_default().push(hold);
    }
    let of = |(name, connector): (&ConnectorName, _)| {
        let mine =
            Mine { step: steps.get(name).copied(), holds: holds.get(name).map_or(&[][..], Vec::as_slice), failed: plan.failed.get(name) };
        standing(name, connector, snapshot, mine)
    };
    snapshot.connectors.iter().map(|(name, connector)| (name, connector.as_ref())).map(of).collect()
}

/// One connector of a snapshot in full.
pub fn details(name: &ConnectorName, snapshot: &Snapshot, plan: &Plan) -> Option<Details> {
    let connector = snapshot.connectors.get(name)?;
    let step = plan.steps.iter().find(|planned| planned.connector == *name);
    let holds: Vec<&Hold> = plan.holds.iter().filter(|hold| hold.connector == *name).collect();
    let declaration = connector.last_declaration();
    let report = match &connector.desired {
        Desired::Unreadable { problems, .. } => problems.clone(),
        Desired::Declared(declaration) => declaration.report.clone(),
        Desired::Absent => Vec::new(),
    };
    Some(Details {
        standing: standing(name, connector, snapshot, Mine { step, holds: &holds, failed: plan.failed.get(name) }),
        digest: declaration.map(|declaration| declaration.digest.to_string()),
        shared_with: declaration.map(|declaration| declaration.shared_with.clone()).unwrap_or_default(),
        tests: connector.verdict,
        report,
        reviews: connector.reviews.clone(),
    })
}

/// What a plan says of one connector.
struct Mine<'p> {
    step: Option<&'p PlannedStep>,
    holds: &'p [&'p Hold],
    failed: Option<&'p Retry>,
}

fn standing(name: &ConnectorName, connector: &Connector, snapshot: &Snapshot, plan: Mine<'_>) -> Standing {
    let declaration = connector.last_declaration();
    let stage = stage_of(connector, &snapshot.policy);
    let waiting = |hold: &&Hold| Waiting { on: hold.waiting_on.clone(), summary: hold.waiting_on.to_string() };
    Standing {
        connector: name.clone(),
        title: declaration.map(|declaration| declaration.title.clone()),
        owner: declaration.map(|declaration| declaration.owner.clone()),
        kind: declaration.map(|declaration| declaration.kind),
        version: declaration.and_then(crate::planning::Declaration::deployed_version),
        status: declaration.map(|declaration| declaration.status),
        stage,
        operations: stage.operations().to_vec(),
        environments: connector.holdings.clone(),
        undeclared: connector.holdings.keys().filter(|environment| !snapshot.policy.declares(environment)).cloned().collect(),
        next: plan.step.map(|step| Next { summary: describe(&step.step), step: step.clone() }),
        waiting_on: plan.holds.iter().map(waiting).collect(),
        failed: plan.failed.map(|retry| Failed { summary: describe(&retry.step), retry: retry.clone() }),
    }
}
