//! The life of a subscription: made when a webhook is wanted, renewed before it expires, ended when the webhook is wanted no more.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::{Start, Trigger, Webhook};
use super::state::{StateError, Subscription, TriggerState, small};

/// A webhook that somebody wants.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where the service is to send its requests.
    pub callback_url: &'a str,
    /// The trigger's parameters.
    pub input: &'a Value,
}

/// What is to be done for a subscription.
#[derive(Debug, Clone, PartialEq)]
pub enum Subscribing {
    /// Nothing before this moment; nothing at all where it is `None`.
    Wait(Option<Timestamp>),
    /// Run `subscribe` from this input, then [`TriggerState::subscribed`].
    Subscribe(Value),
    /// Run `unsubscribe` from this input, then [`TriggerState::unsubscribed`], and ask again.
    Unsubscribe(Value),
    /// There is no flow that ends it: [`TriggerState::unsubscribed`], and ask again.
    Forget,
}

impl Trigger {
    /// Whether a service is to be asked for requests before any come.
    pub fn subscribes(&self) -> bool {
        match &self.start {
            Start::Webhook(webhook) => webhook.subscribes,
            Start::Poll(_) => false,
        }
    }

    /// Decides what is to be done so that the service sends requests to the webhook that is wanted, or sends none.
    pub fn subscribing(&self, state: &TriggerState, wanted: Option<Wanted<'_>>, now: Timestamp) -> Subscribing {
        let webhook = match &self.start {
            Start::Webhook(webhook) => Some(&**webhook),
            Start::Poll(_) => None,
        };
        let wanted = wanted.filter(|_| webhook.is_some_and(|webhook| webhook.subscribes));
        match (&state.subscription, wanted) {
            (None, None) => Subscribing::Wait(None),
            (None, Some(wanted)) => Subscribing::Subscribe(input(wanted.callback_url, &Value::Null, wanted.input)),
            (Some(stands), Some(wanted)) if stands.callback_url == wanted.callback_url && stands.input == *wanted.input => {
                renewing(webhook, stands, now)
            }
            (Some(stands), None | Some(_)) if webhook.is_some_and(|webhook| webhook.unsubscribes) => {
                Subscribing::Unsubscribe(input(&stands.callback_url, &stands.data, &stands.input))
            }
            (Some(_), None | Some(_)) => Subscribing::Forget,
        }
    }
}

fn renewing(webhook: Option<&Webhook>, stands: &Subscription, now: Timestamp) -> Subscribing {
    let Some(every) = webhook.and_then(|webhook| webhook.renew_every) else { return Subscribing::Wait(None) };
    match stands.since.checked_add(every) {
        Ok(moment) if moment <= now => Subscribing::Subscribe(input(&stands.callback_url, &stands.data, &stands.input)),
        Ok(moment) => Subscribing::Wait(Some(moment)),
        Err(_) => Subscribing::Wait(None),
    }
}

fn input(callback_url: &str, subscription: &Value, input: &Value) -> Value {
    json!({ "callbackUrl": callback_url, "subscription": subscription, "input": input })
}

impl TriggerState {
    /// Keeps what `subscribe` returned. Where it is too big the state stays as it was, and the service's subscription is lost sight of.
    pub fn subscribed(&mut self, wanted: Wanted<'_>, output: Value, now: Timestamp) -> Result<(), StateError> {
        small(&output, "output of `subscribe`")?;
        small(wanted.input, "input of `subscribe`")?;
        let (callback_url, input) = (wanted.callback_url.to_owned(), wanted.input.clone());
        self.subscription = Some(Subscription { data: output, callback_url, input, since: now });
        Ok(())
    }

    /// Notes that the service sends no more requests.
    pub fn unsubscribed(&mut self) {
        self.subscription = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::tests::trigger;
    use super::*;

    const HOOK: &str = "https://example.com/hook";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    #[test]
    fn a_subscription_is_made_once_kept_and_ended() {
        let flow = json!({ "do": [{ "a": { "set": {} } }] });
        let trigger = trigger(&json!({ "webhook": { "path": "/a", "subscribe": flow, "unsubscribe": flow } }));
        let (form, other) = (json!({ "form": 1 }), json!({ "form": 2 }));
        let wanted = Wanted { callback_url: HOOK, input: &form };
        let mut state = TriggerState::default();
        assert_eq!(trigger.subscribing(&state, None, at(0)), Subscribing::Wait(None));
        let first = json!({ "callbackUrl": HOOK, "subscription": null, "input": form });
        assert_eq!(trigger.subscribing(&state, Some(wanted), at(0)), Subscribing::Subscribe(first));
        state.subscribed(wanted, json!({ "id": 7 }), at(0)).unwrap();
        assert_eq!(*state.subscription_data(), json!({ "id": 7 }));
        assert_eq!(trigger.subscribing(&state, Some(wanted), at(9)), Subscribing::Wait(None));
        let end = Subscribing::Unsubscribe(json!({ "callbackUrl": HOOK, "subscription": { "id": 7 }, "input": form }));
        assert_eq!(trigger.subscribing(&state, None, at(9)), end);
        assert_eq!(
            trigger.subscribing(&state, Some(Wanted { input: &other, ..wanted }), at(9)),
            end,
            "with other parameters it is another one"
        );
        state.unsubscribed();
        assert_eq!(trigger.subscribing(&state, None, at(9)), Subscribing::Wait(None));
    }

    #[test]
    fn one_that_expires_is_renewed_with_what_is_known_of_it() {
        let flow = json!({ "do": [{ "a": { "set": {} } }] });
        let trigger = trigger(&json!({ "webhook": { "path": "/a", "subscribe": flow, "renewEvery": "P2D" } }));
        let wanted = Wanted { callback_url: HOOK, input: &Value::Null };
        let mut state = TriggerState::default();
        state.subscribed(wanted, json!("channel"), at(0)).unwrap();
        let days = 172_800;
        assert_eq!(trigger.subscribing(&state, Some(wanted), at(days - 1)), Subscribing::Wait(Some(at(days))));
        let again = json!({ "callbackUrl": HOOK, "subscription": "channel", "input": null });
        assert_eq!(trigger.subscribing(&state, Some(wanted), at(days)), Subscribing::Subscribe(again));
        assert_eq!(trigger.subscribing(&state, None, at(days)), Subscribing::Forget, "no flow ends it");
        let big = json!("x".repeat(70_000));
        assert_eq!(
            state.subscribed(wanted, big, at(days)).unwrap_err().to_string(),
            "the output of `subscribe` is bigger than 65536 bytes"
        );
        assert_eq!(*state.subscription_data(), json!("channel"));
    }
}
