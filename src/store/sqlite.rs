//! The embedded default: one SQLite file in the state folder, in WAL mode so that readers never wait for the writer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use super::database::{Done, Trust};
use super::failure::{DatabaseCause, DatabaseError};

/// Every schema since the first, oldest first.
static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// Few: SQLite has one writer, and a command reads with one.
const CONNECTIONS: u32 = 4;

/// How often the switch to WAL is tried: SQLite does not wait by itself for another process that does the same.
const ATTEMPTS: u32 = 50;

/// Opens a database file, made with its folder where they are missing.
pub(super) async fn open(path: &Path, trust: &Trust) -> Done<(AnyPool, Arc<str>)> {
    sqlx::any::install_default_drivers();
    let name: Arc<str> = path.display().to_string().into();
    let failed = |cause| DatabaseError { attempt: "open the state".to_owned(), database: Arc::clone(&name), cause };
    let url = file_url(path).map_err(failed)?;
    let options = AnyPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false).after_connect(|connection, _| {
        // NORMAL: what is committed survives a kill of the process. A power loss may take the newest commits, never the
        // file's integrity, and a pass does again what is missing. The pool would repeat a connection that fails here until
        // its time is out; where this fails, the first statement tells better why.
        Box::pin(async move { connection.execute("PRAGMA synchronous = NORMAL").await.map_or(Ok(()), |_| Ok(())) })
    });
    let trust = trust.clone();
    let options = options.before_acquire(move |_, connection| {
        let trusted = trust.holds_for(connection.age);
        Box::pin(async move { Ok(trusted) })
    });
    let pool = options.connect(&url).await.map_err(|error| failed(DatabaseCause::of(error)))?;
    let prepared = prepare(&pool).await;
    if prepared.is_err() {
        pool.close().await;
    }
    prepared.map_err(failed)?;
    Ok((pool, name))
}

/// A database in memory: exactly one connection that never ends, for the database ends with it.
pub(super) async fn memory() -> Done<(AnyPool, Arc<str>)> {
    sqlx::any::install_default_drivers();
    let name: Arc<str> = "memory".into();
    let failed = |cause| DatabaseError { attempt: "open the state".to_owned(), database: Arc::clone(&name), cause };
    let options = AnyPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    let pool = options.connect("sqlite::memory:?cache=private").await.map_err(|error| failed(DatabaseCause::of(error)))?;
    let mut connection = pool.acquire().await.map_err(|error| failed(DatabaseCause::of(error)))?;
    migrate(&mut connection).await.map_err(failed)?;
    drop(connection);
    Ok((pool, name))
}

/// Makes the folder and writes the path as the driver reads it.
fn file_url(path: &Path) -> Result<String, DatabaseCause> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let canonical = std::fs::create_dir_all(folder).and_then(|()| folder.canonicalize()).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => DatabaseCause::ReadOnly,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => DatabaseCause::Full,
        _ => DatabaseCause::Other(sqlx::Error::Io(error)),
    })?;
    let file: PathBuf = canonical.join(path.file_name().ok_or(DatabaseCause::NotOpened)?);
    let file = file.to_str().ok_or_else(|| DatabaseCause::Other(sqlx::Error::Configuration("its path is not UTF-8".into())))?;
    let mut url = String::from("sqlite://");
    for byte in file.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(char::from(byte)),
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    url.push_str("?mode=rwc&cache=private");
    Ok(url)
}

/// Brings a file to WAL mode and to the newest schema.
async fn prepare(pool: &AnyPool) -> Result<(), DatabaseCause> {
    let mut connection = pool.acquire().await.map_err(DatabaseCause::of)?;
    for attempt in 1.. {
        match connection.execute("PRAGMA journal_mode = WAL").await.map_err(DatabaseCause::of) {
            Ok(_) => break,
            Err(DatabaseCause::Busy) if attempt < ATTEMPTS => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(cause) => return Err(cause),
        }
    }
    migrate(&mut connection).await
}

/// Applies the migrations that are missing, all or none.
async fn migrate(connection: &mut AnyConnection) -> Result<(), DatabaseCause> {
    if is_current(connection).await? {
        return Ok(());
    }
    // The migrator takes no lock on SQLite: the immediate transaction is the lock, and makes several migrations one.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(DatabaseCause::of)?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    MIGRATIONS.run_direct(None, &mut *transaction, false).await.map_err(|error| DatabaseCause::of_migration(error, known))?;
    transaction.commit().await.map_err(DatabaseCause::of)
}

/// Whether the schema is the newest one, told by reading alone: the usual case, which must cost nothing.
async fn is_current(connection: &mut AnyConnection) -> Result<bool, DatabaseCause> {
    let tables = "SELECT count(*), coalesce(sum(name = '_sqlx_migrations'), 0) FROM sqlite_schema WHERE type = 'table'";
    let (tables, ours): (i64, i64) = sqlx::query_as(tables).fetch_one(&mut *connection).await.map_err(DatabaseCause::of)?;
    match (tables, ours) {
        (0, _) => return Ok(false),
        (_, 0) => return Err(DatabaseCause::Foreign),
        _ => {}
    }
    let applied = connection.list_applied_migrations("_sqlx_migrations").await;
    let applied = applied.map_err(|error| DatabaseCause::of_migration(error, i64::MAX))?;
    let known = MIGRATIONS.iter().map(|migration| (migration.version, &migration.checksum));
    Ok(applied.iter().map(|migration| (migration.version, &migration.checksum)).eq(known))
}
