//! Switchboard: GitOps for integration connectors. Connectors are declared in git, tested, reviewed, and published by a daemon.
//!
//! # The rooms
//!
//! A room imports only rooms listed below it. `planning` and what stands behind a port never import each other; only `pass` knows both.
//!
//! - [`cli`] is the door: one file a command: parse, call, render.
//! - [`assemble`] builds the World from settings: the only place that picks backends.
//! - [`settings`] are flags and environment, read once.
//! - [`daemon`] is the heartbeat: wait for a wake, hold the lease, run a pass, repeat.
//! - [`pass`] is the spine: observe, plan, perform, report.
//! - [`planning`] is the pure heart: a snapshot and a policy into a plan. No I/O, no clock.
//! - [`check`] is pure: a bundle into the completeness report.
//! - [`harness`] is a port: worker processes that run a bundle's test suites and return evidence, and its flows live.
//! - [`flow`] is the engine that runs actions, triggers and test connections.
//! - [`forge`] is a port: review requests.
//! - [`repository`] is a port: bundles at a commit, and branches to push.
//! - [`registry`] is a port: what each environment holds.
//! - [`store`] is a port: facts, evidence, plans.
//! - [`manifest`] is the desired state: types, parsing with places, editing in place, schemas.
//! - [`model`] is the vocabulary.
//!
//! # One pass
//!
//! 1. [`daemon`] wakes: a ref moved, time passed, somebody asked. A wake carries no data.
//! 2. [`pass`] observes: it reads one commit ([`repository`], [`manifest`]), the open reviews ([`forge`]), what the environments hold
//!    ([`registry`]) and the facts ([`store`]) into one immutable snapshot. What could not be read is a recorded gap, never an empty list.
//! 3. [`planning`] turns the snapshot into a plan: steps to take, and holds with the reason each waits on.
//! 4. [`pass`] performs at most one step a connector, choosing nothing, and appends a fact for each.
//! 5. Tests are long: one pass starts them in the [`harness`], another observes how they ended.
//!
//! `switchboard plan` is the same code up to the plan, so the preview cannot drift from the deed. A crash needs no path of its own:
//! the next pass sees the facts that are there.

pub mod assemble;
pub mod check;
pub mod cli;
pub mod daemon;
pub mod flow;
pub mod forge;
pub mod harness;
pub mod manifest;
pub mod model;
pub mod pass;
pub mod planning;
pub mod registry;
pub mod repository;
pub mod settings;
pub mod store;
