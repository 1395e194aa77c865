//! Switchboard: GitOps for integration connectors.

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
pub mod store;
