//! Something that happened and is remembered. Facts are appended, never changed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConnectorName, Digest, EnvironmentName, Person, ReviewId, Verdict, Version};

/// What happened to one connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "fact", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Fact {
    /// A non-production environment was given this content.
    Deployed {
        /// Which environment.
        environment: EnvironmentName,
        /// Under which version.
        version: Version,
        /// Which content.
        digest: Digest,
    },
    /// The tests of this content were started.
    TestsStarted {
        /// Which content.
        digest: Digest,
    },
    /// The tests of this content ended, and their evidence is stored.
    TestsFinished {
        /// Which content.
        digest: Digest,
        /// What they showed.
        verdict: Verdict,
    },
    /// The tests of this content ended without evidence, and are to be started again.
    TestsAborted {
        /// Which content.
        digest: Digest,
        /// Why.
        reason: String,
    },
    /// The tests of this content were stopped before their end, because nobody waits for it any more: the connector has other content.
    TestsStopped {
        /// Which content.
        digest: Digest,
    },
    /// A review of this content is about to be opened: stored before the effect.
    ReviewIntended {
        /// Under which version.
        version: Version,
        /// Which content.
        digest: Digest,
    },
    /// A review was opened.
    ReviewOpened {
        /// Its number.
        review: ReviewId,
        /// Under which version.
        version: Version,
        /// Which content.
        digest: Digest,
    },
    /// A review was closed because the author took the wish to publish back.
    ReviewWithdrawn {
        /// Its number.
        review: ReviewId,
        /// Which content.
        digest: Digest,
    },
    /// A person closed a review without merging it.
    ReviewRejected {
        /// Its number.
        review: ReviewId,
        /// Which content.
        digest: Digest,
        /// Who.
        by: Person,
        /// Why.
        reason: String,
    },
    /// A person approved a review, and its record was merged.
    ReviewMerged {
        /// Its number.
        review: ReviewId,
        /// Which content.
        digest: Digest,
        /// Who.
        by: Person,
    },
    /// A production environment was given this content, by an approved review.
    Published {
        /// Which environment.
        environment: EnvironmentName,
        /// Under which version.
        version: Version,
        /// Which content.
        digest: Digest,
        /// The review that approved it.
        review: ReviewId,
    },
    /// The connector was taken out of an environment, because its folder was deleted.
    Removed {
        /// Which environment.
        environment: EnvironmentName,
        /// The version it held.
        version: Version,
        /// The content it held.
        digest: Digest,
    },
    /// A person confirmed the deletion of this connector, as one of an exact set.
    DeletionConfirmed {
        /// The set's id, as the plan showed it.
        id: String,
        /// Who.
        by: Person,
    },
    /// A confirmation of its deletion ended, because the connector's folder is there: another deletion needs another one.
    ConfirmationLapsed {
        /// The set's id.
        id: String,
    },
}

/// A fact's kind alone: what the store filters by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the fact of the same name")]
pub enum FactKind {
    Deployed,
    TestsStarted,
    TestsFinished,
    TestsAborted,
    TestsStopped,
    ReviewIntended,
    ReviewOpened,
    ReviewWithdrawn,
    ReviewRejected,
    ReviewMerged,
    Published,
    Removed,
    DeletionConfirmed,
    ConfirmationLapsed,
}

/// A fact as remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// Its number: later facts have higher ones.
    pub seq: i64,
    /// When it was remembered.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Which connector it is about.
    pub connector: ConnectorName,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

impl Fact {
    /// Its kind.
    pub fn kind(&self) -> FactKind {
        match self {
            Fact::Deployed { .. } => FactKind::Deployed,
            Fact::TestsStarted { .. } => FactKind::TestsStarted,
            Fact::TestsFinished { .. } => FactKind::TestsFinished,
            Fact::TestsAborted { .. } => FactKind::TestsAborted,
            Fact::TestsStopped { .. } => FactKind::TestsStopped,
            Fact::ReviewIntended { .. } => FactKind::ReviewIntended,
            Fact::ReviewOpened { .. } => FactKind::ReviewOpened,
            Fact::ReviewWithdrawn { .. } => FactKind::ReviewWithdrawn,
            Fact::ReviewRejected { .. } => FactKind::ReviewRejected,
            Fact::ReviewMerged { .. } => FactKind::ReviewMerged,
            Fact::Published { .. } => FactKind::Published,
            Fact::Removed { .. } => FactKind::Removed,
            Fact::DeletionConfirmed { .. } => FactKind::DeletionConfirmed,
            Fact::ConfirmationLapsed { .. } => FactKind::ConfirmationLapsed,
        }
    }

    /// The environment it speaks of, where it speaks of one.
    pub fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Fact::Deployed { environment, .. } | Fact::Published { environment, .. } | Fact::Removed { environment, .. } => {
                Some(environment)
            }
            Fact::TestsStarted { .. }
            | Fact::TestsFinished { .. }
            | Fact::TestsAborted { .. }
            | Fact::TestsStopped { .. }
            | Fact::ReviewIntended { .. }
            | Fact::ReviewOpened { .. }
            | Fact::ReviewWithdrawn { .. }
            | Fact::ReviewRejected { .. }
            | Fact::ReviewMerged { .. }
            | Fact::DeletionConfirmed { .. }
            | Fact::ConfirmationLapsed { .. } => None,
        }
    }
}

impl FactKind {
    /// The name it is stored under.
    pub fn as_str(self) -> &'static str {
        match self {
            FactKind::Deployed => "deployed",
            FactKind::TestsStarted => "testsStarted",
            FactKind::TestsFinished => "testsFinished",
            FactKind::TestsAborted => "testsAborted",
            FactKind::TestsStopped => "testsStopped",
            FactKind::ReviewIntended => "reviewIntended",
            FactKind::ReviewOpened => "reviewOpened",
            FactKind::ReviewWithdrawn => "reviewWithdrawn",
            FactKind::ReviewRejected => "reviewRejected",
            FactKind::ReviewMerged => "reviewMerged",
            FactKind::Published => "published",
            FactKind::Removed => "removed",
            FactKind::DeletionConfirmed => "deletionConfirmed",
            FactKind::ConfirmationLapsed => "confirmationLapsed",
        }
    }
}
