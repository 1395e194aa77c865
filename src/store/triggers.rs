//! PORT: what is kept of each trigger between its runs, for each environment. Small, and replaced whole.

use anyhow::Result;
use async_trait::async_trait;

use super::database::{Database, unreadable};
use super::sql::SqlStore;
use crate::model::{ConnectorName, EnvironmentName};

/// Which trigger, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TriggerKey {
    /// The environment that holds the connector.
    pub environment: EnvironmentName,
    /// The connector.
    pub connector: ConnectorName,
    /// The trigger's name in the manifest.
    pub trigger: String,
}

/// Guarantees: what `put_trigger_state` returned `Ok` for survives a kill, whole; a state that was never put, or was removed, is `None`.
/// Assumptions: runs of one trigger are brought to their end one after the other, so that no two replace a state at once.
#[async_trait]
pub trait TriggerStates: Send + Sync {
    /// The state of a trigger, in its own JSON.
    async fn trigger_state(&self, key: &TriggerKey) -> Result<Option<String>>;

    /// Replaces the state of a trigger.
    async fn put_trigger_state(&self, key: &TriggerKey, body: &str) -> Result<()>;

    /// Forgets a trigger.
    async fn remove_trigger_state(&self, key: &TriggerKey) -> Result<()>;

    /// Every trigger that has a state, in the order of environments, connectors and names: also those that no manifest has any more.
    async fn triggers_with_state(&self) -> Result<Vec<TriggerKey>>;
}

#[async_trait]
impl TriggerStates for SqlStore {
    async fn trigger_state(&self, key: &TriggerKey) -> Result<Option<String>> {
        read(self.database(), key).await.map_err(|error| self.database().failed(&format!("read the state of {key}"), error).into())
    }

    async fn put_trigger_state(&self, key: &TriggerKey, body: &str) -> Result<()> {
        put(self.database(), key, body).await.map_err(|error| self.database().failed(&format!("keep the state of {key}"), error).into())
    }

    async fn remove_trigger_state(&self, key: &TriggerKey) -> Result<()> {
        remove(self.database(), key).await.map_err(|error| self.database().failed(&format!("forget the state of {key}"), error).into())
    }

    async fn triggers_with_state(&self) -> Result<Vec<TriggerKey>> {
        keys(self.database()).await.map_err(|error| self.database().failed("read which triggers have a state", error).into())
    }
}

impl std::fmt::Display for TriggerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the trigger {} of {} in {}", self.trigger, self.connector, self.environment)
    }
}

impl TriggerKey {
    fn parts(&self) -> [String; 3] {
        [self.environment.as_str().to_owned(), self.connector.as_str().to_owned(), self.trigger.clone()]
    }
}

async fn read(database: &Database, key: &TriggerKey) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT body FROM trigger_states WHERE environment = $1 AND connector = $2 AND trigger = $3";
    let query = key.parts().into_iter().fold(sqlx::query_scalar(sql), |query, part| query.bind(part));
    query.fetch_optional(database.pool()).await
}

async fn put(database: &Database, key: &TriggerKey, body: &str) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO trigger_states (environment, connector, trigger, body) VALUES ($1, $2, $3, $4)
               ON CONFLICT (environment, connector, trigger) DO UPDATE SET body = excluded.body";
    let query = key.parts().into_iter().fold(sqlx::query(sql), |query, part| query.bind(part));
    query.bind(body.to_owned()).execute(database.pool()).await.map(drop)
}

async fn remove(database: &Database, key: &TriggerKey) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM trigger_states WHERE environment = $1 AND connector = $2 AND trigger = $3";
    let query = key.parts().into_iter().fold(sqlx::query(sql), |query, part| query.bind(part));
    query.execute(database.pool()).await.map(drop)
}

async fn keys(database: &Database) -> Result<Vec<TriggerKey>, sqlx::Error> {
    let sql = "SELECT environment, connector, trigger FROM trigger_states ORDER BY environment, connector, trigger";
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(database.pool()).await?;
    let key = |(environment, connector, trigger): (String, String, String)| {
        let environment = environment.parse().map_err(|error| unreadable("trigger_states.environment", error))?;
        let connector = connector.parse().map_err(|error| unreadable("trigger_states.connector", error))?;
        Ok(TriggerKey { environment, connector, trigger })
    };
    rows.into_iter().map(key).collect()
}
