//! Rule 2: `pre-published` deploys to every non-production environment and runs the tests, under a version.

use jiff::SignedDuration;
use switchboard::model::{Clock as _, Stage};
use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};

#[test]
fn it_is_deployed_to_every_non_production_environment_and_tested() {
    let mut team = Team::new();
    team.universe.state().git.change(|files| {
        let settings = "apiVersion: switchboard/v1\nenvironments:\n  test: {}\n  staging: {}\n  production: { production: true }\n";
        files.insert("switchboard.yaml".to_owned(), settings.into());
    });
    let mut draft = Draft::new("orders");
    draft.status = "pre-published";
    team.commit(&draft);
    assert_eq!(team.stage("orders"), Stage::Editing);
    assert_eq!(team.steps(), ["deploy orders"]);
    team.settle();
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.held("staging", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.held("production", "orders"), None);
    assert_eq!(team.stage("orders"), Stage::PrePublished);
    assert_eq!(team.universe.state().store.evidence.len(), 1);
    team.assert_at_rest();
}

#[test]
fn a_saas_connector_without_a_version_is_labelled_by_its_content() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.version = None;
    draft.status = "pre-published";
    team.commit(&draft);
    team.settle();
    let version = team.held("test", "orders").unwrap();
    assert!(version.starts_with("sha-") && version.len() == 16, "{version}");
    team.assert_at_rest();
}

#[test]
fn a_self_built_connector_waits_for_its_version() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.kind = "self-built";
    draft.version = None;
    draft.status = "pre-published";
    team.commit(&draft);
    team.settle();
    assert_eq!(team.held("test", "orders"), None);
    assert_eq!(team.waits_on("orders"), [WaitingOn::Version]);
    draft.version = Some("0.1.0".to_owned());
    team.commit(&draft);
    team.settle();
    assert_eq!(team.held("test", "orders").as_deref(), Some("0.1.0"));
    team.assert_at_rest();
}

#[test]
fn editing_deploys_nothing() {
    let mut team = Team::new();
    team.commit(&Draft::new("orders"));
    assert!(team.steps().is_empty());
    assert_eq!(team.stage("orders"), Stage::Editing);
    team.assert_at_rest();
}

#[test]
fn tests_that_could_not_be_run_say_nothing_of_the_content_and_are_run_again() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.universe.state().harness.out_of_workers = true;
    for attempt in 1..=3 {
        while !team.universe.state().harness.is_busy() {
            team.pass();
        }
        let now = team.universe.clock.now();
        team.universe.state().finish_tests(now);
        team.pass();
        let waits = team.waits_on("orders");
        let [WaitingOn::Retry { failures, failure, .. }] = &waits[..] else { panic!("{waits:?}") };
        assert_eq!((*failures, failure.as_str()), (attempt, "the tests could not be run: cannot start a worker"));
        team.universe.clock.advance(SignedDuration::from_mins(10));
    }
    team.universe.state().harness.out_of_workers = false;
    team.universe.clock.advance(SignedDuration::from_mins(10));
    team.settle();
    team.approve("orders");
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}
