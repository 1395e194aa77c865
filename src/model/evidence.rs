//! The outcome of the tests for one digest. It never carries over to another digest.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{ConnectorName, Coverage, Digest, Place};

/// The meaning of evidence: raised when the engine changes so that old evidence proves nothing any more.
pub const ENGINE_LEVEL: u32 = 4;

/// How one test case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaseOutcome {
    /// Everything was as expected.
    Passed,
    /// Something was not, or the case could not be run to its end.
    Failed,
    /// It was not run, because its suite says so.
    Skipped,
}

/// One thing that was not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What, over several lines where it shows a difference.
    pub message: String,
    /// Where the expectation or the exchange stands that was not met; the path is relative to the connector's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Failure {
    /// The same, of one part of several.
    #[must_use]
    pub fn within(self, part: &str) -> Self {
        Self { message: format!("{part}: {}", self.message), ..self }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, place: None }
    }
}

/// Reads failures, also those of evidence that was stored when they were texts alone.
fn failures<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Failure>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Text(String),
        Whole(Failure),
    }
    let stored = Vec::<Stored>::deserialize(deserializer)?.into_iter();
    let failures = stored.map(|stored| match stored {
        Stored::Text(text) => text.into(),
        Stored::Whole(failure) => failure,
    });
    Ok(failures.collect())
}

/// One test case's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseReport {
    /// The suite's title.
    pub suite: String,
    /// The case's title.
    pub case: String,
    /// Where the case stands in its suite file; the path is relative to the connector's folder.
    pub place: Place,
    /// The action or trigger it exercised, such as `actions/create-issue`.
    pub target: String,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// What was not as expected, each with a difference where that helps. Empty when it passed.
    #[serde(default, deserialize_with = "failures", skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// Why it was not run, where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// What the tests of one digest showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Whose tests.
    pub connector: ConnectorName,
    /// The content they ran against.
    pub digest: Digest,
    /// The engine level they ran at, see [`ENGINE_LEVEL`].
    pub level: u32,
    /// When the run began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The version of Switchboard that ran them.
    pub runner: String,
    /// One report a case.
    pub cases: Vec<CaseReport>,
    /// Why the run as a whole failed, where it did not get to the cases or died on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Whether only chosen cases were run: then it proves nothing of the content, and is not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// What the cases exercised of the connector, and what they did not.
    #[serde(default, skip_serializing_if = "Coverage::is_empty")]
    pub coverage: Coverage,
}

/// Evidence in short: what planning decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// How many cases passed.
    pub passed: u32,
    /// How many failed; a run that failed as a whole counts as at least one.
    pub failed: u32,
}

impl Evidence {
    /// How many cases were not run, because their suites say so.
    pub fn skipped(&self) -> u32 {
        let skipped = self.cases.iter().filter(|case| case.outcome == CaseOutcome::Skipped).count();
        u32::try_from(skipped).unwrap_or(u32::MAX)
    }

    /// The evidence in short.
    pub fn verdict(&self) -> Verdict {
        let failed = self.cases.iter().filter(|case| case.outcome == CaseOutcome::Failed).count();
        let failed = failed.max(usize::from(self.failure.is_some()));
        let passed = self.cases.iter().filter(|case| case.outcome == CaseOutcome::Passed).count();
        Verdict { passed: u32::try_from(passed).unwrap_or(u32::MAX), failed: u32::try_from(failed).unwrap_or(u32::MAX) }
    }
}

impl Verdict {
    /// Whether nothing failed. That there are cases at all is a rule of the check report.
    pub fn is_good(self) -> bool {
        self.failed == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn failures_that_were_stored_as_texts_can_be_read() {
        let place = json!({ "file": "tests/a.yaml", "line": 7, "column": 3 });
        let failures = json!(["once a text", { "message": "now with its place", "place": place }]);
        let case =
            json!({ "suite": "S", "case": "C", "place": place, "target": "t", "outcome": "failed", "failures": failures, "micros": 1 });
        let case: CaseReport = serde_json::from_value(case).unwrap();
        let told: Vec<_> = case.failures.iter().map(|failure| (failure.message.as_str(), failure.place.is_some())).collect();
        assert_eq!(told, [("once a text", false), ("now with its place", true)]);
    }
}
