//! The lease's epoch and the plans made under it. Old plans go, so that they never fill the disk.

use jiff::Timestamp;

use super::StoredPlan;
use super::database::{Database, number, take_numbers, unreadable};

/// How many plans are kept.
const KEPT: i64 = 100;

/// How many bytes the kept plans may have together; the newest is always kept.
const KEPT_BYTES: i64 = 32 << 20;

/// Begins a new epoch and returns it.
pub(super) async fn begin_epoch(database: &Database, at: Timestamp, holder: &str) -> Result<u64, sqlx::Error> {
    let sql = "UPDATE lease SET epoch = epoch + 1, at = $1, holder = $2 WHERE name = 'pass' RETURNING epoch";
    let mut transaction = database.begin().await?;
    let query = sqlx::query_scalar(sql).bind(at.to_string()).bind(holder.to_owned());
    let epoch: i64 = query.fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    u64::try_from(epoch).map_err(|error| unreadable("lease.epoch", error))
}

/// Stores a plan; `false` where a newer epoch has begun.
pub(super) async fn put(database: &Database, plan: &StoredPlan) -> Result<bool, sqlx::Error> {
    let mut transaction = database.begin().await?;
    // Writing the row keeps the next holder from beginning its epoch until this plan is stored.
    let touch = sqlx::query("UPDATE lease SET epoch = epoch WHERE name = 'pass' AND epoch <= $1").bind(number(plan.epoch));
    if touch.execute(&mut *transaction).await?.rows_affected() == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    let seq = take_numbers(&mut transaction, "plans", 1).await?;
    sqlx::query("INSERT INTO plans (seq, epoch, at, size, body) VALUES ($1, $2, $3, $4, $5)")
        .bind(seq)
        .bind(number(plan.epoch))
        .bind(plan.at.to_string())
        .bind(number(plan.body.len()))
        .bind(plan.body.clone())
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "DELETE FROM plans WHERE seq <= $1 OR seq < $2 AND seq IN (
             SELECT seq FROM (SELECT seq, sum(size) OVER (ORDER BY seq DESC) AS total FROM plans) AS sized WHERE total > $3
         )",
    )
    .bind(seq - KEPT)
    .bind(seq)
    .bind(KEPT_BYTES)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}

/// The newest plan.
pub(super) async fn newest(database: &Database) -> Result<Option<StoredPlan>, sqlx::Error> {
    let sql = "SELECT epoch, at, body FROM plans ORDER BY seq DESC LIMIT 1";
    let row: Option<(i64, String, String)> = sqlx::query_as(sql).fetch_optional(database.pool()).await?;
    row.map(|(epoch, at, body)| {
        let epoch = u64::try_from(epoch).map_err(|error| unreadable("plans.epoch", error))?;
        let at = at.parse().map_err(|error| unreadable("plans.at", error))?;
        Ok(StoredPlan { epoch, at, body })
    })
    .transpose()
}
