//! `show`: one connector in full: standing, report, tests, reviews and history.

use serde::Serialize;

use crate::check;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::look::Look;
use crate::cli::output::Human;
use crate::cli::render;
use crate::cli::standing::{self, Details};
use crate::model::Recorded;

/// How many facts are shown.
const FACTS: u32 = 20;

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
    history: Vec<Recorded>,
}

impl Human for Shown {
    fn human(&self) -> String {
        render::connectors::show(&self.details, &self.history)
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let attempt = format!("show {}", arguments.connector);
    let look = Look::begin(door, &attempt).await?;
    look.warn_of_gaps(door);
    let details = with_coverage(details(&look, &arguments.connector, &attempt)?, &look).await?;
    let history = look.assembled.world.store.history(&details.standing.connector, FACTS).await?;
    door.shell.result(&Shown { details, history })?;
    look.assembled.close().await;
    Ok(Outcome::Done)
}

/// The report with what only evidence can tell.
async fn with_coverage(details: Details, look: &Look) -> anyhow::Result<Details> {
    let digest = details.digest.as_deref().and_then(|digest| digest.parse().ok());
    let Some(digest) = digest else { return Ok(details) };
    let evidence = look.assembled.world.store.evidence(&digest).await?;
    Ok(match evidence {
        Some(evidence) => Details { report: check::with_untested(details.report, &evidence.connector, &evidence.coverage), ..details },
        None => details,
    })
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
