//! What follows from a run: the events that are new, and the state to keep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::{Evaluate, Slot, Trigger};
use super::state::{StateError, TriggerState, small};
use super::tick::{failed, is_ahead};
use super::window::key;

/// A run that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The moment of the schedule that it was for; `None` for a webhook.
    pub scheduled: Option<Timestamp>,
    /// The events it emitted, in order.
    pub events: Vec<Value>,
    /// What the trigger's expressions say of it.
    pub marks: Marks,
}

/// What a trigger's expressions say of a run that succeeded. No expression is evaluated after this, and none depends on the state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Marks {
    /// What `deduplicateBy` gives for each event, as short keys; `None` where an event has no value. Empty without `deduplicateBy`.
    pub keys: Vec<Option<String>>,
    /// What `cursor` gives; null where it gives nothing, or there is none.
    pub cursor: Value,
}

/// The events to pass on and the state to keep. Whoever does one must do the other too, or neither.
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
    /// Evaluates what `deduplicateBy` and `cursor` say of a run that succeeded.
    pub fn mark(&self, output: &Value, events: &[Value], evaluate: &Evaluate<'_>) -> Result<Marks, Unsettled> {
        let evaluated =
            |slot: Slot, over: &Value| evaluate(slot, over).map_err(|message| Unsettled::Expression { key: slot.key(), message });
        let mut marks = Marks::default();
        if self.remembers.is_some() {
            for event in events {
                let value = evaluated(Slot::DeduplicateBy, event.get("data").unwrap_or(&Value::Null))?;
                marks.keys.push((!value.is_null()).then(|| key(&value)));
            }
        }
        if self.keeps_cursor {
            marks.cursor = evaluated(Slot::Cursor, output)?;
            small(&marks.cursor, "cursor")?;
        }
        Ok(marks)
    }

    /// Settles a run that succeeded, against the state that stands now: other runs may have been settled since it began.
    pub fn settle(&self, state: &TriggerState, run: Run, now: Timestamp) -> Result<Settled, Unsettled> {
        let Run { scheduled, mut events, marks: Marks { keys, cursor } } = run;
        let mut next = state.clone();
        if let Some(limit) = self.remembers {
            let mut keys = keys.into_iter();
            events.retain(|_| keys.next().flatten().is_none_or(|key| next.seen.remember(key, limit)));
        }
        small(&cursor, "cursor")?;
        // A poll that found nothing has no newest item to go on from; going back to the beginning would be wrong.
        if self.keeps_cursor && !cursor.is_null() {
            next.cursor = cursor;
        }
        if scheduled.is_some() {
            next.failure = None;
            next.last_scheduled = match (next.last_scheduled, scheduled) {
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
