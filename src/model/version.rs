//! What a deployed bundle is called: a semantic version, or a label derived from its digest.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Digest, Kind};

/// A connector's version: the manifest's semantic version, or `sha-<first 12 of digest>` where a `saas` connector has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub enum Version {
    /// Labelled by its content.
    Sha(String),
    /// Semantic version 2.0, <https://semver.org>.
    Semantic(semver::Version),
}

impl Version {
    /// The form of a version as text, as a regular expression of JSON Schema.
    pub const FORM: &str = r"^(sha-[0-9a-f]{12}|(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-((0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?)$";

    /// The version content is deployed under; `None` where a self-built connector has not been given one yet.
    pub fn of(kind: Kind, declared: Option<&semver::Version>, digest: &Digest) -> Option<Self> {
        match (kind, declared) {
            (_, Some(version)) => Some(Self::Semantic(version.clone())),
            (Kind::Saas, None) => Some(Self::Sha(digest.short())),
            (Kind::SelfBuilt, None) => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha(short) => f.pad(&format!("sha-{short}")),
            Self::Semantic(version) => f.pad(&version.to_string()),
        }
    }
}

impl FromStr for Version {
    type Err = semver::Error;

    fn from_str(text: &str) -> Result<Self, semver::Error> {
        match text.strip_prefix("sha-") {
            Some(short) if short.len() == 12 && short.chars().all(|c| c.is_ascii_hexdigit()) => Ok(Self::Sha(short.to_owned())),
            Some(_) | None => text.parse().map(Self::Semantic),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = semver::Error;

    fn try_from(text: String) -> Result<Self, semver::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}
