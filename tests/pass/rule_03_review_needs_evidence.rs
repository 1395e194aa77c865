//! Rule 3: a review opens only when, for this very digest, the tests passed and the check report has no error.

use switchboard::model::{Clock as _, Coverage, ENGINE_LEVEL, Evidence, Stage};
use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};

#[test]
fn passing_tests_and_a_clean_report_open_exactly_one_review() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::InReview);
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.held("production", "orders"), None);
    let reviews = team.reviews("orders");
    assert_eq!(reviews.len(), 1);
    assert_eq!(reviews[0].requested_by.email(), "alice@example.com");
    assert_eq!(team.waits_on("orders"), [WaitingOn::Review { review: reviews[0].id }]);
    team.assert_at_rest();
}

#[test]
fn failing_tests_hold_the_review() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    draft.fails = true;
    team.commit(&draft);
    team.settle();
    assert!(team.reviews("orders").is_empty());
    assert_eq!(team.waits_on("orders"), [WaitingOn::PassingTests { failed: 1 }]);
    draft.fails = false;
    team.commit(&draft);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::InReview);
    team.assert_at_rest();
}

#[test]
fn an_error_in_the_check_report_holds_the_review() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    draft.untested = true;
    team.commit(&draft);
    team.settle();
    assert!(team.reviews("orders").is_empty());
    assert!(matches!(team.waits_on("orders")[..], [WaitingOn::CleanReport { .. }]), "{:?}", team.waits_on("orders"));
    team.assert_at_rest();
}

#[test]
fn evidence_never_carries_over_to_other_content() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "pre-published";
    team.commit(&draft);
    team.settle();
    draft.status = "published";
    draft.content = "second".to_owned();
    draft.fails = true;
    team.commit(&draft);
    team.settle();
    assert!(team.reviews("orders").is_empty());
    assert_eq!(team.universe.state().store.evidence.len(), 2);
    team.assert_at_rest();
}

/// Somebody else's run of the tests of `orders`, as committed, in which all of them pass.
fn pass_elsewhere(team: &mut Team) {
    let evidence = Evidence {
        connector: "orders".parse().unwrap(),
        digest: team.digest("orders"),
        level: ENGINE_LEVEL,
        started: team.universe.clock.now(),
        millis: 1,
        runner: "elsewhere".to_owned(),
        cases: Vec::new(),
        failure: None,
        partial: false,
        coverage: Coverage::default(),
    };
    team.keep(&evidence);
}

#[test]
fn content_with_evidence_is_not_tested_again_wherever_that_is_from() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    pass_elsewhere(&mut team);
    while team.reviews("orders").is_empty() {
        team.pass();
        assert!(!team.universe.state().harness.is_busy());
    }
    assert_eq!(team.universe.state().store.evidence.len(), 1);
    team.assert_at_rest();
}

#[test]
fn the_newest_evidence_counts() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    draft.fails = true;
    team.commit(&draft);
    team.settle();
    assert_eq!(team.waits_on("orders"), [WaitingOn::PassingTests { failed: 1 }]);
    // The machine was to blame, as a person found who ran them anew.
    pass_elsewhere(&mut team);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::InReview);
    team.assert_at_rest();
}
