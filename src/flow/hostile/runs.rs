//! Runs of hostile flows: each ends within its budget, tells of every turn how it ended, and shows no secret.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::{TestCaseError, any, prop_assert, prop_assert_eq};
use serde_json::{Value, json};

use super::expressions::PLANTED;
use super::flows::workflow;
use super::world::Hostile;
use super::{ENGINE_STACK, on_a_stack_of, try_all};
use crate::flow::{Budget, Outcome, Told, What, Workflow};

const BUDGET: Budget =
    Budget { steps: 150, turns: 40, calls: 4, branches: 5, time: Duration::from_secs(600), size: 40_000, response: 50_000, events: 6 };

/// What a run may use: a fifth more than its budget.
fn most(budget: usize) -> usize {
    budget + budget / 5
}

/// Runs it on a stack as large as a worker's.
fn run(written: &Value, input: &Value, seed: u64) -> Result<(Outcome, Vec<Told>, Duration), TestCaseError> {
    let text = written.to_string();
    let flow = Workflow::read("hostile.yaml", text.as_bytes()).map_err(|problems| TestCaseError::fail(format!("{problems:#?}")))?;
    let secrets = json!({ "key": PLANTED, "pair": { "user": "ann", "word": PLANTED } });
    let work = || {
        let world = Hostile::new(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(world.clock.drive(flow.run(input, secrets.as_object().unwrap(), &world, BUDGET)));
        let took = Duration::try_from(world.clock.now().duration_since(jiff::Timestamp::UNIX_EPOCH)).unwrap();
        (outcome, world.told.take(), took)
    };
    Ok(on_a_stack_of(ENGINE_STACK, work))
}

fn within_budget(outcome: &Outcome, told: &[Told], took: Duration) -> Result<(), TestCaseError> {
    let count = |is: fn(&What) -> bool| told.iter().filter(|told| is(&told.what)).count();
    let (steps, retries) = (count(|what| matches!(what, What::Started)), count(|what| matches!(what, What::Retried { .. })));
    prop_assert!(steps <= most(BUDGET.steps as usize), "{steps} steps");
    prop_assert!(retries <= most(BUDGET.turns as usize), "{retries} retries");
    prop_assert!(outcome.events.len() <= most(BUDGET.events));
    prop_assert!(took <= BUDGET.time.mul_f64(1.2), "it took {took:?}");
    let output = outcome.result.as_ref().map_or(0, |output| output.to_string().len());
    let largest = outcome.events.iter().map(|event| event.to_string().len()).max().unwrap_or_default();
    // In JSON a character can take six times as many bytes.
    prop_assert!(output.max(largest) <= 6 * most(BUDGET.size), "{output} {largest}");
    Ok(())
}

/// Every turn that begins ends once, and no more branches are open at once than may be.
fn told_of_every_turn(told: &[Told]) -> Result<(), TestCaseError> {
    let (mut open, mut branches) = (BTreeSet::new(), BTreeSet::new());
    for told in told {
        let number = told.turn.number;
        let is_branch = told.turn.reference.rsplit('/').nth(2) == Some("branches");
        match told.what {
            What::Started => {
                prop_assert!(open.insert(number), "turn {number} began twice");
                if is_branch {
                    branches.insert(number);
                }
                prop_assert!(branches.len() <= most(BUDGET.branches as usize));
            }
            What::Completed | What::Faulted(_) | What::Cancelled => {
                prop_assert!(open.remove(&number), "turn {number} ended without being open");
                branches.remove(&number);
            }
            What::Retried { .. } | What::Sent(_) | What::Answered { .. } | What::Unanswered(_) => {
                prop_assert!(open.contains(&number), "something happened in turn {number}, which is not open");
            }
        }
    }
    prop_assert_eq!(open, BTreeSet::new());
    Ok(())
}

/// The secret is nowhere: not as it is, not in part, not encoded, not backwards.
fn shows_no_secret(outcome: &Outcome, told: &[Told]) -> Result<(), TestCaseError> {
    let result = outcome.result.as_ref().map_or_else(|fault| fault.to_json(), Value::clone);
    let shown = [result.to_string(), json!(outcome.events).to_string(), serde_json::to_string(told).unwrap()];
    let backwards: String = PLANTED.chars().rev().collect();
    let codes = PLANTED.bytes().take(6).map(|byte| byte.to_string()).collect::<Vec<_>>().join(",");
    // "Basic YW5uOnQwcHM…" holds it, too.
    for spelling in [&PLANTED[2..9], &backwards[2..9], "dDBwczNjcjN0", "QwcHMzY3IzdC1wb", &codes] {
        let found = shown.iter().find(|shown| shown.contains(spelling));
        prop_assert!(found.is_none(), "{spelling} is in {}", found.map_or("", |text| text));
    }
    Ok(())
}

#[test]
fn a_hostile_flow_ends_within_its_budget_and_shows_no_secret() {
    try_all(
        200,
        || (workflow(), any::<u64>()),
        |(written, seed)| {
            let (outcome, told, took) = run(&written, &json!({ "a": { "b": 1 }, "b": [1, 2] }), seed)?;
            within_budget(&outcome, &told, took)?;
            told_of_every_turn(&told)?;
            shows_no_secret(&outcome, &told)?;
            if let Err(fault) = &outcome.result {
                prop_assert!(fault.instance.is_some() && (100..600).contains(&fault.status), "{fault:?}");
            }
            Ok(())
        },
    );
}

#[test]
fn a_flow_ends_the_same_way_each_time() {
    try_all(
        60,
        || (workflow(), any::<u64>()),
        |(written, seed)| {
            let input = json!([{ "a": "x" }]);
            prop_assert_eq!(run(&written, &input, seed)?, run(&written, &input, seed)?);
            Ok(())
        },
    );
}
