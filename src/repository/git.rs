//! The adapter of the port over git2: a local repository in place, or a bare mirror of a remote one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use git2::ErrorCode;
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use crate::model::{BlobId, BundleFiles, CommitId, Digest, Person, RecordId, RecordPast, TreeId};

use super::checkout::changed_paths;
use super::mirror::Mirror;
use super::read::{Reader, oid, unreadable};
use super::write::{self, CommitSummary, NewFile};
use super::{
    Asks, BranchProposal, DigestOf, FolderFile, GitOptions, Head, Listing, Location, Merge, Oddity, Pushed, ReadError, RefChange,
    RefUpdate, Repository, ancestry, askers, merge, old_content, past, refs,
};

/// A git repository. Cheap to clone; every operation opens the repository anew, so one that went away and came back is simply there again.
#[derive(Debug, Clone)]
pub struct GitRepository {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    place: Place,
    /// The tracked branch, as `refs/heads/…`; `None`: the one that HEAD names at the time.
    branch: Option<String>,
    /// The listing made last: most looks find the branch where it was.
    listed: Mutex<Option<(CommitId, Listing)>>,
}

#[derive(Debug)]
enum Place {
    /// The work tree's root or the git directory.
    InPlace(PathBuf),
    Mirrored(Mirror),
}

/// Reads what stands in a tree.
type ReadTree<T> = fn(&Reader<'_>, git2::Oid) -> Result<T, ReadError>;

/// How many threads read trees.
const READERS: usize = 2;

/// The largest file that [`GitRepository::read_file`] reads, in bytes.
const MAX_READ: usize = 16 * 1024 * 1024;

impl GitRepository {
    /// Opens a repository on this machine, or prepares the mirror of a remote one in `mirror_folder`, without connecting yet.
    /// The tracked branch is the given one, else that of the remote's HEAD, else the one checked out now.
    pub fn open(location: &Location, branch: Option<&str>, mirror_folder: &Path, options: &GitOptions) -> Result<Self> {
        let branch = branch.map(branch_ref).transpose()?;
        let (place, branch) = match location {
            Location::Remote(url) => (Place::Mirrored(Mirror::new(url, mirror_folder, options)?), branch),
            Location::Local(path) => {
                let repo = open(path)?;
                let branch = match branch {
                    // What a work tree's HEAD names changes whenever its user switches branches; that must not redefine what is desired.
                    None if !repo.is_bare() => Some(refs::head_branch(&repo)?.with_context(|| detached(&repo))?),
                    other => other,
                };
                (Place::InPlace(path.clone()), branch)
            }
        };
        Ok(Self { inner: Arc::new(Inner { place, branch, listed: Mutex::new(None) }) })
    }

    /// The tracked branch's name, without `refs/heads/`.
    pub async fn tracked_branch(&self) -> Result<String> {
        let inner = self.inner.clone();
        self.blocking(move |repo| Ok(inner.tracked(repo)?.trim_start_matches("refs/heads/").to_owned())).await
    }

    /// References whose full names begin with `prefix`, in order. For a remote: as the last [`Repository::head`] or write saw them.
    pub async fn refs(&self, prefix: &str) -> Result<Vec<(String, CommitId)>> {
        let prefix = prefix.to_owned();
        self.blocking(move |repo| refs::list(repo, &prefix)).await
    }

    /// Writes a commit that adds or replaces one file, without moving any reference. Without a parent it holds that file alone.
    pub async fn commit_file(
        &self,
        parent: Option<&CommitId>,
        path: &str,
        content: &[u8],
        message: &str,
        author: &Person,
        at: Timestamp,
    ) -> Result<CommitId> {
        let parent = parent.map(oid).transpose()?;
        let (path, content, message, author) = (path.to_owned(), content.to_owned(), message.to_owned(), author.clone());
        self.blocking(move |repo| {
            let file = NewFile { parent, path: &path, content: &content, message: &message, author: &author, at };
            Ok(CommitId::new(file.write(repo)?.to_string()))
        })
        .await
    }

    /// Reads a file of at most 16 MiB at a commit; `None` where there is none.
    pub async fn read_file(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>> {
        let (commit, path) = (oid(commit)?, path.to_owned());
        self.blocking(move |repo| Reader::new(repo)?.file_at(commit, &path, MAX_READ)).await
    }

    /// The folders below a folder of a commit's root, and what stands there that is none.
    pub async fn subfolders(&self, commit: &CommitId, folder: &str) -> Result<(BTreeMap<String, TreeId>, Vec<Oddity>)> {
        let (commit, folder) = (oid(commit)?, folder.to_owned());
        self.blocking(move |repo| Reader::new(repo)?.subfolders(commit, &folder)).await
    }

    /// Reads the file `name` in the root of each of many commits, opening the repository once; each fails on its own.
    pub async fn read_root_files(&self, commits: &[CommitId], name: &str, limit: usize) -> Result<Vec<Result<Option<Vec<u8>>, ReadError>>> {
        let (commits, name) = (commits.iter().map(oid).collect::<Result<Vec<_>>>()?, name.to_owned());
        self.blocking(move |repo| {
            let reader = Reader::new(repo)?;
            Ok(commits.into_iter().map(|commit| reader.root_file(commit, &name, limit)).collect())
        })
        .await
    }

    /// The newest commits first, along first parents, at most `limit`.
    pub async fn history(&self, commit: &CommitId, limit: usize) -> Result<Vec<CommitSummary>> {
        let commit = oid(commit)?;
        self.blocking(move |repo| write::history(&Reader::new(repo)?, commit, limit)).await
    }

    /// Merges `theirs` into `ours` and writes the merge commit, without moving any reference.
    pub async fn merge(&self, ours: &CommitId, theirs: &CommitId, message: &str, author: &Person, at: Timestamp) -> Result<Merge> {
        let (ours, theirs, message) = (oid(ours)?, oid(theirs)?, message.to_owned());
        let author = author.clone();
        self.blocking(move |repo| merge::merge(repo, ours, theirs, &message, &write::signature(&author, at)?)).await
    }

    /// The paths that differ between two commits' files.
    pub async fn changed_paths(&self, before: &CommitId, after: &CommitId) -> Result<Vec<String>> {
        let (before, after) = (oid(before)?, oid(after)?);
        self.blocking(move |repo| changed_paths(repo, Some(before), after)).await
    }

    /// Whether `ancestor` is `descendant` or one of the commits before it.
    pub async fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool> {
        let (ancestor, descendant) = (oid(ancestor)?, oid(descendant)?);
        self.blocking(move |repo| ancestry::is_ancestor(&Reader::new(repo)?, ancestor, descendant)).await
    }

    /// Moves references, all or none, each only from its expected value. A work tree that has one checked out follows;
    /// where it is not clean, the error is a [`super::WorkTreeInTheWay`] and nothing moves.
    pub async fn update_refs(&self, changes: &[RefChange]) -> Result<RefUpdate> {
        let (inner, changes) = (self.inner.clone(), changes.to_vec());
        self.blocking(move |repo| match &inner.place {
            Place::InPlace(_) => refs::update(repo, &changes, "switchboard"),
            Place::Mirrored(mirror) => mirror.push(&changes),
        })
        .await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&git2::Repository) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = self.inner.clone();
        spawn_blocking(move || work(&inner.open()?)).await.context("the work on the repository broke off")?
    }
}

impl Inner {
    fn open(&self) -> Result<git2::Repository> {
        match &self.place {
            Place::InPlace(path) => open(path),
            Place::Mirrored(mirror) => mirror.open(),
        }
    }

    fn refresh(&self) -> Result<()> {
        match &self.place {
            Place::InPlace(_) => Ok(()),
            Place::Mirrored(mirror) => mirror.refresh(),
        }
    }

    fn tracked(&self, repo: &git2::Repository) -> Result<String> {
        match &self.branch {
            Some(branch) => Ok(branch.clone()),
            None => refs::head_branch(repo)?.with_context(|| detached(repo)),
        }
    }
}

#[async_trait]
impl Repository for GitRepository {
    async fn head(&self) -> Result<Head> {
        let inner = self.inner.clone();
        self.blocking(move |repo| {
            inner.refresh()?;
            refs::head(repo, &inner.tracked(repo)?)
        })
        .await
    }

    async fn list(&self, commit: &CommitId) -> Result<Listing> {
        if let Some((listed, listing)) = &*self.listed()
            && listed == commit
        {
            return Ok(listing.clone());
        }
        let id = oid(commit)?;
        let listing = self.blocking(move |repo| Reader::new(repo)?.list(id)).await?;
        *self.listed() = Some((commit.clone(), listing.clone()));
        Ok(listing)
    }

    async fn read_bundles(&self, trees: &[TreeId]) -> Vec<Result<BundleFiles, ReadError>> {
        self.read_each(trees, |reader, tree| reader.bundle(tree)).await
    }

    async fn read_folders(&self, trees: &[TreeId]) -> Vec<Result<Vec<FolderFile>, ReadError>> {
        self.read_each(trees, |reader, tree| reader.folder(tree)).await
    }

    async fn read_blob(&self, blob: &BlobId, limit: usize) -> Result<Vec<u8>> {
        let id = git2::Oid::from_str(blob.as_str()).context("not an object's full id")?;
        self.blocking(move |repo| Reader::new(repo)?.blob(id, limit)).await
    }

    async fn bundle_at(&self, commit: &CommitId, connector: &str) -> Result<Option<BundleFiles>> {
        let (commit, connector) = (oid(commit)?, connector.to_owned());
        self.blocking(move |repo| Reader::new(repo)?.bundle_at(commit, &connector)).await
    }

    async fn find_bundle(&self, commit: &CommitId, connector: &str, digest: &Digest, digest_of: DigestOf) -> Result<Option<BundleFiles>> {
        let (commit, connector, digest) = (oid(commit)?, connector.to_owned(), *digest);
        let is_sought = move |files: &BundleFiles| digest_of(files) == Some(digest);
        self.blocking(move |repo| old_content::find(&Reader::new(repo)?, commit, &connector, is_sought)).await
    }

    async fn askers(&self, commit: &CommitId, connector: &str, since: Option<&CommitId>, asks: Asks) -> Result<Vec<Person>> {
        let (commit, since, connector) = (oid(commit)?, since.map(oid).transpose()?, connector.to_owned());
        self.blocking(move |repo| askers::askers(&Reader::new(repo)?, commit, &connector, since, asks)).await
    }

    async fn records_past(&self, commit: &CommitId, records: &[RecordId]) -> Result<Vec<Result<RecordPast, ReadError>>> {
        let (commit, records) = (oid(commit)?, records.to_vec());
        self.blocking(move |repo| Ok(past::of_records(&Reader::new(repo)?, commit, &records))).await
    }

    async fn ensure_branch(&self, proposal: &BranchProposal) -> Result<Pushed> {
        let commit = self
            .commit_file(Some(&proposal.base), &proposal.path, &proposal.content, &proposal.message, &Person::switchboard(), proposal.at)
            .await?;
        let name = branch_ref(&proposal.branch)?;
        let change = RefChange { name: name.clone(), expected: None, new: Some(commit.clone()) };
        match self.update_refs(&[change]).await? {
            RefUpdate::Done => Ok(Pushed::Created(commit)),
            RefUpdate::Stale(_) => self.branch_there(&name, &proposal.path).await,
        }
    }
}

impl GitRepository {
    async fn branch_there(&self, name: &str, path: &str) -> Result<Pushed> {
        let commit = self.ref_target(name).await?.with_context(|| format!("{name} was there and is gone again; try once more"))?;
        match self.read_file(&commit, path).await? {
            Some(content) => Ok(Pushed::AlreadyThere { commit, content }),
            None => Ok(Pushed::Foreign(commit)),
        }
    }

    /// Reads trees on some threads, in the order asked for.
    async fn read_each<T: Send + 'static>(&self, trees: &[TreeId], read: ReadTree<T>) -> Vec<Result<T, ReadError>> {
        let chunk = trees.len().div_ceil(READERS).max(1);
        let tasks: Vec<_> = trees
            .chunks(chunk)
            .map(|chunk| {
                let (inner, trees) = (self.inner.clone(), chunk.to_vec());
                (chunk.len(), spawn_blocking(move || read_chunk(&inner, &trees, read)))
            })
            .collect();
        let mut found = Vec::with_capacity(trees.len());
        for (count, task) in tasks {
            match task.await {
                Ok(read) => found.extend(read),
                Err(error) => found.extend((0..count).map(|_| Err(unreadable(&error)))),
            }
        }
        found
    }

    fn listed(&self) -> MutexGuard<'_, Option<(CommitId, Listing)>> {
        self.inner.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a reference points, by its full name; `None` where there is none.
    pub async fn ref_target(&self, name: &str) -> Result<Option<CommitId>> {
        let name = name.to_owned();
        self.blocking(move |repo| Ok(refs::target(repo, &name)?.map(|id| CommitId::new(id.to_string())))).await
    }
}

fn read_chunk<T>(inner: &Inner, trees: &[TreeId], read: ReadTree<T>) -> Vec<Result<T, ReadError>> {
    let all = |error: &dyn std::fmt::Display| trees.iter().map(|_| Err(unreadable(error))).collect();
    let repo = match inner.open() {
        Ok(repo) => repo,
        Err(error) => return all(&error),
    };
    match Reader::new(&repo) {
        Ok(reader) => trees.iter().map(|tree| read(&reader, git2::Oid::from_str(tree.as_str()).map_err(unreadable)?)).collect(),
        Err(error) => all(&error),
    }
}

fn open(path: &Path) -> Result<git2::Repository> {
    git2::Repository::open(path).map_err(|error| match error.code() {
        ErrorCode::NotFound => anyhow::anyhow!("there is no git repository at {}", path.display()),
        ErrorCode::Owner => anyhow::anyhow!(
            "the repository at {} belongs to another user: run as that user, or allow it with `git config --global --add safe.directory {}`",
            path.display(),
            path.display()
        ),
        _ => anyhow::Error::new(error).context(format!("cannot open the repository at {}", path.display())),
    })
}

fn branch_ref(branch: &str) -> Result<String> {
    let name = format!("refs/heads/{branch}");
    if branch.starts_with('-') || !git2::Reference::is_valid_name(&name) {
        bail!("{branch:?} is not a branch's name");
    }
    Ok(name)
}

fn detached(repo: &git2::Repository) -> String {
    format!("HEAD of {} names no branch: check one out, or name the branch to track", repo.path().display())
}
