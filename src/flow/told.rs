//! What a run tells while it goes on: its tasks' lifecycle, and the requests they send. No secret is in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exchange::Request;

/// How many bytes of a body are told.
pub(crate) const EXCERPT: usize = 2000;

/// One thing that happened, in the order of happening.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// When, by the World's clock.
    pub at: Timestamp,
    /// The turn of a task to which it happened.
    pub turn: Turn,
    /// What.
    pub what: What,
}

/// One turn of a task: once that it is run. A task in a loop, or one that is tried again, has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its number within the run, from 1.
    pub number: u32,
    /// The turn it is part of, where its task stands within another.
    pub within: Option<u32>,
    /// The task's name.
    pub name: String,
    /// Where the task stands in its flow, such as `/do/0/create`.
    pub reference: String,
}

/// What happened to a turn of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// It began.
    Started,
    /// It ended well.
    Completed,
    /// It ended with this error, RFC 7807.
    Faulted(Value),
    /// It was broken off: its time was over, or another branch had won.
    Cancelled,
    /// It is tried again.
    Retried {
        /// Which retry it is, from 1.
        retry: u32,
        /// After how long, in milliseconds.
        after_millis: u64,
    },
    /// It sent this request.
    Sent(Box<Request>),
    /// The answer to its request came.
    Answered {
        /// The status.
        status: u16,
        /// Headers as received.
        headers: Vec<(String, String)>,
        /// The beginning of the body, as text: of its first `EXCERPT` bytes.
        body: String,
    },
    /// No answer came, for this reason.
    Unanswered(String),
}
