//! Test evidence as people read it: one line a case with a tick or a cross, each failure with its difference, a summary.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use owo_colors::{OwoColorize as _, Style};

use super::columns::{Columns, harmless, one_line};
use super::difference::Unified;
use super::paint;
use crate::cli::tested::{Covered, Shown, TestRun, Tested, WrittenRecording};
use crate::model::{CaseOutcome, CaseReport, Evidence, Place};

/// How much is told of cases that are as they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// A line a case.
    Cases,
    /// How many there are.
    Counts,
}

/// How many of the slowest cases are named.
const SLOWEST: usize = 5;

/// The cases of one connector under its name.
pub fn evidence(evidence: &Evidence) -> String {
    format!("{}\n{}", heading(evidence), cases(evidence, Detail::Cases))
}

/// The same, as `test` shows it: when that was, where it was before, seen from now.
pub fn shown(Shown { evidence, reused }: &Shown, detail: Detail, now: Timestamp) -> String {
    let mut text = heading(evidence);
    if detail == Detail::Counts && evidence.failure.is_none() {
        let (verdict, took) = (evidence.verdict(), took(evidence.millis.saturating_mul(1_000)));
        let style = if verdict.is_good() { paint::GOOD } else { paint::BAD };
        let counts = counts(verdict.passed, verdict.failed, evidence.skipped());
        let _ = write!(text, "  {} {}", counts.style(style), format!("({took})").style(paint::FAINT));
        if let Some(covered) = Covered::by(evidence).filter(|_| evidence.verdict().is_good()) {
            let style = if covered.covered == covered.total { paint::FAINT } else { paint::WARN };
            let _ = write!(text, "  {}", format!("coverage {covered}").style(style));
        }
    }
    if *reused {
        let before = format!("tested {}; --again runs it anew", ago(evidence.started, now));
        let _ = write!(text, "  {}", before.style(paint::HINT));
    }
    format!("{text}\n{}", cases(evidence, detail))
}

fn heading(evidence: &Evidence) -> String {
    format!("{} {}", evidence.connector.style(paint::STRONG), evidence.digest.short().style(paint::FAINT))
}

fn cases(evidence: &Evidence, detail: Detail) -> String {
    let mut text = String::new();
    if let Some(failure) = &evidence.failure {
        let _ = writeln!(text, "  {} the run failed: {}", "✗".style(paint::BAD), one_line(failure));
    }
    if evidence.cases.is_empty() && evidence.failure.is_none() {
        let _ = writeln!(text, "  {}", "no test cases".style(paint::WARN));
    }
    for case in &evidence.cases {
        if detail == Detail::Cases || case.outcome == CaseOutcome::Failed {
            text.push_str(&report(evidence, case));
        }
    }
    text
}

/// The line that tells where cases ran that ran live.
pub fn against(environment: &str) -> String {
    format!("{}\n", format!("against the services of `{}`, which is no evidence to publish on", one_line(environment)).style(paint::FAINT))
}

/// The line that tells of a recording that was written.
pub fn recording(WrittenRecording { path, exchanges }: &WrittenRecording) -> String {
    let count = if *exchanges == 1 { "1 exchange".to_owned() } else { format!("{exchanges} exchanges") };
    format!("  {} {} {}\n", "recorded".style(paint::GOOD), one_line(path), format!("({count})").style(paint::FAINT))
}

/// How long ago something was.
fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    let (count, unit) = match seconds {
        ..10 => return "just now".to_owned(),
        10..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

fn report(evidence: &Evidence, case: &CaseReport) -> String {
    let sign = match case.outcome {
        CaseOutcome::Passed => "✓".style(paint::GOOD),
        CaseOutcome::Failed => "✗".style(paint::BAD),
        CaseOutcome::Skipped => "-".style(paint::WARN),
    };
    let title = format!("{} › {}", one_line(&case.suite), one_line(&case.case));
    let beside = match case.outcome {
        CaseOutcome::Passed | CaseOutcome::Failed => took(case.micros),
        CaseOutcome::Skipped => format!("skipped: {}", one_line(case.skipped.as_deref().unwrap_or("its suite says so"))),
    };
    let mut text = format!("  {sign} {title} {}\n", format!("({}, {beside})", one_line(&case.target)).style(paint::FAINT));
    if case.outcome == CaseOutcome::Failed && case.failures.is_empty() {
        place(&mut text, evidence, &case.place);
    }
    let mut before = None;
    for failure in &case.failures {
        // What is wrong at one place stands below it.
        let at = failure.place.as_ref().unwrap_or(&case.place);
        if before.replace(at) != Some(at) {
            place(&mut text, evidence, at);
        }
        let mut difference = Unified::default();
        for line in harmless(&failure.message).lines() {
            let _ = writeln!(text, "      {}", difference.coloured(line));
        }
    }
    text
}

fn place(text: &mut String, evidence: &Evidence, place: &Place) {
    let place = place.within(&evidence.connector).to_string();
    let _ = writeln!(text, "      {}", one_line(&place).style(paint::FAINT));
}

/// A length of time, as people read it.
pub(super) fn took(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
    }
}

/// The last line over all connectors.
pub fn summary(tested: &Tested) -> String {
    let style = if tested.is_good() { paint::GOOD } else { paint::BAD };
    let counts = counts(tested.passed, tested.failed, tested.skipped).style(style).to_string();
    format!("{counts}{}.\n", scope(tested))
}

/// The same for programs that show text.
pub(super) fn told(tested: &Tested) -> String {
    format!("{}{}", counts(tested.passed, tested.failed, tested.skipped), scope(tested))
}

fn scope(tested: &Tested) -> String {
    let connectors = if tested.evidence.len() == 1 { "1 connector".to_owned() } else { format!("{} connectors", tested.evidence.len()) };
    let reused = match tested.evidence.iter().filter(|shown| shown.reused).count() {
        0 => String::new(),
        reused => format!(", {reused} of them tested before"),
    };
    let unread: BTreeSet<&str> = tested.problems.iter().map(|problem| problem.place.file.split('/').nth(1).unwrap_or_default()).collect();
    let unread = if unread.is_empty() { String::new() } else { format!("; {} cannot be read", unread.len()) };
    format!(" in {connectors}{reused}{unread}")
}

/// What became of cases; skipped ones are told of where there are any.
pub(super) fn counts(passed: u32, failed: u32, skipped: u32) -> String {
    let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    format!("{passed} passed, {failed} failed{skipped}")
}

/// The slowest cases, for people who want to be told more.
pub fn slowest(tested: &Tested) -> String {
    let cases = tested.evidence.iter().filter(|shown| !shown.reused).flat_map(|Shown { evidence, .. }| {
        evidence.cases.iter().map(move |case| (case.micros, format!("{}: {} › {}", evidence.connector, case.suite, case.case)))
    });
    let mut cases: Vec<_> = cases.filter(|(micros, _)| *micros > 0).collect();
    cases.sort_by(|one, other| other.cmp(one));
    let mut columns = Columns::default();
    for (micros, title) in cases.into_iter().take(SLOWEST) {
        columns.row([(took(micros), paint::FAINT), (title, Style::new())]);
    }
    format!("\nSlowest cases:\n{}", columns.render(2))
}

/// Runs of the tests of one content, a line each.
pub fn runs(runs: &[TestRun]) -> String {
    let mut columns = Columns::default();
    for run in runs {
        let style = if run.failed == 0 { paint::GOOD } else { paint::BAD };
        let coverage = run.coverage.map(|covered| format!("coverage {covered}")).unwrap_or_default();
        columns.row([
            (format!("{:.0}", run.started), paint::FAINT),
            (counts(run.passed, run.failed, run.skipped), style),
            (format!("in {}", took(run.millis.saturating_mul(1_000))), Style::new()),
            (format!("by {}", run.runner), paint::FAINT),
            (coverage, Style::new()),
        ]);
    }
    columns.render(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Coverage, Digest, ENGINE_LEVEL, Failure};

    fn at(line: u32) -> Place {
        Place { file: "tests/issues.yaml".into(), line, column: 5 }
    }

    fn evidence() -> Evidence {
        let case = |title: &str, outcome, failures: &[(&str, Option<Place>)]| CaseReport {
            suite: "Issues".into(),
            case: title.into(),
            place: at(4),
            target: "actions/create-issue".into(),
            outcome,
            failures: failures.iter().map(|(message, place)| Failure { message: (*message).to_owned(), place: place.clone() }).collect(),
            skipped: (outcome == CaseOutcome::Skipped).then(|| "the service\nis down".to_owned()),
            micros: 1_500,
        };
        Evidence {
            connector: "crm".parse().unwrap(),
            digest: Digest::of(b"x"),
            level: ENGINE_LEVEL,
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            millis: 3,
            runner: "0.1.0".into(),
            cases: vec![
                case("opens", CaseOutcome::Passed, &[]),
                case(
                    "fails",
                    CaseOutcome::Failed,
                    &[("output differs\n-1\n+2", Some(at(9))), ("and again", Some(at(9))), ("as a whole", None)],
                ),
                case("waits", CaseOutcome::Skipped, &[]),
            ],
            failure: None,
            partial: false,
            coverage: Coverage::default(),
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn each_case_has_its_line_and_each_failure_its_difference() {
        let tested = Tested::new(vec![Shown { evidence: evidence(), reused: false }], vec![]);
        let text = format!("{}{}", super::evidence(&evidence()), summary(&tested));
        insta::assert_snapshot!(plain(&text), @r"
        crm 2d711642b726
          ✓ Issues › opens (actions/create-issue, 1 ms)
          ✗ Issues › fails (actions/create-issue, 1 ms)
              connectors/crm/tests/issues.yaml:9:5
              output differs
              -1
              +2
              and again
              connectors/crm/tests/issues.yaml:4:5
              as a whole
          - Issues › waits (actions/create-issue, skipped: the service is down)
        1 passed, 1 failed, 1 skipped in 1 connector.
        ");
    }

    #[test]
    fn what_was_tested_before_says_when_and_many_connectors_are_counted() {
        let shown = Shown { evidence: evidence(), reused: true };
        let now = "2026-01-01T00:03:59Z".parse().unwrap();
        insta::assert_snapshot!(plain(&super::shown(&shown, Detail::Counts, now)), @r"
        crm 2d711642b726  1 passed, 1 failed, 1 skipped (3 ms)  tested 3 minutes ago; --again runs it anew
          ✗ Issues › fails (actions/create-issue, 1 ms)
              connectors/crm/tests/issues.yaml:9:5
              output differs
              -1
              +2
              and again
              connectors/crm/tests/issues.yaml:4:5
              as a whole
        ");
        let tested = Tested::new(vec![shown], vec![]);
        assert_eq!(told(&tested), "1 passed, 1 failed, 1 skipped in 1 connector, 1 of them tested before");
    }

    #[test]
    fn the_past_is_told_in_the_largest_unit() {
        let then: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let of = |seconds| ago(then, then + jiff::SignedDuration::from_secs(seconds));
        let told = [-5, 9, 10, 60, 7_199, 86_400, 864_000].map(of);
        assert_eq!(told, ["just now", "just now", "10 seconds ago", "1 minute ago", "1 hour ago", "1 day ago", "10 days ago"]);
    }
}
