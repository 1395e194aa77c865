//! `validate`: finds every problem in every file, in the working files or at a commit. Needs no database and no network.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use owo_colors::OwoColorize as _;
use serde::Serialize;

use crate::check::{self, OpenSecrets};
use crate::cli::at_commit::Commit;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Human;
use crate::cli::render::{paint, problems};
use crate::cli::working_files::{WorkingFiles, ignored_by, read_folder};
use crate::cli::{Door, progress};
use crate::manifest::{self, Config, ConnectionValues, Document, Ordered, Property, code};
use crate::model::{BundleFiles, Place, Problem};
use crate::repository::ReadError;

/// Flags of `validate`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connectors [default: all of them, and every other file Switchboard reads]
    #[arg(value_name = "CONNECTOR")]
    connectors: Vec<String>,

    /// Validate a commit, branch or tag instead of the working files
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
}

/// What was found.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// How many connectors were read.
    pub connectors: usize,
    /// How many problems block.
    pub errors: usize,
    /// How many do not.
    pub warnings: usize,
    /// All of them, by place.
    pub problems: Vec<Problem>,
    /// The files with problems, for excerpts.
    #[serde(skip)]
    pub sources: BTreeMap<String, Vec<u8>>,
    /// The connection properties of each connector that could be read.
    #[serde(skip)]
    properties: BTreeMap<String, Ordered<Property>>,
    /// The values of connections, which are held against those properties in the end.
    #[serde(skip)]
    values: Vec<(ConnectionValues, Document)>,
}

impl Findings {
    fn add(&mut self, problems: Vec<Problem>, source: impl Fn(&str) -> Option<Vec<u8>>) {
        for problem in &problems {
            if !self.sources.contains_key(&problem.place.file)
                && let Some(bytes) = source(&problem.place.file)
            {
                self.sources.insert(problem.place.file.clone(), bytes);
            }
        }
        self.problems.extend(problems);
    }

    fn join(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.sources.extend(other.sources);
        self.properties.extend(other.properties);
        self.values.extend(other.values);
    }

    /// A connector's files.
    fn add_bundle(&mut self, name: &str, files: &BundleFiles) {
        let (problems, bundle) = check::of_files(name, files);
        self.add(problems, |file| in_bundle(name, files, file));
        if let Some(bundle) = bundle {
            let properties = bundle.manifest.connection.map(|connection| connection.properties).unwrap_or_default();
            self.properties.insert(name.to_owned(), properties);
        }
    }

    /// A file of a connection's values.
    fn add_values(&mut self, file: &str, bytes: &[u8]) {
        match ConnectionValues::read(file, bytes) {
            Ok(read) => self.values.push(read),
            Err(problems) => self.add(problems, |_| Some(bytes.to_vec())),
        }
    }

    /// What is wrong with values. Their lines are not shown: a secret may stand in them.
    fn judge_values(&mut self) {
        for (values, document) in std::mem::take(&mut self.values) {
            let name = document.file().rsplit('/').next().and_then(|name| name.strip_suffix(".yaml"));
            if let Some(properties) = name.and_then(|name| self.properties.get(name)) {
                self.problems.extend(check::values(properties, &values, &document, OpenSecrets::Refused));
            }
        }
    }

    /// Sorts and counts.
    fn finish(mut self, connectors: usize) -> Self {
        self.judge_values();
        self.problems.sort_by(|a, b| (&a.place, &a.code).cmp(&(&b.place, &b.code)));
        self.connectors = connectors;
        self.errors = self.problems.iter().filter(|problem| problem.is_error()).count();
        self.warnings = self.problems.len() - self.errors;
        self
    }
}

impl Human for Findings {
    fn human(&self) -> String {
        let mut text: String =
            self.problems.iter().map(|found| problems::problem(found, self.sources.get(&found.place.file).map(Vec::as_slice))).collect();
        let connectors = if self.connectors == 1 { "1 connector".to_owned() } else { format!("{} connectors", self.connectors) };
        let style = match (self.errors, self.warnings) {
            (0, 0) => paint::GOOD,
            (0, _) => paint::WARN,
            (_, _) => paint::BAD,
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{connectors}: {}.\n", problems::counted(self.errors, self.warnings).style(style)));
        text
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let work_tree = WorkingFiles::open(door, "validate the working files")?;
    let findings = match &arguments.rev {
        Some(rev) => at_commit(&work_tree, rev, &arguments.connectors).await?,
        None => working_files(door, &work_tree, &arguments.connectors)?,
    };
    door.shell.result(&findings)?;
    Ok(if findings.errors > 0 { Outcome::Findings } else { Outcome::Done })
}

fn working_files(door: &Door, work_tree: &WorkingFiles, chosen: &[String]) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let names = if chosen.is_empty() {
        findings.join(other_files(&work_tree.root)?);
        work_tree.connectors()?
    } else {
        for name in chosen {
            work_tree.find(name, &format!("validate {name}"))?;
        }
        chosen.to_vec()
    };
    let bar = progress::bar(door.shell, "Validating", names.len());
    let root = work_tree.root.as_path();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(findings);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(names.len()) {
            scope.spawn(|| {
                let is_ignored = ignored_by(root);
                let mut found = Findings::default();
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    connector(root, name, &is_ignored, &mut found);
                    bar.inc(1);
                }
                all.lock().unwrap_or_else(PoisonError::into_inner).join(found);
            });
        }
    });
    bar.finish_and_clear();
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner).finish(names.len()))
}

fn connector(root: &Path, name: &str, is_ignored: &dyn Fn(&Path) -> bool, found: &mut Findings) {
    match read_folder(&root.join("connectors").join(name), is_ignored) {
        Ok(files) => found.add_bundle(name, &files),
        Err(error) => {
            found.problems.push(unreadable(name, &error));
        }
    }
}

/// The problem of a connector's folder that cannot be read.
pub(super) fn unreadable(name: &str, error: &impl std::fmt::Display) -> Problem {
    let place = Place::file(format!("connectors/{name}/{}", manifest::MANIFEST));
    Problem::error(code::OBJECT_UNREADABLE, place, format!("the folder cannot be read: {error:#}"))
}

/// Everything that is wrong with one connector.
pub fn problems_of(name: &str, files: &BundleFiles) -> Vec<Problem> {
    check::of_files(name, files).0
}

fn in_bundle(name: &str, files: &BundleFiles, file: &str) -> Option<Vec<u8>> {
    let path = file.strip_prefix("connectors/")?.strip_prefix(name)?.strip_prefix('/')?;
    files.get(path).map(<[u8]>::to_vec)
}

/// What else Switchboard reads: `switchboard.yaml`, the values of connections and the release records.
fn other_files(root: &Path) -> Result<Findings> {
    let mut findings = Findings::default();
    let whole = |findings: &mut Findings, found: Option<Vec<Problem>>, bytes: &[u8]| {
        findings.add(found.unwrap_or_default(), |_| Some(bytes.to_vec()));
    };
    other_file(&mut findings, root, manifest::CONFIG, |findings, bytes| whole(findings, Config::read(bytes).err(), bytes))?;
    if !root.join(manifest::CONFIG).exists() {
        findings.problems.push(no_config());
    }
    for file in files_below(&mut findings, root, "connections") {
        other_file(&mut findings, root, &file, |findings, bytes| findings.add_values(&file, bytes))?;
    }
    for file in files_below(&mut findings, root, "releases") {
        other_file(&mut findings, root, &file, |findings, bytes| whole(findings, manifest::release::read(&file, bytes).err(), bytes))?;
    }
    Ok(findings)
}

fn no_config() -> Problem {
    Problem::warning(code::NO_CONFIG, Place::file(manifest::CONFIG), "there is no switchboard.yaml, so the usual policy applies")
        .hint("`switchboard init` writes one.")
}

/// Reads a file where there is one; what a link leads to is not read, as it is not in git.
fn other_file(findings: &mut Findings, root: &Path, file: &str, add: impl Fn(&mut Findings, &[u8])) -> Result<()> {
    let path = root.join(file);
    if path.is_symlink() {
        findings.problems.push(linked(file, "file"));
    } else if path.is_file() {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {file}"))?;
        add(findings, &bytes);
    }
    Ok(())
}

fn linked(path: &str, what: &str) -> Problem {
    let problem = Problem::error(code::OUT_OF_PLACE, Place::file(path), format!("a symbolic link where a {what} belongs"));
    problem.hint(format!("Put the {what} itself there; what a link leads to is not read."))
}

/// The YAML files two levels below a folder, from the root, links among them; a folder that is a link is a problem.
fn files_below(findings: &mut Findings, root: &Path, folder: &str) -> Vec<String> {
    let list = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(root.join(path)).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).map(|name| format!("{path}/{name}")).collect()
    };
    let is_linked = |path: &String| root.join(path).is_symlink();
    let folders = if is_linked(&folder.to_owned()) { vec![folder.to_owned()] } else { list(folder) };
    let (linked_folders, folders): (Vec<_>, Vec<_>) = folders.into_iter().partition(is_linked);
    findings.problems.extend(linked_folders.iter().map(|path| linked(path, "folder")));
    let is_wanted = |file: &String| file.ends_with(".yaml") && (is_linked(file) || root.join(file).is_file());
    folders.iter().flat_map(|inner| list(inner)).filter(is_wanted).collect()
}

async fn at_commit(work_tree: &WorkingFiles, rev: &str, chosen: &[String]) -> Result<Findings, Failure> {
    let commit = Commit::find(work_tree, rev)?;
    let bundles = commit.bundles(chosen).await?;
    let mut findings = Findings::default();
    if chosen.is_empty() {
        findings.join(other_files_at(&commit).await?);
    }
    let count = bundles.len();
    for (name, files) in bundles {
        match files {
            Ok(files) => findings.add_bundle(&name, &files),
            Err(error) => {
                findings.problems.push(unreadable(&name, &error));
            }
        }
    }
    Ok(findings.finish(count))
}

/// What else Switchboard reads, at a commit.
async fn other_files_at(commit: &Commit) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut oddities = commit.oddities().await?;
    match commit.file(manifest::CONFIG).await? {
        Some(bytes) => findings.add(Config::read(&bytes).err().unwrap_or_default(), |_| Some(bytes.clone())),
        None if oddities.iter().any(|odd| odd.path == manifest::CONFIG) => {}
        None => findings.problems.push(no_config()),
    }
    let (connections, more) = commit.files_below("connections").await?;
    oddities.extend(more);
    let (releases, _) = commit.files_below("releases").await?;
    for (file, content) in connections.into_iter().chain(releases) {
        match content {
            Ok(_) if !file.ends_with(".yaml") => {}
            Ok(bytes) if file.starts_with("connections/") => findings.add_values(&file, &bytes),
            Ok(bytes) => findings.add(manifest::release::read(&file, &bytes).err().unwrap_or_default(), |_| Some(bytes.clone())),
            Err(ReadError::Refused(odd)) => findings.problems.push(Problem::error(code::OUT_OF_PLACE, Place::file(file), odd.reason)),
            Err(error @ ReadError::Unreadable(_)) => {
                findings.problems.push(Problem::error(code::OBJECT_UNREADABLE, Place::file(file), error.to_string()));
            }
        }
    }
    findings.problems.extend(oddities.into_iter().map(|odd| Problem::error(code::OUT_OF_PLACE, Place::file(odd.path), odd.reason)));
    Ok(findings)
}
