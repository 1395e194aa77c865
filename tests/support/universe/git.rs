//! Git in memory: commits hold whole trees; a tree's id is the digest of its files.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use switchboard::model::{BlobId, BundleFiles, CommitId, Digest, Person, RecordId, RecordPast, Release, TreeId};
use switchboard::repository::{Asks, BranchProposal, DigestOf, FolderFile, Head, Listing, Oddity, Pushed, ReadError, Repository};

use super::Universe;

/// Every file of a commit, by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Commits and branches.
#[derive(Default)]
pub struct GitState {
    pub commits: BTreeMap<CommitId, Files>,
    pub branches: BTreeMap<String, CommitId>,
    /// The commit before each.
    pub parents: BTreeMap<CommitId, CommitId>,
    /// Folders by tree id, as far as anybody has listed them.
    trees: BTreeMap<TreeId, BundleFiles>,
    /// Folders that cannot be read for now.
    pub corrupt: Vec<TreeId>,
    /// Whether an old commit cannot be read.
    pub damaged_past: bool,
    /// Whether the whole repository is away.
    pub away: bool,
    /// The commit the daemon was last told of.
    pub last_told: Option<CommitId>,
    counter: u64,
}

/// The tracked branch.
pub const MAIN: &str = "main";

impl GitState {
    /// The tracked branch's files.
    pub fn files(&self) -> Files {
        self.branches.get(MAIN).and_then(|commit| self.commits.get(commit)).cloned().unwrap_or_default()
    }

    /// The folders of connectors that a commit holds.
    pub fn connectors_at(&self, commit: &CommitId) -> BTreeSet<String> {
        let paths = self.commits.get(commit).into_iter().flat_map(BTreeMap::keys);
        paths.filter_map(|path| Some(path.strip_prefix("connectors/")?.split_once('/')?.0.to_owned())).collect()
    }

    /// Commits a whole tree to a branch.
    pub fn commit(&mut self, branch: &str, files: Files) -> CommitId {
        self.counter += 1;
        let id = CommitId::new(&Digest::of(format!("commit {}", self.counter).as_bytes()).to_string()[..40]);
        self.commits.insert(id.clone(), files);
        if let Some(parent) = self.branches.insert(branch.to_owned(), id.clone()) {
            self.parents.insert(id.clone(), parent);
        }
        id
    }

    /// Rewrites history so that a commit goes by another id.
    pub fn rewrite(&mut self, id: &CommitId) {
        let new = CommitId::new(&Digest::of(id.as_str().as_bytes()).to_string()[..40]);
        self.commits.remove(id).map(|files| self.commits.insert(new.clone(), files));
        self.parents.remove(id).map(|parent| self.parents.insert(new.clone(), parent));
        self.parents.values_mut().chain(self.branches.values_mut()).filter(|commit| *commit == id).for_each(|commit| *commit = new.clone());
    }

    /// Looks at every commit of the history, the newest first, as plainly as can be.
    fn record_past(&self, newest: &CommitId, id: &RecordId) -> RecordPast {
        let history = std::iter::successors(Some(newest), |commit| self.parents.get(commit));
        let trees: Vec<&Files> = history.filter_map(|commit| self.commits.get(commit)).filter(|files| !files.is_empty()).collect();
        let path = Release::path(&id.connector, &id.version);
        let has_record = |files: &Files| files.get(&path).is_some_and(|bytes| Digest::of(bytes) == id.record);
        let has_folder = |files: &Files| files.contains_key(&format!("connectors/{}/connector.yaml", id.connector));
        let earlier = |from: usize| trees[from..].iter().any(|files| has_record(files));
        if !trees.first().is_some_and(|files| has_record(files)) {
            return if earlier(0) { RecordPast::Removed } else { RecordPast::NeverThere };
        }
        match trees.iter().position(|files| !has_record(files) || !has_folder(files)) {
            Some(at) if !has_folder(trees[at]) && earlier(at) => RecordPast::OutlivedConnector,
            Some(_) | None => RecordPast::Standing,
        }
    }

    /// Changes the tracked branch's files.
    pub fn change(&mut self, change: impl FnOnce(&mut Files)) {
        let mut files = self.files();
        change(&mut files);
        self.commit(MAIN, files);
    }

    /// Merges a branch's one file into the tracked branch.
    pub fn merge(&mut self, branch: &str) {
        let record: Vec<(String, Vec<u8>)> = self
            .branches
            .get(branch)
            .and_then(|commit| self.commits.get(commit))
            .map(|files| files.iter().filter(|(path, _)| path.starts_with("releases/")).map(|(p, b)| (p.clone(), b.clone())).collect())
            .unwrap_or_default();
        self.change(|files| files.extend(record));
    }

    fn folders(&mut self, files: &Files, root: &str) -> BTreeMap<String, TreeId> {
        let mut folders: BTreeMap<String, Files> = BTreeMap::new();
        for (path, bytes) in files {
            if let Some((folder, file)) = path.strip_prefix(root).and_then(|rest| rest.split_once('/')) {
                folders.entry(folder.to_owned()).or_default().insert(file.to_owned(), bytes.clone());
            }
        }
        folders.into_iter().map(|(folder, files)| (folder, self.tree(files))).collect()
    }

    /// The id of a folder's files.
    pub fn tree(&mut self, files: Files) -> TreeId {
        let mut bytes = Vec::new();
        for (path, content) in &files {
            bytes.extend(path.as_bytes());
            bytes.extend(content.len().to_le_bytes());
            bytes.extend(content);
        }
        let id = TreeId::new(Digest::of(&bytes).to_string());
        self.trees.entry(id.clone()).or_insert_with(|| BundleFiles::new(files));
        id
    }

    fn listing(&mut self, commit: &CommitId) -> Result<Listing> {
        let files = self.commits.get(commit).context("no such commit")?.clone();
        let connectors = self.folders(&files, "connectors/");
        Ok(Listing {
            config: files.get("switchboard.yaml").map(|bytes| BlobId::new(Digest::of(bytes).to_string())),
            connectors: (!connectors.is_empty()).then_some(connectors),
            releases: self.folders(&files, "releases/"),
            oddities: Vec::new(),
        })
    }
}

/// What stands for a symbolic link in these files.
pub const LINK: &[u8] = b"a symbolic link";

fn admitted(name: &str, bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    let refusal = || ReadError::Refused(Oddity { path: name.to_owned(), reason: "a symbolic link where a file belongs".to_owned() });
    if bytes == LINK { Err(refusal()) } else { Ok(bytes.to_vec()) }
}

#[async_trait]
impl Repository for Universe {
    async fn head(&self) -> Result<Head> {
        self.call("repository.head", |state, _| {
            if state.git.away {
                bail!("the repository is away");
            }
            let head = state.git.branches.get(MAIN).cloned();
            state.git.last_told = head.clone();
            Ok(match head {
                Some(commit) => Head::Commit(commit),
                None if state.git.commits.is_empty() => Head::EmptyRepository,
                None => Head::MissingBranch(MAIN.to_owned()),
            })
        })
    }

    async fn list(&self, commit: &CommitId) -> Result<Listing> {
        self.call("repository.list", |state, _| state.git.listing(commit))
    }

    async fn read_bundles(&self, trees: &[TreeId]) -> Vec<Result<BundleFiles, ReadError>> {
        let read = self.call("repository.read_bundles", |state, _| {
            let read = |tree: &TreeId| match state.git.trees.get(tree) {
                Some(files) if !state.git.corrupt.contains(tree) => {
                    files.iter().try_for_each(|(name, bytes)| admitted(name, bytes).map(|_| ()))?;
                    Ok(files.clone())
                }
                Some(_) | None => Err(ReadError::Unreadable(tree.to_string())),
            };
            Ok(trees.iter().map(read).collect::<Vec<_>>())
        });
        read.unwrap_or_else(|error| trees.iter().map(|_| Err(ReadError::Unreadable(error.to_string()))).collect())
    }

    async fn read_folders(&self, trees: &[TreeId]) -> Vec<Result<Vec<FolderFile>, ReadError>> {
        let read = self.call("repository.read_folders", |state, _| {
            let file = |(name, bytes): (&str, &[u8])| FolderFile { name: name.to_owned(), content: admitted(name, bytes) };
            let read = |tree: &TreeId| match state.git.trees.get(tree) {
                Some(files) if !state.git.corrupt.contains(tree) => Ok(files.iter().map(file).collect()),
                Some(_) | None => Err(ReadError::Unreadable(tree.to_string())),
            };
            Ok(trees.iter().map(read).collect::<Vec<_>>())
        });
        read.unwrap_or_else(|error| trees.iter().map(|_| Err(ReadError::Unreadable(error.to_string()))).collect())
    }

    async fn read_blob(&self, blob: &BlobId, _limit: usize) -> Result<Vec<u8>> {
        self.call("repository.read_blob", |state, _| {
            let of = |files: &Files| files.values().find(|bytes| Digest::of(bytes).to_string() == blob.as_str()).cloned();
            state.git.commits.values().rev().find_map(of).context("no such blob")
        })
    }

    async fn bundle_at(&self, commit: &CommitId, connector: &str) -> Result<Option<BundleFiles>> {
        self.call("repository.bundle_at", |state, _| {
            let Some(files) = state.git.commits.get(commit).cloned() else { return Ok(None) };
            let tree = state.git.folders(&files, "connectors/").remove(connector);
            Ok(tree.and_then(|tree| state.git.trees.get(&tree).cloned()))
        })
    }

    async fn find_bundle(&self, commit: &CommitId, connector: &str, digest: &Digest, digest_of: DigestOf) -> Result<Option<BundleFiles>> {
        self.call("repository.find_bundle", |state, _| {
            let history: Vec<CommitId> =
                std::iter::successors(Some(commit.clone()), |commit| state.git.parents.get(commit).cloned()).collect();
            let mut found = history.iter().filter_map(|commit| {
                let files = state.git.commits.get(commit)?.clone();
                let tree = state.git.folders(&files, "connectors/").remove(connector)?;
                state.git.trees.get(&tree).cloned()
            });
            Ok(found.find(|files| digest_of(files).as_ref() == Some(digest)))
        })
    }

    async fn askers(&self, _: &CommitId, _: &str, _: Option<&CommitId>, _: Asks) -> Result<Vec<Person>> {
        self.call("repository.askers", |_, _| Ok(vec![Person::new("Alice <alice@example.com>")]))
    }

    async fn records_past(&self, commit: &CommitId, records: &[RecordId]) -> Result<Vec<Result<RecordPast, ReadError>>> {
        self.call("repository.records_past", |state, _| {
            let unreadable = || ReadError::Unreadable("an old commit is damaged".to_owned());
            let past = |id: &RecordId| if state.git.damaged_past { Err(unreadable()) } else { Ok(state.git.record_past(commit, id)) };
            Ok(records.iter().map(past).collect())
        })
    }

    async fn ensure_branch(&self, proposal: &BranchProposal) -> Result<Pushed> {
        self.call("repository.ensure_branch", |state, _| {
            if let Some(commit) = state.git.branches.get(&proposal.branch).cloned() {
                let content = state.git.commits.get(&commit).and_then(|files| files.get(&proposal.path)).cloned();
                return Ok(match content {
                    Some(content) => Pushed::AlreadyThere { commit, content },
                    None => Pushed::Foreign(commit),
                });
            }
            let mut files = state.git.commits.get(&proposal.base).context("no such base")?.clone();
            files.insert(proposal.path.clone(), proposal.content.clone());
            Ok(Pushed::Created(state.git.commit(&proposal.branch, files)))
        })
    }
}
