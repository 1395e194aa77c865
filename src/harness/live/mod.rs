//! Live runs: flows in worker processes whose effects happen here, in the parent, within a policy and limits.

mod addresses;
mod authorities;
mod body;
mod cases;
mod conversation;
mod exchange;
mod files;
mod listening;
mod mouth;
mod network;
mod policy;
mod room;
mod run;
pub mod trigger;
mod veil;

pub use addresses::Addresses;
pub use authorities::Authorities;
pub use cases::{CasesSetup, Recorded, RecordedCases};
pub use exchange::{ExchangeLimits, NetworkTransport};
pub use files::Files;
pub use listening::Listener;
pub use network::{Network, Resolver, SystemResolver};
pub use policy::{HostMapping, Policy};
pub use run::{Ending, Live, LiveOutcome, LiveRun, RunLimits, Subject};
pub use veil::Veil;
