//! Rule 8: editing a published connector leaves its published version serving, and a version never changes content.

use switchboard::model::Stage;
use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};

#[test]
fn an_edit_leaves_the_published_version_serving() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    draft.status = "editing";
    draft.content = "second".to_owned();
    draft.version = Some("1.1.0".to_owned());
    team.commit(&draft);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::Editing);
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.publish(&mut draft);
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.1.0"));
    team.assert_at_rest();
}

#[test]
fn a_published_version_is_not_reused_for_other_content() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    draft.content = "second".to_owned();
    team.commit(&draft);
    team.settle();
    assert_eq!(team.reviews("orders").len(), 1);
    assert_eq!(team.waits_on("orders"), [WaitingOn::NewVersion { version: "1.0.0".parse().unwrap() }]);
    team.assert_at_rest();
}

#[test]
fn moving_the_status_of_published_content_takes_nothing_away() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    draft.status = "editing";
    team.commit(&draft);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::Published);
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn going_back_to_earlier_content_is_a_publication_of_its_own() {
    let mut team = Team::new();
    let mut first = Draft::new("orders");
    team.publish(&mut first);
    let mut second = Draft { content: "second".to_owned(), version: Some("1.1.0".to_owned()), ..first.clone() };
    team.publish(&mut second);
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.1.0"));

    team.commit(&first);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::InReview);
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.1.0"));
    team.approve("orders");
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.stage("orders"), Stage::Published);
    assert_eq!(team.reviews("orders").len(), 3);
    team.assert_at_rest();
}

#[test]
fn a_version_stays_taken_where_record_and_state_are_lost() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    team.remove_records("orders");
    team.lose_state();
    draft.content = "second".to_owned();
    team.commit(&draft);
    team.settle();
    assert_eq!(team.reviews("orders").len(), 1);
    assert_eq!(team.waits_on("orders"), [WaitingOn::NewVersion { version: "1.0.0".parse().unwrap() }]);
    team.assert_at_rest();
}
