//! How a flow ended, compared with what was expected of it.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::Ran;
use super::difference::{between, pretty, same};
use crate::flow::{Fault, Outcome, duration};
use crate::manifest::{Expectation, ExpectedError, ExpectedEvent};

/// What is not as expected.
pub(super) fn failures(expected: &Expectation, ran: &Ran) -> Vec<String> {
    let outcome = &ran.outcome;
    let mut failures = ending(expected, outcome);
    failures.extend(measured(expected, ran.requests, ran.elapsed));
    failures
}

/// What is not as expected of the effort.
pub(super) fn measured(expected: &Expectation, requests: usize, elapsed: Duration) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(wanted) = expected.requests.map(usize::from).filter(|wanted| *wanted != requests) {
        failures.push(format!("{requests} requests were sent, and {wanted} are expected"));
    }
    if let Some(wanted) = &expected.elapsed
        && duration(wanted) != Ok(elapsed)
    {
        failures
            .push(format!("the flow took {}, and {wanted} is expected", SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX)));
    }
    failures
}

fn ending(expected: &Expectation, outcome: &Outcome) -> Vec<String> {
    let mut failures = Vec::new();
    match (&expected.error, &outcome.result) {
        (Some(error), Err(fault)) => failures.extend(other_error(error, fault)),
        (Some(_), Ok(output)) => {
            failures.push(format!("an error is expected, but the flow ended with the output\n{}", pretty(output).trim_end()));
        }
        (None, Err(fault)) => failures.push(format!("the flow ended with an error:\n{}", pretty(&fault.to_json()).trim_end())),
        (None, Ok(_)) => {}
    }
    if let (Some(wanted), Ok(output)) = (&expected.output, &outcome.result)
        && !same(wanted, output)
    {
        failures.push(format!("the output is not as expected:\n{}", between(wanted, output)));
    }
    // That there are no events where a flow broke off goes without saying.
    let is_broken_off = expected.error.is_none() && outcome.result.is_err();
    if let Some(events) = &expected.events
        && !is_broken_off
    {
        failures.extend(other_events(events, &outcome.events));
    }
    failures
}

fn other_error(expected: &ExpectedError, fault: &Fault) -> Option<String> {
    let (mut wanted, mut actual) = (Map::new(), Map::new());
    if let Some(name) = &expected.name {
        wanted.insert("name".to_owned(), json!(name));
        actual.insert("name".to_owned(), json!(fault.name));
    }
    if let Some(kind) = &expected.kind {
        wanted.insert("type".to_owned(), json!(kind));
        // The two spellings of a standard type are one.
        actual.insert("type".to_owned(), json!(if fault.is(kind) { kind } else { &fault.kind }));
    }
    if let Some(status) = expected.status {
        wanted.insert("status".to_owned(), json!(status));
        actual.insert("status".to_owned(), json!(fault.status));
    }
    if let Some(detail) = &expected.detail {
        wanted.insert("detail".to_owned(), json!(detail));
        actual.insert("detail".to_owned(), json!(fault.detail));
    }
    let (wanted, actual) = (Value::Object(wanted), Value::Object(actual));
    (wanted != actual).then(|| {
        let whole = pretty(&fault.to_json());
        format!("the error is not as expected:\n{}\nThe whole error:\n{}", between(&wanted, &actual), whole.trim_end())
    })
}

fn other_events(expected: &[ExpectedEvent], actual: &[Value]) -> Option<String> {
    let wanted: Value = expected.iter().map(|event| spoken_of(event.kind.as_ref().map(|kind| json!(kind)), event.data.clone())).collect();
    let seen: Value = actual
        .iter()
        .enumerate()
        .map(|(index, event)| {
            let like = expected.get(index);
            let has = |given: bool| like.is_none() || given;
            let kind = event.get("type").filter(|_| has(like.is_some_and(|like| like.kind.is_some())));
            let data = event.get("data").filter(|_| has(like.is_some_and(|like| like.data.is_some())));
            spoken_of(kind.cloned(), data.cloned())
        })
        .collect();
    (!same(&wanted, &seen)).then(|| format!("the events are not as expected:\n{}", between(&wanted, &seen)))
}

fn spoken_of(kind: Option<Value>, data: Option<Value>) -> Value {
    let entries = [("type", kind), ("data", data)].into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(entries.collect())
}
