//! Everything a plan is made from, read at one moment. What could not be read is a gap, never an empty list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Declaration, Step, Undeclared, gates};
use crate::model::{CommitId, ConnectorName, Digest, EnvironmentName, Problem, RecordPast, Release, Review, Verdict, Version};

/// What a pass observed.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The tracked branch's commit; `None` where there is none to read.
    pub commit: Option<CommitId>,
    /// What could not be read, for the repository as a whole.
    pub gaps: Vec<Gap>,
    /// What the repository's `switchboard.yaml` asks for; the last readable one.
    pub policy: Arc<Policy>,
    /// Every connector that git declares, an environment holds or a review is about.
    pub connectors: Arc<BTreeMap<ConnectorName, Arc<Connector>>>,
    /// Entries that belong to no connector and are refused.
    pub oddities: Vec<Problem>,
}

/// Something that could not be read; what depends on it is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "gap", content = "reason", rename_all = "kebab-case")]
pub enum Gap {
    /// The repository, its tracked branch, or its root.
    Repository(String),
    /// The commit holds neither `switchboard.yaml` nor a connector.
    EmptyTree,
    /// `switchboard.yaml`: the last readable one is used.
    Config(Vec<Problem>),
    /// The forge's reviews.
    Reviews(String),
}

/// What the team decided in `switchboard.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// Environments that hold pre-published versions.
    pub non_production: Vec<EnvironmentName>,
    /// Environments that hold published versions.
    pub production: Vec<EnvironmentName>,
    /// Deletions of more connectors than this in one pass are held.
    pub deletions_at_most: usize,
    /// Deletions of more than this share of all connectors are held, where there is more than one; in percent.
    pub deletions_at_most_percent: usize,
    /// Whether who asked for a review, or changed the connector since, may approve it.
    pub self_approval: bool,
}

/// One connector's facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    /// What git asks for.
    pub desired: Desired,
    /// What each environment holds.
    pub holdings: BTreeMap<EnvironmentName, Held>,
    /// What each environment was last given, as the facts remember it: a difference is drift.
    pub given: BTreeMap<EnvironmentName, Held>,
    /// Every version that was ever published, with its content.
    pub published: BTreeMap<Version, Digest>,
    /// What the tests showed for the desired digest.
    pub verdict: Option<Verdict>,
    /// Whether the desired digest's tests are running.
    pub testing: bool,
    /// Every review, oldest first.
    pub reviews: Vec<Review>,
    /// The release records on the tracked branch, with the digest of each record's bytes.
    pub releases: Vec<(Release, Digest)>,
    /// Release records that cannot be read.
    pub unreadable_releases: Vec<Problem>,
    /// The confirmation of its deletion, unless its folder was seen since: the confirmed set's id.
    pub deletion_confirmed: Option<String>,
    /// What history says of the records that [`Connector::records_in_question`] names, by the digests of their bytes; or why it
    /// cannot be read.
    pub past: BTreeMap<Digest, Result<RecordPast, String>>,
    /// The last step's failure, if it failed.
    pub retry: Option<Retry>,
}

/// What the tracked branch says of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// Its folder is not there.
    Absent,
    /// Its folder is there and was understood.
    Declared(Arc<Declaration>),
    /// Its folder is there and was not understood: the last good state is kept.
    Unreadable {
        /// What is wrong.
        problems: Vec<Problem>,
        /// What it declared when it was last understood.
        last_good: Option<Arc<Declaration>>,
    },
}

/// A version and its content, in some environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// Under which version.
    pub version: Version,
    /// Which content.
    pub digest: Digest,
}

/// A step failed and waits for its next attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// The step that failed.
    #[serde(flatten)]
    pub step: Step,
    /// How often in a row.
    pub failures: u32,
    /// It is tried again, and not before this moment.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// When it failed last.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub failed_at: Timestamp,
    /// Why.
    pub failure: String,
}

impl Snapshot {
    /// Whether too little could be read to plan anything: then every environment keeps what it holds.
    pub fn is_blind(&self) -> bool {
        self.gaps.iter().any(|gap| match gap {
            Gap::Repository(_) | Gap::EmptyTree => true,
            Gap::Config(_) => self.policy.production.is_empty(),
            Gap::Reviews(_) => false,
        })
    }
}

impl Snapshot {
    /// The environments that hold something and that nobody declares, with how much they hold.
    pub fn undeclared(&self) -> Vec<Undeclared> {
        let held = self.connectors.values().flat_map(|connector| connector.holdings.keys());
        let mut counts: BTreeMap<&EnvironmentName, usize> = BTreeMap::new();
        held.filter(|environment| !self.policy.declares(environment)).for_each(|environment| *counts.entry(environment).or_default() += 1);
        counts.into_iter().map(|(environment, connectors)| Undeclared { environment: environment.clone(), connectors }).collect()
    }

    /// Of some content under test, that which no connector has any more: nobody waits for its outcome.
    pub fn superseded(&self, testing: &BTreeSet<Digest>) -> BTreeSet<Digest> {
        if testing.is_empty() || self.is_blind() {
            return BTreeSet::new();
        }
        let wanted = self.connectors.values().filter_map(|connector| connector.last_declaration()).map(|declaration| declaration.digest);
        let wanted: BTreeSet<Digest> = wanted.filter(|digest| testing.contains(digest)).collect();
        testing.difference(&wanted).copied().collect()
    }
}

impl Policy {
    /// Whether an environment is one of the team's.
    pub fn declares(&self, environment: &EnvironmentName) -> bool {
        self.production.contains(environment) || self.non_production.contains(environment)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gap::Repository(reason) => write!(f, "cannot read the repository: {reason}"),
            Gap::EmptyTree => f.write_str("the tracked branch holds neither `switchboard.yaml` nor a connector"),
            Gap::Config(problems) => match problems.first() {
                Some(problem) => write!(f, "cannot read the settings: {problem}"),
                None => f.write_str("cannot read the settings"),
            },
            Gap::Reviews(reason) => write!(f, "cannot read the reviews: {reason}"),
        }
    }
}

impl Default for Connector {
    fn default() -> Self {
        Self {
            desired: Desired::Absent,
            holdings: BTreeMap::new(),
            given: BTreeMap::new(),
            published: BTreeMap::new(),
            verdict: None,
            testing: false,
            reviews: Vec::new(),
            releases: Vec::new(),
            unreadable_releases: Vec::new(),
            deletion_confirmed: None,
            past: BTreeMap::new(),
            retry: None,
        }
    }
}

impl Connector {
    /// The records, each with its version, whose past a plan depends on; [`Connector::past`] must hold the answers.
    pub fn records_in_question(&self, policy: &Policy) -> BTreeSet<(Version, Digest)> {
        gates::records_in_question(self, policy)
    }

    /// What git declares, if it could be understood.
    pub fn declaration(&self) -> Option<&Declaration> {
        match &self.desired {
            Desired::Declared(declaration) => Some(declaration),
            Desired::Absent | Desired::Unreadable { .. } => None,
        }
    }

    /// What git declares now or declared when it was last understood: for showing, never for planning.
    pub fn last_declaration(&self) -> Option<&Declaration> {
        match &self.desired {
            Desired::Declared(declaration) => Some(declaration),
            Desired::Unreadable { last_good, .. } => last_good.as_deref(),
            Desired::Absent => None,
        }
    }

    /// Whether every one of these environments holds this content, and there is one.
    pub fn is_held_everywhere(&self, environments: &[EnvironmentName], digest: &Digest) -> bool {
        let holds = |name| self.holdings.get(name).is_some_and(|held| held.digest == *digest);
        !environments.is_empty() && environments.iter().all(holds)
    }

    /// The review that is open; there is at most one.
    pub fn open_review(&self) -> Option<&Review> {
        self.reviews.iter().rev().find(|review| review.is_open())
    }
}
