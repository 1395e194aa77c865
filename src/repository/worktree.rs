//! The user's own work tree, for the commands that edit manifests: reads folders from disk, writes files whole or not at all,
//! and commits exactly what it is told to.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use git2::{Oid, Repository, RepositoryInitOptions, RepositoryState, Tree};
use jiff::Timestamp;

use crate::manifest::MANIFEST;
use crate::model::{BundleFiles, CommitId, Person};

use super::intake::{Intake, admit_depth, child_path, refused};
use super::read::FOLDER;
use super::turn::Turn;
use super::{ReadError, refs, write};

/// A repository's work tree.
#[derive(Debug, Clone)]
pub struct WorkTree {
    root: PathBuf,
}

impl WorkTree {
    /// Finds the work tree around a path.
    pub fn discover(path: &Path) -> Result<Self> {
        let repo = Repository::discover(path).map_err(|error| match error.code() {
            git2::ErrorCode::NotFound => {
                anyhow::anyhow!("{} is not in a git repository: run `switchboard init` there first", path.display())
            }
            _ => anyhow::Error::new(error).context(format!("cannot open the repository around {}", path.display())),
        })?;
        Self::of(&repo)
    }

    /// Makes a repository with an empty work tree; one that is there already stays as it is.
    pub fn init(path: &Path) -> Result<Self> {
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main").mkpath(true);
        let repo = Repository::init_opts(path, &options).with_context(|| format!("cannot make a git repository in {}", path.display()))?;
        Self::of(&repo)
    }

    fn of(repo: &Repository) -> Result<Self> {
        let root = repo.workdir();
        let root = root.with_context(|| format!("{} is a bare repository: clone it and work in the clone", repo.path().display()))?;
        Ok(Self { root: root.to_owned() })
    }

    /// The work tree's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Who the user is to git; `None` where that is not set up.
    pub fn identity(&self) -> Option<Person> {
        let config = self.repo().ok()?.config().ok()?;
        let value = |name| config.get_string(name).ok().filter(|text| !text.trim().is_empty());
        Some(Person::from_parts(&value("user.name")?, &value("user.email")?))
    }

    /// Who the user is to git, or what to do about it.
    pub fn required_identity(&self) -> Result<Person> {
        self.identity().context(
            "git does not know who you are: run `git config --global user.name \"Your Name\"` and \
             `git config --global user.email you@example.com`",
        )
    }

    /// Writes a file whole or not at all, keeping the permissions of the one it replaces.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let target = self.place(path)?;
        let folder = target.parent().context("a file needs a folder")?;
        let name = target.file_name().context("a file needs a name")?.to_string_lossy();
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let temporary = folder.join(format!(".{name}.{:016x}.tmp", fastrand::u64(..)));
        let written = write_whole(&temporary, &target, content);
        if written.is_err() {
            fs::remove_file(&temporary).ok();
        }
        written.with_context(|| format!("cannot write {path}"))
    }

    /// Removes a file; a missing one is fine.
    pub fn remove_file(&self, path: &str) -> Result<()> {
        match fs::remove_file(self.place(path)?) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.with_context(|| format!("cannot remove {path}")),
        }
    }

    /// Removes a folder with all it holds; a missing one is fine.
    pub fn remove_folder(&self, folder: &str) -> Result<()> {
        match fs::remove_dir_all(self.place(folder)?) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.with_context(|| format!("cannot remove {folder}")),
        }
    }

    /// Commits exactly these files and folders as they are on disk, on the branch that is checked out; other changes stay as they are,
    /// staged or not. Where nothing differs, the present commit is returned.
    pub fn commit(&self, paths: &[&str], message: &str, author: &Person, at: Timestamp) -> Result<CommitId> {
        let repo = self.repo()?;
        let mut turn = Turn::take(&repo)?;
        if repo.state() != RepositoryState::Clean {
            bail!("cannot commit: a merge or rebase is under way in {}; finish or abort it first", self.root.display());
        }
        if repo.head_detached()? {
            bail!("cannot commit: HEAD names no branch; check one out first");
        }
        let index_lock = repo.path().join("index.lock");
        turn.clear(&index_lock);
        turn.announce([index_lock].into_iter().chain(refs::head_branch(&repo)?.map(|branch| refs::lock_of(&repo, &branch))));
        let signature = write::signature(author, at)?;
        let parent = match repo.head() {
            Ok(head) => Some(head.peel_to_commit().context("cannot read the present commit")?),
            Err(error) if error.code() == git2::ErrorCode::UnbornBranch => None,
            Err(error) => return Err(error).context("cannot read HEAD"),
        };
        let mut index = repo.index().context("cannot read the index")?;
        let mut tree = parent.as_ref().map(git2::Commit::tree).transpose()?;
        for path in paths {
            let mut files = Vec::new();
            gather(&mut files, &self.place(path)?, path)?;
            index.remove_path(Path::new(path)).ok();
            index.remove_dir(Path::new(path), 0).ok();
            tree = graft(&repo, tree, path, None)?;
            for file in files {
                index.add_path(Path::new(&file)).with_context(|| format!("cannot stage {file}"))?;
                let staged = index.get_path(Path::new(&file), 0).map(|entry| (entry.id, i32::try_from(entry.mode).unwrap_or(0o100_644)));
                tree = graft(&repo, tree, &file, staged)?;
            }
        }
        let tree = tree.map_or_else(|| repo.treebuilder(None)?.write(), |tree| Ok(tree.id()))?;
        if let Some(parent) = parent.as_ref().filter(|parent| parent.tree_id() == tree) {
            return Ok(CommitId::new(parent.id().to_string()));
        }
        index.write().context("cannot write the index; if no other git process is running, remove its index.lock")?;
        let parents: Vec<_> = parent.iter().collect();
        let commit = repo.commit(Some("HEAD"), &signature, &signature, message, &repo.find_tree(tree)?, &parents);
        Ok(CommitId::new(commit.context("cannot write the commit")?.to_string()))
    }

    fn repo(&self) -> Result<Repository> {
        Repository::open(&self.root).with_context(|| format!("cannot open the repository at {}", self.root.display()))
    }

    /// The place of a path on disk. No part of the way may be a link, which could lead out of the work tree.
    fn place(&self, path: &str) -> Result<PathBuf> {
        let mut place = self.root.clone();
        for part in Path::new(path).components() {
            let Component::Normal(name) = part else { bail!("{path:?} is not a path inside the work tree") };
            child_path("", name.as_encoded_bytes()).with_context(|| format!("{path:?} is not a path inside the work tree"))?;
            place.push(name);
            if place.is_symlink() {
                bail!("{} is a symbolic link: refused", place.display());
            }
        }
        if place == self.root {
            bail!("{path:?} is not a path inside the work tree");
        }
        Ok(place)
    }
}

fn write_whole(temporary: &Path, target: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = File::create_new(temporary)?;
    if let Ok(metadata) = fs::metadata(target) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(temporary, target)
}

/// Reads a connector's folder on disk as a bundle, refusing what would be refused in a commit. Links are never followed; what
/// `is_ignored` names is left out, as git leaves it out.
pub fn read_folder(folder: &Path, is_ignored: &dyn Fn(&Path) -> bool) -> Result<BundleFiles, ReadError> {
    let mut intake = Intake::default();
    fill(&mut intake, folder, "", 1, is_ignored)?;
    Ok(intake.finish())
}

fn fill(intake: &mut Intake, place: &Path, folder: &str, depth: usize, is_ignored: &dyn Fn(&Path) -> bool) -> Result<(), ReadError> {
    admit_depth(folder, depth)?;
    let attempt = |error: std::io::Error| ReadError::Unreadable(format!("{}: {error}", place.display()));
    for entry in fs::read_dir(place).map_err(attempt)? {
        let entry = entry.map_err(attempt)?;
        let name = entry.file_name();
        // Asking git costs more than reading the file; nobody ignores these.
        let is_expected = matches!((folder, name.to_str()), ("", Some(MANIFEST | "notes.md" | "tests")))
            || (folder == "tests" && Path::new(&name).extension().is_some_and(|extension| extension == "yaml"));
        if !is_expected && is_ignored(&entry.path()) {
            continue;
        }
        let path = child_path(folder, name.as_encoded_bytes())?;
        let metadata = fs::symlink_metadata(entry.path()).map_err(attempt)?;
        if metadata.is_dir() {
            fill(intake, &entry.path(), &path, depth + 1, is_ignored)?;
        } else if metadata.is_file() {
            intake.admit(&path, metadata.len())?;
            let mut content = Vec::new();
            // The file may grow while it is read; what was admitted is the most that is taken.
            File::open(entry.path()).and_then(|file| file.take(metadata.len()).read_to_end(&mut content)).map_err(attempt)?;
            intake.take(path, content)?;
        } else {
            let kind = if metadata.is_symlink() { "a symbolic link" } else { "a special file" };
            return Err(refused(&path, format!("{kind} where a file belongs")));
        }
    }
    Ok(())
}

fn gather(files: &mut Vec<String>, place: &Path, path: &str) -> Result<()> {
    let metadata = match fs::symlink_metadata(place) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
    };
    if metadata.is_dir() {
        for entry in fs::read_dir(place).with_context(|| format!("cannot read {path}"))? {
            let entry = entry.with_context(|| format!("cannot read {path}"))?;
            let path = child_path(path, entry.file_name().as_encoded_bytes())?;
            gather(files, &entry.path(), &path)?;
        }
    } else if metadata.is_file() {
        files.push(path.to_owned());
    } else {
        bail!("cannot commit {path}: it is neither a file nor a folder");
    }
    Ok(())
}

/// The tree with one entry put in or taken out; folders that become empty go. `None`: nothing is left.
fn graft<'r>(repo: &'r Repository, tree: Option<Tree<'r>>, path: &str, entry: Option<(Oid, i32)>) -> Result<Option<Tree<'r>>> {
    let mut builder = repo.treebuilder(tree.as_ref())?;
    let entry = match path.split_once('/') {
        None => entry.map(|(id, mode)| (path, id, mode)),
        Some((folder, rest)) => {
            let below = tree.as_ref().and_then(|tree| tree.get_name(folder)).filter(|below| below.filemode() == FOLDER);
            // A folder that cannot be read is not an empty one: what else it holds would be gone from the commit.
            let below = below.map(|below| repo.find_tree(below.id())).transpose().with_context(|| format!("cannot read {folder}/"))?;
            graft(repo, below, rest, entry)?.map(|tree| (folder, tree.id(), FOLDER))
        }
    };
    let name = path.split('/').next().unwrap_or(path);
    match entry {
        Some((name, id, mode)) => {
            builder.insert(name, id, mode).with_context(|| format!("cannot put {name} into a tree"))?;
        }
        None if builder.get(name)?.is_some() => builder.remove(name)?,
        None => {}
    }
    if builder.is_empty() {
        return Ok(None);
    }
    let id = builder.write()?;
    Ok(Some(repo.find_tree(id)?))
}
