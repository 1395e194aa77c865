//! PORT: what is kept of each trigger between its runs, for each connection, and which process runs it. Small, and replaced whole.

use anyhow::Result;
use async_trait::async_trait;
use jiff::Timestamp;

use super::database::{Database, unreadable};
use super::sql::SqlStore;
use super::{TriggerKey, trigger_leases};

/// A trigger's lease: whoever has it, and nobody else, runs the trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriggerLease {
    /// Rises with every holder.
    pub epoch: u64,
    /// When it is over, unless it is extended before.
    pub until: Timestamp,
}

/// Who has a lease, after it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leased {
    /// Whoever asked.
    Mine(TriggerLease),
    /// Somebody else.
    Others {
        /// Who, as they said.
        holder: String,
        /// Until when, if they do not extend it.
        until: Timestamp,
    },
}

/// A trigger's lease is over, and another process has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("another process has taken over {0}")]
pub struct TriggerLeaseLost(pub TriggerKey);

/// Guarantees: a lease has one holder at a time, as far as the clocks of its holders agree; a state is replaced only under the newest lease;
/// what `put_trigger_state` returned `Ok` for survives a kill, whole; a state that was never put, or was removed, is `None`.
/// Assumptions: within one process, the runs of one trigger are brought to their end one after the other.
#[async_trait]
pub trait TriggerStates: Send + Sync {
    /// Asks for a trigger's lease until some moment: it is had where nobody has it, or theirs is over by `now`.
    async fn lease_trigger(&self, key: &TriggerKey, holder: &str, now: Timestamp, until: Timestamp) -> Result<Leased>;

    /// Extends a lease, or fails with [`TriggerLeaseLost`].
    async fn extend_trigger_lease(&self, key: &TriggerKey, lease: &TriggerLease) -> Result<()>;

    /// Gives a lease back. One that is lost is none.
    async fn return_trigger_lease(&self, key: &TriggerKey, lease: &TriggerLease) -> Result<()>;

    /// The state of a trigger, in its own JSON.
    async fn trigger_state(&self, key: &TriggerKey) -> Result<Option<String>>;

    /// Replaces the state of a trigger, and extends the lease; or fails with [`TriggerLeaseLost`].
    async fn put_trigger_state(&self, key: &TriggerKey, lease: &TriggerLease, body: &str) -> Result<()>;

    /// Forgets a trigger's state.
    async fn remove_trigger_state(&self, key: &TriggerKey) -> Result<()>;

    /// Every trigger that has a state, in the order of connections, connectors and names: also those that no manifest has any more.
    async fn triggers_with_state(&self) -> Result<Vec<TriggerKey>>;
}

#[async_trait]
impl TriggerStates for SqlStore {
    async fn lease_trigger(&self, key: &TriggerKey, holder: &str, now: Timestamp, until: Timestamp) -> Result<Leased> {
        let leased = trigger_leases::take(self.database(), key, holder, now, until).await;
        leased.map_err(|error| self.database().failed(&format!("take the lease of {key}"), error).into())
    }

    async fn extend_trigger_lease(&self, key: &TriggerKey, lease: &TriggerLease) -> Result<()> {
        let extended = async { trigger_leases::extend(&mut *self.database().pool().acquire().await?, key, lease).await };
        let extended = extended.await.map_err(|error| self.database().failed(&format!("extend the lease of {key}"), error))?;
        if extended { Ok(()) } else { Err(TriggerLeaseLost(key.clone()).into()) }
    }

    async fn return_trigger_lease(&self, key: &TriggerKey, lease: &TriggerLease) -> Result<()> {
        self.extend_trigger_lease(key, &TriggerLease { until: Timestamp::UNIX_EPOCH, ..*lease }).await.or_else(|error| {
            // Whoever has it now gives it back in turn.
            if error.is::<TriggerLeaseLost>() { Ok(()) } else { Err(error) }
        })
    }

    async fn trigger_state(&self, key: &TriggerKey) -> Result<Option<String>> {
        read(self.database(), key).await.map_err(|error| self.database().failed(&format!("read the state of {key}"), error).into())
    }

    async fn put_trigger_state(&self, key: &TriggerKey, lease: &TriggerLease, body: &str) -> Result<()> {
        let kept = put(self.database(), key, lease, body).await;
        let kept = kept.map_err(|error| self.database().failed(&format!("keep the state of {key}"), error))?;
        if kept { Ok(()) } else { Err(TriggerLeaseLost(key.clone()).into()) }
    }

    async fn remove_trigger_state(&self, key: &TriggerKey) -> Result<()> {
        remove(self.database(), key).await.map_err(|error| self.database().failed(&format!("forget the state of {key}"), error).into())
    }

    async fn triggers_with_state(&self) -> Result<Vec<TriggerKey>> {
        keys(self.database()).await.map_err(|error| self.database().failed("read which triggers have a state", error).into())
    }
}

async fn read(database: &Database, key: &TriggerKey) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT body FROM trigger_states WHERE environment = $1 AND connector = $2 AND trigger = $3";
    let query = key.parts().into_iter().fold(sqlx::query_scalar(sql), |query, part| query.bind(part));
    query.fetch_optional(database.pool()).await
}

/// Whether it was put: not where the lease is another's. The lease comes first, so that its row is locked until the state is there.
async fn put(database: &Database, key: &TriggerKey, lease: &TriggerLease, body: &str) -> Result<bool, sqlx::Error> {
    let mut transaction = database.begin().await?;
    if !trigger_leases::extend(&mut transaction, key, lease).await? {
        return Ok(false);
    }
    let sql = "INSERT INTO trigger_states (environment, connector, trigger, body) VALUES ($1, $2, $3, $4)
               ON CONFLICT (environment, connector, trigger) DO UPDATE SET body = excluded.body";
    let query = key.parts().into_iter().fold(sqlx::query(sql), |query, part| query.bind(part));
    query.bind(body.to_owned()).execute(&mut *transaction).await?;
    transaction.commit().await.map(|()| true)
}

async fn remove(database: &Database, key: &TriggerKey) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM trigger_states WHERE environment = $1 AND connector = $2 AND trigger = $3";
    let query = key.parts().into_iter().fold(sqlx::query(sql), |query, part| query.bind(part));
    query.execute(database.pool()).await.map(drop)
}

async fn keys(database: &Database) -> Result<Vec<TriggerKey>, sqlx::Error> {
    let sql = "SELECT environment, connector, trigger FROM trigger_states ORDER BY environment, connector, trigger";
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(database.pool()).await?;
    let key = |(connection, connector, trigger): (String, String, String)| {
        let connection = connection.parse().map_err(|error| unreadable("trigger_states.environment", error))?;
        let connector = connector.parse().map_err(|error| unreadable("trigger_states.connector", error))?;
        Ok(TriggerKey { connection, connector, trigger })
    };
    rows.into_iter().map(key).collect()
}
