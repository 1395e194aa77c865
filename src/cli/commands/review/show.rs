//! `review show`: the reviewer's whole case: the record, the difference from the version published before, the check report,
//! the test evidence, and what happened so far. All of it about the review's own content, whatever was committed since.

use std::fmt::Write as _;

use anyhow::Result;
use owo_colors::OwoColorize as _;
use serde::Serialize;

use super::unknown;
use crate::assemble::Assembled;
use crate::check;
use crate::cli::Door;
use crate::cli::failure::Failure;
use crate::cli::output::{Format, Human};
use crate::cli::render::columns::{Columns, harmless, one_line};
use crate::cli::render::{self, paint};
use crate::forge::LocalReview;
use crate::manifest::{Bundle, release};
use crate::model::{BundleFiles, ENGINE_LEVEL, Evidence, Problem, Release, Review, ReviewId, Status, Version};
use crate::pass;
use crate::planning::{Held, Snapshot};
use crate::registry::PublishedVersion;

/// The reviewer's case.
#[derive(Serialize, schemars::JsonSchema)]
pub(in crate::cli::commands) struct Case {
    review: Review,
    title: String,
    record: String,
    /// The version that it would replace in production; once it is closed, the one that production held when it was opened.
    replaces: Option<Version>,
    difference: String,
    report: Vec<Problem>,
    evidence: Option<Evidence>,
    /// Paths that somebody changed on the branch since the review was opened.
    added: Vec<String>,
    history: Vec<Entry>,
}

/// One thing that happened to the review.
#[derive(Serialize, schemars::JsonSchema)]
struct Entry {
    #[schemars(with = "String", extend("format" = "date-time"))]
    at: jiff::Timestamp,
    by: String,
    what: String,
}

pub(super) async fn run(assembled: &Assembled, door: &Door, id: ReviewId) -> Result<(), Failure> {
    let attempt = format!("show review {id}");
    let found = assembled.forge.get(id).await?.ok_or_else(|| unknown(&attempt))?;
    let mut case = case(assembled, found).await?;
    if door.shell.format == Format::Json {
        case.difference = anstream::adapter::strip_str(&case.difference).to_string();
    }
    Ok(door.shell.result(&case)?)
}

async fn case(assembled: &Assembled, found: LocalReview) -> Result<Case> {
    let (snapshot, _) = pass::preview(&assembled.world, &mut assembled.onlooker()).await?;
    let added = if found.review.is_open() { assembled.forge.added_paths(&found).await? } else { Vec::new() };
    let LocalReview { review, title, record, .. } = found;
    let content = assembled.world.registry.bundle(&review.digest).await?;
    let held = if review.is_open() { held_now(&snapshot, &review) } else { held_before(assembled, &review, &record).await? };
    let before = match &held {
        Some(held) => assembled.world.registry.bundle(&held.digest).await?,
        None => None,
    };
    let history = assembled.forge.history(review.id).await?;
    let evidence = assembled.world.store.evidence(&review.digest, ENGINE_LEVEL, 1).await?.pop();
    let entry = |commit: crate::repository::CommitSummary| Entry { at: commit.at, by: commit.author.to_string(), what: commit.message };
    Ok(Case {
        title,
        record,
        replaces: held.map(|held| held.version),
        difference: render::difference::bundles(before.as_ref(), content.as_ref()),
        report: content.as_ref().map(|files| report(&review, files, evidence.as_ref())).unwrap_or_default(),
        added,
        evidence,
        history: history.into_iter().rev().map(entry).collect(),
        review,
    })
}

/// What production holds, where that is other content.
fn held_now(snapshot: &Snapshot, review: &Review) -> Option<Held> {
    let holdings = &snapshot.connectors.get(&review.connector)?.holdings;
    snapshot.policy.production.iter().find_map(|name| holdings.get(name)).filter(|held| held.digest != review.digest).cloned()
}

/// What production held when the review was opened, by its record.
async fn held_before(assembled: &Assembled, review: &Review, record: &str) -> Result<Option<Held>> {
    let path = Release::path(&review.connector, &review.version);
    let Some(version) = release::read(&path, record.as_bytes()).ok().and_then(|release| release.replaces) else { return Ok(None) };
    let published = assembled.world.registry.actual_of(&review.connector).await?.published;
    let found = published.into_iter().find(|published| published.version == version);
    Ok(found.map(|PublishedVersion { version, digest, .. }| Held { version, digest }))
}

fn report(review: &Review, files: &BundleFiles, evidence: Option<&Evidence>) -> Vec<Problem> {
    match Bundle::read(review.connector.as_str(), files) {
        Ok(mut bundle) => {
            // The registry keeps the content as it was first deployed; what is asked for here is to publish it.
            bundle.manifest.status = Status::Published;
            let report = check::report(&bundle);
            match evidence {
                Some(evidence) => check::with_untested(report, &review.connector, &evidence.coverage),
                None => report,
            }
        }
        Err(problems) => problems,
    }
}

impl Human for Case {
    fn human(&self) -> String {
        let (state, style) = render::connectors::review_state(&self.review.state);
        let mut text = format!("{} {}  {}\n", "Review".style(paint::STRONG), self.review.id.style(paint::STRONG), one_line(&self.title));
        let mut facts = Columns::default();
        facts.row([("state".to_owned(), paint::FAINT), (state, style)]);
        facts.row([("asked for by".to_owned(), paint::FAINT), (self.review.requested_by.to_string(), owo_colors::Style::new())]);
        let others: Vec<String> =
            self.review.authors.iter().filter(|author| !author.is(&self.review.requested_by)).map(ToString::to_string).collect();
        if !others.is_empty() {
            facts.row([("changed by".to_owned(), paint::FAINT), (others.join(", "), owo_colors::Style::new())]);
        }
        facts.row([("branch".to_owned(), paint::FAINT), (self.review.branch.clone(), owo_colors::Style::new())]);
        text.push_str(&facts.render(2));
        if !self.added.is_empty() {
            let paths: String = self.added.iter().map(|path| format!("  {}\n", one_line(path))).collect();
            section(&mut text, "Changed on the branch since the review was opened, so that it cannot be approved", &paths);
        }
        section(&mut text, "Record", &indented(&harmless(&self.record)));
        let difference = match (&self.replaces, self.review.is_open()) {
            (Some(version), true) => format!("Difference from {version}, which is published"),
            (Some(version), false) => format!("Difference from {version}, which was published before"),
            (None, true) => "Nothing is published yet; the whole content is new".to_owned(),
            (None, false) => "Nothing was published before; the whole content was new".to_owned(),
        };
        section(&mut text, &difference, &indented(&self.difference));
        let errors = self.report.iter().filter(|problem| problem.is_error()).count();
        let report: String = self.report.iter().map(|problem| render::problems::problem(problem, None)).collect();
        section(&mut text, &format!("Check report: {}", render::problems::counted(errors, self.report.len() - errors)), &indented(&report));
        let shown =
            |evidence: &Evidence| render::evidence::evidence(evidence) + &render::coverage::short(&evidence.connector, &evidence.coverage);
        let evidence = self.evidence.as_ref().map_or_else(|| "no evidence is stored\n".to_owned(), shown);
        section(&mut text, "Tests", &indented(&evidence));
        section(&mut text, "What happened", &self.happened());
        text
    }
}

impl Case {
    fn happened(&self) -> String {
        let mut columns = Columns::default();
        for entry in &self.history {
            columns.row([
                (format!("{:.0}", entry.at), paint::FAINT),
                (entry.by.clone(), owo_colors::Style::new()),
                (one_line(&entry.what), owo_colors::Style::new()),
            ]);
        }
        columns.render(2)
    }
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = write!(text, "\n{}\n{body}", title.style(paint::STRONG));
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
