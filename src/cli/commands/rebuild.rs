//! `rebuild`: re-creates lost state from git and the forge: reviews live in git, content in its history.

use std::fs;

use anyhow::Context as _;

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure};
use crate::daemon::Lease;

/// Flags of `rebuild`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub(super) async fn run(_arguments: Arguments, door: &Door) -> Ended {
    let site = door.settings.site()?;
    fs::create_dir_all(&site.state).with_context(|| format!("cannot prepare {}", site.state.display()))?;
    let lease = Lease::take(&site.state).map_err(|error| Failure::refused("rebuild", error.to_string()).hint("Stop it first."))?;
    // Set aside, not deleted: facts and evidence of the past are in it alone.
    for name in ["switchboard.db", "switchboard.db-wal", "switchboard.db-shm"] {
        let path = site.state.join(name);
        if path.exists() {
            fs::rename(&path, site.state.join(format!("{name}.before-rebuild"))).with_context(|| format!("cannot set {name} aside"))?;
        }
    }
    drop(lease);
    door.shell.note("The state before is kept beside it, as switchboard.db.before-rebuild.");
    super::apply::run(super::apply::Arguments::default(), door).await
}
