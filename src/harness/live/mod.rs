//! Live runs: flows in worker processes whose effects happen here, in the parent, within a policy and limits.

mod addresses;
mod body;
mod exchange;
mod network;
mod policy;

pub use addresses::Addresses;
pub use exchange::{ExchangeLimits, NetworkTransport};
pub use network::{Network, Resolver, SystemResolver};
pub use policy::{HostMapping, Policy};
