//! `rebuild`: re-creates lost state from git and the forge: reviews live in git, content in its history.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure};
use crate::daemon::Lease;
use crate::store::Database;

/// Flags of `rebuild`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub(super) async fn run(_arguments: Arguments, door: &Door) -> Ended {
    let site = door.site("rebuild")?;
    fs::create_dir_all(&site.state).with_context(|| format!("cannot prepare {}", site.state.display()))?;
    let lease = Lease::take(&site.state).map_err(|error| Failure::refused("rebuild", error.to_string()).hint("Stop it first."))?;
    let kept = set_aside(&site.state).await?;
    site.bond.forget().with_context(|| format!("cannot forget what the state in {} serves", site.state.display()))?;
    drop(lease);
    if let Some(folder) = kept {
        door.shell.note(format!("The state before is kept in {}.", folder.display()));
    }
    super::apply::run(super::apply::Arguments::default(), door).await
}

/// The database's files; the first holds everything once nobody has it open.
const FILES: [&str; 3] = ["switchboard.db", "switchboard.db-wal", "switchboard.db-shm"];

/// Moves the database, where there is one, into a folder of its own, and returns that. Facts and evidence of the past are in it alone, so
/// it is not deleted, nor is one that was set aside before.
async fn set_aside(state: &Path) -> Result<Option<PathBuf>> {
    let [database, ..] = FILES.map(|name| state.join(name));
    if database.exists() {
        // Closing it writes its log into it, so that a kill between the moves parts nothing. One that cannot be opened is moved as it is.
        if let Ok(opened) = Database::open(&database).await {
            opened.close().await;
        }
    }
    let there: Vec<&str> = FILES.into_iter().filter(|name| state.join(name).exists()).collect();
    if there.is_empty() {
        return Ok(None);
    }
    let folder = fresh_folder(state)?;
    for name in there {
        // The log's index goes away by itself where somebody who was reading leaves.
        match fs::rename(state.join(name), folder.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => other.with_context(|| format!("cannot set {name} aside"))?,
        }
    }
    Ok(Some(folder))
}

fn fresh_folder(state: &Path) -> Result<PathBuf> {
    let mut number = 1;
    loop {
        let name = if number == 1 { "before-rebuild".to_owned() } else { format!("before-rebuild-{number}") };
        let folder = state.join(name);
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error).with_context(|| format!("cannot create {}", folder.display())),
        }
    }
}
