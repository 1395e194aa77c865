//! Rule 12: what the store and the registry held is re-created from git and the forge.

use switchboard::model::Stage;

use crate::support::team::{Draft, Team};
use crate::support::universe::{RegistryState, StoreState};

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

    {
        let mut state = team.universe.state();
        state.store = StoreState::default();
        state.registry = RegistryState::default();
    }
    team.restart();
    team.settle();
    assert_eq!(team.held("production", "published").as_deref(), Some("1.0.0"), "the published content comes from history");
    assert_eq!(team.stage("reviewed"), Stage::InReview);
    assert_eq!(team.stage("rejected"), Stage::Rejected);
    assert_eq!(team.universe.state().forge.reviews.len(), 3, "no review is opened twice");
    team.assert_at_rest();
}
