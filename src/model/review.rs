//! A review: one request to publish one digest of one connector.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConnectorName, Digest, Person, Version};

/// A review's number, as its forge counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ReviewId(pub u64);

impl fmt::Display for ReviewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// How a review stands at its forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ReviewState {
    /// Waiting for people.
    Open,
    /// Approved, and its record merged into the tracked branch.
    Merged {
        /// Who approved it.
        by: Person,
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
    },
    /// Closed by a person without merging: that digest is rejected.
    Rejected {
        /// Who closed it.
        by: Person,
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// The reviewer's last comment.
        reason: String,
    },
    /// Closed by Switchboard because the author took the wish back.
    Withdrawn {
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
    },
}

/// One review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Its number.
    pub id: ReviewId,
    /// The connector it would publish.
    pub connector: ConnectorName,
    /// The version it would publish.
    pub version: Version,
    /// The exact content it would publish.
    pub digest: Digest,
    /// The branch that carries the release record, see [`review_branch`].
    pub branch: String,
    /// SHA-256 of the release record's bytes as proposed: a record that differs publishes nothing.
    pub record: Digest,
    /// Who asked.
    pub requested_by: Person,
    /// Everybody who changed the connector since it was asked for: none of them may approve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Person>,
    /// When it was opened.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub opened_at: Timestamp,
    /// How it stands.
    #[serde(flatten)]
    pub state: ReviewState,
}

impl Review {
    /// Whether somebody asked for it or changed what it would publish, so that another person must approve.
    pub fn is_own_of(&self, person: &Person) -> bool {
        person.is(&self.requested_by) || self.authors.iter().any(|author| person.is(author))
    }

    /// When its record was merged, if it was.
    pub fn merged_at(&self) -> Option<Timestamp> {
        match self.state {
            ReviewState::Merged { at, .. } => Some(at),
            ReviewState::Open | ReviewState::Rejected { .. } | ReviewState::Withdrawn { .. } => None,
        }
    }

    /// Whether it still waits for people.
    pub fn is_open(&self) -> bool {
        self.state == ReviewState::Open
    }
}

/// The branch of a review: the same for the same (connector, version, digest), so that a publish has at most one review.
pub fn review_branch(connector: &ConnectorName, version: &Version, digest: &Digest) -> String {
    format!("switchboard/{connector}/{version}-{}", digest.short())
}
