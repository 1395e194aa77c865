//! `rebuild`: re-creates lost state from git and the forge: reviews live in git, content in its history.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure};
use crate::daemon::Lease;

/// Flags of `rebuild`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub(super) async fn run(_arguments: Arguments, door: &Door) -> Ended {
    let site = door.site("rebuild")?;
    fs::create_dir_all(&site.state).with_context(|| format!("cannot prepare {}", site.state.display()))?;
    let lease = Lease::take(&site.state).map_err(|error| Failure::refused("rebuild", error.to_string()).hint("Stop it first."))?;
    let suffix = set_aside(&site.state)?;
    drop(lease);
    if let Some(suffix) = suffix {
        door.shell.note(format!("The state before is kept beside it, as switchboard.db{suffix}."));
    }
    super::apply::run(super::apply::Arguments::default(), door).await
}

/// Renames the database, where there is one, and returns what was added to its name. Facts and evidence of the past are in it alone, so
/// it is not deleted, nor is one that was set aside before.
fn set_aside(state: &Path) -> Result<Option<String>> {
    // The database itself goes last: a log that was left behind would be taken for the new one's.
    let there: Vec<&str> =
        ["switchboard.db-wal", "switchboard.db-shm", "switchboard.db"].into_iter().filter(|name| state.join(name).exists()).collect();
    if there.is_empty() {
        return Ok(None);
    }
    let mut suffix = ".before-rebuild".to_owned();
    for number in 2.. {
        if !state.join(format!("switchboard.db{suffix}")).exists() {
            break;
        }
        suffix = format!(".before-rebuild-{number}");
    }
    for name in there {
        fs::rename(state.join(name), state.join(format!("{name}{suffix}"))).with_context(|| format!("cannot set {name} aside"))?;
    }
    Ok(Some(suffix))
}
