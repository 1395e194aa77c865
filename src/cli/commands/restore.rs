//! `restore`: brings a connector's folder back as git's history has it.

use crate::cli::at_commit::Commit as AtCommit;
use crate::cli::change::Changed;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::working_files::{WorkingFiles, unknown_connector};
use crate::cli::{Door, history};
use crate::model::ConnectorName;

/// Flags of `restore`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,

    /// As it was at this commit, branch or tag [default: the last commit that had it]
    #[arg(long, value_name = "REV")]
    rev: Option<String>,

    /// Commit the connector, and nothing else
    #[arg(long)]
    commit: bool,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let name = arguments.connector.as_str();
    let attempt = format!("restore {name}");
    let work_tree = WorkingFiles::open(door, &attempt)?;
    let connector: ConnectorName = name.parse().map_err(|error| Failure::usage(attempt.clone(), format!("{error}")))?;
    let path = format!("connectors/{connector}");
    if let Some(first) = work_tree.uncommitted(&path)?.into_iter().find(|file| work_tree.root.join(file).exists()) {
        return Err(Failure::refused(attempt, format!("{first} has uncommitted changes that would be lost"))
            .hint("Commit them or put them away first."));
    }
    if arguments.commit {
        work_tree.refuse_uncommittable(&attempt)?;
    }
    let commit = match &arguments.rev {
        Some(rev) => AtCommit::find(&work_tree, rev)?,
        None if work_tree.folder(name).exists() => {
            return Err(Failure::refused(attempt, format!("{path} is there")).hint("Name the commit to go back to with --rev."));
        }
        None => match history::last_commit_with(&work_tree.git, &path)? {
            Some(id) => AtCommit::open(&work_tree.root, id)?,
            None => {
                let known = history::deleted_connectors(&work_tree.git)?;
                if known.is_empty() {
                    return Err(Failure::refused(attempt, format!("git's history does not hold {path}"))
                        .hint("Only what was committed once can be restored."));
                }
                return Err(unknown_connector(name, &attempt, known.iter().map(String::as_str)));
            }
        },
    };
    let mut bundles = commit.bundles(&[name.to_owned()]).await?;
    let Some((_, Ok(files))) = bundles.pop() else {
        return Err(Failure::refused(attempt, format!("its folder at {} cannot be read", commit.id.short()))
            .hint("Name another commit with --rev."));
    };
    work_tree.replace_known(&path, &files)?;
    let summary = format!("Restored {path} as of {}", commit.id.short());
    let is_changed = !work_tree.uncommitted(&path)?.is_empty();
    let made = if arguments.commit && is_changed { Some(work_tree.commit(&[path.as_str()], &format!("Restore {name}"))?) } else { None };
    let next = if made.is_none() && is_changed { format!("Not committed yet: commit {path} to ask for it.") } else { String::new() };
    door.shell.result(&Changed { connector, summary, changed: is_changed, commit: made, next })?;
    Ok(Outcome::Done)
}
