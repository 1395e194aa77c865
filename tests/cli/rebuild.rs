//! `rebuild` re-creates lost state from git and the forge.

use jiff::SignedDuration;
use switchboard::model::{Clock as _, SystemClock};
use switchboard::store::{ConnectionName, Database, Leased, SqlStore, TriggerKey, TriggerStates as _};

use crate::support::command::Team;
use crate::support::daemon::Daemon;

#[test]
fn what_was_published_is_published_again() {
    let team = Team::published();
    std::fs::remove_dir_all(team.path(".switchboard")).unwrap();
    let ran = team.run(&["rebuild"]).done();
    assert!(ran.out.contains("crm: publish 0.1.0 to production by review #1\n"), "{}", ran.out);
    assert!(!ran.err.contains("before-rebuild"), "there was nothing to keep: {}", ran.err);
    assert_eq!(team.stage("crm"), "published");
    team.run(&["plan", "--detailed-exitcode"]).done();
}

#[test]
fn a_damaged_database_is_set_aside() {
    let team = Team::in_review();
    team.write(".switchboard/switchboard.db", vec![7; 4096]);
    let ran = team.run(&["list"]).failed();
    assert!(ran.err.contains("switchboard rebuild"), "{}", ran.err);
    team.run(&["rebuild"]).done();
    assert_eq!(team.stage("crm"), "in-review");
    let kept = std::fs::read(team.path(".switchboard/before-rebuild/switchboard.db")).unwrap();
    assert_eq!(kept, vec![7; 4096]);
    let again = team.run(&["rebuild"]).done();
    assert!(again.err.contains("kept in") && again.err.contains("before-rebuild-2"), "{}", again.err);
    assert_eq!(std::fs::read(team.path(".switchboard/before-rebuild/switchboard.db")).unwrap(), kept, "what was kept first stays");
}

#[test]
fn what_a_killed_process_had_in_its_log_is_set_aside_with_the_database() {
    let team = Team::with_crm();
    team.run(&["pre-publish", "crm", "--commit"]).done();
    let mut daemon = Daemon::start(&team, &["watch"]);
    daemon.line();
    assert!(!daemon.end_with("KILL").success());
    assert!(std::fs::metadata(team.path(".switchboard/switchboard.db-wal")).unwrap().len() > 0, "facts are in the log alone");
    team.run(&["rebuild"]).done();
    let kept: Vec<_> =
        std::fs::read_dir(team.path(".switchboard/before-rebuild")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, ["switchboard.db"], "the database holds all of it");
}

#[test]
fn what_was_deleted_and_came_back_as_a_draft_stays_one() {
    let team = Team::published();
    team.run(&["delete", "crm", "--commit"]).done();
    team.run(&["apply"]).done();
    team.run(&["restore", "crm"]).done();
    team.replace("connectors/crm/connector.yaml", "status: published", "status: editing");
    team.commit_all("Bring it back as a draft");
    let ran = team.run(&["rebuild"]).done();
    assert_eq!((ran.out.as_str(), team.stage("crm").as_str()), ("", "editing"));
}

#[tokio::test]
async fn what_triggers_keep_is_carried_over_unless_one_runs() {
    let team = Team::with_crm();
    team.run(&["apply"]).done();
    let key = TriggerKey { connection: ConnectionName::Defaults, connector: "crm".parse().unwrap(), trigger: "polled".to_owned() };
    let now = SystemClock.now();
    let open = || async { Database::open(&team.path(".switchboard/switchboard.db")).await.unwrap() };
    let database = open().await;
    let store = SqlStore::new(&database);
    let until = now.checked_add(SignedDuration::from_mins(5)).unwrap();
    let Leased::Mine(lease) = store.lease_trigger(&key, "process 7", now, until).await.unwrap() else { panic!("it is nobody's") };
    store.put_trigger_state(&key, &lease, r#"{"cursor":7}"#).await.unwrap();
    let refused = team.run(&["rebuild"]).failed();
    assert!(refused.err.contains("another switchboard (process 7) runs the trigger polled of crm with default values"), "{}", refused.err);
    store.return_trigger_lease(&key, &lease).await.unwrap();
    database.close().await;

    team.run(&["rebuild"]).done();
    let database = open().await;
    assert_eq!(SqlStore::new(&database).trigger_state(&key).await.unwrap().as_deref(), Some(r#"{"cursor":7}"#));
    database.close().await;
}
