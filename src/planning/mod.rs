//! THE PURE HEART: an immutable snapshot in, a plan that leaves no choice to execution out. No async, no I/O, no clock.

mod declaration;
mod deletions;
mod diff;
mod gates;
mod plan;
mod snapshot;
mod stage;

pub use declaration::Declaration;
pub use deletions::lapsed_confirmations;
pub use diff::plan;
pub use plan::{Cause, Hold, Plan, PlannedStep, Step, Undeclared, WaitingOn};
pub use snapshot::{Connector, Desired, Gap, Held, Policy, Retry, Snapshot};
pub use stage::stage_of;
