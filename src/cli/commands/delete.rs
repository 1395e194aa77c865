//! `delete`: deletes a connector's folder. Once committed, the connector goes from every environment.

use crate::cli::Door;
use crate::cli::change::{Change, Commit};
use crate::cli::failure::Ended;
use crate::model::Operation;

/// Flags of `delete`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,

    /// Delete it although some of its files are not in git and so cannot be restored
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    commit: Commit,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    // What is uncommitted is looked at here, whether or not the deletion is committed: it could not be restored.
    let commit = Commit { all: true, ..arguments.commit };
    let change = Change::begin(door, "delete", &arguments.connector, &commit)?;
    change.refuse_unless_allowed(Operation::Delete).await?;
    let uncommitted = change.work_tree.uncommitted(&change.path())?;
    if let (Some(first), false) = (uncommitted.first(), arguments.force || arguments.commit.all) {
        return Err(change
            .refused(format!("{first} has changes that were never committed, so they could not be restored"))
            .hint("Commit them first, or add --force to lose them."));
    }
    let ignored = change.work_tree.ignored(&change.path())?;
    if let (Some(first), false) = (ignored.first(), arguments.force) {
        return Err(change
            .refused(format!("git ignores {first}, so it could not be restored"))
            .hint("Put it away first, or add --force to lose it."));
    }
    change.work_tree.files.remove_folder(&change.path())?;
    let (name, path) = (change.connector.clone(), change.path());
    let next = format!("The next pass takes it out of every environment. `switchboard restore {name}` brings it back.");
    change.end(true, &format!("Delete {name}"), format!("Deleted {path}"), &next)
}
