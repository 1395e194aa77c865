//! `list`: every connector, where it stands, what may be done with it and what it waits on.

use crate::cli::Door;
use crate::cli::failure::{Ended, Outcome};
use crate::cli::look::Look;
use crate::cli::output::Human;
use crate::cli::render;
use crate::cli::standing::{self, Standing};

/// Flags of `list`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

#[derive(serde::Serialize)]
#[serde(transparent)]
struct Listed(Vec<Standing>);

impl Human for Listed {
    fn human(&self) -> String {
        render::connectors::list(&self.0)
    }
}

pub(super) async fn run(_arguments: Arguments, door: &Door) -> Ended {
    let look = Look::begin(door).await?;
    look.warn_of_gaps(door);
    door.shell.result(&Listed(standing::all(&look.snapshot, &look.plan)))?;
    let outcome = if look.plan.gaps.is_empty() { Outcome::Done } else { Outcome::Findings };
    look.assembled.close().await;
    Ok(outcome)
}
