//! Test evidence as people read it: one line a case with a tick or a cross, each failure with its difference, a summary.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use super::columns::{harmless, one_line};
use super::paint;
use crate::model::{CaseOutcome, CaseReport, Evidence};

/// The cases of one connector under its name.
pub fn evidence(evidence: &Evidence) -> String {
    let mut text = format!("{} {}\n", evidence.connector.style(paint::STRONG), evidence.digest.short().style(paint::FAINT));
    if let Some(failure) = &evidence.failure {
        let _ = writeln!(text, "  {} the run failed: {}", "✗".style(paint::BAD), one_line(failure));
    }
    if evidence.cases.is_empty() && evidence.failure.is_none() {
        let _ = writeln!(text, "  {}", "no test cases".style(paint::WARN));
    }
    for case in &evidence.cases {
        text.push_str(&report(evidence, case));
    }
    text
}

fn report(evidence: &Evidence, case: &CaseReport) -> String {
    let sign = match case.outcome {
        CaseOutcome::Passed => "✓".style(paint::GOOD),
        CaseOutcome::Failed => "✗".style(paint::BAD),
        CaseOutcome::Skipped => "-".style(paint::WARN),
    };
    let title = format!("{} › {}", one_line(&case.suite), one_line(&case.case));
    let mut text = format!("  {sign} {title} {}\n", format!("({}, {})", one_line(&case.target), took(case.micros)).style(paint::FAINT));
    if case.outcome == CaseOutcome::Failed {
        let place = format!("connectors/{}/{}", evidence.connector, case.place);
        let _ = writeln!(text, "      {}", one_line(&place).style(paint::FAINT));
    }
    for failure in &case.failures {
        for line in harmless(failure).lines() {
            let _ = writeln!(text, "      {}", difference_line(line));
        }
    }
    text
}

/// Lines of a difference are coloured by their sign.
fn difference_line(line: &str) -> String {
    match line.trim_start().as_bytes().first() {
        Some(b'-') => line.style(paint::BAD).to_string(),
        Some(b'+') => line.style(paint::GOOD).to_string(),
        Some(_) | None => line.to_owned(),
    }
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
pub fn summary(all: &[Evidence]) -> String {
    let (passed, failed) = all.iter().map(Evidence::verdict).fold((0, 0), |(p, f), verdict| (p + verdict.passed, f + verdict.failed));
    let connectors = if all.len() == 1 { "1 connector".to_owned() } else { format!("{} connectors", all.len()) };
    let style = if failed == 0 { paint::GOOD } else { paint::BAD };
    format!("{} in {connectors}.\n", format!("{passed} passed, {failed} failed").style(style))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Coverage, Digest, ENGINE_LEVEL, Place};

    #[test]
    fn each_case_has_its_line_and_each_failure_its_difference() {
        let case = |title: &str, outcome, failures: &[&str]| CaseReport {
            suite: "Issues".into(),
            case: title.into(),
            place: Place { file: "tests/issues.yaml".into(), line: 4, column: 5 },
            target: "actions/create-issue".into(),
            outcome,
            failures: failures.iter().map(|failure| (*failure).to_owned()).collect(),
            skipped: None,
            micros: 1_500,
        };
        let evidence = Evidence {
            connector: "crm".parse().unwrap(),
            digest: Digest::of(b"x"),
            level: ENGINE_LEVEL,
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            millis: 3,
            runner: "0.1.0".into(),
            cases: vec![case("opens", CaseOutcome::Passed, &[]), case("fails", CaseOutcome::Failed, &["output differs\n-1\n+2"])],
            failure: None,
            partial: false,
            coverage: Coverage::default(),
        };
        let text = format!("{}{}", super::evidence(&evidence), summary(std::slice::from_ref(&evidence)));
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
        crm 2d711642b726
          ✓ Issues › opens (actions/create-issue, 1 ms)
          ✗ Issues › fails (actions/create-issue, 1 ms)
              connectors/crm/tests/issues.yaml:4:5
              output differs
              -1
              +2
        1 passed, 1 failed in 1 connector.
        ");
    }
}
