//! Rule 10: an unreadable repository, an empty tree, an unparsable manifest keep the last good state.

use switchboard::planning::{Gap, WaitingOn};

use crate::support::team::{Draft, Team};

fn published() -> (Team, Draft) {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    (team, draft)
}

#[test]
fn an_unreadable_repository_keeps_everything() {
    let (mut team, _) = published();
    team.universe.state().git.away = true;
    for restart in [false, true] {
        if restart {
            team.restart();
        }
        let plan = team.plan();
        assert!(plan.steps.is_empty() && matches!(plan.gaps[..], [Gap::Repository(_)]), "{plan:?}");
        team.settle();
    }
    team.universe.state().git.away = false;
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn an_empty_tree_keeps_everything() {
    let (mut team, _) = published();
    team.universe.state().git.change(|files| files.clear());
    let plan = team.plan();
    assert_eq!((plan.steps.len(), plan.gaps), (0, vec![Gap::EmptyTree]));
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn an_unparsable_manifest_keeps_the_last_good_state() {
    let (mut team, mut draft) = published();
    draft.broken = true;
    team.commit(&draft);
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.0.0"));
    let waits = team.waits_on("orders");
    assert!(matches!(&waits[..], [WaitingOn::ReadableManifest { problem, .. }] if problem.contains("connector.yaml:")), "{waits:?}");
    team.assert_at_rest();
}

#[test]
fn missing_settings_are_a_gap_and_the_last_good_ones_stand() {
    let (mut team, _) = published();
    team.universe.state().git.change(|files| {
        files.remove("switchboard.yaml");
    });
    for restart in [false, true] {
        if restart {
            team.restart();
        }
        let plan = team.plan();
        assert!(plan.steps.is_empty() && matches!(plan.gaps[..], [Gap::Config(_)]), "{plan:?}");
    }
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
}

#[test]
fn a_corrupt_object_keeps_the_last_good_state_and_is_read_again() {
    let (mut team, mut draft) = published();
    draft.content = "second".to_owned();
    draft.version = Some("2.0.0".to_owned());
    draft.status = "pre-published";
    team.commit(&draft);
    let tree = {
        let mut state = team.universe.state();
        let files = state.git.files();
        let folder = files.iter().filter_map(|(p, b)| Some((p.strip_prefix("connectors/orders/")?.to_owned(), b.clone()))).collect();
        let tree = state.git.tree(folder);
        state.git.corrupt.push(tree.clone());
        tree
    };
    team.settle();
    assert_eq!(team.held("test", "orders").as_deref(), Some("1.0.0"));
    team.universe.state().git.corrupt.retain(|corrupt| *corrupt != tree);
    team.settle();
    assert_eq!(team.held("test", "orders").as_deref(), Some("2.0.0"));
    team.assert_at_rest();
}

#[test]
fn a_forge_that_does_not_answer_holds_what_depends_on_reviews() {
    let (mut team, mut draft) = published();
    draft.content = "second".to_owned();
    draft.version = Some("2.0.0".to_owned());
    team.commit(&draft);
    team.universe.state().forge.away = true;
    team.settle();
    assert!(matches!(team.waits_on("orders")[..], [WaitingOn::Forge { .. }]), "{:?}", team.waits_on("orders"));
    team.universe.state().forge.away = false;
    team.settle();
    assert_eq!(team.reviews("orders").len(), 2);
    team.assert_at_rest();
}

#[test]
fn a_history_that_cannot_be_read_holds_the_connector_that_depends_on_it() {
    let (mut team, _) = published();
    let mut other = Draft::new("stock");
    other.status = "pre-published";
    team.lose_state();
    team.universe.state().git.damaged_past = true;
    team.commit(&other);
    team.settle();
    assert_eq!(team.held("production", "orders"), None, "nobody knows whether it was deleted meanwhile");
    assert!(matches!(team.waits_on("orders")[..], [WaitingOn::History { .. }]), "{:?}", team.waits_on("orders"));
    assert_eq!(team.held("test", "stock").as_deref(), Some("1.0.0"));
    team.universe.state().git.damaged_past = false;
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}
