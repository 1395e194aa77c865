//! Rule 4: while in review the content is frozen by digest; an edit is held and the review goes on.

use switchboard::model::Stage;
use switchboard::planning::WaitingOn;

use crate::support::team::{Draft, Team};

#[test]
fn an_edit_during_the_review_is_held_and_the_review_goes_on() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "published";
    team.commit(&draft);
    team.settle();
    let review = team.review("orders");
    draft.content = "second".to_owned();
    draft.version = Some("1.1.0".to_owned());
    team.commit(&draft);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::InReview);
    assert_eq!(team.waits_on("orders"), [WaitingOn::LockedByReview { review: review.id }]);
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.0.0"));

    team.approve("orders");
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.review("orders").version.to_string(), "1.1.0", "the edit goes on once the review has ended");
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.1.0"));
    team.assert_at_rest();
}
