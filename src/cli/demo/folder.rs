//! The demo's folder: a team's repository made from the quickstart, marked as the demo's own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::quickstart::FILES;
use crate::cli::failure::Failure;
use crate::manifest::schemas;

/// A file in the git directory that says whose folder this is.
const MARK: &str = "switchboard-demo";

/// The demo's folder.
pub struct Folder {
    root: PathBuf,
}

/// Whether the folder was made now or is an earlier demo's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Made now.
    Now,
    /// An earlier demo's.
    Earlier,
}

impl Folder {
    /// Makes the folder, or takes an earlier demo's; `afresh` begins that one anew. Refuses a folder that holds anything else.
    pub fn prepare(root: &Path, afresh: bool) -> Result<(Self, Made), Failure> {
        let folder = Self { root: root.to_owned() };
        let is_empty = match fs::read_dir(root) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => return Err(folder.refused(format!("cannot read it: {error}"))),
        };
        let is_own = root.join(".git").join(MARK).exists();
        match (is_empty, is_own) {
            (true, _) => {}
            (false, false) => return Err(folder.refused("it is not empty and no earlier demo's").hint("Name another folder.")),
            (false, true) if !afresh => return Ok((folder, Made::Earlier)),
            (false, true) => folder.clear()?,
        }
        folder.fill()?;
        Ok((folder, Made::Now))
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn clear(&self) -> Result<(), Failure> {
        if let Some(holder) = crate::daemon::Lease::holder(&self.root.join(crate::settings::STATE_FOLDER)) {
            return Err(self
                .refused(format!("an earlier demo ({holder}) is still at work in it"))
                .hint("Stop it first: press Ctrl-C where it runs."));
        }
        fs::remove_dir_all(&self.root).with_context(|| format!("cannot clear {}", self.root.display()))?;
        Ok(())
    }

    fn fill(&self) -> Result<()> {
        let repository = git2::Repository::init_opts(&self.root, git2::RepositoryInitOptions::new().initial_head("main").mkpath(true))
            .with_context(|| format!("cannot make a git repository in {}", self.root.display()))?;
        let mut config = repository.config().context("cannot configure the repository")?;
        config.set_str("user.name", "Alice").context("cannot configure the repository")?;
        config.set_str("user.email", "alice@example.com").context("cannot configure the repository")?;
        for (path, content) in FILES {
            self.write(path, &at_the_root(content))?;
        }
        for (name, schema) in schemas() {
            let text = serde_json::to_string_pretty(&schema).context("cannot write a schema")?;
            self.write(&format!("schemas/{name}"), format!("{text}\n").as_bytes())?;
        }
        self.commit(&repository, "Begin with three connectors")?;
        fs::write(repository.path().join(MARK), "").context("cannot mark the folder as the demo's")
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let file = self.root.join(path);
        let parent = file.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).and_then(|()| fs::write(&file, content)).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Adds a line to a file and commits it by hand, as somebody does who does not ask `switchboard` first.
    pub fn commit_by_hand(&self, path: &str, line: &str, message: &str) -> Result<()> {
        let mut content = self.read(path)?;
        content.push_str(line);
        self.write_and_commit(path, &content, message)
    }

    /// Puts other words into a file and commits it by hand.
    pub fn reword_by_hand(&self, path: &str, words: &str, others: &str, message: &str) -> Result<()> {
        self.write_and_commit(path, &self.read(path)?.replace(words, others), message)
    }

    fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("cannot read {path}"))
    }

    fn write_and_commit(&self, path: &str, content: &str, message: &str) -> Result<()> {
        self.write(path, content.as_bytes())?;
        let repository = git2::Repository::open(&self.root).context("cannot open the repository")?;
        self.commit(&repository, message)
    }

    fn commit(&self, repository: &git2::Repository, message: &str) -> Result<()> {
        let commit = || -> Result<(), git2::Error> {
            let mut index = repository.index()?;
            index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
            index.write()?;
            let tree = repository.find_tree(index.write_tree()?)?;
            let parent = repository.head().and_then(|head| head.peel_to_commit()).ok();
            let author = repository.signature()?;
            repository.commit(Some("HEAD"), &author, &author, message, &tree, &parent.iter().collect::<Vec<_>>())?;
            Ok(())
        };
        commit().with_context(|| format!("cannot commit in {}", self.root.display()))
    }

    fn refused(&self, reason: impl Into<String>) -> Failure {
        Failure::refused(format!("use {} for the demo", self.root.display()), reason)
    }
}

/// The example stands two folders below the schemas that its comments name, the demo's repository beside its own.
fn at_the_root(content: &[u8]) -> Vec<u8> {
    const COMMENT: &[u8] = b"# yaml-language-server: $schema=";
    match content.strip_prefix(COMMENT).and_then(|rest| rest.strip_prefix(b"../../")) {
        Some(rest) => [COMMENT, rest].concat(),
        None => content.to_owned(),
    }
}
