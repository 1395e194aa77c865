//! What went wrong with the database, told so that a person knows which file and what to do.

use std::fmt;
use std::sync::Arc;

use sqlx::migrate::MigrateError;

/// A failure of the database: what was attempted, in which database, and why it did not work.
#[derive(Debug)]
pub struct DatabaseError {
    /// What was attempted, such as `append facts`.
    pub attempt: String,
    /// The database: a file's path.
    pub database: Arc<str>,
    /// Why it failed.
    pub cause: DatabaseCause,
}

/// Why a database fails.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseCause {
    /// No space is left.
    #[error("the disk is full; nothing was changed. Free some space and repeat")]
    Full,
    /// Reading or writing the file failed below the database.
    #[error("the disk is full or fails ({0}). See that it has space left and no errors, then repeat")]
    Disk(String),
    /// It may not be written.
    #[error("it may not be written by this user. Allow writing to the file and its folder, or choose another folder with --state")]
    ReadOnly,
    /// It cannot be opened at all.
    #[error("it cannot be opened. See that its folder exists and may be written, or choose another folder with --state")]
    NotOpened,
    /// It is no database, or a damaged one.
    #[error(
        "the file is damaged or is no database ({0}). Run `switchboard rebuild`, which sets it aside and makes it anew from git and the \
         reviews"
    )]
    Damaged(String),
    /// It belongs to another program.
    #[error("it is another program's database. Choose another folder with --state")]
    Foreign,
    /// A newer Switchboard made it.
    #[error("it has schema {found}, and this version of switchboard knows schemas up to {known}. Use the newer version that made it")]
    Newer {
        /// The schema it has.
        found: i64,
        /// The newest schema this version knows.
        known: i64,
    },
    /// Another process kept it busy for too long.
    #[error("another process kept it busy for too long. Repeat it, and see which other switchboard uses this state")]
    Busy,
    /// Anything else, in the driver's words.
    #[error("{0}")]
    Other(sqlx::Error),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} in {}: {}", self.attempt, self.database, self.cause)
    }
}

impl std::error::Error for DatabaseError {}

impl DatabaseCause {
    /// Reads the driver's error.
    pub(super) fn of(error: sqlx::Error) -> Self {
        let Some((code, message)) = error.as_database_error().and_then(|e| Some((sqlite_code(e)?, e.message().to_owned()))) else {
            return match error {
                sqlx::Error::PoolTimedOut => Self::Busy,
                other => Self::Other(other),
            };
        };
        // Result codes of SQLite, <https://www.sqlite.org/rescode.html>.
        match code {
            5 | 6 => Self::Busy,
            8 => Self::ReadOnly,
            10 => Self::Disk(message),
            11 | 26 => Self::Damaged(message),
            13 => Self::Full,
            14 => Self::NotOpened,
            _ => Self::Other(error),
        }
    }

    /// Reads the migrator's error.
    pub(super) fn of_migration(error: MigrateError, known: i64) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::of(error),
            MigrateError::VersionMissing(found) if found > known => Self::Newer { found, known },
            MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => Self::Foreign,
            other => Self::Other(sqlx::Error::Migrate(Box::new(other))),
        }
    }
}

/// The primary result code, which the extended one carries in its lowest byte. PostgreSQL's codes have five characters and letters.
fn sqlite_code(error: &dyn sqlx::error::DatabaseError) -> Option<u32> {
    let code: u32 = error.code()?.parse().ok()?;
    Some(code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    /// Fails every statement on an in-memory database with real limits, so the codes are SQLite's own.
    #[tokio::test]
    async fn a_full_disk_is_named_and_changes_nothing() {
        let database = Database::memory().await.unwrap();
        let mut connection = database.pool().acquire().await.unwrap();
        sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&mut *connection).await.unwrap();
        drop(connection);

        let big = "x".repeat(1 << 20);
        let mut failure = None;
        for _ in 0..64 {
            let insert = sqlx::query("INSERT INTO declarations (connector, key, body) VALUES ($1, $1, $1)").bind(big.clone());
            if let Err(error) = insert.execute(database.pool()).await {
                failure = Some(database.failed("keep a declaration", error));
                break;
            }
        }
        let failure = failure.unwrap();
        assert!(matches!(failure.cause, DatabaseCause::Full), "{failure}");
        assert!(failure.to_string().starts_with("cannot keep a declaration in memory: the disk is full"), "{failure}");
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM declarations").fetch_one(database.pool()).await.unwrap();
        assert_eq!(rows, 0);
    }
}
