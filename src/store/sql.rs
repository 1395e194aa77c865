//! The store in a SQL database, in statements that SQLite and PostgreSQL both understand.

use anyhow::Result;
use async_trait::async_trait;
use jiff::Timestamp;

use super::{CachedDeclaration, Database, LeaseLost, NewFact, Store, StoredPlan, declarations, evidence, facts, plans};
use crate::model::{ConnectorName, Digest, Evidence, FactKind, Recorded, Verdict};

/// Facts, evidence, plans and the lease's epoch in a SQL database.
#[derive(Debug, Clone)]
pub struct SqlStore(Database);

impl SqlStore {
    /// The store in an open database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }

    /// Ends cleanly: the database's own files are tidied up.
    pub async fn close(&self) {
        self.0.close().await;
    }

    pub(super) fn database(&self) -> &Database {
        &self.0
    }

    /// Keeps evidence and facts in one transaction.
    async fn append_both(&self, evidence: Option<&Evidence>, facts: &[NewFact]) -> Result<i64, sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        if let Some(evidence) = evidence {
            evidence::append(&mut transaction, evidence).await?;
        }
        let last = facts::append(&mut transaction, facts).await?;
        transaction.commit().await?;
        Ok(last)
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn append(&self, facts: &[NewFact]) -> Result<i64> {
        if facts.is_empty() {
            return self.last_fact().await;
        }
        self.append_both(None, facts).await.map_err(|error| self.0.failed("append facts", error).into())
    }

    async fn last_fact(&self) -> Result<i64> {
        facts::last(&self.0).await.map_err(|error| self.0.failed("read the newest fact", error).into())
    }

    async fn facts_after(&self, seq: i64, limit: u32) -> Result<Vec<Recorded>> {
        facts::after(&self.0, seq, limit).await.map_err(|error| self.0.failed("read facts", error).into())
    }

    async fn history(&self, connector: &ConnectorName, limit: u32) -> Result<Vec<Recorded>> {
        let read = facts::history(&self.0, connector, limit).await;
        read.map_err(|error| self.0.failed(&format!("read the facts of {connector}"), error).into())
    }

    async fn newest_of(&self, kinds: &[FactKind]) -> Result<Vec<Recorded>> {
        facts::newest_of(&self.0, kinds).await.map_err(|error| self.0.failed("read the newest facts", error).into())
    }

    async fn append_evidence(&self, evidence: &Evidence, facts: &[NewFact]) -> Result<()> {
        let kept = self.append_both(Some(evidence), facts).await;
        kept.map(drop).map_err(|error| self.0.failed(&format!("keep the evidence of {}", evidence.connector), error).into())
    }

    async fn verdicts(&self, level: u32) -> Result<Vec<(Digest, Verdict)>> {
        evidence::verdicts(&self.0, level).await.map_err(|error| self.0.failed("read verdicts", error).into())
    }

    async fn evidence(&self, digest: &Digest, level: u32, limit: u32) -> Result<Vec<Evidence>> {
        let read = evidence::newest(&self.0, digest, level, limit).await;
        read.map_err(|error| self.0.failed(&format!("read the evidence of {}", digest.short()), error).into())
    }

    async fn declarations(&self) -> Result<Vec<CachedDeclaration>> {
        declarations::all(&self.0).await.map_err(|error| self.0.failed("read cached declarations", error).into())
    }

    async fn put_declarations(&self, declarations: &[CachedDeclaration]) -> Result<()> {
        declarations::put(&self.0, declarations).await.map_err(|error| self.0.failed("keep declarations", error).into())
    }

    async fn begin_epoch(&self, at: Timestamp, holder: &str) -> Result<u64> {
        plans::begin_epoch(&self.0, at, holder).await.map_err(|error| self.0.failed("begin an epoch", error).into())
    }

    async fn put_plan(&self, plan: &StoredPlan) -> Result<()> {
        match plans::put(&self.0, plan).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(LeaseLost { epoch: plan.epoch }.into()),
            Err(error) => Err(self.0.failed("store a plan", error).into()),
        }
    }

    async fn plan(&self) -> Result<Option<StoredPlan>> {
        plans::newest(&self.0).await.map_err(|error| self.0.failed("read the newest plan", error).into())
    }
}
