//! Rule 2: `pre-published` deploys to every non-production environment and runs the tests, under a version.

use switchboard::model::Stage;
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
