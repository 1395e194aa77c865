//! Rule 6: a review closed without merging rejects that digest, with the reason; new content starts over.

use switchboard::model::Stage;
use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};

#[test]
fn rejected_content_is_never_proposed_again() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    team.reject("orders", "the title says too little");
    team.settle();
    assert_eq!(team.stage("orders"), Stage::Rejected);
    let waits = team.waits_on("orders");
    assert!(matches!(&waits[..], [WaitingOn::NewContent { reason, .. }] if reason == "the title says too little"), "{waits:?}");

    team.restart();
    team.settle();
    draft.status = "editing";
    team.commit(&draft);
    team.settle();
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    assert_eq!(team.reviews("orders").len(), 1);

    draft.content = "second".to_owned();
    team.commit(&draft);
    team.settle();
    assert_eq!(team.reviews("orders").len(), 2);
    assert_eq!(team.stage("orders"), Stage::InReview);
    team.assert_at_rest();
}

#[test]
fn reopening_the_review_brings_it_back() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    team.reject("orders", "not today");
    team.settle();
    let review = team.review("orders");
    team.universe.state().reopen(review.id);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::InReview);
    team.approve("orders");
    team.settle();
    assert_eq!(team.stage("orders"), Stage::Published);
    team.assert_at_rest();
}
