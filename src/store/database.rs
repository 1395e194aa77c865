//! The connection that store and registry share: one database, opened once, brought to the newest schema.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, AnyPool};
use sqlx::{AssertSqlSafe, Transaction};

use super::failure::{DatabaseCause, DatabaseError};
use super::sqlite;

/// An open database. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    name: Arc<str>,
    trust: Trust,
}

/// Which connections may still be used. On a full disk SQLite ends a transaction by itself, the driver goes on counting it,
/// and that connection would hold the write lock for ever: connections from before such a failure are closed.
#[derive(Debug, Clone, Default)]
pub(super) struct Trust(Arc<Mutex<Option<Instant>>>);

impl Trust {
    fn lose(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of this age was made after the last such failure.
    pub(super) fn holds_for(&self, age: Duration) -> bool {
        let lost = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lost.is_none_or(|lost| age < lost.elapsed())
    }
}

/// The result of an operation on the database.
pub(crate) type Done<T> = Result<T, DatabaseError>;

/// The most rows one statement writes: stays well under every database's limit of parameters.
pub(crate) const ROWS: usize = 500;

impl Database {
    /// Opens the SQLite database in this file, made with its folder where they are missing, and migrates its schema.
    pub async fn open(path: &Path) -> Result<Self, DatabaseError> {
        let trust = Trust::default();
        let (pool, name) = sqlite::open(path, &trust).await?;
        Ok(Self { pool, name, trust })
    }

    /// A new, empty SQLite database that lives as long as this value and its clones: for tests and previews.
    pub async fn memory() -> Result<Self, DatabaseError> {
        let (pool, name) = sqlite::memory().await?;
        Ok(Self { pool, name, trust: Trust::default() })
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction. The first statement of one that writes must write, so that it waits for other writers before it reads.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, sqlx::Any>, sqlx::Error> {
        self.pool.begin().await
    }

    /// Tells what was attempted and what to do.
    pub(crate) fn failed(&self, attempt: &str, error: sqlx::Error) -> DatabaseError {
        let cause = DatabaseCause::of(error);
        if matches!(cause, DatabaseCause::Full | DatabaseCause::Disk(_) | DatabaseCause::Busy) {
            self.trust.lose();
        }
        DatabaseError { attempt: attempt.to_owned(), database: Arc::clone(&self.name), cause }
    }
}

/// Raises a counter by `by` and returns its new value. Locks it until the transaction ends, so numbers have no gaps and
/// become visible in their order.
pub(crate) async fn take_numbers(connection: &mut AnyConnection, counter: &str, by: usize) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value")
        .bind(number(by))
        .bind(counter.to_owned())
        .fetch_one(connection)
        .await
}

/// A count as the databases hold it.
pub(crate) fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// `$1, $2, …`: one placeholder a value.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let numbers: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    numbers.join(", ")
}

/// A statement that writes several rows: `head` as in `INSERT INTO t (a, b)`, `tail` as in `ON CONFLICT DO NOTHING`.
pub(crate) fn insert_rows(head: &str, columns: usize, rows: usize, tail: &str) -> AssertSqlSafe<String> {
    let values: Vec<String> = (0..rows).map(|row| format!("({})", placeholders(1 + row * columns, columns))).collect();
    AssertSqlSafe(format!("{head} VALUES {} {tail}", values.join(", ")))
}

/// A stored value that does not read back as what it should be: the row was changed by somebody else.
pub(crate) fn unreadable(column: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) }
}
