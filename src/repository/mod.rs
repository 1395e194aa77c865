//! PORT: reads bundles at a commit of the tracked branch and writes the branches of reviews. The adapter is [`GitRepository`].

mod ancestry;
mod askers;
mod checkout;
mod edits;
mod git;
mod intake;
mod location;
mod merge;
mod mirror;
mod old_content;
mod pack;
mod past;
mod read;
mod refs;
mod tidy;
mod transport;
mod turn;
mod watch;
mod worktree;
mod write;

use std::collections::BTreeMap;

use anyhow::Result;
use async_trait::async_trait;

use crate::model::{BlobId, BundleFiles, CommitId, Digest, Person, RecordId, RecordPast, TreeId};

pub use checkout::WorkTreeInTheWay;
pub use edits::{Edited, Edits};
pub use git::GitRepository;
pub use intake::MAX_FILES;
pub use location::{Location, LocationError, RemoteUrl};
pub use merge::Merge;
pub use refs::{RefChange, RefUpdate};
pub use transport::{Credentials, GitOptions};
pub use watch::{Watch, request_wake};
pub use worktree::{WorkTree, read_folder};
pub use write::CommitSummary;

/// Where the tracked branch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// It exists and points at a commit.
    Commit(CommitId),
    /// The repository has no commit at all.
    EmptyRepository,
    /// The repository has commits, but not this branch, without `refs/heads/`.
    MissingBranch(String),
}

/// What one commit holds, by object id: enough to tell what changed without reading it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// `switchboard.yaml`, where it exists.
    pub config: Option<BlobId>,
    /// Folders under `connectors/`, by name as written in git (not yet validated). `None`: there is no `connectors/` folder.
    pub connectors: Option<BTreeMap<String, TreeId>>,
    /// Folders under `releases/`, by name as written in git.
    pub releases: BTreeMap<String, TreeId>,
    /// Entries that are not what they should be: a link or a file where a folder belongs, a name that is not UTF-8.
    pub oddities: Vec<Oddity>,
}

/// An entry of the repository that is refused, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// Its path from the repository's root.
    pub path: String,
    /// What is wrong with it, a lowercase fragment.
    pub reason: String,
}

/// Why a folder could not be read as files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The content itself is refused: a link, a submodule, too large, too many files. Only new content helps.
    #[error("{}: {}", .0.path, .0.reason)]
    Refused(Oddity),
    /// The object could not be read: corrupt or missing. Content last read stays good.
    #[error("cannot read git object: {0}")]
    Unreadable(String),
}

/// A file of a folder, which may fail on its own.
#[derive(Debug, Clone)]
pub struct FolderFile {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub content: Result<Vec<u8>, ReadError>,
}

/// The change that opens a review: one file on a branch of its own.
#[derive(Debug, Clone)]
pub struct BranchProposal {
    /// The branch's name, without `refs/heads/`.
    pub branch: String,
    /// The commit it starts from.
    pub base: CommitId,
    /// The file's path from the root.
    pub path: String,
    /// The file's content.
    pub content: Vec<u8>,
    /// The commit's message.
    pub message: String,
    /// The commit's author date, so that proposing twice gives the same commit.
    pub at: jiff::Timestamp,
}

/// What became of a proposed branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The branch was created.
    Created(CommitId),
    /// The branch was there already and carries the same path; `content` is the file as it stands there.
    AlreadyThere {
        /// Where the branch points.
        commit: CommitId,
        /// The file's content on it.
        content: Vec<u8>,
    },
    /// A branch of this name exists and does not carry the file: somebody else's work, left alone.
    Foreign(CommitId),
}

/// Whether a manifest, by its bytes, asks to be published.
pub type Asks = fn(&[u8]) -> bool;

/// The digest of a bundle's files; `None` where they are no bundle.
pub type DigestOf = fn(&BundleFiles) -> Option<Digest>;

/// Guarantees: every read is of git's object database at one commit, never of a work tree. No method waits for people.
/// Assumptions: object ids are content: equal ids, equal content.
#[async_trait]
pub trait Repository: Send + Sync {
    /// Brings the mirror of a remote up to date and tells where the tracked branch stands.
    async fn head(&self) -> Result<Head>;

    /// Lists what a commit holds. Fails where the commit or its root tree cannot be read.
    async fn list(&self, commit: &CommitId) -> Result<Listing>;

    /// Reads folders as bundles, in the order asked for; each fails on its own.
    async fn read_bundles(&self, trees: &[TreeId]) -> Vec<Result<BundleFiles, ReadError>>;

    /// Reads the files of folders that may grow without end, in the order asked for. What is no small file is refused on its own.
    async fn read_folders(&self, trees: &[TreeId]) -> Vec<Result<Vec<FolderFile>, ReadError>>;

    /// Reads one file of the repository, refusing more than `limit` bytes.
    async fn read_blob(&self, blob: &BlobId, limit: usize) -> Result<Vec<u8>>;

    /// Reads a connector's folder at any commit that is still there; `None` where either is gone.
    async fn bundle_at(&self, commit: &CommitId, connector: &str) -> Result<Option<BundleFiles>>;

    /// Finds a connector's content in the first-parent history of a commit by what it is, the newest first: costs a walk over it.
    async fn find_bundle(&self, commit: &CommitId, connector: &str, digest: &Digest, digest_of: DigestOf) -> Result<Option<BundleFiles>>;

    /// Who asked for a connector's content at a commit, and whose it is: the authors of the changes to its folder since its manifest
    /// began to ask or, where that is newer, since the commit `since`; the oldest change first. Empty where history is cut off.
    async fn askers(&self, commit: &CommitId, connector: &str, since: Option<&CommitId>, asks: Asks) -> Result<Vec<Person>>;

    /// What the first-parent history of a commit says of release records, in the order asked for; each fails on its own.
    async fn records_past(&self, commit: &CommitId, records: &[RecordId]) -> Result<Vec<Result<RecordPast, ReadError>>>;

    /// Creates the branch unless it is there. Never moves an existing branch. Repeating it is harmless.
    async fn ensure_branch(&self, proposal: &BranchProposal) -> Result<Pushed>;
}
