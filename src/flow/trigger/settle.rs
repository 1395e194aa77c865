//! What follows from a run: the events that are new, and the state to keep.

use jiff::Timestamp;
use serde_json::Value;

use super::model::{Evaluate, Slot, Trigger};
use super::state::{StateError, TriggerState, small};
use super::tick::{failed, is_ahead};

/// A run that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The moment of the schedule that it was for; `None` for a webhook.
    pub scheduled: Option<Timestamp>,
    /// The flow's output.
    pub output: Value,
    /// The events it emitted, in order.
    pub events: Vec<Value>,
}

/// What is to be passed on and kept: both, or neither.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The events that were not seen before, in order.
    pub events: Vec<Value>,
    /// The next state.
    pub state: TriggerState,
}

/// Why a run that succeeded counts as failed all the same.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    /// An expression failed. The message may hold secrets until it was redacted.
    #[error("`{key}` failed: {message}")]
    Expression {
        /// Which one.
        key: &'static str,
        /// What it says.
        message: String,
    },
    /// What is to be kept is too big.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Trigger {
    /// Settles a run that succeeded, against the state that stands now: other runs may have been settled since it began.
    pub fn settle(&self, state: &TriggerState, run: Run, now: Timestamp, evaluate: &Evaluate<'_>) -> Result<Settled, Unsettled> {
        let failed = |slot: Slot| move |message| Unsettled::Expression { key: slot.key(), message };
        let mut next = state.clone();
        let mut events = run.events;
        if let Some(limit) = self.remembers {
            let mut fresh = Vec::with_capacity(events.len());
            for event in events {
                let data = event.get("data").unwrap_or(&Value::Null);
                let key = evaluate(Slot::DeduplicateBy, data).map_err(failed(Slot::DeduplicateBy))?;
                if key.is_null() || next.seen.remember(&key, limit) {
                    fresh.push(event);
                }
            }
            events = fresh;
        }
        if self.keeps_cursor {
            let cursor = evaluate(Slot::Cursor, &run.output).map_err(failed(Slot::Cursor))?;
            small(&cursor, "cursor")?;
            // A poll that found nothing has no newest item to go on from; going back to the beginning would be wrong.
            if !cursor.is_null() {
                next.cursor = cursor;
            }
        }
        if run.scheduled.is_some() {
            next.failure = None;
            next.last_scheduled = match (next.last_scheduled, run.scheduled) {
                (Some(last), scheduled) if is_ahead(last, now) => scheduled,
                (last, scheduled) => last.max(scheduled),
            };
        }
        Ok(Settled { events, state: next })
    }

    /// The state after a run that failed: the same, but for the failure of a poll. Its events are not passed on.
    pub fn fail(&self, state: &TriggerState, scheduled: Option<Timestamp>, now: Timestamp) -> TriggerState {
        let mut next = state.clone();
        if let Some(scheduled) = scheduled {
            next.failure = Some(failed(state.failure.as_ref(), scheduled, now));
        }
        next
    }
}

#[cfg(test)]
mod tests;
