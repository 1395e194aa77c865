//! A change of one connector in the work tree, as the lifecycle's commands make it: refused by the one table of stages,
//! written in place, committed where that was asked for.

use std::fs;

use anyhow::Context as _;
use serde::Serialize;

use super::Door;
use super::failure::{Ended, Failure, Outcome};
use super::output::Human;
use super::render::columns::one_line;
use super::working_files::WorkingFiles;
use crate::manifest::MANIFEST;
use crate::model::{CommitId, ConnectorName, Operation};

/// How a change is recorded.
#[derive(Debug, Clone, clap::Args)]
pub struct Commit {
    /// Commit the change, and nothing else. Runs no hooks; commit by hand where yours matter
    #[arg(long)]
    pub commit: bool,

    /// With --commit: take along whatever else is uncommitted in the connector's folder
    #[arg(long, requires = "commit")]
    pub all: bool,
}

/// What a change did.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// Which connector.
    pub connector: ConnectorName,
    /// What was done, in words.
    pub summary: String,
    /// Whether any file differs from before.
    pub changed: bool,
    /// The commit, where one was made.
    pub commit: Option<CommitId>,
    /// What to do next.
    pub next: String,
}

impl Human for Changed {
    fn human(&self) -> String {
        let commit = self.commit.as_ref().map_or_else(String::new, |commit| format!(" (commit {})", commit.short()));
        let next = if self.next.is_empty() { String::new() } else { format!("{}\n", self.next) };
        format!("{}{commit}\n{next}", one_line(&self.summary))
    }
}

/// A connector that is about to be changed.
pub struct Change<'d> {
    door: &'d Door,
    /// The work tree it is in.
    pub work_tree: WorkingFiles,
    /// Which connector.
    pub connector: ConnectorName,
    /// What is attempted, for refusals: `publish github-issues`.
    pub attempt: String,
    commit: Commit,
    /// The manifest as it was before it was written, to be put back where the commit fails.
    before: Option<Vec<u8>>,
}

impl<'d> Change<'d> {
    /// Finds the connector and refuses what cannot be committed cleanly, before anything is written.
    pub fn begin(door: &'d Door, verb: &str, name: &str, commit: &Commit) -> Result<Self, Failure> {
        let attempt = format!("{verb} {name}");
        let work_tree = WorkingFiles::open(door, &attempt)?;
        let connector = work_tree.find(name, &attempt)?;
        let change = Self { door, work_tree, connector, attempt, commit: commit.clone(), before: None };
        change.refuse_uncommitted()?;
        Ok(change)
    }

    /// The connector's folder from the repository's root.
    pub fn path(&self) -> String {
        format!("connectors/{}", self.connector)
    }

    fn refuse_uncommitted(&self) -> Result<(), Failure> {
        if !self.commit.commit {
            return Ok(());
        }
        self.work_tree.refuse_uncommittable(&self.attempt)?;
        let uncommitted = self.work_tree.uncommitted(&self.path())?;
        match uncommitted.first() {
            Some(first) if !self.commit.all => {
                let files = match uncommitted.len() {
                    1 => format!("{first} has"),
                    files => format!("{first} and {} more have", files - 1),
                };
                Err(self
                    .refused(format!("{files} uncommitted changes that the commit would take along"))
                    .hint("Commit them first, or add --all to take them along."))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses what the connector's stage does not allow.
    pub async fn refuse_unless_allowed(&self, operation: Operation) -> Result<(), Failure> {
        super::lifecycle::refuse_unless_allowed(self.door, self, operation).await
    }

    /// A refusal of this change.
    pub fn refused(&self, reason: impl Into<String>) -> Failure {
        Failure::refused(self.attempt.clone(), reason)
    }

    /// The manifest's text.
    pub fn manifest(&self) -> Result<String, Failure> {
        let path = self.work_tree.manifest(self.connector.as_str());
        if path.is_symlink() {
            return Err(self
                .refused(format!("{} is a symbolic link", path.display()))
                .hint("Put the file itself there; links are not followed."));
        }
        fs::read_to_string(&path).map_err(|error| self.refused(format!("cannot read {}: {error}", path.display())))
    }

    /// Writes the manifest's new text, whole or not at all.
    pub fn write_manifest(&mut self, text: &str) -> Result<(), Failure> {
        let before = self.manifest()?.into_bytes();
        self.work_tree.files.write(&format!("{}/{MANIFEST}", self.path()), text.as_bytes())?;
        self.before.get_or_insert(before);
        Ok(())
    }

    fn put_back(&self) -> anyhow::Result<()> {
        let Some(before) = &self.before else { return Ok(()) };
        self.work_tree.files.write(&format!("{}/{MANIFEST}", self.path()), before).context("the manifest is changed and not committed")
    }

    /// Commits where that was asked for, and tells what was done.
    pub fn end(self, changed: bool, message: &str, summary: String, next: &str) -> Ended {
        let is_dirty = changed || !self.work_tree.uncommitted(&self.path())?.is_empty();
        let commit = if self.commit.commit && is_dirty { Some(self.commit(message)?) } else { None };
        let next = match (&commit, is_dirty) {
            (None, true) => format!("Not committed yet: commit {} to ask for it. {next}", self.path()),
            (_, _) => next.to_owned(),
        };
        if commit.is_some() {
            self.warn_of_other_branch();
        }
        self.door.shell.result(&Changed { connector: self.connector, summary, changed, commit, next: next.trim_end().to_owned() })?;
        Ok(Outcome::Done)
    }

    /// A command that fails leaves the manifest as it was.
    fn commit(&self, message: &str) -> Result<CommitId, Failure> {
        let committed = self.work_tree.commit(&[self.path().as_str()], message);
        if committed.is_err() {
            self.put_back()?;
        }
        committed
    }

    fn warn_of_other_branch(&self) {
        if let (Some(branch), Some(tracked)) = (self.work_tree.branch(), &self.work_tree.tracked)
            && branch != *tracked
        {
            self.door.shell.warn(format!("committed on {branch}; Switchboard follows {tracked}, so merge it there"));
        }
    }
}
