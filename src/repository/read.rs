//! Reads listings, bundles and files out of git's object database, and asks each object's size before loading it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use git2::{ObjectType, Odb, Oid, Repository, Tree};

use crate::manifest::CONFIG;
use crate::model::{BlobId, BundleFiles, CommitId, TreeId};

use super::intake::{Intake, admit_depth, child_path, printable, refused};
use super::{FolderFile, Listing, Oddity, ReadError};

/// The largest commit object that is looked at, in bytes.
const MAX_COMMIT: usize = 1024 * 1024;
/// The largest tree object of the repository's upper levels: room for about a million connectors.
const MAX_TREE: usize = 64 * 1024 * 1024;
/// The largest tree object inside a bundle: far more than its file limit needs.
const MAX_BUNDLE_TREE: usize = 1024 * 1024;

/// The largest file of a folder that may grow without end, and all of them together, in bytes.
const MAX_FOLDER_FILE: usize = 64 * 1024;
const MAX_FOLDER: usize = 64 * 1024 * 1024;

/// Modes of entries, as git writes them.
pub(super) const FOLDER: i32 = 0o040_000;
const LINK: i32 = 0o120_000;
const SUBMODULE: i32 = 0o160_000;

/// Whether a mode is a file's: neither a folder nor a link nor a submodule.
pub(super) fn is_file(mode: i32) -> bool {
    !matches!(mode, FOLDER | LINK | SUBMODULE)
}

/// One opened repository with its object database.
pub(super) struct Reader<'r> {
    repo: &'r Repository,
    odb: Odb<'r>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(repo: &'r Repository) -> Result<Self, git2::Error> {
        Ok(Self { repo, odb: repo.odb()? })
    }

    /// The root tree of a commit.
    pub(super) fn root(&self, commit: Oid) -> Result<Tree<'r>> {
        let root = self.commit_header(commit)?.1;
        self.tree(root, MAX_TREE).with_context(|| format!("cannot read the root of commit {commit}"))
    }

    /// A commit and its root tree's id.
    pub(super) fn commit_header(&self, commit: Oid) -> Result<(git2::Commit<'r>, Oid)> {
        let attempt = || format!("cannot read commit {commit}");
        let (size, _) = self.odb.read_header(commit).with_context(attempt)?;
        if size > MAX_COMMIT {
            bail!("cannot read commit {commit}: it has {size} bytes, the limit is {MAX_COMMIT}");
        }
        let commit = self.repo.find_commit(commit).with_context(attempt)?;
        let tree = commit.tree_id();
        Ok((commit, tree))
    }

    /// A tree of the repository's upper levels.
    pub(super) fn subtree(&self, id: Oid) -> Result<Tree<'r>> {
        self.tree(id, MAX_TREE)
    }

    fn tree(&self, id: Oid, limit: usize) -> Result<Tree<'r>> {
        let (size, _) = self.odb.read_header(id)?;
        if size > limit {
            bail!("tree {id} has {size} bytes, the limit is {limit}");
        }
        Ok(self.repo.find_tree(id)?)
    }

    /// What a commit holds, by object id.
    pub(super) fn list(&self, commit: Oid) -> Result<Listing> {
        let root = self.root(commit)?;
        let mut listing = Listing::default();
        if let Some(entry) = root.get_name(CONFIG) {
            match entry.filemode() {
                FOLDER | LINK | SUBMODULE => listing.oddities.push(oddity(CONFIG, kind_fault(entry.filemode(), "file"))),
                _ => listing.config = Some(BlobId::new(entry.id().to_string())),
            }
        }
        listing.connectors = self.folders(&root, "connectors", &mut listing.oddities)?;
        listing.releases = self.folders(&root, "releases", &mut listing.oddities)?.unwrap_or_default();
        Ok(listing)
    }

    /// The folders below a folder of a commit's root, and what stands there that is none.
    pub(super) fn subfolders(&self, commit: Oid, folder: &str) -> Result<(BTreeMap<String, TreeId>, Vec<Oddity>)> {
        let mut oddities = Vec::new();
        let found = self.folders(&self.root(commit)?, folder, &mut oddities)?;
        Ok((found.unwrap_or_default(), oddities))
    }

    fn folders(&self, root: &Tree<'_>, folder: &str, oddities: &mut Vec<Oddity>) -> Result<Option<BTreeMap<String, TreeId>>> {
        let Some(entry) = root.get_name(folder) else { return Ok(None) };
        if entry.filemode() != FOLDER {
            oddities.push(oddity(folder, kind_fault(entry.filemode(), "folder")));
            return Ok(None);
        }
        let tree = self.tree(entry.id(), MAX_TREE).with_context(|| format!("cannot read the folder {folder}/"))?;
        let mut found = BTreeMap::new();
        for entry in &tree {
            let name = entry.name_bytes();
            let path = match child_path(folder, name) {
                Ok(path) => path,
                Err(ReadError::Refused(odd)) => {
                    oddities.push(odd);
                    continue;
                }
                Err(error @ ReadError::Unreadable(_)) => return Err(error.into()),
            };
            match entry.filemode() {
                FOLDER => {
                    found.insert(printable(name), TreeId::new(entry.id().to_string()));
                }
                mode if mode == LINK || mode == SUBMODULE || !is_remark(name) => oddities.push(oddity(&path, kind_fault(mode, "folder"))),
                _ => {}
            }
        }
        Ok(Some(found))
    }

    /// Reads a folder as a bundle.
    pub(super) fn bundle(&self, tree: Oid) -> Result<BundleFiles, ReadError> {
        let mut intake = Intake::default();
        self.fill(&mut intake, tree, "", 1)?;
        Ok(intake.finish())
    }

    /// Reads the files of a folder that may hold any number of them.
    pub(super) fn folder(&self, tree: Oid) -> Result<Vec<FolderFile>, ReadError> {
        let (size, _) = self.odb.read_header(tree).map_err(unreadable)?;
        if size > MAX_TREE {
            return Err(refused("", format!("the folder's own list has {size} bytes, the limit is {MAX_TREE}")));
        }
        let tree = self.repo.find_tree(tree).map_err(unreadable)?;
        let mut room = MAX_FOLDER;
        let files = tree.iter().map(|entry| {
            let name = printable(entry.name_bytes());
            let content = child_path("", entry.name_bytes()).and_then(|path| {
                if !is_file(entry.filemode()) {
                    return Err(refused(&path, kind_fault(entry.filemode(), "file")));
                }
                let content = self.file_within(entry.id(), MAX_FOLDER_FILE).map_err(|error| unreadable(format!("{error:#}")))?;
                let content = content.ok_or_else(|| refused(&path, format!("the file has more than {MAX_FOLDER_FILE} bytes")))?;
                room = room.checked_sub(content.len()).ok_or_else(|| refused(&path, "the files before it fill the folder (64 MiB)"))?;
                Ok(content)
            });
            FolderFile { name, content }
        });
        Ok(files.collect())
    }

    fn fill(&self, intake: &mut Intake, tree: Oid, folder: &str, depth: usize) -> Result<(), ReadError> {
        admit_depth(folder, depth)?;
        let (size, _) = self.odb.read_header(tree).map_err(unreadable)?;
        if size > MAX_BUNDLE_TREE {
            return Err(refused(folder, format!("the folder's own list has {size} bytes, the limit is {MAX_BUNDLE_TREE}")));
        }
        let tree = self.repo.find_tree(tree).map_err(unreadable)?;
        for entry in &tree {
            let path = child_path(folder, entry.name_bytes())?;
            match entry.filemode() {
                FOLDER => self.fill(intake, entry.id(), &path, depth + 1)?,
                mode @ (LINK | SUBMODULE) => return Err(refused(&path, kind_fault(mode, "file"))),
                _ => {
                    let (size, kind) = self.odb.read_header(entry.id()).map_err(unreadable)?;
                    if kind != ObjectType::Blob {
                        return Err(ReadError::Unreadable(format!("{path} is not a file's object")));
                    }
                    intake.admit(&path, size as u64)?;
                    let object = self.odb.read(entry.id()).map_err(unreadable)?;
                    intake.take(path, object.data().to_vec())?;
                }
            }
        }
        Ok(())
    }

    /// Reads one file's object; `None` where it has more than `limit` bytes.
    pub(super) fn file_within(&self, id: Oid, limit: usize) -> Result<Option<Vec<u8>>> {
        let (size, kind) = self.odb.read_header(id).with_context(|| format!("cannot read git object {id}"))?;
        if kind == ObjectType::Blob && size > limit { Ok(None) } else { self.blob(id, limit).map(Some) }
    }

    /// Whether an object is there.
    pub(super) fn has(&self, id: Oid) -> bool {
        self.odb.exists(id)
    }

    /// Whether a shallow history was cut off before this commit. One that is missing otherwise is a damage.
    pub(super) fn is_cut_off(&self, commit: Oid) -> bool {
        self.repo.is_shallow() && !self.odb.exists(commit)
    }

    /// Reads one file's object, refusing more than `limit` bytes.
    pub(super) fn blob(&self, id: Oid, limit: usize) -> Result<Vec<u8>> {
        let (size, kind) = self.odb.read_header(id).with_context(|| format!("cannot read git object {id}"))?;
        if kind != ObjectType::Blob {
            bail!("git object {id} is not a file");
        }
        if size > limit {
            bail!("git object {id} has {size} bytes, the limit is {limit}");
        }
        Ok(self.odb.read(id).with_context(|| format!("cannot read git object {id}"))?.data().to_vec())
    }

    /// The object id at a path below a tree, with its file mode; `None` where nothing is there.
    pub(super) fn entry_at(&self, root: &Tree<'_>, path: &str) -> Result<Option<(Oid, i32)>> {
        let mut found: Option<(Oid, i32)> = None;
        for part in path.split('/') {
            let below = match found {
                None => root.get_name(part).map(|entry| (entry.id(), entry.filemode())),
                Some((id, FOLDER)) => self.tree(id, MAX_TREE)?.get_name(part).map(|entry| (entry.id(), entry.filemode())),
                Some(_) => None,
            };
            let Some(below) = below else { return Ok(None) };
            found = Some(below);
        }
        Ok(found)
    }

    /// Reads a connector's folder at a commit; `None` where either is gone.
    pub(super) fn bundle_at(&self, commit: Oid, connector: &str) -> Result<Option<BundleFiles>> {
        if !self.odb.exists(commit) {
            return Ok(None);
        }
        let root = self.root(commit)?;
        match self.entry_at(&root, &format!("connectors/{connector}"))? {
            Some((tree, FOLDER)) => Ok(Some(self.bundle(tree).with_context(|| format!("cannot read connectors/{connector}"))?)),
            _ => Ok(None),
        }
    }

    /// Reads a file of a commit's root that a stranger may have written: what is refused is told apart from what cannot be read.
    pub(super) fn root_file(&self, commit: Oid, name: &str, limit: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let too_large = |what: &str, size, limit| Err(refused(name, format!("{what} has {size} bytes, the limit is {limit}")));
        let (size, kind) = self.odb.read_header(commit).map_err(unreadable)?;
        if kind != ObjectType::Commit {
            return Err(refused(name, format!("{commit} is not a commit")));
        }
        if size > MAX_COMMIT {
            return too_large("the commit", size, MAX_COMMIT);
        }
        let root = self.repo.find_commit(commit).map_err(unreadable)?.tree_id();
        let (size, _) = self.odb.read_header(root).map_err(unreadable)?;
        if size > MAX_BUNDLE_TREE {
            return too_large("the root folder's list", size, MAX_BUNDLE_TREE);
        }
        let root = self.repo.find_tree(root).map_err(unreadable)?;
        let Some(entry) = root.get_name(name).filter(|entry| is_file(entry.filemode())) else {
            return Ok(None);
        };
        let (size, kind) = self.odb.read_header(entry.id()).map_err(unreadable)?;
        if kind != ObjectType::Blob || size > limit {
            return too_large("the file", size, limit);
        }
        Ok(Some(self.odb.read(entry.id()).map_err(unreadable)?.data().to_vec()))
    }

    /// Reads a file of at most `limit` bytes at a commit; `None` where there is no such file.
    pub(super) fn file_at(&self, commit: Oid, path: &str, limit: usize) -> Result<Option<Vec<u8>>> {
        let root = self.root(commit)?;
        match self.entry_at(&root, path)? {
            Some((blob, mode)) if is_file(mode) => self.blob(blob, limit).with_context(|| format!("cannot read {path}")).map(Some),
            Some(_) | None => Ok(None),
        }
    }
}

/// A commit's id as git2 wants it.
pub(super) fn oid(commit: &CommitId) -> Result<Oid> {
    Oid::from_str(commit.as_str()).with_context(|| format!("{commit} is not a commit's full id"))
}

/// Turns a git failure into one that concerns a single bundle.
pub(super) fn unreadable(error: impl std::fmt::Display) -> ReadError {
    ReadError::Unreadable(error.to_string())
}

/// Plain files that may stand between the folders without being taken for a mistake.
fn is_remark(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(b".") || name.starts_with(b"readme") || name.ends_with(b".md")
}

fn oddity(path: &str, reason: String) -> Oddity {
    Oddity { path: path.to_owned(), reason }
}

fn kind_fault(mode: i32, wanted: &str) -> String {
    let found = match mode {
        FOLDER => "folder",
        LINK => "symbolic link",
        SUBMODULE => "submodule",
        _ => "file",
    };
    format!("a {found} where a {wanted} belongs")
}
