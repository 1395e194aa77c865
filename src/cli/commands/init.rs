//! `init`: makes a ready team's repository, or completes one; what is there already is left alone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Human;
use crate::cli::working_files::WorkingFiles;
use crate::{manifest, repository};

/// Flags of `init`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder; it is made where it does not exist
    #[arg(default_value = ".")]
    path: PathBuf,

    /// Write the files, but commit nothing
    #[arg(long)]
    no_commit: bool,
}

/// What was made.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made {
    repository: PathBuf,
    files: Vec<String>,
    commit: Option<crate::model::CommitId>,
    #[serde(skip)]
    given: PathBuf,
}

impl Human for Made {
    fn human(&self) -> String {
        let mut text = if self.files.is_empty() {
            format!("{} is a team's repository already; nothing to do.\n", self.given.display())
        } else {
            let files: String = self.files.iter().map(|file| format!("  {file}\n")).collect();
            format!("Made a team's repository in {}:\n{files}", self.given.display())
        };
        if self.commit.is_none() && !self.files.is_empty() {
            text.push_str("Not committed yet: commit the files to begin.\n");
        }
        let change_folder = if self.given == Path::new(".") { String::new() } else { format!("cd {} && ", self.given.display()) };
        text.push_str(&format!("Next: {change_folder}switchboard new NAME --kind saas\n"));
        text
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let attempt = format!("make a team's repository in {}", arguments.path.display());
    let root = door.settings.resolve(&arguments.path).map_err(|reason| Failure::usage(&attempt, reason))?;
    if root.exists() && !root.is_dir() {
        return Err(Failure::usage(attempt, "it is a file").hint("Name a folder, or one that does not exist yet."));
    }
    make_repository(&root, &attempt)?;
    let work_tree = WorkingFiles::at(&root, None)?;
    let administrator = work_tree.identity().map_or_else(String::new, |person| person.email().to_owned());
    let is_first_commit = work_tree.git.head().is_err();
    let files = write_files(&work_tree, &administrator)?;
    let paths: Vec<&str> = files.iter().map(String::as_str).collect();
    let commit = match (arguments.no_commit, files.is_empty(), work_tree.identity()) {
        (true, _, _) | (_, true, _) => None,
        (false, false, None) => {
            door.shell.warn("git does not know who you are, so nothing was committed; set user.name and user.email, then commit");
            None
        }
        (false, false, Some(_)) if is_first_commit => Some(work_tree.commit(&paths, "Begin the team's connectors")?),
        (false, false, Some(_)) => Some(work_tree.commit(&paths, "Add what Switchboard needs")?),
    };
    door.shell.result(&Made { repository: root, files, commit, given: arguments.path })?;
    Ok(Outcome::Done)
}

/// Makes sure that this folder is a repository's root. A folder inside another repository is refused: Switchboard reads whole repositories.
fn make_repository(root: &Path, attempt: &str) -> Result<(), Failure> {
    let nearest = root.ancestors().find(|folder| folder.exists()).unwrap_or(root);
    match git2::Repository::discover(nearest) {
        Ok(git) if git.workdir().is_some_and(|found| found.canonicalize().ok() == root.canonicalize().ok()) => Ok(()),
        Ok(git) if git.is_bare() => Err(Failure::refused(attempt, "it is a bare repository, which has no files to edit")
            .hint("Clone it, run `switchboard init` in the clone, and push.")),
        Ok(git) => {
            let around = git.workdir().unwrap_or(git.path()).display().to_string();
            Err(Failure::refused(attempt, format!("it is inside the repository {around}"))
                .hint("Switchboard reads whole repositories: run `switchboard init` at the repository's root, or elsewhere."))
        }
        Err(_) => {
            fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
            repository::WorkTree::init(root)?;
            Ok(())
        }
    }
}

/// Writes what is not there yet and tells which files those were.
fn write_files(work_tree: &WorkingFiles, administrator: &str) -> Result<Vec<String>> {
    let config = include_str!("template/switchboard.yaml").replace("{{administrator}}", administrator);
    let mut wanted = vec![
        (manifest::CONFIG.to_owned(), config),
        ("README.md".to_owned(), include_str!("template/README.md").to_owned()),
        ("connectors/.gitkeep".to_owned(), String::new()),
    ];
    for (name, schema) in manifest::schemas() {
        wanted.push((format!("schemas/{name}"), format!("{schema:#}\n")));
    }
    let mut written = Vec::new();
    for (path, content) in wanted {
        if work_tree.root.join(&path).exists() {
            continue;
        }
        work_tree.files.write(&path, content.as_bytes())?;
        written.push(path);
    }
    written.extend(ignore_state(work_tree)?);
    Ok(written)
}

/// State stands beside the git directory and must never be committed.
fn ignore_state(work_tree: &WorkingFiles) -> Result<Option<String>> {
    let before = fs::read_to_string(work_tree.root.join(".gitignore")).unwrap_or_default();
    if before.lines().any(|line| matches!(line.trim().trim_start_matches('/'), ".switchboard" | ".switchboard/")) {
        return Ok(None);
    }
    let line_end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let content = format!("{before}{line_end}# The state of a local Switchboard: disposable, never committed.\n.switchboard/\n");
    work_tree.files.write(".gitignore", content.as_bytes())?;
    Ok(Some(".gitignore".to_owned()))
}
