//! PORT: facts, evidence, plans, the lease's epoch, and what triggers keep. The adapter is [`SqlStore`], by default on a SQLite file.

mod database;
mod declarations;
mod evidence;
mod facts;
mod failure;
mod plans;
mod sql;
mod sqlite;
mod trigger_key;
mod trigger_leases;
mod triggers;

pub use database::Database;
pub(crate) use database::{number, unreadable};
pub use failure::{DatabaseCause, DatabaseError};
pub use sql::SqlStore;
pub use trigger_key::{ConnectionName, TriggerKey};
pub use triggers::{Leased, TriggerLease, TriggerLeaseLost, TriggerStates};

use anyhow::Result;
use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::{ConnectorName, Digest, Evidence, Fact, FactKind, Recorded, Verdict};

/// A fact to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFact {
    /// When it happened.
    pub at: Timestamp,
    /// Which connector it is about.
    pub connector: ConnectorName,
    /// What happened.
    pub fact: Fact,
}

/// A declaration that was read and parsed before, kept so that an unchanged folder is never read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedDeclaration {
    /// The connector's folder name.
    pub connector: String,
    /// What was read: the folder's tree id and the level it was read at; equal keys, equal bodies.
    pub key: String,
    /// The declaration, in the reader's own JSON.
    pub body: String,
}

/// A plan as stored: what `plan` would have printed for that pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPlan {
    /// The lease's epoch it was made under.
    pub epoch: u64,
    /// When it was made.
    pub at: Timestamp,
    /// The plan's JSON.
    pub body: String,
}

/// A plan was not stored because a newer epoch has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot store the plan of epoch {epoch}: a newer epoch has begun, so another process holds the lease")]
pub struct LeaseLost {
    /// The epoch that has ended.
    pub epoch: u64,
}

/// Guarantees: facts and evidence are append-only; what a method returned `Ok` for survives a kill.
/// Assumptions: several processes may read and append facts; one holds the lease.
#[async_trait]
pub trait Store: Send + Sync {
    /// Appends facts in their order, all or none, and returns the last one's number.
    async fn append(&self, facts: &[NewFact]) -> Result<i64>;

    /// The number of the newest fact; 0 where there is none.
    async fn last_fact(&self) -> Result<i64>;

    /// Facts after a number, oldest first, at most `limit`.
    async fn facts_after(&self, seq: i64, limit: u32) -> Result<Vec<Recorded>>;

    /// The newest facts of one connector, newest first.
    async fn history(&self, connector: &ConnectorName, limit: u32) -> Result<Vec<Recorded>>;

    /// For each connector and environment, the newest fact among `kinds`: oldest first.
    async fn newest_of(&self, kinds: &[FactKind]) -> Result<Vec<Recorded>>;

    /// Keeps evidence and appends facts with it, all or none.
    async fn append_evidence(&self, evidence: &Evidence, facts: &[NewFact]) -> Result<()>;

    /// The newest verdict of every digest that has evidence at this engine level.
    async fn verdicts(&self, level: u32) -> Result<Vec<(Digest, Verdict)>>;

    /// The evidence of a digest at this engine level, newest first, at most `limit`. The newest counts.
    async fn evidence(&self, digest: &Digest, level: u32, limit: u32) -> Result<Vec<Evidence>>;

    /// Every cached declaration.
    async fn declarations(&self) -> Result<Vec<CachedDeclaration>>;

    /// Replaces the cached declarations of these connectors.
    async fn put_declarations(&self, declarations: &[CachedDeclaration]) -> Result<()>;

    /// Begins a new epoch: the number that this holder of the lease stores its plans under.
    async fn begin_epoch(&self, at: Timestamp, holder: &str) -> Result<u64>;

    /// Stores a plan unless a newer epoch has begun, in which case it fails with [`LeaseLost`].
    async fn put_plan(&self, plan: &StoredPlan) -> Result<()>;

    /// The newest plan.
    async fn plan(&self) -> Result<Option<StoredPlan>>;
}
