//! PORT: the actual state, which version and digest each environment holds. The adapter is [`SqlRegistry`],
//! by default on a SQLite file.

mod packing;
mod sql;

pub use sql::SqlRegistry;

use anyhow::Result;
use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::{BundleFiles, ConnectorName, Digest, EnvironmentName, ReviewId, Version};

/// One connector in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Which environment.
    pub environment: EnvironmentName,
    /// Which connector.
    pub connector: ConnectorName,
    /// Under which version.
    pub version: Version,
    /// Which content.
    pub digest: Digest,
    /// Since when.
    pub since: Timestamp,
}

/// A version that was published once: its content never changes, even after the connector is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedVersion {
    /// Which connector.
    pub connector: ConnectorName,
    /// Which version.
    pub version: Version,
    /// Its content.
    pub digest: Digest,
    /// The review that approved it.
    pub review: ReviewId,
    /// When it was first published.
    pub at: Timestamp,
}

/// Everything the registry holds but the bundles' content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actual {
    /// What each environment holds.
    pub holdings: Vec<Holding>,
    /// What was ever published.
    pub published: Vec<PublishedVersion>,
}

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// The environment holds it now.
    Done,
    /// The version was published before with this other content: refused.
    VersionTaken(Digest),
}

/// Content that is to be deployed or published is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot deploy {connector} {version}: the registry has no bundle {}", digest.short())]
pub struct BundleMissing {
    /// Which connector.
    pub connector: ConnectorName,
    /// Which version.
    pub version: Version,
    /// Which content.
    pub digest: Digest,
}

/// Content is not what its digest says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot store the bundle of {connector} as {}: {}", claimed.short(), match found {
    Some(found) => format!("its content has the digest {}", found.short()),
    None => "it has no readable manifest".to_owned(),
})]
pub struct WrongDigest {
    /// Which connector.
    pub connector: ConnectorName,
    /// The digest it was to be stored under.
    pub claimed: Digest,
    /// The digest it has.
    pub found: Option<Digest>,
}

/// Guarantees: bundles are immutable and addressed by digest; a published version never changes content.
/// Every change raises `revision`. Every method may be repeated.
/// Assumptions: several processes may read; one, the holder of the lease, writes.
#[async_trait]
pub trait Registry: Send + Sync {
    /// A number that rises with every change of what `actual` returns: equal numbers, equal content.
    async fn revision(&self) -> Result<u64>;

    /// All holdings and published versions.
    async fn actual(&self) -> Result<Actual>;

    /// The holdings and published versions of one connector.
    async fn actual_of(&self, connector: &ConnectorName) -> Result<Actual>;

    /// Stores a bundle's content under its digest; content that is there already stays.
    /// Fails with [`WrongDigest`] where the digest is another content's.
    async fn put_bundle(&self, connector: &ConnectorName, digest: &Digest, files: &BundleFiles) -> Result<()>;

    /// A stored bundle's content.
    async fn bundle(&self, digest: &Digest) -> Result<Option<BundleFiles>>;

    /// Gives a non-production environment a stored bundle, in place of what it held.
    /// Fails with [`BundleMissing`] where it is not stored.
    async fn deploy(
        &self,
        environment: &EnvironmentName,
        connector: &ConnectorName,
        version: &Version,
        digest: &Digest,
        at: Timestamp,
    ) -> Result<()>;

    /// Gives a production environment a stored bundle, in place of what it held, and fixes the version's content for ever.
    /// Fails with [`BundleMissing`] where it is not stored.
    async fn publish(
        &self,
        environment: &EnvironmentName,
        connector: &ConnectorName,
        version: &Version,
        digest: &Digest,
        review: ReviewId,
        at: Timestamp,
    ) -> Result<Publication>;

    /// Takes a connector out of an environment; one that is not there is fine.
    async fn remove(&self, environment: &EnvironmentName, connector: &ConnectorName) -> Result<()>;
}
