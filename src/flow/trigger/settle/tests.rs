//! Which events are passed on, and what is kept.

use serde_json::{Map, json};

use super::super::parse::tests::trigger_with;
use super::*;

fn poll() -> Trigger {
    trigger_with(&json!({
        "on": { "schedule": { "every": "PT5M" } },
        "cursor": "[.items[].at] | max",
        "deduplicateBy": "${ .id }",
        "deduplicateWithin": 3,
    }))
}

fn event(id: &Value) -> Value {
    json!({ "specversion": "1.0", "type": "item", "data": { "id": id } })
}

fn settled(trigger: &Trigger, state: &TriggerState, output: Value, ids: &[Value]) -> Result<Settled, Unsettled> {
    let events: Vec<Value> = ids.iter().map(event).collect();
    let marks = trigger.mark(&output, &events, &trigger.evaluator(&Map::new()))?;
    trigger.settle(state, Run { scheduled: Some(Timestamp::UNIX_EPOCH), events, marks }, Timestamp::UNIX_EPOCH)
}

fn ids(settled: &Settled) -> Vec<Value> {
    settled.events.iter().map(|event| event["data"]["id"].clone()).collect()
}

#[test]
fn an_event_is_passed_on_once_in_its_order() {
    let trigger = poll();
    let none = json!({ "items": [] });
    let first = settled(&trigger, &TriggerState::default(), none.clone(), &[json!(1), json!(2), json!(1)]).unwrap();
    assert_eq!(ids(&first), [json!(1), json!(2)]);
    let second = settled(&trigger, &first.state, none.clone(), &[json!(2), json!("2"), json!(null), json!(null)]).unwrap();
    assert_eq!(ids(&second), [json!("2"), json!(null), json!(null)], "where the value is null nothing is known of the event");
    let third = settled(&trigger, &second.state, none, &[json!(3), json!(1)]).unwrap();
    assert_eq!(ids(&third), [json!(3), json!(1)], "three values are remembered, and 1 was seen before those");
}

#[test]
fn a_cursor_goes_on_and_is_not_lost_where_nothing_is_found() {
    let trigger = poll();
    let first = settled(&trigger, &TriggerState::default(), json!({ "items": [{ "at": 5 }, { "at": 7 }] }), &[]).unwrap().state;
    assert_eq!(first.cursor, json!(7));
    assert_eq!(settled(&trigger, &first, json!({ "items": [] }), &[]).unwrap().state.cursor, json!(7));
}

#[test]
fn what_cannot_be_settled_changes_nothing() {
    let trigger = poll();
    let state = settled(&trigger, &TriggerState::default(), json!({ "items": [{ "at": 5 }] }), &[json!(1)]).unwrap().state;
    let expression = settled(&trigger, &state, json!({ "items": 7 }), &[json!(2)]).unwrap_err().to_string();
    assert!(expression.starts_with("`cursor` failed: "), "{expression}");
    let huge = settled(&trigger, &state, json!({ "items": [{ "at": "x".repeat(70_000) }] }), &[]).unwrap_err();
    assert_eq!(huge.to_string(), "the cursor is bigger than 65536 bytes");
    let failed = trigger.fail(&state, Some(Timestamp::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
    assert_eq!(TriggerState { failure: None, ..failed }, state);
    assert_eq!(trigger.fail(&state, None, Timestamp::UNIX_EPOCH), state, "a webhook's failure leaves no trace");
}

#[test]
fn without_rules_every_event_is_passed_on_and_nothing_is_kept() {
    let trigger = trigger_with(&json!({ "on": { "webhook": { "path": "/a" } } }));
    let events = vec![event(&json!(1)), event(&json!(1))];
    let marks = trigger.mark(&json!(1), &events, &|_, _| Err("none is evaluated".to_owned())).unwrap();
    let settled = trigger.settle(&TriggerState::default(), Run { scheduled: None, events, marks }, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((settled.events.len(), settled.state), (2, TriggerState::default()));
}
