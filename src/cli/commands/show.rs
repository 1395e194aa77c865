//! `show`: one connector in full: standing, report, tests, reviews and history.

use serde::Serialize;

use crate::check;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::look::Look;
use crate::cli::output::Human;
use crate::cli::render;
use crate::cli::standing::{self, Details};
use crate::cli::tested::TestRun;
use crate::model::{ConnectorName, ENGINE_LEVEL, Evidence, Recorded};

/// How many facts are shown.
const FACTS: u32 = 20;
/// How many runs of the tests are shown.
const RUNS: u32 = 5;

/// Flags of `show`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,
}

#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Shown {
    #[serde(flatten)]
    details: Details,
    /// When the tests of this content ran, newest first.
    #[serde(rename = "testRuns")]
    runs: Vec<TestRun>,
    history: Vec<Recorded>,
}

impl Human for Shown {
    fn human(&self) -> String {
        render::connectors::show(&self.details, &self.runs, &self.history)
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let attempt = format!("show {}", arguments.connector);
    let look = Look::begin(door, &attempt).await?;
    look.warn_of_gaps(door);
    let mut details = details(&look, &arguments.connector, &attempt)?;
    let history = look.assembled.world.store.history(&details.standing.connector, FACTS).await?;
    let evidence = evidence(&look, &details.standing.connector).await?;
    if let Some(newest) = evidence.first() {
        details.report = check::with_untested(details.report, &newest.connector, &newest.coverage);
    }
    let runs = evidence.iter().map(TestRun::from).collect();
    door.shell.result(&Shown { details, runs, history })?;
    look.assembled.close().await;
    Ok(Outcome::Done)
}

/// The newest runs of the declared content, the newest first.
async fn evidence(look: &Look, connector: &ConnectorName) -> Result<Vec<Evidence>, Failure> {
    let declaration = look.snapshot.connectors.get(connector).and_then(|connector| connector.last_declaration());
    let Some(declaration) = declaration else { return Ok(Vec::new()) };
    Ok(look.assembled.world.store.evidence(&declaration.digest, ENGINE_LEVEL, RUNS).await?)
}

fn details(look: &Look, name: &str, attempt: &str) -> Result<Details, Failure> {
    let connector = look.find(name, attempt)?;
    let details = standing::details(&connector, &look.snapshot, &look.plan);
    details.ok_or_else(|| Failure::usage(attempt, format!("there is no connector `{name}`")))
}

#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explained {
    #[serde(flatten)]
    details: Details,
    reasons: Vec<String>,
}

impl Human for Explained {
    fn human(&self) -> String {
        self.reasons.iter().map(|reason| format!("{reason}\n")).collect()
    }
}

/// Tells in sentences why a connector stands where it stands, and what it waits on: `explain CONNECTOR`.
pub(super) async fn explain(name: &str, door: &Door) -> Ended {
    let attempt = format!("explain {name}");
    let look = Look::begin(door, &attempt).await?;
    look.warn_of_gaps(door);
    let details = details(&look, name, &attempt)?;
    let reasons = render::reasons::of(&details);
    door.shell.result(&Explained { details, reasons })?;
    look.assembled.close().await;
    Ok(Outcome::Done)
}
