//! `test` and the state: what has passed is shown from there, what is run is kept there, and the daemon goes by the newest.

use serde_json::Value;

use crate::support::command::{Ran, Team};
use crate::support::daemon::Daemon;

/// A team with a state, whose `crm` nobody has tested yet.
fn with_state() -> Team {
    let team = Team::with_crm();
    team.run(&["apply"]).done();
    team
}

fn reused(ran: &Ran) -> bool {
    ran.json()["evidence"][0]["reused"].as_bool().unwrap()
}

fn runs(team: &Team) -> Vec<Value> {
    team.run(&["show", "crm", "--output", "json"]).done().json()["testRuns"].as_array().unwrap().clone()
}

fn fail(team: &Team) {
    team.replace("connectors/crm/tests/get-item.yaml", "name: First item }", "name: Second item }");
}

#[test]
fn what_has_passed_is_shown_from_the_state_until_it_is_to_be_run_again() {
    let team = with_state();
    assert!(!reused(&team.run(&["test", "--output", "json"]).done()));
    let ran = team.run(&["test"]).done();
    assert!(ran.out.starts_with("crm ") && ran.out.contains("  tested just now; --again runs it anew\n"), "{}", ran.out);
    assert!(ran.out.ends_with("\n5 passed, 0 failed in 1 connector, 1 of them tested before.\n"), "{}", ran.out);
    assert!(reused(&team.run(&["test", "--output", "json"]).done()));
    assert_eq!(runs(&team).len(), 1);
    assert!(!reused(&team.run(&["test", "--again", "--output", "json"]).done()));
    let kept = runs(&team);
    assert_eq!(kept.len(), 2, "all of them are kept");
    assert_eq!((kept[0]["passed"].as_u64(), kept[0]["failed"].as_u64(), kept[0]["skipped"].as_u64()), (Some(5), Some(0), Some(0)));
    assert_eq!(kept[0]["runner"], env!("CARGO_PKG_VERSION"));
    let shown = team.run(&["show", "crm"]).done().out;
    assert!(shown.contains("Tests of this content\n  "), "{shown}");
}

#[test]
fn what_failed_is_run_again_and_other_content_too() {
    let team = with_state();
    team.run(&["test"]).done();
    fail(&team);
    for _ in 0..2 {
        assert!(!reused(&team.run(&["test", "--output", "json"]).failed()));
    }
}

#[test]
fn what_was_tested_by_hand_is_not_tested_again_before_its_review() {
    let team = with_state();
    team.run(&["test"]).done();
    team.run(&["publish", "crm", "--commit"]).done();
    let ran = team.run(&["apply"]).done();
    assert!(ran.out.contains("open the review of 0.1.0") && !ran.out.contains("run the tests"), "{}", ran.out);
    assert_eq!(runs(&team).len(), 1);
}

#[test]
fn a_failed_run_of_the_daemon_is_made_good_by_a_newer_one() {
    let team = Team::with_crm();
    team.run(&["publish", "crm", "--commit"]).done();
    let short = [("SWITCHBOARD_TEST_TIME", "1ns")];
    team.run_with(&team.root(), &["apply"], &short).failed();
    let explained = team.run(&["explain", "crm"]).done().out;
    assert!(explained.contains("`switchboard test crm --again` runs the tests of this one anew"), "{explained}");
    let mut daemon = Daemon::start(&team, &["watch", "--poll-interval", "1h"]);
    team.run(&["test", "crm", "--again"]).done();
    assert_eq!(daemon.line(), "crm: open the review of 0.1.0");
}

#[test]
fn without_a_state_it_just_runs_and_makes_none() {
    let team = Team::with_crm();
    let before = team.path(".switchboard").exists();
    for _ in 0..2 {
        assert!(!reused(&team.run(&["test", "--output", "json"]).done()));
    }
    assert_eq!((before, team.path(".switchboard").exists()), (false, false));
}

#[test]
fn a_state_that_cannot_be_used_keeps_no_tests_from_running() {
    let team = with_state();
    team.run(&["test"]).done();
    team.write(".switchboard/switchboard.db", "no database at all, and longer than its header is: ".repeat(40));
    let ran = team.run(&["test", "--output", "json"]).done();
    assert!(!reused(&ran));
    assert_eq!(ran.err.matches("warning: what the tests show is not kept as evidence: ").count(), 1, "{}", ran.err);

    let other = with_state();
    let foreign = team.outside().join("foreign");
    std::fs::rename(other.path(".switchboard"), &foreign).unwrap();
    let ran = team.run(&["test", "--state", foreign.to_str().unwrap()]).done();
    assert!(ran.err.contains("not kept as evidence: the state in ") && ran.out.contains("5 passed"), "{ran:?}");
}
