//! Cases of triggers: a request that reaches a webhook, polls one after the other, and the flows of a subscription.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::difference::{between, same};
use super::{Subject, exchange, expectation, mock};
use crate::flow::trigger::{Answer, Incoming, Received, Run, Setting, Subscribing, Subscription, Tick, Trigger, TriggerState, Wanted};
use crate::flow::{Outcome, Target};
use crate::manifest::{ExpectedAnswer, Poll, WebhookRequest};

/// Where services are told to send their requests.
const CALLBACK: &str = "https://hooks.example.com";

impl Subject<'_> {
    pub(super) async fn trigger(&self, name: &str, given: &Value, connection: &Map<String, Value>) -> Vec<String> {
        let Some(trigger) = self.program.trigger(name) else { return vec![format!("the trigger `{name}` cannot be run")] };
        let webhook = self.manifest.triggers.get(name).and_then(|trigger| trigger.on.webhook.as_ref());
        match (webhook, &self.case.request) {
            (None, _) => self.polls(trigger, name, given, connection).await,
            (Some(_), None) => vec![format!("the trigger `{name}` is a webhook: the case needs a `request`")],
            (Some(webhook), Some(request)) => {
                let incoming = incoming(&webhook.path, request);
                self.request(trigger, name, incoming, given, connection).await
            }
        }
    }

    /// A request that reaches a webhook.
    async fn request(
        &self,
        trigger: &Trigger,
        name: &str,
        mut incoming: Incoming,
        given: &Value,
        connection: &Map<String, Value>,
    ) -> Vec<String> {
        let evaluate = trigger.evaluator(connection);
        let subscription = self.case.subscription.clone().unwrap_or(Value::Null);
        let setting = Setting { input: given, subscription: &subscription, now: mock::beginning(), evaluate: &evaluate };
        let is_signed = self.case.request.as_ref().and_then(|request| request.signed).unwrap_or(true);
        if is_signed && let Err(why) = trigger.sign(&mut incoming, &setting) {
            return vec![format!("the request cannot be signed: {why}")];
        }
        let expected = &self.case.expect;
        match trigger.receive(&incoming, &setting) {
            Received::Refused { answer, why } => match &expected.answer {
                Some(wanted) => self.no_flow(other_answer(wanted, &answer)),
                None => vec![format!("the request is refused: {why}")],
            },
            Received::Answered(answer) => match &expected.answer {
                Some(wanted) => self.no_flow(other_answer(wanted, &answer)),
                None => vec!["the request is answered as a handshake, and starts no flow".to_owned()],
            },
            Received::Run { input, answer } => {
                let target = Target::Trigger(name.to_owned());
                let outcome = match self.ran(&target, &input, connection, &self.case.exchanges, mock::beginning()).await {
                    Ok(outcome) => outcome,
                    Err(failures) => return failures,
                };
                let outcome = match settled(trigger, &TriggerState::default(), None, outcome, mock::beginning(), &evaluate) {
                    Ok((outcome, _)) => outcome,
                    Err(failure) => return vec![failure],
                };
                let mut failures = expectation::failures(expected, &outcome);
                failures.extend(expected.answer.as_ref().and_then(|wanted| other_answer(wanted, &answer)));
                failures.extend(self.misfits(&target, &outcome));
                failures
            }
        }
    }

    /// What is not as expected where no flow was run.
    fn no_flow(&self, other_answer: Option<String>) -> Vec<String> {
        let expected = &self.case.expect;
        let wants_more =
            expected.output.is_some() || expected.error.is_some() || expected.events.as_ref().is_some_and(|events| !events.is_empty());
        let mut failures: Vec<String> = other_answer.into_iter().collect();
        if wants_more {
            failures.push("the request starts no flow, so there is no output, event or error".to_owned());
        }
        failures
    }

    /// Polls one after the other, each at the moment that the schedule gives.
    async fn polls(&self, trigger: &Trigger, name: &str, given: &Value, connection: &Map<String, Value>) -> Vec<String> {
        let evaluate = trigger.evaluator(connection);
        let target = Target::Trigger(name.to_owned());
        let mut now = mock::beginning();
        let mut state = TriggerState { cursor: self.case.cursor.clone().unwrap_or(Value::Null), ..trigger.begin(now) };
        let single = [Poll { exchanges: self.case.exchanges.clone(), expect: None }];
        let polls: &[Poll] = if self.case.polls.is_empty() { &single } else { &self.case.polls };
        let (mut events, mut last) = (Vec::new(), Ok(Value::Null));
        for (index, poll) in polls.iter().enumerate() {
            let told = |failures: Vec<String>| match polls.len() {
                1 => failures,
                _ => failures.into_iter().map(|failure| format!("poll {}: {failure}", index + 1)).collect(),
            };
            let Some((scheduled, input)) = due(trigger, &state, &mut now, given) else {
                return told(vec!["the schedule is never due".to_owned()]);
            };
            let outcome = match self.ran(&target, &input, connection, &poll.exchanges, now).await {
                Ok(outcome) => outcome,
                Err(failures) => return told(failures),
            };
            let outcome = match settled(trigger, &state, Some(scheduled), outcome, now, &evaluate) {
                Ok((outcome, next)) => {
                    state = next;
                    outcome
                }
                Err(failure) => return told(vec![failure]),
            };
            let mut failures = self.misfits(&target, &outcome);
            failures.extend(poll.expect.iter().flat_map(|expected| expectation::failures(expected, &outcome)));
            failures.extend(poll.expect.iter().filter_map(|expected| other_cursor(expected.cursor.as_ref(), &state)));
            if index + 1 < polls.len() && poll.expect.is_none() {
                failures.extend(expectation::failures(&crate::manifest::Expectation::default(), &outcome));
            }
            if !failures.is_empty() {
                return told(failures);
            }
            events.extend(outcome.events);
            last = outcome.result;
        }
        let whole = Outcome { result: last, events };
        let mut failures = expectation::failures(&self.case.expect, &whole);
        failures.extend(other_cursor(self.case.expect.cursor.as_ref(), &state));
        failures
    }

    /// A flow of a subscription, from the input that it is given in its turn.
    pub(super) async fn lifecycle(&self, name: &str, target: &Target, given: &Value, connection: &Map<String, Value>) -> Vec<String> {
        let Some(trigger) = self.program.trigger(name) else { return vec![format!("the trigger `{name}` cannot be run")] };
        let (now, callback_url) = (mock::beginning(), format!("{CALLBACK}/{}/{name}", self.manifest.name));
        let wanted = Wanted { callback_url: &callback_url, input: given };
        // One that stands was made long ago, so that it is time to renew it.
        let made =
            |data: Value| Subscription { data, callback_url: callback_url.clone(), input: given.clone(), since: Timestamp::UNIX_EPOCH };
        let stands = |data: Option<Value>| TriggerState { subscription: data.map(made), ..TriggerState::default() };
        let given = self.case.subscription.clone();
        let subscribing = if matches!(target, Target::Subscribe(_)) {
            trigger.subscribing(&stands(given), Some(wanted), now)
        } else {
            trigger.subscribing(&stands(Some(given.unwrap_or(Value::Null))), None, now)
        };
        match subscribing {
            Subscribing::Subscribe(input) | Subscribing::Unsubscribe(input) => self.judge(target, &input, connection).await,
            Subscribing::Wait(_) => vec![format!("{target} is not run where there is a `subscription`: the trigger has no `renewEvery`")],
            Subscribing::Forget => vec![format!("{target} would not be run")],
        }
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

/// What a run leaves: its new events, and the next state.
fn settled(
    trigger: &Trigger,
    state: &TriggerState,
    scheduled: Option<Timestamp>,
    outcome: Outcome,
    now: Timestamp,
    evaluate: &crate::flow::trigger::Evaluate<'_>,
) -> Result<(Outcome, TriggerState), String> {
    match outcome.result {
        Err(fault) => Ok((Outcome { result: Err(fault), events: Vec::new() }, trigger.fail(state, scheduled, now))),
        Ok(output) => {
            let marks = trigger.mark(&output, &outcome.events, evaluate).map_err(|why| why.to_string())?;
            let run = Run { scheduled, events: outcome.events, marks };
            let settled = trigger.settle(state, run, now).map_err(|why| why.to_string())?;
            Ok((Outcome { result: Ok(output), events: settled.events }, settled.state))
        }
    }
}

fn other_cursor(wanted: Option<&Value>, state: &TriggerState) -> Option<String> {
    let wanted = wanted?;
    (!same(wanted, &state.cursor)).then(|| format!("the cursor is not as expected:\n{}", between(wanted, &state.cursor)))
}

fn other_answer(wanted: &ExpectedAnswer, answer: &Answer) -> Option<String> {
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
    (!same(&expected, &actual)).then(|| format!("the answer is not as expected:\n{}", between(&expected, &actual)))
}

/// The request as it reaches the webhook.
fn incoming(path: &str, request: &WebhookRequest) -> Incoming {
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
