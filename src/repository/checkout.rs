//! Work trees that have a moved branch checked out: brought along when nothing of the user's is in the way, else the move is refused.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use git2::build::CheckoutBuilder;
use git2::{CheckoutNotificationType, DiffOptions, ErrorCode, ObjectType, Oid, Repository};

use super::read::oid;
use super::refs::{RefChange, head_branch};
use super::turn::Turn;

/// Files of the user's work tree that are not as committed, so that moving the branch would lose or garble them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the work tree {work_tree} has uncommitted changes in {}", .paths.join(", "))]
pub struct WorkTreeInTheWay {
    /// The work tree's root.
    pub work_tree: String,
    /// The files, from its root.
    pub paths: Vec<String>,
}

/// One work tree and the files that a branch's move changes in it.
pub(super) struct Checkout {
    repo: Repository,
    old: Option<Oid>,
    new: Oid,
    /// The files to be written.
    paths: Vec<String>,
    /// The files that are written already as they shall be, and not staged: a process that was killed left them so.
    unstaged: Vec<String>,
}

impl Checkout {
    /// Finds the work trees concerned and refuses where other changes to these files are staged.
    pub(super) fn prepare(repo: &Repository, changes: &[RefChange], turn: &Turn) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for work_tree in work_trees(repo)? {
            let Some(branch) = head_branch(&work_tree)? else { continue };
            let Some(change) = changes.iter().find(|change| change.name == branch) else { continue };
            let old = change.expected.as_ref().map(oid).transpose()?;
            let Some(new) = change.new.as_ref().map(oid).transpose()? else {
                let place = work_tree.workdir().unwrap_or_else(|| work_tree.path()).display().to_string();
                anyhow::bail!("cannot delete {branch}: it is checked out in {place}; switch to another branch there first");
            };
            let (paths, unstaged) = to_be_done(&work_tree, new, changed_paths(&work_tree, old, new)?)?;
            let checkout = Self { repo: work_tree, old, new, paths, unstaged };
            checkout.refuse_locked(turn)?;
            checkout.refuse_staged()?;
            found.push(checkout);
        }
        Ok(found)
    }

    /// Writes the new files and the index, or nothing where a file is not as committed.
    pub(super) fn apply(&self) -> Result<()> {
        // A refusal comes before anything is written; undoing it would overwrite the very files it protects.
        self.write().inspect_err(|error| {
            if !error.is::<WorkTreeInTheWay>() {
                self.undo()
            }
        })
    }

    /// Puts the files back to what the branch holds now, as far as possible.
    pub(super) fn undo(&self) {
        let restored = self.restore();
        if let Err(error) = restored {
            tracing::warn!(%error, "a work tree could not be put back");
        }
    }

    fn restore(&self) -> Result<()> {
        let mut index = self.repo.index()?;
        // Where somebody else moved the branch meanwhile, that is not what it held before.
        let old = self.repo.head().ok().map(|head| head.peel_to_tree()).transpose()?;
        let root = self.repo.workdir().context("no work tree")?;
        let is_new = |path: &&String| old.as_ref().is_none_or(|tree| tree.get_path(Path::new(path)).is_err());
        for path in self.paths.iter().chain(&self.unstaged).filter(is_new) {
            index.remove_path(Path::new(path))?;
        }
        for path in self.paths.iter().filter(is_new) {
            std::fs::remove_file(root.join(path)).ok();
        }
        index.write()?;
        if let Some(old) = old {
            let mut builder = self.builder();
            self.repo.checkout_tree(old.as_object(), Some(builder.force()))?;
        }
        Ok(())
    }

    /// The file that git makes to lock the work tree's index.
    pub(super) fn index_lock(&self) -> PathBuf {
        self.repo.path().join("index.lock")
    }

    /// Where another git process is writing the index, files must not be changed under it.
    fn refuse_locked(&self, turn: &Turn) -> Result<()> {
        let lock = self.index_lock();
        if self.paths.is_empty() && self.unstaged.is_empty() {
            return Ok(());
        }
        turn.clear(&lock);
        if lock.exists() {
            anyhow::bail!("another git process is at work in the work tree; if none is running, remove {}", lock.display());
        }
        Ok(())
    }

    /// What is staged must be what was committed, or already what comes.
    fn refuse_staged(&self) -> Result<()> {
        let index = self.repo.index().context("cannot read the index")?;
        let old = self.old.map(|id| self.repo.find_commit(id)?.tree()).transpose()?;
        let new = self.repo.find_commit(self.new)?.tree()?;
        let mut staged = Vec::new();
        for path in self.paths.iter().chain(&self.unstaged) {
            let path_of = Path::new(path);
            let entry = index.get_path(path_of, 0).map(|entry| entry.id);
            let before = old.as_ref().and_then(|tree| tree.get_path(path_of).ok()).map(|entry| entry.id());
            let after = new.get_path(path_of).ok().map(|entry| entry.id());
            if entry != before && entry != after {
                staged.push(path.clone());
            }
        }
        if staged.is_empty() { Ok(()) } else { Err(self.in_the_way(staged).into()) }
    }

    fn write(&self) -> Result<()> {
        if !self.paths.is_empty() {
            self.check_out()?;
        }
        if !self.unstaged.is_empty() {
            let mut index = self.repo.index().context("cannot read the index")?;
            self.unstaged.iter().try_for_each(|path| index.add_path(Path::new(path))).context("cannot stage what is there")?;
            index.write().context("cannot write the index")?;
        }
        Ok(())
    }

    fn check_out(&self) -> Result<()> {
        let new = self.repo.find_commit(self.new)?.into_object();
        self.remove_begun()?;
        let mut conflicts = Vec::new();
        let mut builder = self.builder();
        builder.safe().recreate_missing(false).notify_on(CheckoutNotificationType::CONFLICT).notify(|_, path, _, _, _| {
            conflicts.extend(path.map(|path| path.display().to_string()));
            true
        });
        let outcome = self.repo.checkout_tree(&new, Some(&mut builder));
        drop(builder);
        match outcome {
            Err(error) if error.code() == ErrorCode::Conflict || !conflicts.is_empty() => Err(self.in_the_way(conflicts).into()),
            other => other.context("cannot bring the work tree up to date"),
        }
    }

    /// Removes new files of which a killed process has written the beginning, or nothing yet. Nobody else's work is lost with them: all
    /// that they hold comes again.
    fn remove_begun(&self) -> Result<()> {
        let (tree, index) = (self.repo.find_commit(self.new)?.tree()?, self.repo.index().context("cannot read the index")?);
        let root = self.repo.workdir().context("no work tree")?;
        for path in self.paths.iter().map(Path::new).filter(|path| index.get_path(path, 0).is_none()) {
            let Ok(wanted) = tree.get_path(path).and_then(|entry| self.repo.find_blob(entry.id())) else { continue };
            let file = root.join(path);
            let size = std::fs::symlink_metadata(&file).ok().filter(|metadata| metadata.is_file()).map(|metadata| metadata.len());
            if size.is_some_and(|size| size < wanted.size() as u64)
                && std::fs::read(&file).is_ok_and(|begun| wanted.content().starts_with(&begun))
            {
                std::fs::remove_file(&file).with_context(|| format!("cannot remove the begun file {}", file.display()))?;
            }
        }
        Ok(())
    }

    fn builder<'b>(&self) -> CheckoutBuilder<'b> {
        let mut builder = CheckoutBuilder::new();
        builder.disable_pathspec_match(true).overwrite_ignored(false);
        for path in &self.paths {
            builder.path(path.as_str());
        }
        builder
    }

    fn in_the_way(&self, paths: Vec<String>) -> WorkTreeInTheWay {
        let work_tree = self.repo.workdir().unwrap_or_else(|| self.repo.path()).display().to_string();
        WorkTreeInTheWay { work_tree, paths }
    }
}

/// Of changed files those to be written, and those that are written as they shall be and have yet to be staged. What is both needs
/// nothing. A process that was killed before the branch moved left them so.
fn to_be_done(work_tree: &Repository, new: Oid, changed: Vec<String>) -> Result<(Vec<String>, Vec<String>)> {
    let (tree, index) = (work_tree.find_commit(new)?.tree()?, work_tree.index().context("cannot read the index")?);
    let is_staged = |path: &Path, wanted: Oid| index.get_path(path, 0).is_some_and(|entry| entry.id == wanted);
    let (mut missing, mut unstaged) = (Vec::new(), Vec::new());
    for path in changed {
        let wanted = tree.get_path(Path::new(&path)).ok().map(|entry| entry.id());
        match wanted.filter(|wanted| is_written(work_tree, Path::new(&path), *wanted)) {
            Some(wanted) if is_staged(Path::new(&path), wanted) => {}
            Some(_) => unstaged.push(path),
            None => missing.push(path),
        }
    }
    Ok((missing, unstaged))
}

fn is_written(work_tree: &Repository, path: &Path, wanted: Oid) -> bool {
    let file = work_tree.workdir().map(|root| root.join(path)).filter(|file| file.is_file() && !file.is_symlink());
    file.is_some_and(|file| Oid::hash_file(ObjectType::Blob, file).is_ok_and(|id| id == wanted))
}

/// The main work tree and the linked ones; a bare repository may have linked ones only.
fn work_trees(repo: &Repository) -> Result<Vec<Repository>> {
    let mut found = vec![Repository::open(repo.commondir()).context("cannot open the repository")?];
    for name in repo.worktrees().context("cannot list work trees")?.iter() {
        let opened = name.ok().flatten().and_then(|name| repo.find_worktree(name).ok()).map(|tree| Repository::open_from_worktree(&tree));
        if let Some(Ok(linked)) = opened {
            found.push(linked);
        }
    }
    found.retain(|repo| !repo.is_bare());
    Ok(found)
}

/// The paths that differ between two commits; all of the second where there is no first.
pub(super) fn changed_paths(repo: &Repository, old: Option<Oid>, new: Oid) -> Result<Vec<String>> {
    let old = old.map(|id| repo.find_commit(id)?.tree()).transpose()?;
    let new = repo.find_commit(new)?.tree()?;
    let diff = repo.diff_tree_to_tree(old.as_ref(), Some(&new), Some(DiffOptions::new().include_typechange(true)))?;
    let mut paths = Vec::new();
    for delta in diff.deltas() {
        let path = delta.new_file().path().or(delta.old_file().path());
        let path = path.and_then(Path::to_str).context("a changed file's name is not UTF-8")?;
        paths.push(path.to_owned());
    }
    Ok(paths)
}
