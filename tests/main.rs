//! The integration tests: one binary, one file per behaviour, through the front door.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[macro_use]
mod topics;

mod architecture;
mod cli;
mod connectors;
mod examples;
mod flows;
mod manifests;
mod pass;
mod ports;
mod schemas;
mod store_story;
mod support;
