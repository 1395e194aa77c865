//! The registry in a SQL database, in statements that SQLite and PostgreSQL both understand.

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::AnyConnection;

use super::packing::{pack, unpack};
use super::{Actual, BundleMissing, Holding, Publication, PublishedVersion, Registry, WrongDigest};
use crate::manifest;
use crate::model::{BundleFiles, ConnectorName, Digest, EnvironmentName, ReviewId, Version};
use crate::store::{Database, number, unreadable};

/// Bundles, holdings and published versions in a SQL database.
#[derive(Debug, Clone)]
pub struct SqlRegistry(Database);

/// A version of a connector for an environment, as asked for.
struct Order<'a> {
    environment: &'a EnvironmentName,
    connector: &'a ConnectorName,
    version: &'a Version,
    digest: &'a Digest,
    at: Timestamp,
}

impl SqlRegistry {
    /// The registry in an open database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }

    /// Both lists as of one moment, of one connector or of all.
    async fn lists(&self, connector: Option<&ConnectorName>) -> Result<Actual, sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        let holdings = holdings(&mut transaction, connector).await?;
        let actual = Actual { holdings, published: published(&mut transaction, connector).await? };
        transaction.commit().await?;
        Ok(actual)
    }

    async fn insert_bundle(&self, connector: &ConnectorName, digest: &Digest, content: Vec<u8>) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO bundles (digest, connector, content) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING";
        let insert = sqlx::query(sql).bind(digest.to_string()).bind(connector.as_str().to_owned()).bind(content);
        insert.execute(self.0.pool()).await.map(drop)
    }

    async fn content(&self, digest: &Digest) -> Result<Option<Vec<u8>>, sqlx::Error> {
        let sql = "SELECT content FROM bundles WHERE digest = $1";
        sqlx::query_scalar(sql).bind(digest.to_string()).fetch_optional(self.0.pool()).await
    }

    /// Fixes the version's content and gives it to the environment, both or neither; `None`: no such bundle.
    async fn fix_and_hold(&self, order: &Order<'_>, review: ReviewId) -> Result<Option<Publication>, sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        fix(&mut transaction, order, review).await?;
        let sql = "SELECT digest FROM published WHERE connector = $1 AND version = $2";
        let query = sqlx::query_scalar(sql).bind(order.connector.as_str().to_owned()).bind(order.version.to_string());
        let fixed: Option<String> = query.fetch_optional(&mut *transaction).await?;
        let Some(fixed) = fixed else { return Ok(None) };
        let fixed: Digest = fixed.parse().map_err(|error| unreadable("published.digest", error))?;
        if fixed != *order.digest {
            return Ok(Some(Publication::VersionTaken(fixed)));
        }
        if !hold(&mut *transaction, order).await? && !has_bundle(&mut *transaction, order.digest).await? {
            return Ok(None);
        }
        transaction.commit().await?;
        Ok(Some(Publication::Done))
    }
}

async fn holdings(connection: &mut AnyConnection, connector: Option<&ConnectorName>) -> Result<Vec<Holding>, sqlx::Error> {
    let sql = match connector {
        None => "SELECT environment, connector, version, digest, since FROM holdings ORDER BY environment, connector",
        Some(_) => "SELECT environment, connector, version, digest, since FROM holdings WHERE connector = $1 ORDER BY environment",
    };
    let query = connector.iter().fold(sqlx::query_as(sql), |query, name| query.bind(name.as_str().to_owned()));
    let rows: Vec<(String, String, String, String, String)> = query.fetch_all(connection).await?;
    rows.into_iter()
        .map(|(environment, connector, version, digest, since)| {
            Ok(Holding {
                environment: environment.parse().map_err(|error| unreadable("holdings.environment", error))?,
                connector: connector.parse().map_err(|error| unreadable("holdings.connector", error))?,
                version: version.parse().map_err(|error| unreadable("holdings.version", error))?,
                digest: digest.parse().map_err(|error| unreadable("holdings.digest", error))?,
                since: since.parse().map_err(|error| unreadable("holdings.since", error))?,
            })
        })
        .collect()
}

async fn published(connection: &mut AnyConnection, connector: Option<&ConnectorName>) -> Result<Vec<PublishedVersion>, sqlx::Error> {
    let sql = match connector {
        None => "SELECT connector, version, digest, review, at FROM published ORDER BY connector, version",
        Some(_) => "SELECT connector, version, digest, review, at FROM published WHERE connector = $1 ORDER BY version",
    };
    let query = connector.iter().fold(sqlx::query_as(sql), |query, name| query.bind(name.as_str().to_owned()));
    let rows: Vec<(String, String, String, i64, String)> = query.fetch_all(connection).await?;
    rows.into_iter()
        .map(|(connector, version, digest, review, at)| {
            Ok(PublishedVersion {
                connector: connector.parse().map_err(|error| unreadable("published.connector", error))?,
                version: version.parse().map_err(|error| unreadable("published.version", error))?,
                digest: digest.parse().map_err(|error| unreadable("published.digest", error))?,
                review: ReviewId(review.try_into().map_err(|error| unreadable("published.review", error))?),
                at: at.parse().map_err(|error| unreadable("published.at", error))?,
            })
        })
        .collect()
}

/// Fixes a version's content, unless it is fixed already or the bundle is not stored.
async fn fix(connection: &mut AnyConnection, order: &Order<'_>, review: ReviewId) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO published (connector, version, digest, review, at)
               SELECT $1, $2, digest, $3, $4 FROM bundles WHERE digest = $5
               ON CONFLICT (connector, version) DO NOTHING";
    let insert = sqlx::query(sql)
        .bind(order.connector.as_str().to_owned())
        .bind(order.version.to_string())
        .bind(number(review.0))
        .bind(order.at.to_string())
        .bind(order.digest.to_string());
    insert.execute(connection).await.map(drop)
}

async fn has_bundle<'c>(executor: impl sqlx::Executor<'c, Database = sqlx::Any>, digest: &Digest) -> Result<bool, sqlx::Error> {
    let sql = "SELECT count(*) FROM bundles WHERE digest = $1";
    let count: i64 = sqlx::query_scalar(sql).bind(digest.to_string()).fetch_one(executor).await?;
    Ok(count > 0)
}

/// Gives an environment a stored bundle; returns whether that changed anything.
async fn hold<'c>(executor: impl sqlx::Executor<'c, Database = sqlx::Any>, order: &Order<'_>) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO holdings (environment, connector, version, digest, since)
               SELECT $1, $2, $3, digest, $4 FROM bundles WHERE digest = $5
               ON CONFLICT (environment, connector) DO UPDATE
               SET version = excluded.version, digest = excluded.digest, since = excluded.since
               WHERE holdings.version <> excluded.version OR holdings.digest <> excluded.digest";
    let insert = sqlx::query(sql)
        .bind(order.environment.as_str().to_owned())
        .bind(order.connector.as_str().to_owned())
        .bind(order.version.to_string())
        .bind(order.at.to_string())
        .bind(order.digest.to_string());
    Ok(insert.execute(executor).await?.rows_affected() > 0)
}

#[async_trait]
impl Registry for SqlRegistry {
    async fn revision(&self) -> Result<u64> {
        let read = sqlx::query_scalar("SELECT value FROM counters WHERE name = 'revision'").fetch_one(self.0.pool()).await;
        let value: i64 = read.map_err(|error| self.0.failed("read the registry's revision", error))?;
        Ok(value.unsigned_abs())
    }

    async fn actual(&self) -> Result<Actual> {
        self.lists(None).await.map_err(|error| self.0.failed("read the registry", error).into())
    }

    async fn actual_of(&self, connector: &ConnectorName) -> Result<Actual> {
        let read = self.lists(Some(connector)).await;
        read.map_err(|error| self.0.failed(&format!("read what the registry holds of {connector}"), error).into())
    }

    async fn put_bundle(&self, connector: &ConnectorName, digest: &Digest, files: &BundleFiles) -> Result<()> {
        let failed = |error| self.0.failed(&format!("store the bundle of {connector}"), error);
        if has_bundle(self.0.pool(), digest).await.map_err(failed)? {
            return Ok(());
        }
        match manifest::digest(files) {
            Some(found) if found == *digest => Ok(self.insert_bundle(connector, digest, pack(files)?).await.map_err(failed)?),
            found => Err(WrongDigest { connector: connector.clone(), claimed: *digest, found }.into()),
        }
    }

    async fn bundle(&self, digest: &Digest) -> Result<Option<BundleFiles>> {
        let read = self.content(digest).await;
        let content = read.map_err(|error| self.0.failed(&format!("read the bundle {}", digest.short()), error))?;
        let Some(packed) = content else { return Ok(None) };
        let files = unpack(&packed).with_context(|| format!("cannot read the bundle {}", digest.short()))?;
        if manifest::digest(&files) != Some(*digest) {
            bail!("cannot read the bundle {}: its stored content was changed", digest.short());
        }
        Ok(Some(files))
    }

    async fn deploy(
        &self,
        environment: &EnvironmentName,
        connector: &ConnectorName,
        version: &Version,
        digest: &Digest,
        at: Timestamp,
    ) -> Result<()> {
        let failed = |error| self.0.failed(&format!("deploy {connector} {version} to {environment}"), error);
        let order = Order { environment, connector, version, digest, at };
        if hold(self.0.pool(), &order).await.map_err(failed)? || has_bundle(self.0.pool(), digest).await.map_err(failed)? {
            return Ok(());
        }
        Err(BundleMissing { connector: connector.clone(), version: version.clone(), digest: *digest }.into())
    }

    async fn publish(
        &self,
        environment: &EnvironmentName,
        connector: &ConnectorName,
        version: &Version,
        digest: &Digest,
        review: ReviewId,
        at: Timestamp,
    ) -> Result<Publication> {
        let order = Order { environment, connector, version, digest, at };
        let published = self.fix_and_hold(&order, review).await;
        let published = published.map_err(|error| self.0.failed(&format!("publish {connector} {version} to {environment}"), error))?;
        published.ok_or_else(|| BundleMissing { connector: connector.clone(), version: version.clone(), digest: *digest }.into())
    }

    async fn remove(&self, environment: &EnvironmentName, connector: &ConnectorName) -> Result<()> {
        let sql = "DELETE FROM holdings WHERE environment = $1 AND connector = $2";
        let delete = sqlx::query(sql).bind(environment.as_str().to_owned()).bind(connector.as_str().to_owned());
        let removed = delete.execute(self.0.pool()).await;
        removed.map(drop).map_err(|error| self.0.failed(&format!("remove {connector} from {environment}"), error).into())
    }
}
