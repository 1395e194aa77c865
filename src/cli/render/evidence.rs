//! Test evidence as people read it: one line a case with a tick or a cross, each failure with its difference, a summary.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use super::columns::{harmless, one_line};
use super::paint;
use crate::model::{CaseOutcome, CaseReport, Evidence, Place};

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
        let mut difference = Difference::default();
        for line in harmless(&failure.message).lines() {
            let _ = writeln!(text, "      {}", difference.coloured(line));
        }
    }
    text
}

fn place(text: &mut String, evidence: &Evidence, place: &Place) {
    let place = format!("connectors/{}/{place}", evidence.connector);
    let _ = writeln!(text, "      {}", one_line(&place).style(paint::FAINT));
}

/// How many lines of each side are still to come in the part of a unified difference that is being read; none outside of one, where a
/// line that begins with a sign only looks like one.
#[derive(Default)]
struct Difference {
    expected: u32,
    actual: u32,
}

impl Difference {
    /// The next line; one of a difference has the colour of its sign.
    fn coloured(&mut self, line: &str) -> String {
        let is_within = self.expected + self.actual > 0;
        match (is_within, line.as_bytes().first()) {
            (false, _) => {
                let title = if line == "--- expected" { Some(paint::BAD) } else { (line == "+++ actual").then_some(paint::GOOD) };
                if let Some((expected, actual)) = line.strip_prefix("@@ ").and_then(|rest| rest.strip_suffix(" @@")).and_then(lengths) {
                    *self = Self { expected, actual };
                }
                title.map_or_else(|| line.to_owned(), |title| line.style(title).to_string())
            }
            (true, Some(b'-')) => {
                self.expected = self.expected.saturating_sub(1);
                line.style(paint::BAD).to_string()
            }
            (true, Some(b'+')) => {
                self.actual = self.actual.saturating_sub(1);
                line.style(paint::GOOD).to_string()
            }
            (true, Some(_) | None) => {
                *self = Self { expected: self.expected.saturating_sub(1), actual: self.actual.saturating_sub(1) };
                line.to_owned()
            }
        }
    }
}

/// How many lines of each side a part of a difference has, from what stands over it, such as `-1,4 +1,5`.
fn lengths(heading: &str) -> Option<(u32, u32)> {
    let (expected, actual) = heading.strip_prefix('-')?.split_once(" +")?;
    let length = |range: &str| range.split_once(',').map_or(Some(1), |(_, length)| length.parse().ok());
    Some((length(expected)?, length(actual)?))
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
    use crate::model::{Coverage, Digest, ENGINE_LEVEL, Failure};

    fn at(line: u32) -> Place {
        Place { file: "tests/issues.yaml".into(), line, column: 5 }
    }

    #[test]
    fn only_lines_of_a_difference_have_the_colour_of_their_sign() {
        let mut difference = Difference::default();
        let mut kind = |line: &str| match difference.coloured(line) {
            shown if shown == line => "plain",
            shown if shown == line.style(paint::BAD).to_string() => "bad",
            _ => "good",
        };
        let lines = [
            "- 1",
            "--- expected",
            "+++ actual",
            "@@ -1,3 +1,3 @@",
            " [",
            "-  -1",
            "+  -2",
            " ]",
            "[",
            "  -1",
            "-1",
            "@@ -9 +8,0 @@",
            "-7",
            "+7",
        ];
        let kinds = lines.map(&mut kind);
        let plain = "plain";
        assert_eq!(kinds, [plain, "bad", "good", plain, plain, "bad", "good", plain, plain, plain, plain, plain, "bad", plain]);
    }

    #[test]
    fn each_case_has_its_line_and_each_failure_its_difference() {
        let case = |title: &str, outcome, failures: &[(&str, Option<Place>)]| CaseReport {
            suite: "Issues".into(),
            case: title.into(),
            place: at(4),
            target: "actions/create-issue".into(),
            outcome,
            failures: failures.iter().map(|(message, place)| Failure { message: (*message).to_owned(), place: place.clone() }).collect(),
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
            cases: vec![
                case("opens", CaseOutcome::Passed, &[]),
                case(
                    "fails",
                    CaseOutcome::Failed,
                    &[("output differs\n-1\n+2", Some(at(9))), ("and again", Some(at(9))), ("as a whole", None)],
                ),
            ],
            failure: None,
            coverage: Coverage::default(),
        };
        let text = format!("{}{}", super::evidence(&evidence), summary(std::slice::from_ref(&evidence)));
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
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
        1 passed, 1 failed in 1 connector.
        ");
    }
}
