//! What a readable manifest declares, in short: all that planning needs to know of it.

use serde::{Deserialize, Serialize};

use crate::model::{ConnectorName, Digest, Kind, Person, Problem, Status, TreeId, Version};

/// One connector as its folder declares it. Serialised into the store's cache, so that unchanged folders are not read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Declaration {
    /// Its name, which is its folder's.
    pub name: ConnectorName,
    /// The folder it was read from.
    pub tree: TreeId,
    /// The identity of its content.
    pub digest: Digest,
    /// The title people see.
    pub title: String,
    /// How it came to be.
    pub kind: Kind,
    /// The declared version.
    pub version: Option<semver::Version>,
    /// What the author asks for.
    pub status: Status,
    /// Who may edit it.
    pub owner: Person,
    /// Who may edit it too.
    pub shared_with: Vec<Person>,
    /// The completeness report: errors block a review, warnings do not.
    pub report: Vec<Problem>,
}

impl Declaration {
    /// The version it is deployed under; `None` where a self-built connector has none yet.
    pub fn deployed_version(&self) -> Option<Version> {
        Version::of(self.kind, self.version.as_ref(), &self.digest)
    }

    /// How many findings of the report block.
    pub fn errors(&self) -> usize {
        self.report.iter().filter(|problem| problem.is_error()).count()
    }
}
