//! The SQLite registry: whole after a kill, one truth for several processes, no content under a false name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use switchboard::model::{BundleFiles, ConnectorName, Digest, EnvironmentName, ReviewId, Version};
use switchboard::registry::{Publication, Registry, SqlRegistry};
use switchboard::store::Database;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn connector(number: usize) -> ConnectorName {
    format!("connector-{number}").parse().unwrap()
}

fn bundle(number: usize, note: &str) -> (Digest, BundleFiles) {
    let manifest = format!("name: connector-{number}\nstatus: published\n");
    let files = BundleFiles::new(BTreeMap::from([
        ("connector.yaml".to_owned(), manifest.into_bytes()),
        ("notes.md".to_owned(), note.as_bytes().to_vec()),
        ("tests/empty.yaml".to_owned(), Vec::new()),
    ]));
    (switchboard::manifest::digest(&files).unwrap(), files)
}

fn environment(name: &str) -> EnvironmentName {
    name.parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[tokio::test]
async fn every_deployment_is_there_for_another_process_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let writer = SqlRegistry::new(&Database::open(&file).await.unwrap());
    let reader = SqlRegistry::new(&Database::open(&file).await.unwrap());
    let test = environment("test");
    for number in 0..20 {
        let (digest, files) = bundle(number, "");
        let before = reader.revision().await.unwrap();
        writer.put_bundle(&connector(number), &digest, &files).await.unwrap();
        assert_eq!(reader.revision().await.unwrap(), before, "a bundle alone changes nothing that is held");
        writer.deploy(&test, &connector(number), &version("1.0.0"), &digest, at(1)).await.unwrap();
        assert!(reader.revision().await.unwrap() > before);
        assert_eq!(reader.actual().await.unwrap().holdings.len(), number + 1);
        assert_eq!(reader.actual_of(&connector(number)).await.unwrap().holdings.len(), 1);
        assert_eq!(reader.bundle(&digest).await.unwrap(), Some(files));
    }
}

#[tokio::test]
async fn two_processes_that_publish_one_version_agree_on_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let first = SqlRegistry::new(&Database::open(&file).await.unwrap());
    let second = SqlRegistry::new(&Database::open(&file).await.unwrap());
    let ((a, files_a), (b, files_b)) = (bundle(1, "a"), bundle(1, "b"));
    first.put_bundle(&connector(1), &a, &files_a).await.unwrap();
    first.put_bundle(&connector(1), &b, &files_b).await.unwrap();
    let production = environment("production");
    for patch in 0..10 {
        let version = version(&format!("1.0.{patch}"));
        let publish = async |registry: &SqlRegistry, digest: &Digest| {
            registry.publish(&production, &connector(1), &version, digest, ReviewId(1), at(patch)).await.unwrap()
        };
        let outcomes = tokio::join!(publish(&first, &a), publish(&second, &b));
        let kept = match outcomes {
            (Publication::Done, Publication::VersionTaken(kept)) if kept == a => a,
            (Publication::VersionTaken(kept), Publication::Done) if kept == b => b,
            other => panic!("{other:?}"),
        };
        let actual = second.actual().await.unwrap();
        assert_eq!(actual.holdings[0].digest, kept);
        assert!(actual.published.iter().any(|published| published.version == version && published.digest == kept));
    }
}

#[tokio::test]
async fn a_kill_leaves_a_publish_done_or_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("switchboard.db")).await.unwrap();
    let registry = SqlRegistry::new(&database);
    let (digest, files) = bundle(1, "");
    registry.put_bundle(&connector(1), &digest, &files).await.unwrap();
    let before = std::fs::metadata(folder.path().join("switchboard.db-wal")).unwrap().len();
    let production = environment("production");
    registry.publish(&production, &connector(1), &version("1.0.0"), &digest, ReviewId(1), at(1)).await.unwrap();

    // The log as a kill could leave it: cut anywhere after the bundle was stored.
    let log = std::fs::read(folder.path().join("switchboard.db-wal")).unwrap();
    let (mut done, mut not_begun) = (0, 0);
    let lengths = (usize::try_from(before).unwrap()..=log.len()).step_by(2048).chain([log.len()]);
    for length in lengths {
        let left = tempfile::tempdir().unwrap();
        std::fs::copy(folder.path().join("switchboard.db"), left.path().join("switchboard.db")).unwrap();
        std::fs::write(left.path().join("switchboard.db-wal"), &log[..length]).unwrap();
        let registry = SqlRegistry::new(&Database::open(&left.path().join("switchboard.db")).await.unwrap());
        let actual = registry.actual().await.unwrap();
        assert_eq!(actual.holdings.len(), actual.published.len(), "cut at {length}");
        if actual.holdings.is_empty() {
            not_begun += 1
        } else {
            done += 1
        }
        let again = registry.publish(&production, &connector(1), &version("1.0.0"), &digest, ReviewId(1), at(1)).await.unwrap();
        assert_eq!(again, Publication::Done);
    }
    assert!(done > 0 && not_begun > 0, "{done} done, {not_begun} not begun");
}

#[tokio::test]
async fn content_that_was_changed_in_the_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.db");
    let registry = SqlRegistry::new(&Database::open(&file).await.unwrap());
    let (digest, files) = bundle(1, "");
    registry.put_bundle(&connector(1), &digest, &files).await.unwrap();
    let hand = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(&file)).await.unwrap();
    sqlx::raw_sql("DROP TRIGGER bundles_never_change; UPDATE bundles SET content = substr(content, 1, 20)").execute(&hand).await.unwrap();
    let refused = registry.bundle(&digest).await.unwrap_err();
    assert!(format!("{refused:#}").contains("ends too early"), "{refused:#}");

    sqlx::raw_sql("UPDATE bundles SET content = x''").execute(&hand).await.unwrap();
    let refused = registry.bundle(&digest).await.unwrap_err();
    assert!(format!("{refused:#}").contains(&digest.short()), "{refused:#}");
}
