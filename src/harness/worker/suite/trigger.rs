//! Cases of triggers: what they are, and polls one after the other.

use std::iter;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::difference::{between, same};
use super::sequence::Hook;
use super::spot::Spot;
use super::{Ran, Subject, exchange, expectation};
use crate::flow::trigger::{Answer, Evaluate, Incoming, Run, Tick, Trigger, TriggerState};
use crate::flow::{Outcome, Target};
use crate::manifest::{Expectation, ExpectedAnswer, Poll, WebhookRequest};
use crate::model::Failure;

/// Where services are told to send their requests.
pub(super) const CALLBACK: &str = "https://hooks.example.com";

impl Subject<'_> {
    pub(super) async fn trigger(&self, name: &str, given: &Value, connection: &Map<String, Value>) -> Vec<Failure> {
        let Some(trigger) = self.program.trigger(name) else { return vec![format!("the trigger `{name}` cannot be run").into()] };
        let webhook = self.manifest.triggers.get(name).and_then(|trigger| trigger.on.webhook.as_ref());
        match webhook {
            None => self.polls(trigger, name, given, connection).await,
            Some(webhook) => self.sequence(Hook { trigger, name, path: &webhook.path, given, connection }).await,
        }
    }

    /// Polls one after the other, each at the moment that the schedule gives.
    async fn polls(&self, trigger: &Trigger, name: &str, given: &Value, connection: &Map<String, Value>) -> Vec<Failure> {
        let evaluate = trigger.evaluator(connection);
        let target = Target::Trigger(name.to_owned());
        let mut now = self.stage.beginning();
        let mut state = TriggerState { cursor: self.case.cursor.clone().unwrap_or(Value::Null), ..trigger.begin(now) };
        let single = [Poll { exchanges: self.case.exchanges.clone(), ..Poll::default() }];
        let polls: &[Poll] = if self.case.polls.is_empty() { &single } else { &self.case.polls };
        let outcome = Outcome { result: Ok(Value::Null), events: Vec::new() };
        let mut whole = Ran { outcome, sent: Vec::new(), retries: 0, elapsed: Duration::ZERO };
        let (judging, list) = (self.judging(connection), self.spot.key("polls"));
        let several = polls.iter().enumerate().flat_map(|(index, poll)| iter::repeat_n((index, poll), poll.times.unwrap_or(1).into()));
        for (number, (index, poll)) in several.enumerate() {
            let spot = if self.case.polls.is_empty() { self.spot } else { list.index(index) };
            let told = |failures: Vec<Failure>| match polls {
                [Poll { times: None, .. }] => failures,
                _ => failures.into_iter().map(|failure| failure.within(&format!("poll {}", number + 1))).collect(),
            };
            let Some((scheduled, input)) = due(trigger, &state, &mut now, given) else {
                return told(vec!["the schedule is never due".to_owned().into()]);
            };
            let mut ran = match self.ran(&target, &input, connection, (&poll.exchanges, spot), now).await {
                Ok(ran) => ran,
                Err(failures) => return told(failures),
            };
            if let Err(failure) = ran.settle(trigger, &mut state, Some(scheduled), now, &evaluate) {
                return told(vec![failure.into()]);
            }
            let mut failures = self.misfits(&target, &ran.outcome);
            let expect = spot.key("expect");
            failures.extend(poll.expect.iter().flat_map(|expected| expectation::failures(expected, &ran, judging, expect)));
            failures.extend(poll.expect.iter().filter_map(|expected| other_cursor(expected.cursor.as_ref(), &state, expect)));
            if index + 1 < polls.len() && poll.expect.is_none() {
                failures.extend(expectation::failures(&Expectation::default(), &ran, judging, spot));
            }
            if !failures.is_empty() {
                return told(failures);
            }
            whole.add(ran);
        }
        self.ends(&whole.outcome);
        let expect = self.spot.key("expect");
        let mut failures = expectation::failures(&self.case.expect, &whole, judging, expect);
        failures.extend(other_cursor(self.case.expect.cursor.as_ref(), &state, expect));
        failures
    }
}

/// The next moment at which the schedule is due, and the flow's input then.
fn due(trigger: &Trigger, state: &TriggerState, now: &mut Timestamp, given: &Value) -> Option<(Timestamp, Value)> {
    // A poll that failed is waited for, and so is the first of a cron line.
    for _ in 0..3 {
        match trigger.tick(state, *now, 0, given) {
            Tick::Run { scheduled, input } => return Some((scheduled, input)),
            Tick::Wait(Some(moment)) => *now = moment,
            Tick::Wait(None) | Tick::Skip(_) | Tick::Queue => return None,
        }
    }
    None
}

impl Ran {
    /// Makes of a run what it leaves: its new events, and the next state.
    pub(super) fn settle(
        &mut self,
        trigger: &Trigger,
        state: &mut TriggerState,
        scheduled: Option<Timestamp>,
        now: Timestamp,
        evaluate: &Evaluate<'_>,
    ) -> Result<(), String> {
        let events = std::mem::take(&mut self.outcome.events);
        match &self.outcome.result {
            Err(_) => *state = trigger.fail(state, scheduled, now),
            Ok(output) => {
                let marks = trigger.mark(output, &events, evaluate).map_err(|why| why.to_string())?;
                let settled = trigger.settle(state, Run { scheduled, events, marks }, now).map_err(|why| why.to_string())?;
                (self.outcome.events, *state) = (settled.events, settled.state);
            }
        }
        Ok(())
    }

    /// Adds what came after.
    pub(super) fn add(&mut self, next: Self) {
        self.outcome.events.extend(next.outcome.events);
        self.outcome.result = next.outcome.result;
        self.sent.extend(next.sent);
        self.retries += next.retries;
        self.elapsed += next.elapsed;
    }
}

fn other_cursor(wanted: Option<&Value>, state: &TriggerState, expect: Spot<'_>) -> Option<Failure> {
    let wanted = wanted?;
    let told = || format!("the cursor is not as expected:\n{}", between(wanted, &state.cursor));
    (!same(wanted, &state.cursor)).then(|| expect.key("cursor").fails(told()))
}

pub(super) fn other_answer(wanted: &ExpectedAnswer, answer: &Answer, expect: Spot<'_>) -> Option<Failure> {
    let (mut expected, mut actual) = (Map::new(), Map::new());
    let mut compare = |key: &str, wanted: Value, is: Value| {
        expected.insert(key.to_owned(), wanted);
        actual.insert(key.to_owned(), is);
    };
    if let Some(status) = wanted.status {
        compare("status", json!(status), json!(answer.status));
    }
    for (name, value) in wanted.headers.iter() {
        let is = answer.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        compare(&format!("header {name}"), json!(value), json!(is));
    }
    if let Some(body) = &wanted.body {
        let text = String::from_utf8_lossy(&answer.body);
        let is = if body.is_string() { json!(text) } else { serde_json::from_str(&text).unwrap_or_else(|_| json!(text)) };
        compare("body", body.clone(), is);
    }
    let (expected, actual) = (Value::Object(expected), Value::Object(actual));
    let told = || format!("the answer is not as expected:\n{}", between(&expected, &actual));
    (!same(&expected, &actual)).then(|| expect.key("answer").fails(told()))
}

/// The request as it reaches the webhook.
pub(super) fn incoming(path: &str, request: &WebhookRequest) -> Incoming {
    let mut headers: Vec<_> = request.headers.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let body = exchange::written(request.body.as_ref(), &mut headers);
    let query: Vec<(String, String)> = request.query.iter().flat_map(|(name, value)| parameters(name, value)).collect();
    let pairs = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
    let url = if pairs.is_empty() { format!("{CALLBACK}{path}") } else { format!("{CALLBACK}{path}?{pairs}") };
    let method = request.method.as_deref().unwrap_or("post").to_ascii_lowercase();
    Incoming { method, url, path: path.to_owned(), headers, query, body }
}

fn parameters(name: &str, value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().map(|value| (name.to_owned(), text(value))).collect(),
        single => vec![(name.to_owned(), text(single))],
    }
}
