//! `show`: one connector in full: standing, report, tests, reviews and history.

use serde::Serialize;

use crate::assemble::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Outcome};
use crate::cli::output::Human;
use crate::cli::standing::{self, Details};
use crate::cli::work_tree::unknown_connector;
use crate::cli::render;
use crate::model::{ConnectorName, Recorded};
use crate::pass;

/// Flags of `show`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,
}

#[derive(Serialize)]
struct Shown {
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
    let assembled = assemble(&door.settings).await?;
    let mut memory = assembled.onlooker();
    let (snapshot, plan) = pass::preview(&assembled.world, &mut memory).await?;
    let found = arguments.connector.parse::<ConnectorName>().ok();
    let details = found.and_then(|name| standing::details(&name, &snapshot, &plan));
    let attempt = format!("show {}", arguments.connector);
    let known = snapshot.connectors.keys().map(ConnectorName::as_str);
    let details = details.ok_or_else(|| unknown_connector(&arguments.connector, &attempt, known))?;
    let history = assembled.world.store.history(&details.standing.connector, 20).await?;
    door.shell.result(&Shown { details, history })?;
    assembled.close().await;
    Ok(Outcome::Done)
}
