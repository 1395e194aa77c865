//! The engine: flows of the Open Workflow DSL 1.0, parsed with the place of every problem, and run with every effect behind [`World`].
//!
//! Parsing is safe in any process. Running evaluates expressions, which can kill their process or never end: that is for workers alone.

mod codes;
pub(crate) mod content;
mod data;
mod document;
pub(crate) mod exchange;
mod expression;
mod fault;
pub(crate) mod finding;
#[cfg(test)]
mod hostile;
pub(crate) mod hosts;
mod interpreter;
mod methods;
mod model;
mod openapi;
mod parse;
mod program;
mod redact;
mod schema;
mod session;
mod taint;
mod template;
mod told;
pub mod trigger;
mod uri;
mod virtual_clock;
mod world;

pub use codes::CODES;
pub use document::Workflow;
pub use exchange::{Body, Part, Request, Response};
pub use fault::Fault;
pub use interpreter::Budget;
pub(crate) use model::duration;
pub use program::{Outcome, Program, Target, check};
pub use redact::Redactor;
pub use session::{ClientAuthentication, Credentials, Grant, OAuth2, Rate, Sending, Session};
pub(crate) use taint::End;
pub(crate) use told::EXCERPT;
pub use told::{Told, Turn, What};
pub(crate) use uri::variables_of;
pub use virtual_clock::VirtualClock;
pub use world::{Denial, Transport, Unanswered, UnansweredKind, World};
