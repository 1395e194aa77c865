//! Builds git repositories for tests through git2, without anyone's configuration.

use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Repository, RepositoryInitOptions, Signature, Time};
use switchboard::model::CommitId;
use switchboard::repository::{GitOptions, GitRepository, Location, RefChange, RefUpdate, Repository as _};
use tempfile::TempDir;

/// A moment that every commit of these tests carries.
pub fn moment() -> jiff::Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// A repository in a temporary folder.
pub struct TestRepo {
    pub folder: TempDir,
    pub repo: Repository,
}

/// One change of a commit: a path with its new content, or with none where it goes.
pub type Change<'a> = (&'a str, Option<&'a [u8]>);

impl TestRepo {
    pub fn bare() -> Self {
        Self::init(true)
    }

    pub fn with_work_tree() -> Self {
        Self::init(false)
    }

    fn init(bare: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repo");
        let repo = Repository::init_opts(path, RepositoryInitOptions::new().bare(bare).initial_head("main")).unwrap();
        let mut config = repo.config().unwrap();
        config.set_str("user.name", "Alice").unwrap();
        config.set_str("user.email", "alice@example.com").unwrap();
        config.set_bool("core.autocrlf", false).unwrap();
        config.set_bool("http.receivepack", true).unwrap();
        Self { folder, repo }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// Opens it through the port's adapter, in place.
    pub fn open(&self) -> GitRepository {
        open(self.path().to_str().unwrap(), self.folder.path())
    }

    /// Commits on a branch on top of what it holds, without touching any work tree.
    pub fn commit(&self, branch: &str, changes: &[Change<'_>]) -> CommitId {
        self.commit_as("Alice <alice@example.com>", branch, changes)
    }

    pub fn commit_as(&self, author: &str, branch: &str, changes: &[Change<'_>]) -> CommitId {
        let name = format!("refs/heads/{branch}");
        let parent = self.repo.find_reference(&name).ok().map(|reference| reference.peel_to_commit().unwrap());
        let id = self.write_commit(author, parent.as_ref().map(git2::Commit::id), changes);
        self.repo.reference(&name, id, true, "test").unwrap();
        CommitId::new(id.to_string())
    }

    /// Writes a commit that nothing points at.
    pub fn write_commit(&self, author: &str, parent: Option<Oid>, changes: &[Change<'_>]) -> Oid {
        let mut update = TreeUpdateBuilder::new();
        for (path, content) in changes {
            match content {
                Some(content) => update.upsert(*path, self.repo.blob(content).unwrap(), FileMode::Blob),
                None => update.remove(*path),
            };
        }
        let parent = parent.map(|id| self.repo.find_commit(id).unwrap());
        let empty = self.repo.treebuilder(None).unwrap().write().unwrap();
        let base = parent.as_ref().map_or(empty, git2::Commit::tree_id);
        let tree = update.create_updated(&self.repo, &self.repo.find_tree(base).unwrap()).unwrap();
        self.commit_tree(author, parent.as_ref(), tree)
    }

    /// Writes a commit of a tree that was made by hand.
    pub fn commit_tree(&self, author: &str, parent: Option<&git2::Commit<'_>>, tree: Oid) -> Oid {
        let (name, email) = author.trim_end_matches('>').split_once(" <").unwrap();
        let who = Signature::new(name, email, &Time::new(moment().as_second(), 0)).unwrap();
        let tree = self.repo.find_tree(tree).unwrap();
        self.repo.commit(None, &who, &who, "change", &tree, parent.as_slice()).unwrap()
    }

    /// Where a reference points.
    pub fn target(&self, name: &str) -> Option<CommitId> {
        Repository::open(self.repo.path()).unwrap().find_reference(name).ok()?.target().map(|id| CommitId::new(id.to_string()))
    }

    /// What differs in the work tree and the index, as path and kind.
    pub fn statuses(&self) -> Vec<String> {
        let repo = Repository::open(self.path()).unwrap();
        let statuses = repo.statuses(None).unwrap();
        let shown = |entry: git2::StatusEntry<'_>| {
            let names: Vec<_> = entry.status().iter_names().map(|(name, _)| name).collect();
            format!("{} {}", entry.path().unwrap(), names.join("|"))
        };
        statuses.iter().map(shown).collect()
    }

    /// Makes the work tree and the index those of HEAD.
    pub fn check_out(&self) {
        self.repo.checkout_head(Some(git2::build::CheckoutBuilder::new().force())).unwrap();
    }
}

/// Opens a location through the port's adapter, with the mirror in `state`.
pub fn open(location: &str, state: &Path) -> GitRepository {
    GitRepository::open(&Location::parse(location).unwrap(), None, &state.join("mirror"), &GitOptions::default()).unwrap()
}

/// Deletes a branch, as a person would who tidies up.
pub async fn delete_branch(repository: &GitRepository, branch: &str) {
    repository.head().await.unwrap();
    let name = format!("refs/heads/{branch}");
    let expected = repository.ref_target(&name).await.unwrap();
    assert_eq!(repository.update_refs(&[RefChange { name, expected, new: None }]).await.unwrap(), RefUpdate::Done);
}
