//! `test --watch`: runs what a change of the files affects, until it is told to stop. It neither reads nor keeps evidence: what is saved
//! on the way is nobody's news, and runs again in no time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use owo_colors::OwoColorize as _;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::selection::narrowed;
use super::{LISTED, jobs, told};
use crate::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::{Format, Human as _};
use crate::cli::render::coverage::CoverageShown;
use crate::cli::render::evidence::Detail;
use crate::cli::render::{columns::one_line, paint};
use crate::cli::stop::Stop;
use crate::cli::tested::{Shown, Tested};
use crate::cli::working_files::WorkingFiles;
use crate::harness::{AbortedRun, Job, Workers};
use crate::manifest::Selection;
use crate::model::{Clock as _, Digest, Evidence, Problem, SystemClock};
use crate::repository::{Edited, Edits};

pub(super) async fn run(work_tree: WorkingFiles, names: Vec<String>, selection: Selection, shows: CoverageShown, door: &Door) -> Ended {
    if door.report.is_some() {
        return Err(Failure::usage("test --watch", "a report is about one run").hint("Use `--output json`, which has a line for each run."));
    }
    let stop = Stop::listen()?.asked;
    let mut edits = Edits::start(&work_tree.root)?;
    door.shell.note("Watching connectors/. Stop with Ctrl-C.");
    let workers = Arc::new(Workers::new(assemble::workers(&door.settings)?));
    let only = (!names.is_empty()).then(|| names.into_iter().collect());
    let mut watch = Watching {
        door,
        work_tree,
        only,
        selection,
        shows,
        workers,
        known: BTreeMap::new(),
        running: BTreeMap::new(),
        runs: JoinSet::new(),
        batch: None,
    };
    watch.look(&Edited::All)?;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Outcome::Done),
            edited = edits.next() => watch.look(&edited)?,
            Some(ended) = watch.runs.join_next() => watch.ended(ended)?,
        }
    }
}

/// What of a connector was looked at last.
#[derive(Clone, PartialEq, Eq)]
enum Content {
    Readable(Digest),
    Unreadable(Vec<Problem>),
}

/// The runs that one change led to, until all of them have ended.
#[derive(Default)]
struct Batch {
    evidence: Vec<Shown>,
    problems: Vec<Problem>,
}

struct Watching<'d> {
    door: &'d Door,
    work_tree: WorkingFiles,
    /// The connectors that people want to be told of; `None`: all of them.
    only: Option<BTreeSet<String>>,
    selection: Selection,
    shows: CoverageShown,
    workers: Arc<Workers>,
    known: BTreeMap<String, Content>,
    running: BTreeMap<String, AbortHandle>,
    runs: JoinSet<Result<Evidence, AbortedRun>>,
    batch: Option<Batch>,
}

impl Watching<'_> {
    /// Looks at what has changed, ends the runs of old content, and begins those of new content. What is read as before is left alone.
    fn look(&mut self, edited: &Edited) -> Result<(), Failure> {
        let there: BTreeSet<String> = match self.work_tree.connectors() {
            Ok(names) => names.into_iter().filter(|name| self.only.as_ref().is_none_or(|only| only.contains(name))).collect(),
            Err(error) => {
                self.door.shell.warn(format!("{error:#}"));
                return Ok(());
            }
        };
        let gone: Vec<String> = self.known.keys().filter(|name| !there.contains(*name)).cloned().collect();
        for name in &gone {
            self.forget(name);
        }
        let mut began = Vec::new();
        for name in there {
            if matches!(edited, Edited::Some(names) if !names.contains(&name)) {
                continue;
            }
            let (jobs, problems) = jobs::read(&self.work_tree, std::slice::from_ref(&name));
            let read = jobs.into_iter().next();
            let content = read.as_ref().map_or_else(|| Content::Unreadable(problems), |(job, _)| Content::Readable(job.digest));
            let job = read.and_then(|(job, suites)| narrowed(&self.selection, job, &suites));
            if self.known.get(&name) != Some(&content) {
                self.forget(&name);
                self.known.insert(name.clone(), content.clone());
                began.push((name, content, job));
            }
        }
        self.begin(began, &gone)
    }

    fn forget(&mut self, name: &str) {
        self.known.remove(name);
        if let Some(run) = self.running.remove(name) {
            run.abort();
        }
    }

    fn begin(&mut self, changed: Vec<(String, Content, Option<Job>)>, gone: &[String]) -> Result<(), Failure> {
        if changed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.tell(&heading(&changed, gone))?;
        let mut batch = self.batch.take().unwrap_or_default();
        // What is run anew is told of once.
        batch.evidence.retain(|shown| !changed.iter().any(|(name, ..)| name == shown.evidence.connector.as_str()));
        batch.problems.retain(|problem| !changed.iter().any(|(name, ..)| problem.place.file.split('/').nth(1) == Some(name)));
        for (name, content, job) in changed {
            if let Content::Unreadable(problems) = content {
                batch.problems.extend(problems);
            }
            if let Some(job) = job {
                let workers = Arc::clone(&self.workers);
                let run = self.runs.spawn(async move { workers.run(job).await });
                self.running.insert(name, run);
            }
        }
        self.batch = Some(batch);
        self.rest()
    }

    fn ended(&mut self, ended: Result<Result<Evidence, AbortedRun>, JoinError>) -> Result<(), Failure> {
        match ended {
            // It was of content that is not there any more.
            Err(_) => return Ok(()),
            Ok(Err(aborted)) => {
                self.running.remove(aborted.connector.as_str());
                self.door.shell.warn(aborted.to_string());
            }
            Ok(Ok(evidence)) if self.known.get(evidence.connector.as_str()) != Some(&Content::Readable(evidence.digest)) => return Ok(()),
            Ok(Ok(evidence)) => {
                self.running.remove(evidence.connector.as_str());
                let detail = if self.known.len() <= LISTED || self.door.is_verbose { Detail::Cases } else { Detail::Counts };
                let one = Shown { evidence, reused: false };
                self.tell(&told(&one, detail, self.shows))?;
                self.batch.get_or_insert_default().evidence.push(one);
            }
        }
        self.rest()
    }

    /// Sums up once nothing runs any more.
    fn rest(&mut self) -> Result<(), Failure> {
        if !self.running.is_empty() {
            return Ok(());
        }
        let Some(batch) = self.batch.take() else { return Ok(()) };
        let tested = Tested::new(batch.evidence, batch.problems);
        match self.door.shell.format {
            Format::Human if tested.evidence.is_empty() && tested.problems.is_empty() => {}
            Format::Human => self.door.shell.text(&format!("{}\n", tested.human()))?,
            Format::Json => {
                let value = serde_json::to_value(&tested).map_err(anyhow::Error::from)?;
                self.door.shell.line(&value)?;
            }
        }
        Ok(())
    }

    /// Tells people; programs get a line in the end.
    fn tell(&self, text: &str) -> Result<(), Failure> {
        match self.door.shell.format {
            Format::Human => Ok(self.door.shell.text(text)?),
            Format::Json => Ok(()),
        }
    }
}

/// When, and what.
fn heading(changed: &[(String, Content, Option<Job>)], gone: &[String]) -> String {
    const NAMED: usize = 5;
    let names: Vec<&str> = changed.iter().map(|(name, ..)| name.as_str()).collect();
    let mut text = format!("{}", format!("{:.0}", SystemClock.now()).style(paint::FAINT));
    let testing = match names.len() {
        0 => String::new(),
        1..=NAMED => format!("  testing {}", one_line(&names.join(", "))),
        count => format!("  testing {count} connectors"),
    };
    text.push_str(&testing);
    if !gone.is_empty() {
        let _ = write!(text, "  {} gone", one_line(&gone.join(", ")));
    }
    text + "\n"
}
