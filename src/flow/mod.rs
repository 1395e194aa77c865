//! The engine: flows of the Open Workflow DSL 1.0, parsed with the place of every problem, and run with every effect behind [`World`].
//!
//! 1. `parse` reads the YAML of a flow into the typed tasks of `model`, and notes everything that is wrong with it (`finding`, `codes`).
//!    Expressions become `expression`s, values with expressions in them a `template`, addresses with `{name}` in them a `uri`.
//! 2. [`check`] and [`Program::compile`] (in `program`) do that for all flows of a connector; [`Workflow::read`] (in `workflow`) does it
//!    for a workflow document that stands alone. `taint` then tells where a program could let a secret out, before anything runs.
//! 3. [`Program::run`] and [`Workflow::run`] hand a flow to the `interpreter`, which runs task by task. Its values are `data`: each secret
//!    beside what stands for it. Bodies are read and written in `content`, `openapi` makes requests of API descriptions, `schema` judges
//!    inputs and outputs.
//! 4. Whatever a flow does outside goes through [`World`] (in `world`): a request travels as `exchange` has it. Whoever sends it for real
//!    or for a test uses a [`Session`] (in `session`), which adds tokens and keeps to rates.
//!    `points` are what of the flows can be exercised; a run tells which of them it comes by.
//! 5. The run ends with an [`Outcome`]: an output or a [`Fault`] (in `fault`), and the events. What it did on the way it tells as [`Told`].
//!    `redact` takes secrets out of every text that leaves.
//! 6. `trigger` decides around a run: whether a request or the time starts the flow, and which of its events are new.
//! 7. `suite` is what test suites add: hooks, which are flows, and expressions in the values of cases, over their [`Variables`].
//!    `assertion` is what they say about a run.
//!
//! Parsing is safe in any process. Running evaluates expressions, which can kill their process or never end: that is for workers alone.

mod assertion;
mod codes;
pub(crate) mod content;
mod data;
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
mod points;
mod program;
mod redact;
mod schema;
mod session;
mod suite;
mod taint;
mod template;
mod told;
pub mod trigger;
mod uri;
mod virtual_clock;
mod workflow;
mod world;

pub use assertion::{Assertion, Assertions};
pub use codes::CODES;
pub use exchange::{Body, Part, Request, Response};
pub use fault::Fault;
pub use interpreter::Budget;
pub(crate) use model::duration;
pub use points::Point;
pub use program::{Outcome, Program, Target, check};
pub use redact::Redactor;
pub(crate) use redact::{every_spelling, respelt};
pub(crate) use schema::Judge;
pub use session::{Sending, Session};
pub use suite::{SuiteProgram, Variables, check_suites};
pub(crate) use taint::End;
pub(crate) use told::EXCERPT;
pub use told::{Told, Turn, What};
pub(crate) use uri::variables_of;
pub use virtual_clock::VirtualClock;
pub use workflow::Workflow;
pub use world::{Transport, Unanswered, UnansweredKind, World};
