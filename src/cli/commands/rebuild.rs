//! `rebuild`: re-creates lost state from git and the forge: reviews live in git, content in its history.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure};
use crate::daemon::Lease;
use crate::model::{Clock as _, SystemClock};
use crate::store::{Database, Leased, SqlStore, TriggerKey, TriggerStates as _};

/// Flags of `rebuild`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub(super) async fn run(_arguments: Arguments, door: &Door) -> Ended {
    let site = door.site("rebuild")?;
    fs::create_dir_all(&site.state).with_context(|| format!("cannot prepare {}", site.state.display()))?;
    let lease = Lease::take(&site.state).map_err(|error| Failure::refused("rebuild", error.to_string()).hint("Stop it first."))?;
    let triggers = triggers(&site.state).await?;
    let kept = set_aside(&site.state).await?;
    carry_over(&site.state, &triggers).await?;
    site.bond.forget().with_context(|| format!("cannot forget what the state in {} serves", site.state.display()))?;
    drop(lease);
    if let Some(folder) = kept {
        door.shell.note(format!("The state before is kept in {}.", folder.display()));
    }
    super::apply::run(super::apply::Arguments::default(), door).await
}

/// What is kept of triggers: in the database alone, so that nothing else could re-create it. Of one that cannot be read it is lost.
async fn triggers(state: &Path) -> Result<Vec<(TriggerKey, String)>, Failure> {
    let database = state.join(FILES[0]);
    let Some(opened) = (if database.exists() { Database::open(&database).await.ok() } else { None }) else { return Ok(Vec::new()) };
    let store = SqlStore::new(&opened);
    let mut found = Vec::new();
    for key in store.triggers_with_state().await.unwrap_or_default() {
        let now = SystemClock.now();
        if let Ok(Leased::Others { holder, .. }) = store.lease_trigger(&key, "rebuild", now, now).await {
            return Err(Failure::refused("rebuild", format!("another switchboard ({holder}) runs {key}")).hint("Stop it first."));
        }
        found.extend(store.trigger_state(&key).await.ok().flatten().map(|body| (key, body)));
    }
    opened.close().await;
    Ok(found)
}

/// Puts what is kept of triggers into a fresh database.
async fn carry_over(state: &Path, triggers: &[(TriggerKey, String)]) -> Result<()> {
    if triggers.is_empty() {
        return Ok(());
    }
    let database = Database::open(&state.join(FILES[0])).await?;
    let store = SqlStore::new(&database);
    for (key, body) in triggers {
        let now = SystemClock.now();
        if let Leased::Mine(lease) = store.lease_trigger(key, "rebuild", now, now).await? {
            store.put_trigger_state(key, &lease, body).await?;
        }
    }
    database.close().await;
    Ok(())
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
