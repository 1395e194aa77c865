//! Which process runs a trigger, in statements that SQLite and PostgreSQL both understand.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::TriggerKey;
use super::database::{Database, number, unreadable};
use super::triggers::{Leased, TriggerLease};

/// Takes a lease where it is free, or tells who has it.
pub(super) async fn take(
    database: &Database,
    key: &TriggerKey,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Leased, sqlx::Error> {
    let taken = "INSERT INTO trigger_leases (environment, connector, trigger, epoch, holder, held_until) VALUES ($1, $2, $3, 1, $4, $5)
                 ON CONFLICT (environment, connector, trigger) DO UPDATE
                 SET epoch = trigger_leases.epoch + 1, holder = excluded.holder, held_until = excluded.held_until
                 WHERE trigger_leases.held_until <= $6 RETURNING epoch";
    let query = key.parts().into_iter().fold(sqlx::query_scalar(taken), |query, part| query.bind(part));
    let query = query.bind(holder.to_owned()).bind(until.as_millisecond()).bind(now.as_millisecond());
    let epoch: Option<i64> = query.fetch_optional(database.pool()).await?;
    if let Some(epoch) = epoch {
        let epoch = u64::try_from(epoch).map_err(|error| unreadable("trigger_leases.epoch", error))?;
        return Ok(Leased::Mine(TriggerLease { epoch, until }));
    }
    let others = "SELECT holder, held_until FROM trigger_leases WHERE environment = $1 AND connector = $2 AND trigger = $3";
    let query = key.parts().into_iter().fold(sqlx::query_as(others), |query, part| query.bind(part));
    let (holder, until): (String, i64) = query.fetch_one(database.pool()).await?;
    let until = Timestamp::from_millisecond(until).map_err(|error| unreadable("trigger_leases.held_until", error))?;
    Ok(Leased::Others { holder, until })
}

/// Extends a lease to its moment, and tells whether it still was the newest.
pub(super) async fn extend(connection: &mut AnyConnection, key: &TriggerKey, lease: &TriggerLease) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE trigger_leases SET held_until = $5 WHERE environment = $1 AND connector = $2 AND trigger = $3 AND epoch = $4";
    let query = key.parts().into_iter().fold(sqlx::query(sql), |query, part| query.bind(part));
    let extended = query.bind(number(lease.epoch)).bind(lease.until.as_millisecond()).execute(connection).await?;
    Ok(extended.rows_affected() > 0)
}
