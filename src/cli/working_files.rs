//! The team's repository as files that people edit: finding connectors, reading their folders, committing.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use git2::{Repository, RepositoryState, Status, StatusOptions};

use super::Door;
use super::failure::Failure;
use crate::model::{BundleFiles, Clock as _, CommitId, ConnectorName, Person, SystemClock};
use crate::settings::SiteLocation;
use crate::{manifest, repository};

/// A work tree of the team's repository.
pub struct WorkingFiles {
    /// Its root.
    pub root: PathBuf,
    /// Its files, as the repository's room writes and commits them.
    pub files: repository::WorkTree,
    /// Its git repository.
    pub git: Repository,
    /// The tracked branch.
    pub tracked: Option<String>,
}

impl WorkingFiles {
    /// Opens the work tree that the settings point at; `attempt` is what it is needed for.
    pub fn open(door: &Door, attempt: &str) -> Result<Self, Failure> {
        let site = door.site(attempt)?;
        let SiteLocation::Local { work_tree: Some(root), .. } = site.location else {
            return Err(Failure::refused(attempt, "the repository has no files to edit here")
                .hint("Clone it, run the command in the clone, and push."));
        };
        Ok(Self::at(&root, site.branch)?)
    }

    /// The work tree with this root.
    pub fn at(root: &Path, tracked: Option<String>) -> Result<Self> {
        let git = Repository::open(root).with_context(|| format!("cannot open the repository {}", root.display()))?;
        Ok(Self { root: root.to_path_buf(), files: repository::WorkTree::discover(root)?, git, tracked })
    }

    /// The names of all folders under `connectors/`, in order.
    pub fn connectors(&self) -> Result<Vec<String>> {
        let folder = self.root.join("connectors");
        let mut names = Vec::new();
        if folder.is_symlink() {
            bail!("{} is a symbolic link where a folder belongs", folder.display());
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(names),
            Err(error) => return Err(error).with_context(|| format!("cannot list {}", folder.display())),
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The connector of a name, or a refusal that says what was probably meant.
    pub fn find(&self, name: &str, attempt: &str) -> Result<ConnectorName, Failure> {
        let all = self.connectors()?;
        if let (true, Ok(found)) = (all.iter().any(|known| known == name), name.parse()) {
            return Ok(found);
        }
        Err(unknown_connector(name, attempt, all.iter().map(String::as_str)))
    }

    /// A connector's folder.
    pub fn folder(&self, connector: &str) -> PathBuf {
        self.root.join("connectors").join(connector)
    }

    /// A connector's manifest.
    pub fn manifest(&self, connector: &str) -> PathBuf {
        self.folder(connector).join(manifest::MANIFEST)
    }

    /// Who works here, by git's configuration.
    pub fn identity(&self) -> Option<Person> {
        self.files.identity()
    }

    /// Paths at or below `path` that are not as committed.
    pub fn uncommitted(&self, path: &str) -> Result<Vec<String>> {
        self.with_status(path, |status| *status != Status::CURRENT && !status.is_ignored())
    }

    /// Files at or below `path` that git ignores: nothing brings them back.
    pub fn ignored(&self, path: &str) -> Result<Vec<String>> {
        self.with_status(path, Status::is_ignored)
    }

    fn with_status(&self, path: &str, is_meant: fn(&Status) -> bool) -> Result<Vec<String>> {
        let mut options = StatusOptions::new();
        options.pathspec(path).disable_pathspec_match(true).include_untracked(true).recurse_untracked_dirs(true);
        options.include_ignored(true).recurse_ignored_dirs(true);
        let statuses = self.git.statuses(Some(&mut options)).context("cannot tell what is uncommitted")?;
        let meant = statuses.iter().filter(|entry| is_meant(&entry.status()));
        Ok(meant.filter_map(|entry| entry.path().ok().map(str::to_owned)).collect())
    }

    /// Makes the files that git knows below a folder these, and leaves those that it ignores alone.
    pub fn replace_known(&self, folder: &str, files: &BundleFiles) -> Result<()> {
        let index = self.git.index().context("cannot read the index")?;
        for entry in index.iter() {
            let Ok(path) = String::from_utf8(entry.path) else { continue };
            if path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).is_some_and(|file| files.get(file).is_none()) {
                self.files.remove_file(&path)?;
            }
        }
        files.iter().try_for_each(|(path, bytes)| self.files.write(&format!("{folder}/{path}"), bytes))
    }

    /// Refuses what could not be committed afterwards, to be asked before anything is written.
    pub fn refuse_uncommittable(&self, attempt: &str) -> Result<(), Failure> {
        let refused = |reason: String| Failure::refused(attempt, reason);
        if self.identity().is_none() {
            return Err(refused("git does not know who you are, so the change could not be committed".to_owned())
                .hint("Run `git config --global user.name NAME` and `git config --global user.email ADDRESS`."));
        }
        if self.git.state() != RepositoryState::Clean {
            return Err(refused("a merge or rebase is under way".to_owned()).hint("Finish or abort it first."));
        }
        let Some(branch) = self.branch() else {
            return Err(refused("HEAD names no branch to commit to".to_owned()).hint("Check one out first: `git switch BRANCH`."));
        };
        let locks = [self.git.path().join("index.lock"), self.git.commondir().join(format!("refs/heads/{branch}.lock"))];
        match locks.iter().find(|lock| lock.exists()) {
            Some(lock) => Err(refused(format!("another git process holds {}, so the change could not be committed", lock.display()))
                .hint("Try again when it is done. Where no git process runs any more, remove the file.")),
            None => Ok(()),
        }
    }

    /// Commits the files at and below `paths` as they are now, without what git ignores, and nothing else that may be staged.
    pub fn commit(&self, paths: &[&str], message: &str) -> Result<CommitId, Failure> {
        let author = self.files.required_identity()?;
        let mut changed = Vec::new();
        for path in paths {
            changed.extend(self.uncommitted(path)?);
        }
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        Ok(self.files.commit(&changed, &format!("{message}\n"), &author, SystemClock.now())?)
    }

    /// The branch that is checked out.
    pub fn branch(&self) -> Option<String> {
        let head = self.git.find_reference("HEAD").ok()?;
        Some(head.symbolic_target().ok().flatten()?.strip_prefix("refs/heads/")?.to_owned())
    }
}

/// A refusal for a connector that is not there.
pub fn unknown_connector<'n>(name: &str, attempt: &str, known: impl Iterator<Item = &'n str>) -> Failure {
    let known: Vec<&str> = known.collect();
    let failure = Failure::usage(attempt, format!("there is no connector `{name}`"));
    match manifest::nearest(name, known.iter().copied()) {
        Some(meant) => failure.hint(format!("Did you mean `{meant}`?")),
        None if known.is_empty() => failure.hint("There are no connectors yet; `switchboard new` adds one."),
        None => failure.hint(format!("There are: {}.", super::render::plan::listed(&known))),
    }
}

/// Reads a connector's folder as git would store it, by the limits of a commit.
pub fn read_folder(folder: &Path, is_ignored: &dyn Fn(&Path) -> bool) -> Result<BundleFiles> {
    repository::read_folder(folder, is_ignored).with_context(|| format!("cannot read {}", folder.display()))
}

/// Tells which files git ignores, for [`read_folder`].
pub fn ignored_by(root: &Path) -> impl Fn(&Path) -> bool + use<> {
    let repository = Repository::open(root).ok();
    move |path| repository.as_ref().is_some_and(|git| git.is_path_ignored(path).unwrap_or(false))
}
