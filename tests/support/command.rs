//! Runs the real binary in a folder of its own, with nothing of the user's environment or git configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A home folder and, beside it, a team's repository that `init` made.
pub struct Team {
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Team {
    /// A fresh repository, as `init` leaves it, where git knows Alice.
    pub fn new() -> Self {
        let team = Self::nowhere();
        team.run_in(team.folder.path(), &["init", "team"]).done();
        team
    }

    /// A home folder where git knows Alice, and no repository.
    pub fn nowhere() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let team = Self { folder };
        fs::create_dir(team.home()).unwrap();
        team.identify("Alice", "alice@example.com");
        team
    }

    /// Makes git know somebody else, or nobody where the name is empty.
    pub fn identify(&self, name: &str, email: &str) {
        let config = if name.is_empty() { String::new() } else { format!("[user]\n  name = {name}\n  email = {email}\n") };
        fs::write(self.home().join(".gitconfig"), config).unwrap();
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder that holds home and repository.
    pub fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// The repository's root.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("team")
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    /// Replaces a text that occurs in a file.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let before = self.read(path);
        assert!(before.contains(from), "{path} does not hold {from:?}");
        self.write(path, before.replace(from, to));
    }

    /// Runs the command in the repository.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in(&self.root(), arguments)
    }

    pub fn run_in(&self, folder: &Path, arguments: &[&str]) -> Ran {
        self.run_with(folder, arguments, &[])
    }

    pub fn run_with(&self, folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(folder, arguments);
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*self.folder.path().canonicalize().unwrap().to_string_lossy(), "[tmp]");
        Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The command, ready to be started.
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        command.env_clear().env("HOME", self.home()).env("XDG_CONFIG_HOME", self.home()).env("PATH", "/usr/bin:/bin");
        command
    }

    /// The repository, through git itself.
    pub fn git(&self) -> git2::Repository {
        git2::Repository::open(self.root()).unwrap()
    }

    /// Commits everything as it is.
    pub fn commit_all(&self, message: &str) {
        self.commit_all_as("Alice", message);
    }

    /// Commits everything as it is, by somebody of the team.
    pub fn commit_all_as(&self, name: &str, message: &str) {
        let git = self.git();
        let mut index = git.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::new(name, &format!("{}@example.com", name.to_lowercase()), &git2::Time::new(1_767_322_000, 0)).unwrap();
        let parent = git.head().unwrap().peel_to_commit().unwrap();
        git.commit(Some("HEAD"), &who, &who, message, &tree, &[&parent]).unwrap();
    }

    /// The newest commit's message and the paths it changed.
    pub fn last_commit(&self) -> (String, Vec<String>) {
        let git = self.git();
        let commit = git.head().unwrap().peel_to_commit().unwrap();
        let parent = commit.parent(0).ok().map(|parent| parent.tree().unwrap());
        let difference = git.diff_tree_to_tree(parent.as_ref(), Some(&commit.tree().unwrap()), None).unwrap();
        let path = |delta: git2::DiffDelta<'_>| delta.new_file().path().unwrap().to_string_lossy().into_owned();
        (commit.message().unwrap().trim().to_owned(), difference.deltas().map(path).collect())
    }

    /// Paths that are not as committed.
    pub fn dirty(&self) -> Vec<String> {
        let git = self.git();
        let mut options = git2::StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true);
        git.statuses(Some(&mut options)).unwrap().iter().map(|entry| entry.path().unwrap().to_owned()).collect()
    }
}

impl Ran {
    #[track_caller]
    fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// It did what was asked, and nothing is wrong.
    #[track_caller]
    pub fn done(self) -> Self {
        self.with_code(0)
    }

    /// It found something, or refused.
    #[track_caller]
    pub fn failed(self) -> Self {
        self.with_code(1)
    }

    /// The command line was wrong; for `plan --detailed-exitcode`: changes are pending.
    #[track_caller]
    pub fn two(self) -> Self {
        self.with_code(2)
    }

    /// The result as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}:\n{}", self.out))
    }
}

/// A team with one connector that was taken as far as named, each step by `apply`.
impl Team {
    /// A connector `crm`, committed.
    pub fn with_crm() -> Self {
        let team = Self::new();
        team.run(&["new", "crm", "--kind", "self-built", "--commit"]).done();
        team
    }

    /// `crm` in review #1.
    pub fn in_review() -> Self {
        let team = Self::with_crm();
        team.run(&["publish", "crm", "--commit"]).done();
        team.run(&["apply"]).done();
        team
    }

    /// `crm` published as 0.1.0.
    pub fn published() -> Self {
        let team = Self::in_review();
        team.run(&["review", "approve", "1", "--by", "bob@example.com"]).done();
        team.run(&["apply"]).done();
        team
    }

    /// The stage that `list` shows for a connector.
    #[track_caller]
    pub fn stage(&self, connector: &str) -> String {
        let json = self.run(&["list", "--output", "json"]).done().json();
        let found = json.as_array().unwrap().iter().find(|standing| standing["connector"] == connector).cloned();
        found.unwrap_or_else(|| panic!("{connector} is not listed: {json}"))["stage"].as_str().unwrap().to_owned()
    }
}
