//! The subscription that makes a service send its requests: made, renewed, ended.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{LiveTrigger, News, Run, could_not_run};
use crate::flow::Target;
use crate::flow::trigger::{Subscribing, TriggerState, Wanted};
use crate::harness::protocol::Start;
use crate::model::{Clock as _, SystemClock};

/// How often what stands may change before it is as it is wanted: one that is to be replaced is ended first.
const MOST_CHANGES: usize = 4;
/// After how long a renewal that failed is tried again.
const RETRY: SignedDuration = SignedDuration::from_mins(1);

impl LiveTrigger {
    /// Whether the service has to be asked before it sends requests.
    pub fn subscribes(&self) -> bool {
        self.trigger().is_ok_and(crate::flow::trigger::Trigger::subscribes)
    }

    /// Sees to it that the service sends requests to this address, or none; and tells when that is to be seen to again. The error is that
    /// of the flow which failed, RFC 7807.
    pub(super) async fn subscribe(&self, callback_url: Option<&str>) -> Result<Option<Timestamp>, Value> {
        let wanted = callback_url.map(|callback_url| Wanted { callback_url, input: &self.setup.input });
        for _ in 0..MOST_CHANGES {
            let state = self.kept.state();
            let subscribing = self.trigger().map_err(failed)?.subscribing(&state, wanted, SystemClock.now());
            let name = || self.setup.key.trigger.clone();
            match (subscribing, wanted) {
                (Subscribing::Wait(moment), _) => return Ok(moment),
                (Subscribing::Subscribe(input), Some(wanted)) => {
                    let output = self.ran(Target::Subscribe(name()), input).await?;
                    let subscribed = |state: &mut TriggerState| state.subscribed(wanted, output, SystemClock.now());
                    self.keep(subscribed).await?;
                    self.report.tell(News::Subscribed(wanted.callback_url.to_owned()));
                }
                (Subscribing::Subscribe(_), None) => return Ok(None),
                (Subscribing::Unsubscribe(input), _) => {
                    self.ran(Target::Unsubscribe(name()), input).await?;
                    self.keep(unsubscribed).await?;
                    self.report.tell(News::Unsubscribed);
                }
                (Subscribing::Forget, _) => self.keep(unsubscribed).await?,
            }
        }
        Err(could_not_run("the subscription is never as it is wanted"))
    }

    /// Renews what expires; a failure is told, and tried again.
    pub(super) async fn renew(&self, callback_url: &str) -> Option<Timestamp> {
        self.subscribe(Some(callback_url)).await.unwrap_or_else(|fault| {
            self.report.tell(News::Failed(fault));
            SystemClock.now().checked_add(RETRY).ok()
        })
    }

    async fn ran(&self, target: Target, input: Value) -> Result<Value, Value> {
        match self.run(target, Start::Input(input)).await {
            Run::Succeeded { output, .. } => Ok(output),
            Run::Failed(fault) => Err(fault),
            Run::Turned { .. } => Err(could_not_run("a request was answered that nobody made")),
        }
    }

    async fn keep<E: std::fmt::Display>(&self, change: impl FnOnce(&mut TriggerState) -> Result<(), E>) -> Result<(), Value> {
        let mut turn = self.kept.turn().await;
        let mut next = turn.state().clone();
        change(&mut next).map_err(failed)?;
        turn.replace(next).await.map_err(|error| failed(format!("{error:#}")))
    }
}

fn unsubscribed(state: &mut TriggerState) -> Result<(), std::convert::Infallible> {
    state.unsubscribed();
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> Value {
    could_not_run(&error.to_string())
}
