//! Rule 5: moving `status` away from `published` withdraws the review.

use switchboard::model::{ReviewState, Stage};

use crate::support::team::{Draft, Team};

#[test]
fn a_status_moved_back_closes_the_review_and_is_not_a_rejection() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    draft.status = "pre-published";
    team.commit(&draft);
    assert_eq!(team.steps(), ["withdraw orders"]);
    team.settle();
    assert!(matches!(team.review("orders").state, ReviewState::Withdrawn { .. }));
    assert_eq!(team.stage("orders"), Stage::PrePublished);

    draft.status = "published";
    team.commit(&draft);
    team.settle();
    assert_eq!(team.reviews("orders").len(), 2, "the same content may be proposed again after a withdrawal");
    assert_eq!(team.stage("orders"), Stage::InReview);
    team.assert_at_rest();
}

#[test]
fn a_manifest_that_cannot_be_read_withdraws_nothing() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    draft.broken = true;
    team.commit(&draft);
    team.settle();
    assert!(team.review("orders").is_open());
    team.approve("orders");
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn a_review_of_what_is_published_already_is_taken_back() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    team.publish(&mut Draft::new("stock"));
    let before = team.universe.state().git.files().remove("releases/orders/1.0.0.yaml").unwrap();
    team.delete("orders");
    team.remove_records("orders");
    team.settle();
    team.commit(&draft);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::InReview);

    team.universe.state().git.change(|files| {
        files.insert("releases/orders/1.0.0.yaml".to_owned(), before);
    });
    team.settle();
    assert_eq!(team.stage("orders"), Stage::Published);
    assert!(matches!(team.review("orders").state, ReviewState::Withdrawn { .. }));
    team.assert_at_rest();
}
