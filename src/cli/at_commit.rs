//! Connectors as they are at some commit, for the commands that look into git's history.

use std::path::Path;

use anyhow::{Context, Result};

use super::Door;
use super::failure::Failure;
use super::working_files::{WorkingFiles, unknown_connector};
use crate::model::{BundleFiles, CommitId};
use crate::repository::{GitOptions, GitRepository, Head, Location, Oddity, ReadError, Repository as _};
use crate::settings::SiteLocation;

/// One commit of the work tree's repository.
pub struct Commit {
    repository: GitRepository,
    /// Its id.
    pub id: CommitId,
}

impl Commit {
    /// Resolves what git calls a revision.
    pub fn find(work_tree: &WorkingFiles, rev: &str) -> Result<Self, Failure> {
        let attempt = format!("read the revision `{rev}`");
        let commit = work_tree.git.revparse_single(rev).and_then(|object| object.peel_to_commit());
        let commit = commit.map_err(|_| {
            Failure::usage(attempt, "there is no commit of that name").hint("Name a commit, a branch or a tag, such as HEAD or main.")
        })?;
        Self::open(&work_tree.root, CommitId::new(commit.id().to_string())).map_err(Failure::from)
    }

    /// What the tracked branch holds; `attempt` is what it is needed for.
    pub async fn tracked(door: &Door, attempt: &str) -> Result<Self, Failure> {
        let site = door.site(attempt)?;
        let repository = match &site.location {
            SiteLocation::Local { git, work_tree } => {
                let root = work_tree.as_ref().unwrap_or(git);
                GitRepository::open(&Location::Local(root.clone()), site.branch.as_deref(), root, &GitOptions::default())?
            }
            // Only everything together knows where the mirror is and how to reach what it mirrors.
            SiteLocation::Remote { .. } => {
                let assembled = door.assemble(attempt).await?;
                let repository = assembled.repository.clone();
                assembled.close().await;
                repository
            }
        };
        match repository.head().await? {
            Head::Commit(id) => Ok(Self { repository, id }),
            Head::EmptyRepository => Err(Failure::refused(attempt, "nothing is committed yet")),
            Head::MissingBranch(branch) => {
                Err(Failure::refused(attempt, format!("there is no branch `{branch}`")).hint("Name the tracked branch with --branch."))
            }
        }
    }

    /// A commit known by its id.
    pub fn open(root: &Path, id: CommitId) -> Result<Self> {
        // Which branch is tracked does not matter to a commit known by its id.
        let repository = GitRepository::open(&Location::Local(root.to_path_buf()), Some("main"), root, &GitOptions::default())?;
        Ok(Self { repository, id })
    }

    /// The chosen connectors, or all of them; each may fail on its own.
    pub async fn bundles(&self, chosen: &[String]) -> Result<Vec<(String, Result<BundleFiles, ReadError>)>, Failure> {
        let listing = self.repository.list(&self.id).await.with_context(|| format!("cannot list the commit {}", self.id.short()))?;
        let folders = listing.connectors.unwrap_or_default();
        if let Some(name) = chosen.iter().find(|name| !folders.contains_key(*name)) {
            return Err(unknown_connector(name, &format!("read {name} at {}", self.id.short()), folders.keys().map(String::as_str)));
        }
        let wanted: Vec<_> = folders.into_iter().filter(|(name, _)| chosen.is_empty() || chosen.contains(name)).collect();
        let trees: Vec<_> = wanted.iter().map(|(_, tree)| tree.clone()).collect();
        let read = self.repository.read_bundles(&trees).await;
        Ok(wanted.into_iter().map(|(name, _)| name).zip(read).collect())
    }

    /// What stands where something else belongs, from the root: links, files between the folders.
    pub async fn oddities(&self) -> Result<Vec<Oddity>> {
        Ok(self.repository.list(&self.id).await?.oddities)
    }

    /// The files two levels below a folder, each by its path and each for itself, and what is no folder where one belongs.
    pub async fn files_below(&self, folder: &str) -> Result<(Vec<(String, Result<Vec<u8>, ReadError>)>, Vec<Oddity>)> {
        let (folders, oddities) = self.repository.subfolders(&self.id, folder).await?;
        let (names, trees): (Vec<String>, Vec<_>) = folders.into_iter().unzip();
        let mut files = Vec::new();
        for (name, read) in names.into_iter().zip(self.repository.read_folders(&trees).await) {
            match read {
                Ok(found) => files.extend(found.into_iter().map(|file| (format!("{folder}/{name}/{}", file.name), file.content))),
                Err(error) => files.push((format!("{folder}/{name}"), Err(error))),
            }
        }
        Ok((files, oddities))
    }

    /// One file, where it exists.
    pub async fn file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.repository.read_file(&self.id, path).await
    }
}
