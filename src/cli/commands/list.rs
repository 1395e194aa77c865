//! `list`: every connector, where it stands, what may be done with it and what it waits on.

use crate::cli::Door;
use crate::cli::failure::{Ended, Outcome};
use crate::cli::look::Look;
use crate::cli::output::Human;
use crate::cli::render::{self, connectors::Seen};
use crate::cli::standing::{self, Standing};
use crate::planning::Undeclared;

/// Flags of `list`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub(super) struct Listed {
    connectors: Vec<Standing>,
    #[serde(skip)]
    undeclared: Vec<Undeclared>,
    #[serde(skip)]
    seen: Seen,
}

impl Human for Listed {
    fn human(&self) -> String {
        render::connectors::list(&self.connectors, &self.undeclared, self.seen)
    }
}

pub(super) async fn run(_arguments: Arguments, door: &Door) -> Ended {
    let look = Look::begin(door, "list the connectors").await?;
    look.warn_of_gaps(door);
    let seen = if look.snapshot.is_blind() { Seen::Nothing } else { Seen::All };
    let (connectors, undeclared) = (standing::all(&look.snapshot, &look.plan), look.plan.undeclared.clone());
    door.shell.result(&Listed { connectors, undeclared, seen })?;
    let outcome = if look.plan.gaps.is_empty() { Outcome::Done } else { Outcome::Findings };
    look.assembled.close().await;
    Ok(outcome)
}
