//! What is kept of a trigger between its runs: small, and serialisable as JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::window::Window;

/// How big a cursor, or what `subscribe` returns, may be: in bytes of JSON.
pub const LARGEST_VALUE: usize = 64 << 10;

/// How big a state may be: in bytes of JSON.
pub const LARGEST_STATE: usize = 4 << 20;

/// What is kept of a trigger in one environment. It changes only when a run succeeded; of a failed one no more than the failure is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TriggerState {
    /// What `cursor` gave last.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub cursor: Value,
    /// The events that were passed on, by `deduplicateBy`.
    #[serde(skip_serializing_if = "Window::is_empty")]
    pub seen: Window,
    /// The subscription that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Subscription>,
    /// The moment of the schedule that was dealt with last; not when that happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scheduled: Option<Timestamp>,
    /// The failure after which nothing has succeeded yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// A subscription that the service has been asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// What `subscribe` returned: `.subscription` in the trigger's flows and expressions.
    pub data: Value,
    /// Where the service was asked to send its requests.
    pub callback_url: String,
    /// The trigger's parameters at that time.
    pub input: Value,
    /// When.
    pub since: Timestamp,
}

/// Polls that failed in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The moment of the schedule that they were for.
    pub scheduled: Timestamp,
    /// How many.
    pub count: u32,
    /// When it is tried again, unless the schedule's next moment comes before.
    pub retry_at: Timestamp,
}

/// A state that cannot be kept, or read back.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A value of a connector's flow is too big.
    #[error("the {what} is bigger than {LARGEST_VALUE} bytes")]
    Large {
        /// What it is.
        what: &'static str,
    },
    /// It is bigger than a state ever is.
    #[error("the trigger's state is bigger than {LARGEST_STATE} bytes")]
    Huge,
    /// It is not a state.
    #[error("the trigger's state cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl TriggerState {
    /// Reads a state that was stored.
    pub fn read(text: &str) -> Result<Self, StateError> {
        if text.len() > LARGEST_STATE {
            return Err(StateError::Huge);
        }
        Ok(serde_json::from_str(text)?)
    }

    /// The state as it is stored.
    pub fn to_json(&self) -> Result<String, StateError> {
        let text = serde_json::to_string(self)?;
        if text.len() > LARGEST_STATE { Err(StateError::Huge) } else { Ok(text) }
    }

    /// What `subscribe` returned; null where there is no subscription.
    pub fn subscription_data(&self) -> &Value {
        self.subscription.as_ref().map_or(&Value::Null, |subscription| &subscription.data)
    }

    /// Notes that a moment of the schedule was left out, because the run before had not ended.
    pub fn skip(&mut self, scheduled: Timestamp) {
        self.last_scheduled = Some(scheduled);
    }
}

/// Whether a value of a flow is small enough to be kept.
pub(super) fn small(value: &Value, what: &'static str) -> Result<(), StateError> {
    if value.to_string().len() > LARGEST_VALUE { Err(StateError::Large { what }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_largest_state_that_can_arise_is_stored_and_read_back() {
        let value = json!("x".repeat(LARGEST_VALUE - 2));
        small(&value, "cursor").unwrap();
        assert_eq!(small(&json!("x".repeat(LARGEST_VALUE)), "cursor").unwrap_err().to_string(), "the cursor is bigger than 65536 bytes");
        let mut state = TriggerState {
            cursor: value.clone(),
            subscription: Some(Subscription {
                data: value.clone(),
                callback_url: "https://example.com/hook".to_owned(),
                input: value,
                since: Timestamp::UNIX_EPOCH,
            }),
            last_scheduled: Some(Timestamp::UNIX_EPOCH),
            ..TriggerState::default()
        };
        let longest_keys: Vec<String> = (0..10_000).map(|id| format!("={id:023}")).collect();
        state.seen = serde_json::from_value(json!(longest_keys)).unwrap();
        let text = state.to_json().unwrap();
        let most_seen = 10 * serde_json::to_string(&longest_keys).unwrap().len();
        assert!(text.len() + most_seen < LARGEST_STATE, "100,000 keys fit too");
        assert_eq!(TriggerState::read(&text).unwrap(), state);
        assert!(matches!(TriggerState::read(&" ".repeat(LARGEST_STATE + 1)), Err(StateError::Huge)));
        assert!(matches!(TriggerState::read("7"), Err(StateError::Unreadable(_))));
        assert_eq!(TriggerState::default().to_json().unwrap(), "{}");
    }
}
