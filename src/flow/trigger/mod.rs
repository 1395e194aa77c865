//! Triggers, decided without any effect: what a request is answered and whether it starts the flow, when a poll is due, which events
//! are new, and what is kept until the next run.
//!
//! 1. A request comes: [`Trigger::receive`] verifies it and says what to answer, and whether to run the flow with which input.
//!    Time passes: [`Trigger::tick`] says whether to run it.
//! 2. The flow ran: [`Trigger::mark`] evaluates what the trigger's expressions say of it, and [`Trigger::settle`] says which of its events
//!    are new, and the next state. Where it failed, [`Trigger::fail`] does; the run is then repeated from the same cursor, so that nothing
//!    is lost.
//! 3. A webhook is wanted, or no more: [`Trigger::subscribing`] says which of its flows is to be run.

mod answer;
mod evaluate;
mod hushed;
mod incoming;
mod model;
mod parse;
mod paths;
mod receive;
mod schedule;
mod settle;
mod sign;
mod state;
mod subscribing;
mod tick;
mod verify;
mod window;

pub use answer::Answer;
pub(crate) use hushed::Hushed;
pub use incoming::{Incoming, MOST_BODY};
pub use model::{Evaluate, Slot, Trigger};
pub(crate) use parse::parse;
pub(crate) use paths::distinct;
pub use receive::{Received, Setting};
pub use settle::{Marks, Run};
pub use state::{StateError, Subscription, TriggerState};
pub use subscribing::{Subscribing, Wanted};
pub use tick::Tick;
pub(crate) use tick::is_ahead;
