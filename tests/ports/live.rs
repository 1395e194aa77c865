//! Live runs against real HTTP on loopback: what reaches a service, what is refused, and how runs end that would not by themselves.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod requests;
mod runs;
mod tls;
