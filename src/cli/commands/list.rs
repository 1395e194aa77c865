//! `list`: every connector, where it stands, what may be done with it and what it waits on.

use crate::assemble::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Outcome};
use crate::cli::output::Format;
use crate::cli::{render, standing};
use crate::pass;

/// Flags of `list`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub(super) async fn run(_arguments: Arguments, door: &Door) -> Ended {
    let assembled = assemble(&door.settings).await?;
    let mut memory = assembled.onlooker();
    let (snapshot, plan) = pass::preview(&assembled.world, &mut memory).await?;
    for gap in &plan.gaps {
        door.shell.warn(gap.to_string());
    }
    let all = standing::all(&snapshot, &plan);
    match door.shell.format {
        Format::Human => door.shell.text(&render::connectors::list(&all))?,
        Format::Json => door.shell.json(&all)?,
    }
    assembled.close().await;
    Ok(Outcome::Done)
}
