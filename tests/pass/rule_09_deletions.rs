//! Rule 9: a deleted folder deletes the connector everywhere, unless it is in review or too many go at once.

use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};
use crate::support::universe::Fault;

fn pre_publish(team: &mut Team, names: &[String]) {
    for name in names {
        let mut draft = Draft::new(name);
        draft.status = "pre-published";
        team.commit(&draft);
    }
    team.settle();
}

#[test]
fn deleting_the_folder_deletes_from_every_environment() {
    let mut team = Team::new();
    team.publish(&mut Draft::new("orders"));
    team.publish(&mut Draft::new("stock"));
    team.delete("orders");
    team.settle();
    assert_eq!((team.held("test", "orders"), team.held("production", "orders")), (None, None));
    assert_eq!(team.held("production", "stock").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn a_connector_in_review_is_not_deleted() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    team.delete("orders");
    team.settle();
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.0.0"));
    assert!(matches!(team.waits_on("orders")[..], [WaitingOn::LockedByReview { .. }]));
    team.reject("orders", "it was deleted");
    team.settle();
    assert_eq!(team.held("test", "orders"), None);
    team.assert_at_rest();
}

#[test]
fn many_deletions_wait_for_the_confirmation_of_exactly_that_set() {
    let mut team = Team::new();
    let names: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
    pre_publish(&mut team, &names);
    for name in &names[..6] {
        team.delete(name);
    }
    team.settle();
    assert_eq!(team.held("test", "c0").as_deref(), Some("1.0.0"));
    let WaitingOn::Confirmation { id, connectors: 6 } = team.waits_on("c0").remove(0) else { panic!("no confirmation is asked for") };

    team.delete("c6");
    team.settle();
    let WaitingOn::Confirmation { id: larger, connectors: 7 } = team.waits_on("c0").remove(0) else {
        panic!("no confirmation is asked for")
    };
    assert_ne!(id, larger, "another set has another id");

    assert_eq!(team.confirm_deletions(), 7);
    team.settle();
    assert_eq!((team.held("test", "c0"), team.held("test", "c6")), (None, None));
    assert_eq!(team.held("test", "c7").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

/// Twelve connectors, of which six are deleted and nobody has confirmed it.
fn six_of_twelve_deleted() -> (Team, Vec<String>) {
    let mut team = Team::new();
    let names: Vec<String> = (0..12).map(|number| format!("c{number:02}")).collect();
    pre_publish(&mut team, &names);
    names[..6].iter().for_each(|name| team.delete(name));
    team.settle();
    (team, names)
}

fn asks_for_confirmation_of(team: &mut Team, name: &str) -> usize {
    match team.waits_on(name)[..] {
        [WaitingOn::Confirmation { connectors, .. }] => connectors,
        ref other => panic!("no confirmation is asked for: {other:?}"),
    }
}

#[test]
fn a_confirmation_ends_once_its_connectors_are_there_again() {
    for restarts in [false, true] {
        let (mut team, names) = six_of_twelve_deleted();
        assert_eq!(team.confirm_deletions(), 6);
        // Before anything was deleted, the folders come back, and later they go again.
        pre_publish(&mut team, &names[..6]);
        if restarts {
            team.restart();
        }
        names[..6].iter().for_each(|name| team.delete(name));
        team.settle();
        assert_eq!(team.held("test", "c00").as_deref(), Some("1.0.0"));
        assert_eq!(asks_for_confirmation_of(&mut team, "c00"), 6);
        assert_eq!(team.confirm_deletions(), 6);
        team.settle();
        assert_eq!(team.held("test", "c00"), None);
        team.assert_at_rest();
    }
}

#[test]
fn a_connector_that_came_back_is_no_longer_one_of_the_confirmed_set() {
    let (mut team, names) = six_of_twelve_deleted();
    assert_eq!(team.confirm_deletions(), 6);
    pre_publish(&mut team, &names[..1]);
    assert_eq!(team.held("test", "c05"), None, "the others were confirmed and stay gone");
    assert_eq!(team.held("test", "c00").as_deref(), Some("1.0.0"));
    team.restart();
    team.delete("c00");
    team.delete("c06");
    team.settle();
    assert_eq!(asks_for_confirmation_of(&mut team, "c00"), 2);
    team.assert_at_rest();
}

#[test]
fn a_confirmation_does_not_cover_what_was_deleted_after_it() {
    let (mut team, _) = six_of_twelve_deleted();
    assert_eq!(team.confirm_deletions(), 6);
    team.delete("c06");
    team.settle();
    assert_eq!(team.held("test", "c00").as_deref(), Some("1.0.0"));
    assert_eq!(asks_for_confirmation_of(&mut team, "c00"), 7);
    team.assert_at_rest();
}

#[test]
fn a_confirmed_set_is_deleted_to_its_end_however_it_shrinks() {
    let (mut team, _) = six_of_twelve_deleted();
    assert_eq!(team.confirm_deletions(), 6);
    for _ in 0..3 {
        team.universe.state().named_faults.push(("registry.remove", Fault::CrashAfter));
        let _ = team.try_pass();
        team.restart();
    }
    team.settle();
    assert_eq!((team.held("test", "c00"), team.held("test", "c05")), (None, None));
    team.assert_at_rest();
}

#[test]
fn a_restored_folder_brings_the_published_version_back_without_another_review() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    team.publish(&mut Draft::new("stock"));
    team.delete("orders");
    team.settle();
    team.commit(&draft);
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.reviews("orders").len(), 1);
    team.assert_at_rest();
}

#[test]
fn a_new_connector_of_a_deleted_name_does_not_inherit_its_release() {
    let mut team = Team::new();
    team.publish(&mut Draft::new("orders"));
    team.publish(&mut Draft::new("stock"));
    team.delete("orders");
    team.settle();
    let mut draft = Draft::new("orders");
    draft.content = "something else".to_owned();
    team.commit(&draft);
    team.settle();
    assert_eq!(team.held("production", "orders"), None);
    team.assert_at_rest();
}

#[test]
fn what_came_back_without_its_record_is_reviewed_again() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    team.publish(&mut Draft::new("stock"));
    team.delete("orders");
    team.remove_records("orders");
    team.settle();
    team.commit(&draft);
    team.settle();
    assert_eq!(team.held("production", "orders"), None);
    assert!(team.review("orders").is_open(), "its old review's record is gone, so people decide anew");
    team.approve("orders");
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.reviews("orders").len(), 2);
    team.assert_at_rest();
}
