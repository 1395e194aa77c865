//! Rule 9: a deleted folder deletes the connector everywhere, unless it is in review or too many go at once.

use switchboard::model::{ConnectorName, Fact, Person};
use switchboard::planning::WaitingOn;
use switchboard::store::NewFact;

use crate::support::team::{Draft, Team};

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

    let facts: Vec<NewFact> = names[..7]
        .iter()
        .map(|name| NewFact {
            at: "2030-01-01T00:00:00Z".parse().unwrap(),
            connector: name.parse::<ConnectorName>().unwrap(),
            fact: Fact::DeletionConfirmed { id: larger.clone(), by: Person::new("alice@example.com") },
        })
        .collect();
    let store = team.world.store.clone();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(store.append(&facts)).unwrap();
    team.settle();
    assert_eq!((team.held("test", "c0"), team.held("test", "c6")), (None, None));
    assert_eq!(team.held("test", "c7").as_deref(), Some("1.0.0"));
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
