//! How a flow ended, compared with what was expected of it.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::Ran;
use super::difference::{between, excerpt, includes, pretty, same};
use super::exchange::Sent;
use super::judging::Judging;
use super::spot::Spot;
use crate::flow::{Fault, Outcome, duration};
use crate::manifest::{Expectation, ExpectedError, ExpectedEvent};
use crate::model::Failure;

/// What is not as expected; `spot` is the expectation.
pub(super) fn failures(expected: &Expectation, ran: &Ran, judging: Judging<'_>, spot: Spot<'_>) -> Vec<Failure> {
    let contradictions: Vec<_> = expected.flaws().into_iter().map(|flaw| spot.fails(flaw.message)).collect();
    if !contradictions.is_empty() {
        return contradictions;
    }
    let mut failures = ending(expected, &ran.outcome, judging, spot);
    failures.extend(measured(expected, ran.sent.len(), ran.retries, ran.elapsed, spot));
    // Where a flow broke off, assertions about what it was to give only say so again.
    if !expected.assert.is_empty() && !is_broken_off(expected, &ran.outcome) {
        failures.extend(judging.unheld(&expected.assert, &whole(ran, judging), spot.key("assert")));
    }
    failures
}

/// How a run ended and what it sent, as assertions read it.
fn whole(ran: &Ran, judging: Judging<'_>) -> Value {
    let (output, error) = match &ran.outcome.result {
        Ok(output) => (output.clone(), Value::Null),
        Err(fault) => (Value::Null, fault.to_json()),
    };
    let requests: Value = match judging.without_requests {
        true => Value::Null,
        false => ran.sent.iter().map(|request| Sent::of(request).whole().clone()).collect(),
    };
    json!({ "output": output, "events": ran.outcome.events, "error": error, "requests": requests })
}

/// What is not as expected of the effort.
pub(super) fn measured(expected: &Expectation, requests: usize, retries: usize, elapsed: Duration, spot: Spot<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    if let Some(wanted) = expected.requests.map(usize::from).filter(|wanted| *wanted != requests) {
        failures.push(spot.key("requests").fails(format!("{}, and {wanted} are expected", were(requests, "request", "sent"))));
    }
    if let Some(wanted) = expected.retries.map(usize::from).filter(|wanted| *wanted != retries) {
        let told = format!("something was tried again {}, and {} expected", times(retries), times(wanted));
        failures.push(spot.key("retries").fails(told));
    }
    if let Some(wanted) = &expected.elapsed
        && duration(wanted) != Ok(elapsed)
    {
        let took = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
        failures.push(spot.key("elapsed").fails(format!("the flow took {took}, and {wanted} is expected")));
    }
    failures
}

fn is_broken_off(expected: &Expectation, outcome: &Outcome) -> bool {
    expected.error.is_none() && outcome.result.is_err()
}

fn were(count: usize, what: &str, done: &str) -> String {
    if count == 1 { format!("1 {what} was {done}") } else { format!("{count} {what}s were {done}") }
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn ending(expected: &Expectation, outcome: &Outcome, judging: Judging<'_>, spot: Spot<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    match (&expected.error, &outcome.result) {
        (Some(error), Err(fault)) => failures.extend(other_error(error, fault).map(|told| spot.key("error").fails(told))),
        (Some(_), Ok(output)) => {
            let told = format!("an error is expected, but the flow ended with the output\n{}", pretty(output).trim_end());
            failures.push(spot.key("error").fails(told));
        }
        (None, Err(fault)) => {
            failures.push(spot.fails(format!("the flow ended with an error:\n{}", pretty(&fault.to_json()).trim_end())));
        }
        (None, Ok(output)) => failures.extend(other_output(expected, output, judging, spot)),
    }
    // That there are no events where a flow broke off goes without saying.
    if let Some(events) = &expected.events
        && !is_broken_off(expected, outcome)
    {
        failures.extend(other_events(events, &outcome.events).map(|told| spot.key("events").fails(told)));
    }
    failures
}

fn other_output(expected: &Expectation, output: &Value, judging: Judging<'_>, spot: Spot<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    if let Some(wanted) = &expected.output
        && !same(wanted, output)
    {
        failures.push(spot.key("output").fails(format!("the output is not as expected:\n{}", between(wanted, output))));
    }
    if let Some(wanted) = &expected.output_includes
        && !includes(wanted, output)
    {
        let told = format!("the output does not include what is expected:\n{}", between(wanted, &excerpt(wanted, output)));
        failures.push(spot.key("outputIncludes").fails(told));
    }
    if let Some(schema) = &expected.output_schema {
        let flaws = judging.flaws(schema, output);
        let told = |flaw| spot.key("outputSchema").fails(format!("the output does not fit `outputSchema`: {flaw}"));
        failures.extend(flaws.into_iter().map(told));
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
    let mut wanted = Vec::new();
    let mut seen = Vec::new();
    for (index, event) in actual.iter().enumerate() {
        let (kind, data) = (event.get("type"), event.get("data"));
        let Some(like) = expected.get(index) else {
            seen.push(spoken_of([("type", kind.cloned()), ("data", data.cloned()), ("dataIncludes", None)]));
            continue;
        };
        let part = like.data_includes.as_ref().map(|part| data.map_or(Value::Null, |data| excerpt(part, data)));
        let kind = kind.filter(|_| like.kind.is_some());
        seen.push(spoken_of([("type", kind.cloned()), ("data", data.filter(|_| like.data.is_some()).cloned()), ("dataIncludes", part)]));
    }
    for event in expected {
        let kind = event.kind.as_ref().map(|kind| json!(kind));
        wanted.push(spoken_of([("type", kind), ("data", event.data.clone()), ("dataIncludes", event.data_includes.clone())]));
    }
    let (wanted, seen) = (Value::Array(wanted), Value::Array(seen));
    (!same(&wanted, &seen)).then(|| format!("the events are not as expected:\n{}", between(&wanted, &seen)))
}

fn spoken_of(entries: [(&str, Option<Value>); 3]) -> Value {
    Value::Object(entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}
