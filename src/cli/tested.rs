//! What tests have shown, run now or before: the result of `test`, and the runs that `show` tells of.

use jiff::Timestamp;
use serde::Serialize;

use super::output::Human;
use super::render;
use crate::model::{Evidence, Problem};

/// What the tests showed, and why some connectors could not be tested.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Tested {
    /// The environment whose services the cases ran against, where they ran live. What they showed is no evidence to publish on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How many cases passed.
    pub passed: u32,
    /// How many failed.
    pub failed: u32,
    /// How many were not run, because their suites say so.
    pub skipped: u32,
    /// What was shown, by connector.
    pub evidence: Vec<Shown>,
    /// Why connectors could not be tested.
    pub problems: Vec<Problem>,
    /// The recordings that were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<WrittenRecording>,
}

/// A recording that was written.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct WrittenRecording {
    /// Its path from the repository's root.
    pub path: String,
    /// How many exchanges it holds.
    pub exchanges: usize,
}

/// One connector's evidence.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Shown {
    /// The evidence.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// Whether it is that of an earlier run, kept in the state, and the tests were not run again.
    pub reused: bool,
}

/// One run of the tests of one content, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TestRun {
    /// When it began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The version of Switchboard that ran it.
    pub runner: String,
    /// How many cases passed.
    pub passed: u32,
    /// How many failed; a run that failed as a whole counts as at least one.
    pub failed: u32,
    /// How many were not run, because their suites say so.
    pub skipped: u32,
    /// How much of the connector it exercised, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Covered>,
}

/// How much of a connector its tests exercised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Covered {
    /// How many of the points there are.
    pub covered: usize,
    /// How many there are.
    pub total: usize,
}

impl Tested {
    /// Sums up.
    pub fn new(mut evidence: Vec<Shown>, problems: Vec<Problem>) -> Self {
        evidence.sort_by(|one, other| one.evidence.connector.cmp(&other.evidence.connector));
        let mut tested = Self { environment: None, passed: 0, failed: 0, skipped: 0, evidence, problems, recordings: Vec::new() };
        for Shown { evidence, .. } in &tested.evidence {
            let verdict = evidence.verdict();
            tested.passed = tested.passed.saturating_add(verdict.passed);
            tested.failed = tested.failed.saturating_add(verdict.failed);
            tested.skipped = tested.skipped.saturating_add(evidence.skipped());
        }
        tested
    }

    /// Whether nothing failed and everything could be tested.
    pub fn is_good(&self) -> bool {
        self.failed == 0 && self.problems.is_empty()
    }
}

impl Human for Tested {
    /// The end alone: what each connector's tests showed was printed as it came.
    fn human(&self) -> String {
        let unread: String = self.problems.iter().map(|problem| render::problems::problem(problem, None)).collect();
        let recordings: String = self.recordings.iter().map(render::evidence::recording).collect();
        format!("{unread}{recordings}\n{}", render::evidence::summary(self))
    }
}

impl Covered {
    /// What evidence says of it; nothing where not all cases were run, which says nothing about the others.
    pub fn by(evidence: &Evidence) -> Option<Self> {
        let (covered, total) = evidence.coverage.counts();
        (!evidence.partial && !evidence.coverage.is_empty()).then_some(Self { covered, total })
    }
}

impl std::fmt::Display for Covered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.covered, self.total)
    }
}

impl From<&Evidence> for TestRun {
    fn from(evidence: &Evidence) -> Self {
        let verdict = evidence.verdict();
        Self {
            started: evidence.started,
            millis: evidence.millis,
            runner: evidence.runner.clone(),
            passed: verdict.passed,
            failed: verdict.failed,
            skipped: evidence.skipped(),
            coverage: Covered::by(evidence),
        }
    }
}
