//! A plan: the steps to take, at most one per connector, and the steps withheld with what each waits on.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Gap, Retry};
use crate::model::{CommitId, ConnectorName, Digest, EnvironmentName, Person, Problem, ReviewId, Stage, TreeId, Version};

/// What one pass will do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The commit it was made from.
    pub commit: Option<CommitId>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Entries of the repository that belong to no connector and are refused.
    pub oddities: Vec<Problem>,
    /// The steps, deletions first, then by connector.
    pub steps: Vec<PlannedStep>,
    /// What is withheld, by connector.
    pub holds: Vec<Hold>,
    /// Environments that hold something and are not declared any more: they keep it.
    pub undeclared: Vec<Undeclared>,
    /// The last failures of steps that are still wanted, whether they are about to be tried again or wait for that.
    pub failed: BTreeMap<ConnectorName, Retry>,
}

/// An environment that `switchboard.yaml` does not declare any more. Nothing is given to it, and nothing but a deletion takes from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undeclared {
    /// Which.
    pub environment: EnvironmentName,
    /// Of how many connectors it holds a version.
    pub connectors: usize,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStep {
    /// Which connector it changes.
    pub connector: ConnectorName,
    /// The change, fully specified.
    #[serde(flatten)]
    pub step: Step,
    /// Whether git or the environment moved.
    pub cause: Cause,
    /// Why, a lowercase fragment for people.
    pub reason: String,
}

/// Why a step is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// What git asks for has changed.
    Change,
    /// An environment no longer holds what it was given.
    Drift,
}

/// One fully specified change. Performing it twice is the same as performing it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Step {
    /// Take the connector out of an environment.
    Delete {
        /// Which environment.
        environment: EnvironmentName,
        /// The version it holds.
        version: Version,
        /// The content it holds.
        digest: Digest,
    },
    /// Give a production environment approved content.
    Publish {
        /// Which environment.
        environment: EnvironmentName,
        /// Under which version.
        version: Version,
        /// Which content.
        digest: Digest,
        /// The review that approved it.
        review: ReviewId,
        /// A commit that holds the content, should the registry have lost it.
        commit: CommitId,
        /// What the environment holds now.
        replaces: Option<Version>,
    },
    /// Close a review whose author took the wish back.
    Withdraw {
        /// Which review.
        review: ReviewId,
        /// The content it was about.
        digest: Digest,
    },
    /// Give a non-production environment the declared content.
    Deploy {
        /// Which environment.
        environment: EnvironmentName,
        /// Under which version.
        version: Version,
        /// Which content.
        digest: Digest,
        /// The folder to read it from.
        tree: TreeId,
        /// What the environment holds now.
        replaces: Option<Version>,
    },
    /// Start the tests of the declared content.
    RunTests {
        /// Which content.
        digest: Digest,
        /// The folder to read it from.
        tree: TreeId,
    },
    /// Push a branch with the release record and open its review.
    OpenReview {
        /// Under which version.
        version: Version,
        /// Which content.
        digest: Digest,
        /// The branch.
        branch: String,
        /// The commit the branch starts from, which holds the content.
        commit: CommitId,
        /// The version production holds now.
        replaces: Option<Version>,
        /// The review that approved this content before, if other content was published since or its record is gone: a new one is wanted.
        after: Option<ReviewId>,
        /// The commit of the release published before: whoever changed the connector since then may not approve.
        since: Option<CommitId>,
    },
}

/// A step not taken, and what it waits on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Which connector.
    pub connector: ConnectorName,
    /// The stage the connector stands in meanwhile.
    pub stage: Stage,
    /// What it waits on.
    pub waiting_on: WaitingOn,
}

/// What a hold waits on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum WaitingOn {
    /// A manifest that can be read.
    ReadableManifest {
        /// The first problem, with its place.
        problem: String,
        /// How many there are.
        problems: usize,
    },
    /// A version: a self-built connector needs one before it is deployed.
    Version,
    /// A higher version: this one was published with other content.
    NewVersion {
        /// The version that is taken.
        version: Version,
    },
    /// The end of the running tests.
    Tests,
    /// Tests that pass.
    PassingTests {
        /// How many failed.
        failed: u32,
    },
    /// A check report without errors.
    CleanReport {
        /// How many errors it has.
        errors: usize,
    },
    /// People's review.
    Review {
        /// Which review.
        review: ReviewId,
    },
    /// The end of a review that froze other content: this edit is held.
    LockedByReview {
        /// Which review.
        review: ReviewId,
    },
    /// New content: this content was rejected.
    NewContent {
        /// Which review.
        review: ReviewId,
        /// By whom.
        by: Person,
        /// Why.
        reason: String,
    },
    /// An approved review: a release record came without one.
    ApprovedReview {
        /// The record's version.
        version: Version,
    },
    /// The release record as proposed: the one on the tracked branch differs or cannot be read.
    ProposedRecord {
        /// The record's path.
        record: String,
    },
    /// The release record of a merged review, which has not arrived on the tracked branch.
    MergedRecord {
        /// Which review.
        review: ReviewId,
        /// The record's path.
        record: String,
    },
    /// A person's confirmation of this exact set of deletions.
    Confirmation {
        /// The set's id.
        id: String,
        /// How many connectors it holds.
        connectors: usize,
    },
    /// The next attempt of a step that failed.
    Retry {
        /// Not before.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// How often it failed in a row.
        failures: u32,
        /// When it failed last.
        #[schemars(with = "String", extend("format" = "date-time"))]
        failed_at: Timestamp,
        /// Why.
        failure: String,
    },
    /// The history of the tracked branch, on which a publication depends and which could not be read.
    History {
        /// Why.
        reason: String,
    },
    /// The forge, which could not be read.
    Forge {
        /// Why.
        reason: String,
    },
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl WaitingOn {
    /// Whether somebody has to mend something, where other holds end with time or with a decision.
    pub fn is_fault(&self) -> bool {
        match self {
            WaitingOn::ReadableManifest { .. }
            | WaitingOn::Version
            | WaitingOn::NewVersion { .. }
            | WaitingOn::PassingTests { .. }
            | WaitingOn::CleanReport { .. }
            | WaitingOn::ApprovedReview { .. }
            | WaitingOn::ProposedRecord { .. }
            | WaitingOn::History { .. } => true,
            WaitingOn::Tests
            | WaitingOn::Retry { .. }
            | WaitingOn::Review { .. }
            | WaitingOn::LockedByReview { .. }
            | WaitingOn::NewContent { .. }
            | WaitingOn::MergedRecord { .. }
            | WaitingOn::Confirmation { .. }
            | WaitingOn::Forge { .. } => false,
        }
    }
}

impl Step {
    /// Whether trying this step would be trying that one again: the same kind of change to the same content.
    pub fn is_attempt_of(&self, other: &Step) -> bool {
        self.key() == other.key()
    }

    /// What it does, in one word.
    pub fn verb(&self) -> &'static str {
        match self {
            Step::Delete { .. } => "delete",
            Step::Publish { .. } => "publish",
            Step::Withdraw { .. } => "withdraw",
            Step::Deploy { .. } => "deploy",
            Step::RunTests { .. } => "test",
            Step::OpenReview { .. } => "review",
        }
    }

    fn key(&self) -> (&'static str, Option<&EnvironmentName>, &Digest) {
        match self {
            Step::Delete { environment, digest, .. }
            | Step::Publish { environment, digest, .. }
            | Step::Deploy { environment, digest, .. } => (self.verb(), Some(environment), digest),
            Step::Withdraw { digest, .. } | Step::RunTests { digest, .. } | Step::OpenReview { digest, .. } => (self.verb(), None, digest),
        }
    }
}

impl fmt::Display for Undeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, connectors } = self;
        let connectors = if *connectors == 1 { "1 connector".to_owned() } else { format!("{connectors} connectors") };
        write!(f, "the environment {environment} is not declared in switchboard.yaml any more and keeps what it holds: {connectors}")
    }
}

impl fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitingOn::ReadableManifest { problem, problems: 1 } => write!(f, "a readable manifest: {problem}"),
            WaitingOn::ReadableManifest { problem, problems } => write!(f, "a readable manifest: {problem} (and {} more)", problems - 1),
            WaitingOn::Version => f.write_str("a version: self-built connectors need one before they are pre-published"),
            WaitingOn::NewVersion { version } => write!(f, "a new version: {version} was published with other content"),
            WaitingOn::Tests => f.write_str("the running tests"),
            WaitingOn::PassingTests { failed } => write!(f, "passing tests: {failed} failed"),
            WaitingOn::CleanReport { errors: 1 } => f.write_str("a clean check report: 1 error"),
            WaitingOn::CleanReport { errors } => write!(f, "a clean check report: {errors} errors"),
            WaitingOn::Review { review } => write!(f, "review {review}"),
            WaitingOn::LockedByReview { review } => write!(f, "the end of review {review}, which locks the content"),
            WaitingOn::NewContent { review, by, reason } => write!(f, "new content: review {review} was rejected by {by}: {reason}"),
            WaitingOn::ApprovedReview { version } => write!(f, "an approved review: the record of {version} came without one"),
            WaitingOn::ProposedRecord { record } => write!(f, "the record as proposed: {record} differs from it"),
            WaitingOn::MergedRecord { review, record } => {
                write!(f, "the record {record}: review {review} was merged, but it has not arrived on the tracked branch")
            }
            WaitingOn::Confirmation { id, connectors } => {
                write!(f, "confirmation of {connectors} deletions: `switchboard apply --confirm-deletions {id}`")
            }
            WaitingOn::Retry { at, failures, failed_at, failure } => {
                write!(f, "attempt {} at {at:.0}; the last one failed at {failed_at:.0}: {failure}", failures + 1)
            }
            WaitingOn::History { reason } => write!(f, "the history of the tracked branch: {reason}"),
            WaitingOn::Forge { reason } => write!(f, "the forge: {reason}"),
        }
    }
}
