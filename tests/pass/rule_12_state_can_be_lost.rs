//! Rule 12: what the store and the registry held is re-created from git and the forge.

use jiff::SignedDuration;
use switchboard::model::Stage;
use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};

#[test]
fn lost_state_is_recreated_from_git_and_the_forge() {
    let mut team = Team::new();
    let mut published = Draft::new("published");
    team.publish(&mut published);
    published.content = "an edit since".to_owned();
    published.status = "editing";
    team.commit(&published);
    let mut reviewed = Draft::new("reviewed");
    reviewed.status = "published";
    team.commit(&reviewed);
    let mut rejected = Draft::new("rejected");
    rejected.status = "published";
    team.commit(&rejected);
    team.settle();
    team.reject("rejected", "no");
    team.settle();

    team.lose_state();
    team.settle();
    assert_eq!(team.held("production", "published").as_deref(), Some("1.0.0"), "the published content comes from history");
    assert_eq!(team.stage("reviewed"), Stage::InReview);
    assert_eq!(team.stage("rejected"), Stage::Rejected);
    assert_eq!(team.universe.state().forge.reviews.len(), 3, "no review is opened twice");
    team.assert_at_rest();
}

#[test]
fn a_deletion_is_not_forgotten_with_the_state() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    team.publish(&mut Draft::new("stock"));
    team.delete("orders");
    team.settle();
    draft.status = "editing";
    team.commit(&draft);
    team.settle();
    assert_eq!(team.held("production", "orders"), None);

    team.lose_state();
    team.settle();
    assert_eq!(team.held("production", "orders"), None, "it was deleted, and what came back does not ask to be published");
    assert_eq!(team.held("production", "stock").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn a_tree_that_was_empty_for_a_while_is_no_deletion() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    let before = team.universe.state().git.files();
    team.universe.state().git.change(|files| files.clear());
    team.universe.state().git.commit("main", before);
    draft.status = "editing";
    team.commit(&draft);

    team.lose_state();
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn a_record_that_was_purged_with_the_history_is_proposed_again_after_an_hour() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    team.remove_records("orders");
    team.universe.state().git.parents.clear();
    team.lose_state();
    team.settle();
    assert!(matches!(team.waits_on("orders")[..], [WaitingOn::MergedRecord { .. }]), "it might be on its way");
    team.universe.clock.advance(SignedDuration::from_hours(2));
    team.settle();
    assert!(team.review("orders").is_open());
    team.approve("orders");
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn content_is_found_though_the_commit_that_was_approved_is_gone() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    draft.status = "editing";
    draft.content = "moved on".to_owned();
    team.commit(&draft);
    let asked = team.reviews("orders").remove(0);
    {
        let mut state = team.universe.state();
        let path = switchboard::model::Release::path(&asked.connector, &asked.version);
        let record = state.git.files().remove(&path).unwrap();
        let release = switchboard::manifest::release::read(&path, &record).unwrap();
        state.git.rewrite(&release.commit);
    }
    team.lose_state();
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}
