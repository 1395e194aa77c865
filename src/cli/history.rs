//! What git's history tells of connectors that are no longer there.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use git2::{Repository, Sort};

use crate::model::CommitId;

/// How many commits are looked through, newest first.
const COMMITS_AT_MOST: usize = 20_000;

/// The newest commit of the checked-out branch that has something at a path. What the branch itself held goes before what others held
/// that were merged into it, however new their commits are.
pub fn last_commit_with(git: &Repository, path: &str) -> Result<Option<CommitId>> {
    let mut branch_itself = newest_first(git)?;
    branch_itself.simplify_first_parent()?;
    Ok(match first_with(git, branch_itself, path)? {
        Some(found) => Some(found),
        None => first_with(git, newest_first(git)?, path)?,
    })
}

fn first_with(git: &Repository, walk: git2::Revwalk<'_>, path: &str) -> Result<Option<CommitId>> {
    for commit in walk.take(COMMITS_AT_MOST) {
        let commit = git.find_commit(commit.context("cannot walk the history")?).context("cannot read a commit")?;
        if commit.tree().context("cannot read a commit's tree")?.get_path(Path::new(path)).is_ok() {
            return Ok(Some(CommitId::new(commit.id().to_string())));
        }
    }
    Ok(None)
}

/// The names of connectors that the history has and the newest commit has not.
pub fn deleted_connectors(git: &Repository) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    let mut now = None;
    let mut seen = None;
    for commit in newest_first(git)?.take(COMMITS_AT_MOST) {
        let tree = git.find_commit(commit.context("cannot walk the history")?)?.tree()?;
        let Some(folder) = tree.get_name("connectors").map(|entry| entry.id()) else {
            now.get_or_insert_with(BTreeSet::new);
            continue;
        };
        if seen.replace(folder) == Some(folder) {
            continue;
        }
        let Ok(folder) = git.find_tree(folder) else { continue };
        let here: BTreeSet<String> = folder.iter().filter_map(|entry| entry.name().ok().map(str::to_owned)).collect();
        now.get_or_insert_with(|| here.clone());
        names.extend(here);
    }
    let now = now.unwrap_or_default();
    Ok(names.into_iter().filter(|name| !now.contains(name)).collect())
}

fn newest_first(git: &Repository) -> Result<git2::Revwalk<'_>> {
    let mut walk = git.revwalk().context("cannot walk the history")?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
    if git.head().is_ok() {
        walk.push_head().context("cannot walk the history")?;
    }
    Ok(walk)
}
