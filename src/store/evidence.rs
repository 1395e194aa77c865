//! Evidence in SQL: all of it is kept, the newest of a digest counts.

use sqlx::AnyConnection;

use super::database::{Database, take_numbers, unreadable};
use crate::model::{Digest, Evidence, Verdict};

/// Appends evidence within a transaction.
pub(super) async fn append(connection: &mut AnyConnection, evidence: &Evidence) -> Result<(), sqlx::Error> {
    let body = serde_json::to_string(evidence).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let verdict = evidence.verdict();
    let seq = take_numbers(connection, "evidence", 1).await?;
    let sql = "INSERT INTO evidence (seq, digest, level, connector, started, passed, failed, body)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(seq)
        .bind(evidence.digest.to_string())
        .bind(i64::from(evidence.level))
        .bind(evidence.connector.as_str().to_owned())
        .bind(evidence.started.to_string())
        .bind(i64::from(verdict.passed))
        .bind(i64::from(verdict.failed))
        .bind(body)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn verdicts(database: &Database, level: u32) -> Result<Vec<(Digest, Verdict)>, sqlx::Error> {
    let sql = "SELECT e.digest, e.passed, e.failed
               FROM (SELECT digest, max(seq) AS seq FROM evidence WHERE level = $1 GROUP BY digest) AS newest
               JOIN evidence AS e ON e.level = $1 AND e.digest = newest.digest AND e.seq = newest.seq
               ORDER BY e.digest";
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(sql).bind(i64::from(level)).fetch_all(database.pool()).await?;
    rows.into_iter()
        .map(|(digest, passed, failed)| {
            let digest = digest.parse().map_err(|error| unreadable("evidence.digest", error))?;
            let passed = passed.try_into().map_err(|error| unreadable("evidence.passed", error))?;
            let failed = failed.try_into().map_err(|error| unreadable("evidence.failed", error))?;
            Ok((digest, Verdict { passed, failed }))
        })
        .collect()
}

pub(super) async fn newest(database: &Database, digest: &Digest) -> Result<Option<Evidence>, sqlx::Error> {
    let sql = "SELECT body FROM evidence WHERE digest = $1 ORDER BY seq DESC LIMIT 1";
    let body: Option<String> = sqlx::query_scalar(sql).bind(digest.to_string()).fetch_optional(database.pool()).await?;
    body.map(|body| serde_json::from_str(&body).map_err(|error| unreadable("evidence.body", error))).transpose()
}
