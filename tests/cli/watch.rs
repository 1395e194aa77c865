//! `watch` follows the tracked branch, alone on its state, until it is told to stop.

use crate::support::command::Team;
use crate::support::daemon::{Daemon, runs};

#[test]
fn commits_are_followed_and_a_second_daemon_is_refused() {
    let team = Team::with_crm();
    let mut daemon = Daemon::start(&team, &["watch"]);
    team.run(&["pre-publish", "crm", "--commit"]).done();
    assert_eq!(daemon.line(), "crm: deploy 0.1.0 to test");
    assert!(daemon.line().starts_with("crm: run the tests of "));
    for arguments in [&["watch"][..], &["apply"], &["rebuild"]] {
        let ran = team.run(arguments).failed();
        assert!(ran.err.contains("another switchboard"), "{arguments:?}: {}", ran.err);
    }
    assert!(daemon.end_with("TERM").success());
    assert!(daemon.lines.next().is_none());
}

#[test]
fn a_decision_is_acted_on_at_once() {
    let team = Team::in_review();
    let mut daemon = Daemon::start(&team, &["watch", "--output", "json"]);
    team.run(&["review", "approve", "1", "--by", "bob@example.com"]).done();
    let told: serde_json::Value = serde_json::from_str(&daemon.line()).unwrap();
    assert_eq!((told["connector"].as_str(), told["step"].as_str()), (Some("crm"), Some("publish")));
    assert_eq!(told["failure"], serde_json::Value::Null);
}

#[test]
fn it_stops_in_the_middle_of_endless_tests_and_so_do_its_workers() {
    for signal in ["TERM", "INT", "KILL"] {
        let team = Team::with_crm();
        team.replace("connectors/crm/connector.yaml", "${ { id, name } }", "${ def endless: endless; endless }");
        team.commit_all("Never end");
        team.run(&["pre-publish", "crm", "--commit"]).done();
        let mut daemon = Daemon::start(&team, &["watch"]);
        assert_eq!(daemon.line(), "crm: deploy 0.1.0 to test");
        assert!(daemon.line().starts_with("crm: run the tests of "));
        let workers = loop {
            let workers = daemon.children();
            if !workers.is_empty() {
                break workers;
            }
        };
        let ended = daemon.end_with(signal);
        if signal != "KILL" {
            assert!(ended.success());
            assert_eq!(daemon.notes.by_ref().last().unwrap().unwrap(), "Stopped.");
        }
        while workers.iter().any(|worker| runs(*worker)) {
            std::thread::yield_now();
        }
        assert_eq!(team.stage("crm"), "pre-published");
    }
}

#[test]
fn a_repository_that_disappears_is_waited_for() {
    let team = Team::with_crm();
    let state = team.outside().join("state").display().to_string();
    let mut daemon = Daemon::start(&team, &["watch", "--state", &state, "--poll-interval", "1s"]);
    team.run(&["pre-publish", "crm", "--commit"]).done();
    assert_eq!(daemon.line(), "crm: deploy 0.1.0 to test");
    assert!(daemon.line().starts_with("crm: run the tests of "));

    let elsewhere = team.outside().join("elsewhere");
    std::fs::rename(team.root(), &elsewhere).unwrap();
    daemon.note_with("repository");
    std::fs::rename(&elsewhere, team.root()).unwrap();
    team.run(&["publish", "crm", "--commit", "--state", &state]).done();
    assert_eq!(daemon.line(), "crm: open the review of 0.1.0");
    assert!(daemon.end_with("TERM").success());
}
