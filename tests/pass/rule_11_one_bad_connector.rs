//! Rule 11: one bad connector never delays another.

use jiff::SignedDuration;
use switchboard::model::{Clock as _, Stage};
use switchboard::planning::{Plan, WaitingOn};

use crate::support::team::{Draft, Team};
use crate::support::universe::{Fault, LINK};

#[test]
fn a_broken_manifest_does_not_delay_its_neighbour() {
    let mut team = Team::new();
    let mut bad = Draft::new("bad");
    bad.broken = true;
    team.commit(&bad);
    let mut good = Draft::new("good");
    good.status = "pre-published";
    team.commit(&good);
    team.settle();
    assert_eq!(team.held("test", "good").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn a_step_that_fails_waits_alone_and_is_tried_again() {
    let mut team = Team::new();
    for name in ["first", "second"] {
        let mut draft = Draft::new(name);
        draft.status = "pre-published";
        team.commit(&draft);
    }
    team.universe.state().named_faults.push(("registry.deploy", Fault::Refuse));
    team.pass();
    assert_eq!(team.held("test", "first"), None);
    assert_eq!(team.held("test", "second").as_deref(), Some("1.0.0"), "the neighbour is not delayed");
    let waits = team.waits_on("first");
    assert!(matches!(&waits[..], [WaitingOn::Retry { failures: 1, failure, .. }] if failure.contains("refused")), "{waits:?}");
    team.settle();
    assert_eq!(team.held("test", "first").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}

#[test]
fn who_looks_on_sees_what_failed_and_when_it_is_tried_again() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "pre-published";
    team.commit(&draft);
    team.universe.state().named_faults.push(("registry.deploy", Fault::Refuse));
    (0..2).for_each(|_| drop(team.pass()));
    let at = team.universe.clock.now();
    let deployments = |plan: &Plan| plan.steps.iter().filter(|planned| planned.step.verb() == "deploy").count();

    let plan = team.onlook(true);
    assert_eq!((deployments(&plan), plan.failed.len()), (0, 1), "the daemon waits");
    let next = at + SignedDuration::from_secs(1);
    assert!(matches!(&plan.holds[0].waiting_on, WaitingOn::Retry { at: again, failed_at, .. } if (*again, *failed_at) == (next, at)));
    let plan = team.onlook(false);
    assert_eq!((deployments(&plan), plan.holds.len()), (1, 0), "nothing keeps the next pass from it");
    let failed = plan.failed.values().next().expect("the failure is told");
    assert_eq!((failed.failures, failed.failed_at), (1, at));
    assert!(failed.failure.contains("refused"), "{failed:?}");

    // Other content has not failed.
    draft.content = "second".to_owned();
    team.commit(&draft);
    assert_eq!(team.onlook(true).failed.len(), 0);
    (0..2).for_each(|_| drop(team.pass()));
    assert_eq!(team.onlook(true).failed.len(), 0, "it went well");
    team.assert_at_rest();
}

#[test]
fn new_content_is_not_delayed_by_the_failures_of_the_old() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    draft.status = "pre-published";
    team.commit(&draft);
    for _ in 0..3 {
        team.universe.state().named_faults.push(("registry.deploy", Fault::Refuse));
        team.pass();
    }
    draft.content = "second".to_owned();
    team.commit(&draft);
    team.universe.state().named_faults.clear();
    assert_eq!(team.steps(), ["deploy orders"]);
    team.assert_at_rest();
}

#[test]
fn tests_of_superseded_content_give_their_worker_back() {
    let mut team = Team::new();
    let mut orders = Draft::new("orders");
    let mut stock = Draft::new("stock");
    for draft in [&mut orders, &mut stock] {
        draft.status = "pre-published";
        team.commit(draft);
    }
    (0..3).for_each(|_| drop(team.pass()));
    let before = team.universe.state().harness.running();
    assert_eq!(before.len(), 2);
    // A manifest that nobody can read, or a folder that cannot be looked into, is no newer content.
    orders.broken = true;
    team.commit(&orders);
    team.pass();
    team.universe.state().git.away = true;
    team.pass();
    assert_eq!(team.universe.state().harness.running(), before);

    (team.universe.state().git.away, orders.broken, orders.content) = (false, false, "second".to_owned());
    team.commit(&orders);
    team.delete("stock");
    team.pass();
    assert_eq!(team.universe.state().harness.running(), [], "one has other content, the other is gone");
    orders.content = "first".to_owned();
    team.commit(&orders);
    team.settle();
    assert_eq!(team.stage("orders"), Stage::PrePublished);
    assert_eq!(team.waits_on("orders"), [], "what was stopped is tested again");
    team.assert_at_rest();
}

#[test]
fn what_is_out_of_place_among_the_records_stops_no_other_record() {
    let mut team = Team::new();
    let mut draft = Draft::new("orders");
    team.publish(&mut draft);
    team.universe.state().git.change(|files| {
        files.insert("releases/orders/0.9.0.yaml".to_owned(), LINK.to_vec());
    });
    draft.version = Some("1.1.0".to_owned());
    draft.content = "second".to_owned();
    team.commit(&draft);
    team.settle();
    team.approve("orders");
    for restart in [false, true] {
        if restart {
            team.restart();
        }
        team.settle();
        assert_eq!(team.held("production", "orders").as_deref(), Some("1.1.0"));
        let waits = team.waits_on("orders");
        assert!(matches!(&waits[..], [WaitingOn::ProposedRecord { record }] if record.ends_with("0.9.0.yaml")), "{waits:?}");
        team.assert_at_rest();
    }
}

#[test]
fn a_refused_folder_is_a_problem_of_its_own_connector() {
    let mut team = Team::new();
    team.publish(&mut Draft::new("orders"));
    team.universe.state().git.change(|files| {
        files.insert("connectors/orders/icon.svg".to_owned(), LINK.to_vec());
    });
    let mut stock = Draft::new("stock");
    stock.status = "pre-published";
    team.commit(&stock);
    team.settle();
    assert_eq!(team.held("production", "orders").as_deref(), Some("1.0.0"));
    assert!(matches!(&team.waits_on("orders")[..], [WaitingOn::ReadableManifest { .. }]));
    assert_eq!(team.held("test", "stock").as_deref(), Some("1.0.0"));
    team.assert_at_rest();
}
