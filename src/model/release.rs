//! The release record: the file whose arrival on the tracked branch, through its review, publishes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommitId, ConnectorName, Digest, Person, Version};

/// What `releases/<connector>/<version>.yaml` says. Written by Switchboard, merged by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// Always `switchboard/v1`.
    #[schemars(extend("const" = "switchboard/v1"))]
    pub api_version: String,
    /// The connector that is published.
    #[schemars(with = "String", regex(pattern = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), length(max = 63))]
    pub connector: ConnectorName,
    /// The version it is published under.
    #[schemars(with = "String", regex(pattern = Version::FORM))]
    pub version: Version,
    /// The content that is published: SHA-256, 64 hexadecimal digits.
    #[schemars(with = "String", regex(pattern = r"^[0-9a-f]{64}$"))]
    pub digest: Digest,
    /// A commit of the tracked branch that holds this content, so that it can be found again.
    #[schemars(with = "String", regex(pattern = r"^[0-9a-f]{40,64}$"))]
    pub commit: CommitId,
    /// Who asked for it: the author of the commit that set the status, or of the first change since the release before.
    #[schemars(with = "String")]
    pub requested_by: Person,
    /// When the review was opened.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub requested_at: Timestamp,
    /// The version that production held before, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", regex(pattern = Version::FORM))]
    pub replaces: Option<Version>,
}

impl Release {
    /// Where the record of a version lives, from the repository's root.
    pub fn path(connector: &ConnectorName, version: &Version) -> String {
        format!("releases/{connector}/{version}.yaml")
    }
}

/// A release record as it was proposed: the same file with other bytes is another record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId {
    /// Whose release it is.
    pub connector: ConnectorName,
    /// Of which version.
    pub version: Version,
    /// SHA-256 of its bytes.
    pub record: Digest,
}

/// What the history of the tracked branch says of a release record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordPast {
    /// No commit holds it.
    NeverThere,
    /// The newest commit does not hold it, and an earlier one does.
    Removed,
    /// The newest commit holds it, and its connector was never deleted since it arrived.
    Standing,
    /// The newest commit holds it, and its connector was deleted since it arrived, whether or not it came back.
    OutlivedConnector,
}
