//! The SQLite store: append-only for everybody, whole after a kill, clear when it cannot work, quick when it is large.

use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use switchboard::flow::trigger::TriggerState;
use switchboard::model::{Digest, Evidence, Fact, FactKind, Verdict};
use switchboard::registry::{Registry, SqlRegistry};
use switchboard::store::{CachedDeclaration, Database, DatabaseCause, DatabaseError, NewFact, SqlStore, Store, StoredPlan, TriggerStates};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn started(number: usize) -> NewFact {
    let fact = Fact::TestsStarted { digest: Digest::of(&number.to_le_bytes()) };
    NewFact { at: at(0), connector: format!("connector-{number}").parse().unwrap(), fact }
}

fn evidence(number: usize) -> Evidence {
    Evidence {
        connector: format!("connector-{number}").parse().unwrap(),
        digest: Digest::of(&number.to_le_bytes()),
        level: 1,
        started: at(0),
        millis: 1,
        runner: "0.1.0".to_owned(),
        cases: Vec::new(),
        failure: None,
        partial: false,
        coverage: switchboard::model::Coverage::default(),
    }
}

/// Another program's hand on the file: no port stands between.
async fn by_hand(file: &Path) -> SqlitePool {
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).create_if_missing(true)).await.unwrap()
}

async fn refusal(file: &Path) -> DatabaseError {
    Database::open(file).await.expect_err("the database must be refused")
}

#[tokio::test]
async fn facts_evidence_and_published_versions_refuse_changes_by_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let database = Database::open(&file).await.unwrap();
    let store = SqlStore::new(&database);
    store.append_evidence(&evidence(1), &[started(1), started(2)]).await.unwrap();
    let hand = by_hand(&file).await;
    sqlx::raw_sql(
        "INSERT INTO bundles VALUES ('d', 'a', x''); INSERT INTO published VALUES ('a', '1.0.0', 'd', 1, '2026-01-01T00:00:00Z')",
    )
    .execute(&hand)
    .await
    .unwrap();

    for (statement, says) in [
        ("UPDATE facts SET body = '{}'", "facts are append-only"),
        ("DELETE FROM facts WHERE seq = 1", "facts are append-only"),
        ("INSERT OR REPLACE INTO facts VALUES (1, '', 'a', '', '', '{}')", "facts are append-only"),
        ("UPDATE evidence SET failed = 0", "evidence is append-only"),
        ("DELETE FROM evidence", "evidence is append-only"),
        ("INSERT OR REPLACE INTO evidence VALUES (1, '', 1, '', '', 1, 0, '{}')", "evidence is append-only"),
        ("UPDATE bundles SET content = x'00'", "bundles are immutable"),
        ("UPDATE published SET digest = 'e'", "a published version never changes"),
        ("DELETE FROM published", "a published version never changes"),
        ("UPDATE lease SET epoch = epoch - 1", "epochs only rise"),
        ("UPDATE counters SET value = value - 1", "counters only rise"),
        ("INSERT INTO holdings VALUES ('test', 'a', '1.0.0', 'no such bundle', '')", "FOREIGN KEY"),
    ] {
        let refused = sqlx::raw_sql(statement).execute(&hand).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{statement}: {refused}");
    }
    assert_eq!(store.facts_after(0, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_stored_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let database = Database::open(&file).await.unwrap();
    let store = SqlStore::new(&database);
    store.append(&[started(1)]).await.unwrap();
    store.append_evidence(&evidence(1), &[started(2)]).await.unwrap();
    let epoch = store.begin_epoch(at(1), "a").await.unwrap();
    store.put_plan(&StoredPlan { epoch, at: at(1), body: "{}".to_owned() }).await.unwrap();

    // What a killed process leaves behind: the files as they are, with the connections still open.
    let left = tempfile::tempdir().unwrap();
    for name in ["switchboard.db", "switchboard.db-wal"] {
        std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
    }
    let store = SqlStore::new(&Database::open(&left.path().join("switchboard.db")).await.unwrap());
    assert_eq!(store.facts_after(0, 10).await.unwrap().len(), 2);
    assert_eq!(store.verdicts(1).await.unwrap(), [(evidence(1).digest, Verdict { passed: 0, failed: 0 })]);
    assert!(store.plan().await.unwrap().is_some());
    assert!(store.begin_epoch(at(2), "b").await.unwrap() > epoch);
}

#[tokio::test]
async fn a_torn_log_loses_the_torn_transaction_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let database = Database::open(&file).await.unwrap();
    let store = SqlStore::new(&database);
    store.append(&[started(1)]).await.unwrap();
    let whole = std::fs::metadata(folder.path().join("switchboard.db-wal")).unwrap().len();
    store.append(&[started(2), started(3)]).await.unwrap();

    let left = tempfile::tempdir().unwrap();
    std::fs::copy(&file, left.path().join("switchboard.db")).unwrap();
    let log = std::fs::read(folder.path().join("switchboard.db-wal")).unwrap();
    let torn = usize::try_from(whole).unwrap() + 100;
    assert!(torn < log.len());
    std::fs::write(left.path().join("switchboard.db-wal"), &log[..torn]).unwrap();

    let store = SqlStore::new(&Database::open(&left.path().join("switchboard.db")).await.unwrap());
    assert_eq!(store.facts_after(0, 10).await.unwrap().len(), 1);
    assert_eq!(store.append(&[started(4)]).await.unwrap(), 2);
}

#[tokio::test]
async fn two_processes_open_a_new_state_and_append_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new folder, 100% odd?#é/switchboard.db");
    let write = async |first: usize| {
        let store = SqlStore::new(&Database::open(&file).await.unwrap());
        for number in first..first + 20 {
            store.append(&[started(number), started(number)]).await.unwrap();
        }
    };
    tokio::join!(write(0), write(100), write(200));
    let store = SqlStore::new(&Database::open(&file).await.unwrap());
    let facts = store.facts_after(0, 1000).await.unwrap();
    assert_eq!(facts.iter().map(|fact| fact.seq).collect::<Vec<_>>(), (1..=120).collect::<Vec<_>>());
    assert!(facts.chunks(2).all(|pair| pair[0].connector == pair[1].connector), "an append was torn apart");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);

    std::fs::write(at("garbage.db"), "this is no database".repeat(1000)).unwrap();
    let refused = refusal(&at("garbage.db")).await;
    assert!(matches!(refused.cause, DatabaseCause::Damaged(_)), "{refused}");
    assert!(refused.to_string().contains("garbage.db") && refused.to_string().contains("switchboard rebuild"), "{refused}");

    std::fs::create_dir(at("folder.db")).unwrap();
    assert!(matches!(refusal(&at("folder.db")).await.cause, DatabaseCause::NotOpened));
    assert!(refusal(&at("garbage.db/below/switchboard.db")).await.to_string().contains("garbage.db/below"));

    let foreign = by_hand(&at("foreign.db")).await;
    sqlx::raw_sql("CREATE TABLE songs (title TEXT)").execute(&foreign).await.unwrap();
    assert!(matches!(refusal(&at("foreign.db")).await.cause, DatabaseCause::Foreign));
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&foreign).await.unwrap();
    assert_eq!(tables, 1, "a foreign database was changed");

    std::fs::write(at("empty.db"), "").unwrap();
    assert!(Database::open(&at("empty.db")).await.is_ok());
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    Database::open(&file).await.unwrap().close().await;
    let hand = by_hand(&file).await;
    sqlx::raw_sql("INSERT INTO _sqlx_migrations VALUES (9999, 'the future', '2036-01-01', true, x'00', 1)").execute(&hand).await.unwrap();
    let refused = refusal(&file).await;
    assert!(matches!(refused.cause, DatabaseCause::Newer { found: 9999, .. }), "{refused}");
    assert!(refused.to_string().ends_with("Use the newer version that made it"), "{refused}");
}

#[tokio::test]
async fn damage_inside_the_file_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let database = Database::open(&file).await.unwrap();
    let facts: Vec<NewFact> = (0..2000).map(started).collect();
    SqlStore::new(&database).append(&facts).await.unwrap();
    database.close().await;

    let mut bytes = std::fs::read(&file).unwrap();
    assert!(!folder.path().join("switchboard.db-wal").exists());
    let end = bytes.len();
    bytes[8192..end].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    let failure = match Database::open(&file).await {
        Err(failure) => failure,
        Ok(database) => SqlStore::new(&database).facts_after(0, 5000).await.unwrap_err().downcast().unwrap(),
    };
    assert!(matches!(failure.cause, DatabaseCause::Damaged(_)), "{failure}");
}

/// Each earlier schema with its sample data is brought to the newest one. A new migration adds `schema-<n>.sql` with
/// rows for what it added, and nothing here changes.
#[tokio::test]
async fn every_earlier_schema_migrates_with_its_data() {
    let migrations = sqlx::migrate!("src/store/migrations/sqlite");
    for (index, migration) in migrations.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("switchboard.db");
        let hand = by_hand(&file).await;
        migrations.run_to(migration.version, &hand).await.unwrap();
        for earlier in 1..=index + 1 {
            let sample = format!("{}/tests/samples/schema-{earlier}.sql", env!("CARGO_MANIFEST_DIR"));
            let sample = std::fs::read_to_string(&sample).unwrap_or_else(|error| panic!("{sample}: {error}"));
            sqlx::raw_sql(sqlx::AssertSqlSafe(sample)).execute(&hand).await.unwrap();
        }
        hand.close().await;

        let database = Database::open(&file).await.unwrap();
        let (store, registry) = (SqlStore::new(&database), SqlRegistry::new(&database));
        let facts = store.facts_after(0, 100).await.unwrap();
        assert_eq!(facts.iter().map(|fact| fact.fact.kind()).collect::<Vec<_>>(), [FactKind::Deployed, FactKind::TestsFinished]);
        let (digest, verdict) = store.verdicts(1).await.unwrap()[0];
        assert_eq!(verdict, Verdict { passed: 1, failed: 0 });
        assert_eq!(store.evidence(&digest, 1, 1).await.unwrap()[0].verdict(), verdict);
        assert_eq!(store.plan().await.unwrap().unwrap().epoch, 3);
        assert_eq!(store.declarations().await.unwrap().len(), 1);
        assert_eq!(store.append(&[started(1)]).await.unwrap(), 3);
        let triggers = store.triggers_with_state().await.unwrap();
        assert_eq!(triggers.len(), usize::from(migration.version >= 2));
        for trigger in &triggers {
            let state = store.trigger_state(trigger).await.unwrap().unwrap();
            assert!(TriggerState::read(&state).unwrap().seen.has(&serde_json::json!("4711")), "{state}");
        }
        let actual = registry.actual().await.unwrap();
        assert_eq!((actual.holdings.len(), actual.published.len()), (2, 1));
        let files = registry.bundle(&digest).await.unwrap().unwrap();
        assert_eq!(files.get("connector.yaml"), Some("name: github-issues\n".as_bytes()));
    }
}

#[tokio::test]
async fn plans_do_not_fill_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let store = SqlStore::new(&Database::open(&file).await.unwrap());
    let epoch = store.begin_epoch(at(0), "a").await.unwrap();
    let put = async |body: String| store.put_plan(&StoredPlan { epoch, at: at(0), body }).await.unwrap();
    let hand = by_hand(&file).await;
    let kept = async || -> i64 { sqlx::query_scalar("SELECT count(*) FROM plans").fetch_one(&hand).await.unwrap() };
    for number in 0..130 {
        put(number.to_string()).await;
    }
    assert_eq!(kept().await, 100);
    for _ in 0..5 {
        put("x".repeat(10 << 20)).await;
    }
    assert_eq!(kept().await, 3, "32 MiB hold three plans of 10");
    let huge = "y".repeat(40 << 20);
    put(huge.clone()).await;
    assert_eq!(kept().await, 1);
    assert_eq!(store.plan().await.unwrap().unwrap().body, huge);
}

#[tokio::test]
async fn a_large_state_is_written_in_few_statements_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let store = SqlStore::new(&Database::open(&file).await.unwrap());
    for round in 1..=2 {
        let facts: Vec<NewFact> = (0..1_201).map(started).collect();
        assert_eq!(store.append(&facts).await.unwrap(), round * 1_201);
    }
    let newest = store.newest_of(&[FactKind::TestsStarted, FactKind::TestsFinished]).await.unwrap();
    assert_eq!(newest.iter().map(|fact| fact.seq).collect::<Vec<_>>(), (1_202..=2_402).collect::<Vec<_>>());

    let cached =
        |key: &str, number: usize| CachedDeclaration { connector: format!("c{number:05}"), key: key.to_owned(), body: "x".repeat(600) };
    for key in ["1", "2"] {
        let declarations: Vec<CachedDeclaration> = (0..1_201).map(|number| cached(key, number)).collect();
        store.put_declarations(&declarations).await.unwrap();
        assert_eq!(store.declarations().await.unwrap(), declarations);
    }
}

/// A query that reads whole tables for each row shows in the plan as a scan without an index.
#[tokio::test]
async fn no_query_over_facts_or_evidence_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    Database::open(&file).await.unwrap().close().await;
    let hand = by_hand(&file).await;
    for query in [
        "SELECT seq FROM facts WHERE seq > 1 ORDER BY seq LIMIT 2",
        "SELECT seq FROM facts WHERE connector = 'a' ORDER BY seq DESC LIMIT 2",
        "SELECT connector, environment, max(seq) FROM facts WHERE kind IN ('a', 'b') GROUP BY kind, connector, environment",
        "SELECT digest, max(seq) FROM evidence WHERE level = 1 GROUP BY digest",
        "SELECT body FROM evidence WHERE level = 1 AND digest = 'a' ORDER BY seq DESC LIMIT 1",
    ] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"))).fetch_all(&hand).await.unwrap();
        for (_, _, _, step) in plan {
            assert!(!step.starts_with("SCAN") && !step.contains("TEMP B-TREE"), "{query}: {step}");
        }
    }
}
