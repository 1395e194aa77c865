//! The bare mirror of a remote in the state folder: fetched anew on every look, written to only through the remote.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use git2::{Repository, RepositoryInitOptions};

use super::read::oid;
use super::tidy::tidy;
use super::transport::{Advert, GitOptions, Remote};
use super::{RefChange, RefUpdate, RemoteUrl, refs};

/// A mirror and the way to its remote.
#[derive(Debug)]
pub(super) struct Mirror {
    folder: PathBuf,
    remote: Remote,
    max_fetch: u64,
    /// One exchange with the remote at a time in this process; a file lock does the same between processes.
    turn: Mutex<()>,
}

impl Mirror {
    pub(super) fn new(url: &RemoteUrl, folder: &Path, options: &GitOptions) -> Result<Self> {
        let mirror =
            Self { folder: folder.to_owned(), remote: Remote::new(url, options)?, max_fetch: options.max_fetch, turn: Mutex::new(()) };
        mirror.open()?;
        Ok(mirror)
    }

    /// Opens the mirror, creating it where it is not there.
    pub(super) fn open(&self) -> Result<Repository> {
        if let Ok(repo) = Repository::open_bare(&self.folder) {
            return Ok(repo);
        }
        let attempt = || format!("cannot create the mirror at {}", self.folder.display());
        fs::create_dir_all(&self.folder).with_context(attempt)?;
        let mut options = RepositoryInitOptions::new();
        // The user's template could bring hooks and settings along.
        options.bare(true).external_template(false).initial_head("main");
        Repository::init_opts(&self.folder, &options).with_context(attempt)
    }

    /// Fetches, and makes the mirror's references those of the remote.
    pub(super) fn refresh(&self) -> Result<()> {
        self.exclusively(|repo| {
            let advert = self.remote.fetch(repo, self.max_fetch)?;
            adopt(repo, &advert)?;
            if let Err(error) = tidy(repo) {
                tracing::warn!(error = format!("{error:#}"), "the mirror could not be tidied");
            }
            Ok(())
        })
    }

    /// Moves references of the remote, then those of the mirror.
    pub(super) fn push(&self, changes: &[RefChange]) -> Result<RefUpdate> {
        refs::check(changes)?;
        self.exclusively(|repo| {
            let update = self.remote.push(repo, changes)?;
            match update {
                RefUpdate::Done => changes.iter().try_for_each(|change| follow(repo, change))?,
                RefUpdate::Stale(_) => {
                    let advert = self.remote.fetch(repo, self.max_fetch)?;
                    adopt(repo, &advert)?;
                }
            }
            Ok(update)
        })
    }

    fn exclusively<T>(&self, work: impl FnOnce(&Repository) -> Result<T>) -> Result<T> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let repo = self.open()?;
        let path = self.folder.join("switchboard.lock");
        let lock = File::create(&path).and_then(|file| file.lock().map(|()| file));
        let _lock = lock.with_context(|| format!("cannot lock {}", path.display()))?;
        work(&repo)
    }
}

fn follow(repo: &Repository, change: &RefChange) -> Result<()> {
    match &change.new {
        Some(new) => {
            repo.reference(&change.name, oid(new)?, true, "push").with_context(|| format!("cannot move {} in the mirror", change.name))?;
        }
        None => {
            if let Ok(mut reference) = repo.find_reference(&change.name) {
                reference.delete().with_context(|| format!("cannot delete {} in the mirror", change.name))?;
            }
        }
    }
    Ok(())
}

fn adopt(repo: &Repository, advert: &Advert) -> Result<()> {
    let shallow = repo.path().join("shallow");
    if advert.shallow.is_empty() {
        fs::remove_file(&shallow).ok();
    } else {
        let lines: String = advert.shallow.iter().map(|id| format!("{id}\n")).collect();
        fs::write(&shallow, lines).context("cannot note where the remote's history begins")?;
    }
    let held = refs::readable(repo, "refs/")?;
    // First what goes: a branch `a` must make room before `a/b` can come.
    for name in held.keys() {
        if !advert.refs.contains_key(name) {
            repo.find_reference(name)?.delete().with_context(|| format!("cannot delete {name} in the mirror"))?;
        }
    }
    for (name, id) in &advert.refs {
        if held.get(name).is_none_or(|held| held.as_str() != id.to_string()) {
            repo.reference(name, *id, true, "fetch").with_context(|| format!("cannot move {name} in the mirror"))?;
        }
    }
    if let Some(branch) = &advert.head_branch
        && refs::head_branch(repo)?.as_ref() != Some(branch)
    {
        repo.reference_symbolic("HEAD", branch, true, "fetch").context("cannot move the mirror's HEAD")?;
    }
    Ok(())
}
