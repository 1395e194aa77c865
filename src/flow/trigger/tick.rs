//! Decides whether a polled trigger is due: at most once for each moment of its schedule, and once for all that were missed.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::model::{Poll, Rhythm, Start, Trigger};
use super::schedule::whole_second;
use super::state::{Failure, TriggerState};
use crate::manifest::Overlap;

/// If the last moment that was dealt with lies further in the future than this, the clock was wrong then.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_hours(2);

/// After how long a failed poll is tried again for the first time; then after twice as long, and so on.
const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(30);

/// The longest time between two tries.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_hours(1);

/// What is to be done at some moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Tick {
    /// Nothing until this moment; with `None`, nothing ever.
    Wait(Option<Timestamp>),
    /// Run the flow.
    Run {
        /// The moment of the schedule that the run is for.
        scheduled: Timestamp,
        /// The flow's input.
        input: Value,
    },
    /// The run before has not ended, and this one is left out: [`TriggerState::skip`] it.
    Skip(Timestamp),
    /// The run before has not ended: ask again when it has.
    Queue,
}

impl Trigger {
    /// The state with which a trigger begins: an interval is due at once, a cron line when its time comes.
    pub fn begin(&self, now: Timestamp) -> TriggerState {
        let last_scheduled = match &self.start {
            Start::Poll(Poll { rhythm: Rhythm::Cron(..), .. }) => Some(whole_second(now)),
            Start::Poll(Poll { rhythm: Rhythm::Every(_), .. }) | Start::Webhook(_) => None,
        };
        TriggerState { last_scheduled, ..TriggerState::default() }
    }

    /// Decides whether to run the flow now, with `running` runs that have not ended.
    pub fn tick(&self, state: &TriggerState, now: Timestamp, running: usize, input: &Value) -> Tick {
        let Start::Poll(poll) = &self.start else { return Tick::Wait(None) };
        let scheduled = match due(&poll.rhythm, state, now) {
            Due::Now(scheduled) => scheduled,
            Due::Later(moment) => return Tick::Wait(moment),
        };
        match poll.overlap {
            Overlap::Skip if running > 0 => Tick::Skip(scheduled),
            Overlap::Queue if running > 0 => Tick::Queue,
            Overlap::Skip | Overlap::Queue | Overlap::Allow => Tick::Run { scheduled, input: self.poll_input(state, scheduled, input) },
        }
    }

    /// A poll that somebody wants now, whatever the schedule says: the moment it is for, and the flow's input.
    pub fn poll_now(&self, state: &TriggerState, now: Timestamp, input: &Value) -> (Timestamp, Value) {
        let scheduled = whole_second(now);
        (scheduled, self.poll_input(state, scheduled, input))
    }

    fn poll_input(&self, state: &TriggerState, scheduled: Timestamp, input: &Value) -> Value {
        json!({ "scheduledAt": scheduled.to_string(), "cursor": if self.keeps_cursor { &state.cursor } else { &Value::Null }, "input": input })
    }
}

enum Due {
    Now(Timestamp),
    Later(Option<Timestamp>),
}

fn due(rhythm: &Rhythm, state: &TriggerState, now: Timestamp) -> Due {
    let known = state.last_scheduled.filter(|last| !is_ahead(*last, now));
    let (last, scheduled) = match (known, &state.failure, rhythm) {
        (Some(last), _, _) => (last, rhythm.latest(last, now)),
        // Nothing succeeded yet: what is due was due from the first try on.
        (None, Some(failure), Rhythm::Every(_)) if !is_ahead(failure.scheduled, now) => {
            (failure.scheduled, rhythm.latest(failure.scheduled, now).or(Some(failure.scheduled)))
        }
        (None, None | Some(_), Rhythm::Every(_)) => return Due::Now(whole_second(now)),
        (None, None | Some(_), Rhythm::Cron(..)) => {
            let since = whole_second(now).checked_sub(CLOCK_SLACK).unwrap_or(Timestamp::MIN);
            (since, rhythm.latest(since, now))
        }
    };
    let next = rhythm.next(last, now.max(last));
    match (scheduled, &state.failure) {
        (None, _) => Due::Later(next),
        (Some(scheduled), Some(failure))
            if failure.scheduled == scheduled && now < failure.retry_at && !is_ahead(failure.retry_at, now) =>
        {
            Due::Later(Some(next.map_or(failure.retry_at, |next| next.min(failure.retry_at))))
        }
        (Some(scheduled), None | Some(_)) => Due::Now(scheduled),
    }
}

/// Whether a moment that was noted lies so far ahead that the clock was wrong when it was.
pub(crate) fn is_ahead(noted: Timestamp, now: Timestamp) -> bool {
    noted.duration_since(now) > CLOCK_SLACK
}

/// The failure that is kept after another poll failed.
pub(super) fn failed(before: Option<&Failure>, scheduled: Timestamp, now: Timestamp) -> Failure {
    let count = before.map_or(0, |before| before.count).saturating_add(1);
    let wait = FIRST_RETRY.checked_mul(1 << (count - 1).min(16)).unwrap_or(LONGEST_RETRY).min(LONGEST_RETRY);
    Failure { scheduled, count, retry_at: now.checked_add(wait).unwrap_or(Timestamp::MAX) }
}

#[cfg(test)]
mod tests;
