//! Rule 1: a pass compares what git says with what the registry holds; downtime, squashes and force-pushes lose nothing.

use switchboard::model::Stage;

use crate::support::team::{Draft, Team};

#[test]
fn changes_made_while_nobody_watched_are_caught_up_with() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "pre-published";
    for content in ["first", "second", "third"] {
        draft.content = content.to_owned();
        team.commit(&draft);
    }
    team.restart();
    team.settle();
    assert_eq!(team.stage("orders"), Stage::PrePublished, "the newest content is what is held");
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn a_force_push_to_older_content_deploys_the_older_content() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "pre-published";
    team.commit(&draft);
    team.settle();
    let before = team.universe.state().git.files();
    let first = team.universe.state().registry.holdings.values().next().unwrap().digest;
    draft.content = "second".to_owned();
    team.commit(&draft);
    team.settle();
    assert_ne!(team.universe.state().registry.holdings.values().next().unwrap().digest, first);
    team.universe.state().git.commit("main", before);
    team.settle();
    assert_eq!(team.universe.state().registry.holdings.values().next().unwrap().digest, first);
    team.assert_at_rest();
}

#[test]
fn an_environment_that_lost_what_it_was_given_is_given_it_again_as_drift() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    {
        let mut state = team.universe.state();
        state.registry.holdings.clear();
        state.registry.revision += 1;
    }
    let plan = team.plan();
    assert_eq!(plan.steps[0].cause, switchboard::planning::Cause::Drift, "{plan:?}");
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.reviews("orders").len(), 1);
    team.assert_at_rest();
}

#[test]
fn a_step_that_shows_no_effect_is_not_taken_for_ever() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "pre-published";
    team.commit(&draft);
    team.universe.state().registry.deaf = true;
    let error = team.apply().unwrap_err().to_string();
    assert_eq!(error, "orders: the step `deploy` was taken 50 times and is still wanted");
    team.universe.state().registry.deaf = false;
    team.assert_at_rest();
}
