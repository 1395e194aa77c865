//! Cases of webhooks: requests that reach them and flows of their subscriptions, one after the other.

use std::borrow::Cow;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::judging::Judging;
use super::spot::Spot;
use super::trigger::{CALLBACK, incoming, other_answer};
use super::{Ran, Subject, expectation};
use crate::flow::trigger::{Answer, Received, Setting, Subscribing, Subscription, Trigger, TriggerState, Wanted};
use crate::flow::{Target, duration};
use crate::manifest::{Exchange, Expectation, Happening, Lifecycle, WebhookRequest};
use crate::model::Failure;

/// A webhook trigger with what the case gives to it.
#[derive(Clone, Copy)]
pub(super) struct Hook<'a> {
    pub(super) trigger: &'a Trigger,
    pub(super) name: &'a str,
    pub(super) path: &'a str,
    pub(super) given: &'a Value,
    pub(super) connection: &'a Map<String, Value>,
}

/// What came of something that happened.
struct Came {
    target: Target,
    /// The run that it started; otherwise what is to be told of that.
    ran: Result<Ran, String>,
    answer: Option<Answer>,
}

impl Subject<'_> {
    /// Lets everything happen, each from what the one before has left.
    pub(super) async fn sequence(&self, hook: Hook<'_>) -> Vec<Failure> {
        let (happenings, mut now) = (self.happenings(), self.stage.beginning());
        let mut state = self.beginning(hook);
        let mut whole: Option<Ran> = None;
        let (judging, list) = (self.judging(hook.connection), self.spot.key("sequence"));
        for (index, happening) in happenings.iter().enumerate() {
            let spot = if self.case.sequence.is_empty() { self.spot } else { list.index(index) };
            let told = |failures: Vec<Failure>| match happenings.len() {
                1 => failures,
                _ => failures.into_iter().map(|failure| failure.within(&format!("{} of the sequence", index + 1))).collect(),
            };
            now = later(now, happening.after.as_deref().and_then(|after| duration(after).ok()).unwrap_or_default());
            let came = match self.happen(hook, (happening, spot), &mut state, now).await {
                Ok(came) => came,
                Err(failures) => return told(failures),
            };
            let is_last = index + 1 == happenings.len();
            let usual = (!is_last).then(Expectation::default);
            let expected = happening.expect.as_ref().or(usual.as_ref());
            let mut failures = expected.map(|expected| came.unmet(expected, judging, spot.key("expect"))).unwrap_or_default();
            failures.extend(came.ran.iter().flat_map(|ran| self.misfits(&came.target, &ran.outcome)));
            if !failures.is_empty() {
                return told(failures);
            }
            now = later(now, came.ran.as_ref().map(|ran| ran.elapsed).unwrap_or_default());
            let last = if is_last { self.unanswered(happening, &came) } else { Vec::new() };
            if !last.is_empty() {
                return last;
            }
            whole = match (whole, came.ran) {
                (None, ran) => ran.ok(),
                (Some(whole), Err(_)) => Some(whole),
                (Some(mut whole), Ok(ran)) => {
                    whole.add(ran);
                    Some(whole)
                }
            };
        }
        match whole {
            Some(whole) => {
                self.ends(&whole.outcome);
                expectation::failures(&self.case.expect, &whole, judging, self.spot.key("expect"))
            }
            None => no_flow(&self.case.expect, self.spot.key("expect")),
        }
    }

    /// What the case is made of, where it holds one request or flow alone, too.
    fn happenings(&self) -> Cow<'_, [Happening]> {
        let case = self.case;
        if !case.sequence.is_empty() {
            return Cow::Borrowed(&case.sequence);
        }
        let (request, lifecycle, exchanges) = (case.request.clone(), case.lifecycle, case.exchanges.clone());
        Cow::Owned(vec![Happening { request: request.filter(|_| lifecycle.is_none()), lifecycle, exchanges, ..Happening::default() }])
    }

    /// The state that the case begins with. A subscription that stands was made long ago, so that it is time to renew it.
    fn beginning(&self, hook: Hook<'_>) -> TriggerState {
        let ends = self.case.lifecycle == Some(Lifecycle::Unsubscribe);
        let data = self.case.subscription.clone().or(ends.then_some(Value::Null));
        let (callback_url, input) = (self.callback(hook.name), hook.given.clone());
        let subscription = data.map(|data| Subscription { data, callback_url, input, since: Timestamp::UNIX_EPOCH });
        TriggerState { subscription, ..TriggerState::default() }
    }

    fn callback(&self, name: &str) -> String {
        format!("{CALLBACK}/{}/{name}", self.manifest.name)
    }

    async fn happen(
        &self,
        hook: Hook<'_>,
        (happening, spot): (&Happening, Spot<'_>),
        state: &mut TriggerState,
        now: Timestamp,
    ) -> Result<Came, Vec<Failure>> {
        let exchanges = (happening.exchanges.as_slice(), spot);
        match (&happening.request, happening.lifecycle) {
            (Some(request), None) => self.request(hook, exchanges, request, state, now).await,
            (None, Some(lifecycle)) => self.lifecycle(hook, exchanges, lifecycle, state, now).await,
            (None, None) => Err(vec![format!("the trigger `{}` is a webhook: the case needs a `request`", hook.name).into()]),
            (Some(_), Some(_)) => Err(vec!["a `request` and a `lifecycle` are two things that happen: write them apart".to_owned().into()]),
        }
    }

    /// A request that reaches the webhook.
    async fn request(
        &self,
        hook: Hook<'_>,
        exchanges: (&[Exchange], Spot<'_>),
        request: &WebhookRequest,
        state: &mut TriggerState,
        now: Timestamp,
    ) -> Result<Came, Vec<Failure>> {
        let Hook { trigger, name, path, given, connection } = hook;
        let evaluate = trigger.evaluator(connection);
        let target = Target::Trigger(name.to_owned());
        let received = {
            let setting = Setting { input: given, subscription: state.subscription_data(), now, evaluate: &evaluate };
            let mut incoming = incoming(path, request);
            if request.signed.unwrap_or(true)
                && let Err(why) = trigger.sign(&mut incoming, &setting)
            {
                return Err(vec![format!("the request cannot be signed: {why}").into()]);
            }
            trigger.receive(&incoming, &setting)
        };
        let without = |answer: Answer, told: String| Came { target: target.clone(), ran: Err(told), answer: Some(answer) };
        match received {
            Received::Refused { answer, why } => Ok(without(answer, format!("the request is refused: {why}"))),
            Received::Answered(answer) => Ok(without(answer, "the request is answered as a handshake, and starts no flow".to_owned())),
            Received::Run { input, answer } => {
                let mut ran = self.ran(&target, &input, connection, exchanges, now).await?;
                ran.settle(trigger, state, None, now, &evaluate).map_err(|failure| vec![failure.into()])?;
                Ok(Came { target, ran: Ok(ran), answer: Some(answer) })
            }
        }
    }

    /// A flow of the subscription, from the input that it is given in its turn.
    async fn lifecycle(
        &self,
        hook: Hook<'_>,
        exchanges: (&[Exchange], Spot<'_>),
        lifecycle: Lifecycle,
        state: &mut TriggerState,
        now: Timestamp,
    ) -> Result<Came, Vec<Failure>> {
        let callback_url = self.callback(hook.name);
        let wanted = Wanted { callback_url: &callback_url, input: hook.given };
        let (target, wants) = match lifecycle {
            Lifecycle::Subscribe => (Target::Subscribe(hook.name.to_owned()), Some(wanted)),
            Lifecycle::Unsubscribe => (Target::Unsubscribe(hook.name.to_owned()), None),
        };
        self.known(&target).map_err(|failure| vec![failure.into()])?;
        let input = match hook.trigger.subscribing(state, wants, now) {
            Subscribing::Subscribe(input) | Subscribing::Unsubscribe(input) => input,
            Subscribing::Wait(moment) => return Err(vec![waiting(&target, state, moment).into()]),
            Subscribing::Forget => return Err(vec![format!("{target} would not be run").into()]),
        };
        let ran = self.ran(&target, &input, hook.connection, exchanges, now).await?;
        match (&ran.outcome.result, wants) {
            (Ok(output), Some(wanted)) => {
                state.subscribed(wanted, output.clone(), now).map_err(|why| vec![why.to_string().into()])?;
            }
            (Ok(_), None) => state.unsubscribed(),
            (Err(_), Some(_) | None) => {}
        }
        Ok(Came { target, ran: Ok(ran), answer: None })
    }

    /// What the case as a whole expects of the last answer.
    fn unanswered(&self, last: &Happening, came: &Came) -> Vec<Failure> {
        let expect = self.spot.key("expect");
        match (&self.case.expect.answer, &came.answer, &came.ran) {
            (Some(wanted), Some(answer), Ok(_) | Err(_)) => other_answer(wanted, answer, expect).into_iter().collect(),
            (Some(_), None, Ok(_) | Err(_)) => {
                vec![expect.key("answer").fails("`expect.answer` is for requests, and what happens last is none")]
            }
            (None, Some(_) | None, Err(told)) if last.expect.is_none() => vec![told.clone().into()],
            (None, Some(_) | None, Ok(_) | Err(_)) => Vec::new(),
        }
    }
}

impl Came {
    /// What is not as expected.
    fn unmet(&self, expected: &Expectation, judging: Judging<'_>, expect: Spot<'_>) -> Vec<Failure> {
        let mut failures = match (&self.ran, &expected.answer) {
            (Ok(ran), _) => expectation::failures(expected, ran, judging, expect),
            (Err(told), None) => vec![told.clone().into()],
            (Err(_), Some(_)) => no_flow(expected, expect),
        };
        let answers = expected.answer.as_ref().zip(self.answer.as_ref());
        failures.extend(answers.and_then(|(wanted, answer)| other_answer(wanted, answer, expect)));
        failures
    }
}

/// What is not as expected where no flow was run.
fn no_flow(expected: &Expectation, expect: Spot<'_>) -> Vec<Failure> {
    let wants_output = expected.output.is_some() || expected.output_includes.is_some() || expected.output_schema.is_some();
    let wants_events = expected.events.as_ref().is_some_and(|events| !events.is_empty());
    let mut failures = expectation::measured(expected, 0, 0, Duration::ZERO, expect);
    if wants_output || wants_events || expected.error.is_some() || !expected.assert.is_empty() {
        failures.push(expect.fails("the request starts no flow, so there is no output, event or error"));
    }
    failures
}

fn waiting(target: &Target, state: &TriggerState, moment: Option<Timestamp>) -> String {
    match (&state.subscription, moment) {
        (None, _) => format!("{target} is not run where there is no subscription"),
        (Some(_), None) => format!("{target} is not run where there is a `subscription`: the trigger has no `renewEvery`"),
        (Some(standing), Some(moment)) => {
            format!(
                "{target} is not run before the subscription is to be renewed, {} after it was made",
                moment.duration_since(standing.since)
            )
        }
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| now.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
