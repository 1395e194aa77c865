//! What a trigger that runs live hands out and tells.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::Value;

use crate::flow::{Target, Told};

/// Who gets the events, and hears of everything else.
pub trait Report: Send + Sync {
    /// Takes events over, CloudEvents 1.0, in their order. It may wait. Where it fails, they come again with the next run.
    fn deliver(&self, events: &[Value]) -> Result<()>;

    /// Hears what happened beside.
    fn tell(&self, news: News);

    /// A flow begins: who wants to hear what it does.
    fn follow(&self, flow: &Target) -> Option<Box<dyn Follow>>;
}

/// Who hears what one run does.
pub trait Follow: Send {
    /// Hears what happens.
    fn hear(&mut self, told: &Told);

    /// The run has ended.
    fn end(self: Box<Self>);
}

/// What happened. No secret is in it.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A flow failed: RFC 7807.
    Failed(Value),
    /// A request was refused, for this reason.
    Refused(String),
    /// A request was a handshake, and was answered.
    Answered,
    /// Something did not fit its schema, where that is no error.
    Warning(String),
    /// A moment of the schedule was left out, because the run before had not ended.
    Skipped(Timestamp),
    /// The next poll is due then.
    Waiting(Timestamp),
    /// The service was asked to send its requests there.
    Subscribed(String),
    /// The service was asked to send no more.
    Unsubscribed,
}
