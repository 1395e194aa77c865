//! Builds commits in git's object database, with no checkout and no reference moved, and reads them back as history.

use anyhow::{Context, Result, bail};
use git2::build::TreeUpdateBuilder;
use git2::{Commit, FileMode, Oid, Repository, Signature, Time, Tree};
use jiff::Timestamp;

use crate::model::{CommitId, Person};

use super::intake::child_path;
use super::read::Reader;

/// One commit in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSummary {
    /// Its id.
    pub id: CommitId,
    /// Its author.
    pub author: Person,
    /// The author's date.
    pub at: Timestamp,
    /// The whole message.
    pub message: String,
}

/// A commit that adds or replaces one file; without a parent the file stands alone.
pub(super) struct NewFile<'a> {
    pub(super) parent: Option<Oid>,
    pub(super) path: &'a str,
    pub(super) content: &'a [u8],
    pub(super) message: &'a str,
    pub(super) author: &'a Person,
    pub(super) at: Timestamp,
}

impl NewFile<'_> {
    /// Writes blob, trees and commit. The same input gives the same commit.
    pub(super) fn write(&self, repo: &Repository) -> Result<Oid> {
        check_path(self.path)?;
        let signature = signature(self.author, self.at)?;
        let blob = repo.blob(self.content).with_context(|| format!("cannot write {}", self.path))?;
        let parent = self.parent.map(|id| repo.find_commit(id)).transpose().context("cannot read the parent commit")?;
        let base = match &parent {
            Some(parent) => parent.tree().context("cannot read the parent's tree")?,
            None => empty_tree(repo)?,
        };
        let tree = TreeUpdateBuilder::new()
            .upsert(self.path, blob, FileMode::Blob)
            .create_updated(repo, &base)
            .with_context(|| format!("cannot write {} into a tree", self.path))?;
        commit(repo, &signature, self.message, tree, parent.iter().collect::<Vec<_>>().as_slice())
    }
}

/// Writes a commit that nothing points at.
pub(super) fn commit(repo: &Repository, who: &Signature<'_>, message: &str, tree: Oid, parents: &[&Commit<'_>]) -> Result<Oid> {
    if message.contains('\0') {
        bail!("a commit's message must not contain a NUL character");
    }
    let tree = repo.find_tree(tree)?;
    repo.commit(None, who, who, message, &tree, parents).context("cannot write a commit")
}

/// The newest commits first, along first parents.
pub(super) fn history(reader: &Reader<'_>, newest: Oid, limit: usize) -> Result<Vec<CommitSummary>> {
    let mut found = Vec::new();
    let mut next = Some(newest);
    while let Some(id) = next.filter(|_| found.len() < limit) {
        // Where a shallow history ends, the parent is named but not there.
        let (commit, _) = match reader.commit_header(id) {
            Err(_) if id != newest => break,
            other => other?,
        };
        found.push(summary(&commit)?);
        next = commit.parent_id(0).ok();
    }
    Ok(found)
}

fn summary(commit: &Commit<'_>) -> Result<CommitSummary> {
    Ok(CommitSummary {
        id: CommitId::new(commit.id().to_string()),
        author: author(commit),
        at: Timestamp::from_second(commit.author().when().seconds()).context("cannot read a commit's date")?,
        message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
    })
}

/// A commit's author; bytes that are not UTF-8 are replaced.
pub(super) fn author(commit: &Commit<'_>) -> Person {
    let author = commit.author();
    Person::from_parts(&String::from_utf8_lossy(author.name_bytes()), &String::from_utf8_lossy(author.email_bytes()))
}

/// A git signature. Control characters would forge lines of the commit's header and are refused.
pub(super) fn signature(person: &Person, at: Timestamp) -> Result<Signature<'static>> {
    let (name, email) = (person.name(), person.email());
    if name.chars().chain(email.chars()).any(|c| c.is_control() || c == '<' || c == '>') {
        bail!("{:?} cannot be written as a git identity: write it as Name <address>", person.to_string());
    }
    Signature::new(name, email, &Time::new(at.as_second(), 0))
        .with_context(|| format!("{:?} cannot be written as a git identity: write it as Name <address>", person.to_string()))
}

fn check_path(path: &str) -> Result<()> {
    for part in path.split('/') {
        child_path("", part.as_bytes()).with_context(|| format!("cannot write {path:?}"))?;
    }
    Ok(())
}

fn empty_tree(repo: &Repository) -> Result<Tree<'_>> {
    let id = repo.treebuilder(None)?.write()?;
    Ok(repo.find_tree(id)?)
}
