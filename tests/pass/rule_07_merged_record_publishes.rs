//! Rule 7: merging the release record publishes exactly the digest in it; any other record publishes nothing.

use jiff::SignedDuration;
use switchboard::model::{Clock as _, Release, Stage};
use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};

#[test]
fn the_merged_review_publishes_to_every_production_environment() {
    let mut team = Team::new();
    team.universe.state().git.change(|files| {
        let settings =
            "apiVersion: switchboard/v1\nenvironments:\n  test: {}\n  east: { production: true }\n  west: { production: true }\n";
        files.insert("switchboard.yaml".to_owned(), settings.into());
    });
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    team.approve("orders");
    team.settle();
    assert_eq!(team.held("east", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.held("west", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.stage("orders"), Stage::Published);
    team.assert_at_rest();
}

#[test]
fn a_record_that_came_without_its_review_publishes_nothing() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    let branch = team.review("orders").branch;
    team.universe.state().git.merge(&branch);
    team.settle();
    assert_eq!(team.held("production", "orders"), None);
    assert!(team.waits_on("orders").iter().any(|waiting| matches!(waiting, WaitingOn::ApprovedReview { .. })));
    team.assert_at_rest();
}

#[test]
fn a_record_that_differs_from_the_one_proposed_publishes_nothing() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    let review = team.review("orders");
    let path = Release::path(&review.connector, &review.version);
    let branch = review.branch.clone();
    {
        let mut state = team.universe.state();
        let commit = state.git.branches[&branch].clone();
        let mut files = state.git.commits[&commit].clone();
        files.get_mut(&path).unwrap().extend(b"# one more line\n");
        state.git.commit(&branch, files);
    }
    team.approve("orders");
    team.settle();
    assert_eq!(team.held("production", "orders"), None);
    assert!(team.waits_on("orders").contains(&WaitingOn::ProposedRecord { record: path }), "{:?}", team.waits_on("orders"));
    team.assert_at_rest();
}

#[test]
fn a_record_that_cannot_be_read_publishes_nothing_and_is_shown() {
    let mut team = Team::new();
    team.commit(&Draft::new("orders"));
    team.universe.state().git.change(|files| {
        files.insert("releases/orders/9.9.9.yaml".to_owned(), b"not: [a record".to_vec());
    });
    team.settle();
    assert!(matches!(team.waits_on("orders")[..], [WaitingOn::ProposedRecord { .. }]));
    team.assert_at_rest();
}

#[test]
fn a_rejected_review_that_is_merged_after_a_newer_one_is_the_newest_release() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    let first = team.review("orders").id;
    team.reject("orders", "not yet");
    team.settle();
    draft.version = Some("2.0.0".to_owned());
    draft.content = "second".to_owned();
    team.publish(&mut draft);
    team.universe.clock.advance(SignedDuration::from_mins(5));
    let now = team.universe.clock.now();
    team.universe.state().reopen(first);
    team.universe.state().approve(first, now);
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"), "what was approved last");
    let again = team.review("orders");
    assert!(again.is_open() && again.version.to_string() == "2.0.0", "git asks for the other content: {:?}", team.waits_on("orders"));
    team.universe.clock.advance(SignedDuration::from_mins(5));
    team.approve("orders");
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("2.0.0"));
    team.assert_at_rest();
}
