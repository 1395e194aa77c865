//! Every port call of a whole life is failed in turn, before and after its effect, with and without the process dying;
//! each time the story ends in the same place.

use switchboard::model::ReviewState;

use crate::support::team::{Draft, Team};
use crate::support::universe::Fault;

/// A connector is published, edited, published again; another is withdrawn; a third is deleted.
fn story(team: &mut Team) -> String {
    let mut orders = Draft::new("orders");
    let mut stock = Draft::new("stock");
    let mut old = Draft::new("old");
    orders.status = "published";
    stock.status = "published";
    old.status = "pre-published";
    for draft in [&orders, &stock, &old] {
        team.commit(draft);
    }
    team.settle();
    team.approve("orders");
    stock.status = "pre-published";
    team.commit(&stock);
    team.delete("old");
    team.settle();
    orders.content = "second".to_owned();
    orders.version = Some("2.0.0".to_owned());
    team.commit(&orders);
    team.settle();
    team.approve("orders");
    team.settle();
    let ending = ending(team);
    team.universe.plan_faults([]);
    team.assert_at_rest();
    ending
}

/// What must be the same however the story went.
fn ending(team: &Team) -> String {
    let state = team.universe.state();
    let holdings: Vec<String> = state
        .registry
        .holdings
        .values()
        .map(|holding| format!("{} {} {} {}", holding.environment, holding.connector, holding.version, holding.digest.short()))
        .collect();
    let mut reviews: Vec<String> = state
        .forge
        .reviews
        .iter()
        .map(|review| {
            let how = match review.state {
                ReviewState::Open => "open",
                ReviewState::Merged { .. } => "merged",
                ReviewState::Rejected { .. } => "rejected",
                ReviewState::Withdrawn { .. } => "withdrawn",
            };
            format!("{} {} {how}", review.connector, review.version)
        })
        .collect();
    reviews.sort();
    let branches: Vec<&String> = state.git.branches.keys().collect();
    let mut facts: Vec<String> = state
        .store
        .facts
        .iter()
        .filter(|recorded| !matches!(recorded.fact.kind().as_str(), "testsStarted" | "testsFinished" | "reviewIntended"))
        .map(|recorded| format!("{} {}", recorded.connector, recorded.fact.kind().as_str()))
        .collect();
    facts.sort();
    facts.dedup();
    format!("{holdings:#?}\n{reviews:#?}\n{branches:#?}\n{facts:#?}")
}

#[test]
fn a_fault_at_any_call_ends_in_the_same_place() {
    let mut undisturbed = Team::new();
    undisturbed.universe.plan_faults([]);
    let expected = story(&mut undisturbed);
    let names = undisturbed.universe.state().counted_names.clone();
    assert!(names.len() > 100, "the story makes {} calls", names.len());
    for (call, name) in names.iter().enumerate() {
        for fault in Fault::ALL {
            let mut team = Team::new();
            team.universe.plan_faults([(call, fault)]);
            let ended = story(&mut team);
            assert_eq!(ended, expected, "{fault:?} at call {call}, {}", name);
        }
    }
}
