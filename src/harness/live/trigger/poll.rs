//! Polls: one now, or each when the schedule says so; and how any run is settled.

use std::time::Duration;

use anyhow::Result;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{LiveTrigger, News, Run, could_not_run};
use crate::flow::trigger::{self, Marks, Tick, TriggerState};
use crate::harness::protocol::Start;
use crate::model::{Clock as _, SystemClock};
use crate::store::TriggerLeaseLost;

/// How long runs may go on once they were told to stop.
pub(super) const GRACE: Duration = Duration::from_secs(10);
/// The longest sleep before the clock is looked at again: the machine may sleep too, and clocks are set.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How long people wait without being told what for.
const WONDER: SignedDuration = SignedDuration::from_secs(5);
/// How many polls run at once where they may overlap.
const MOST_AT_ONCE: usize = 16;

/// What came of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Polled {
    /// Its new events were handed out, and the state was kept.
    Settled,
    /// It failed, RFC 7807; no more than that was kept.
    Failed(Value),
}

/// What is done about moments of the schedule, until it has ended. Whatever waits for a turn to change the state is among it: somebody else
/// among it may have that turn.
type Running<'a> = FuturesUnordered<BoxFuture<'a, (Moment, Result<()>)>>;

/// A moment of the schedule, and what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Polled(Timestamp),
    Skipped(Timestamp),
}

impl Moment {
    fn at(self) -> Timestamp {
        match self {
            Self::Polled(at) | Self::Skipped(at) => at,
        }
    }
}

impl LiveTrigger {
    /// Polls once, now, whatever the schedule says. Fails where events cannot be handed out, or the state cannot be kept.
    pub async fn poll(&self) -> Result<Polled> {
        let state = self.kept.state();
        let (scheduled, input) = self.trigger()?.poll_now(&state, SystemClock.now(), &self.setup.input);
        tokio::select! {
            polled = self.poll_for(scheduled, input) => polled,
            lost = self.end() => Err(lost),
        }
    }

    /// Polls whenever the schedule says so, until it is told to stop. Runs that have not ended by then are waited for, for a while.
    pub async fn follow(&self, stop: &CancellationToken) -> Result<()> {
        let end = self.end();
        tokio::pin!(end);
        let (mut running, mut moments) = (Running::new(), Vec::new());
        let mut told = None;
        while !stop.is_cancelled() {
            let until = match self.tick(&moments)? {
                Tick::Run { scheduled, input } if running.len() < MOST_AT_ONCE => {
                    moments.push(Moment::Polled(scheduled));
                    running.push(Box::pin(async move {
                        let polled = self.poll_for(scheduled, input).await;
                        (Moment::Polled(scheduled), self.polled(scheduled, polled).await)
                    }));
                    continue;
                }
                Tick::Skip(moment) => {
                    moments.push(Moment::Skipped(moment));
                    running.push(Box::pin(async move { (Moment::Skipped(moment), self.skip(moment).await) }));
                    continue;
                }
                Tick::Wait(None) if running.is_empty() => return Ok(()),
                Tick::Run { .. } | Tick::Queue | Tick::Wait(None) => None,
                Tick::Wait(Some(moment)) => Some(moment),
            };
            if running.is_empty() && until != told {
                told = until;
                until.into_iter().filter(|moment| is_far(*moment)).for_each(|moment| self.report.tell(News::Waiting(moment)));
            }
            tokio::select! {
                Some((ended, outcome)) = running.next(), if !running.is_empty() => {
                    moments.retain(|moment| *moment != ended);
                    outcome?;
                }
                () = wait(until) => {}
                () = stop.cancelled() => {}
                lost = &mut end => return Err(lost),
            }
        }
        // What does not end in time is given up, and polled for again from the same cursor.
        let rest = async {
            while let Some((_, outcome)) = running.next().await {
                outcome?;
            }
            Ok(())
        };
        timeout(GRACE, rest).await.unwrap_or(Ok(()))
    }

    /// What is to be done now. The moments that runs are under way for count as dealt with.
    fn tick(&self, under_way: &[Moment]) -> Result<Tick> {
        let (mut state, now) = (self.kept.state(), SystemClock.now());
        if let Some(latest) = under_way.iter().map(|moment| moment.at()).max() {
            // What a wrong clock left behind counts for nothing once there is a moment by the right one.
            let known = state.last_scheduled.filter(|last| !trigger::is_ahead(*last, now));
            state = TriggerState { last_scheduled: known.max(Some(latest)), failure: None, ..state };
        }
        let polls = under_way.iter().filter(|moment| matches!(moment, Moment::Polled(_))).count();
        Ok(self.trigger()?.tick(&state, now, polls, &self.setup.input))
    }

    async fn skip(&self, moment: Timestamp) -> Result<()> {
        let mut turn = self.kept.turn().await;
        let mut next = turn.state().clone();
        next.skip(moment);
        self.report.tell(News::Skipped(moment));
        match turn.replace(next.clone()).await {
            Err(error) if error.is::<TriggerLeaseLost>() => Err(error),
            Err(_) => {
                turn.remember(next);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Takes in how a poll ended. Where the state could not be kept, it is tried again, later.
    async fn polled(&self, scheduled: Timestamp, polled: Result<Polled>) -> Result<()> {
        match polled {
            Ok(Polled::Settled) => Ok(()),
            Ok(Polled::Failed(fault)) => {
                self.report.tell(News::Failed(fault));
                Ok(())
            }
            Err(error) if self.broken.is_cancelled() || error.is::<TriggerLeaseLost>() => Err(error),
            Err(error) => {
                let mut turn = self.kept.turn().await;
                let next = self.trigger()?.fail(turn.state(), Some(scheduled), SystemClock.now());
                turn.remember(next);
                self.report.tell(News::Failed(could_not_run(&format!("{error:#}"))));
                Ok(())
            }
        }
    }

    async fn poll_for(&self, scheduled: Timestamp, input: Value) -> Result<Polled> {
        match self.run(self.target(), Start::Input(input)).await {
            Run::Succeeded { events, output: _, settling } => {
                let marks = settling.map(|settling| settling.marks).unwrap_or_default();
                self.settle(Some(scheduled), events, marks).await
            }
            Run::Failed(fault) => self.fail(Some(scheduled), fault).await,
            Run::Turned { .. } => self.fail(Some(scheduled), could_not_run("a request was answered that nobody made")).await,
        }
    }

    /// Hands a run's new events out, and keeps what follows from it.
    pub(super) async fn settle(&self, scheduled: Option<Timestamp>, events: Vec<Value>, marks: Marks) -> Result<Polled> {
        let mut turn = self.kept.turn().await;
        let run = trigger::Run { scheduled, events, marks };
        let settled = match self.trigger()?.settle(turn.state(), run, SystemClock.now()) {
            Ok(settled) => settled,
            Err(unsettled) => {
                drop(turn);
                return self.fail(scheduled, could_not_run(&unsettled.to_string())).await;
            }
        };
        turn.make_sure()?;
        self.deliver(settled.events).await?;
        turn.replace(settled.state).await?;
        Ok(Polled::Settled)
    }

    async fn fail(&self, scheduled: Option<Timestamp>, fault: Value) -> Result<Polled> {
        let mut turn = self.kept.turn().await;
        let next = self.trigger()?.fail(turn.state(), scheduled, SystemClock.now());
        turn.replace(next).await?;
        Ok(Polled::Failed(fault))
    }

    async fn deliver(&self, events: Vec<Value>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let report = self.report.clone();
        // Whoever takes them may be slow, and must not keep other work from its thread.
        let delivered = tokio::task::spawn_blocking(move || report.deliver(&events)).await.map_err(anyhow::Error::from).flatten();
        delivered.inspect_err(|error| self.breaks(anyhow::anyhow!("{error:#}")))
    }
}

/// Whether people may wonder what it waits for.
fn is_far(moment: Timestamp) -> bool {
    moment.duration_since(SystemClock.now()) > WONDER
}

/// Waits until some moment, or for ever. The clock may be set meanwhile, so it may be over before.
pub(super) async fn wait(until: Option<Timestamp>) {
    let Some(until) = until else { return std::future::pending().await };
    let left = Duration::try_from(until.duration_since(SystemClock.now())).unwrap_or_default();
    sleep(left.min(LONGEST_SLEEP)).await;
}
