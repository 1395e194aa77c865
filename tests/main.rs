//! The integration tests: one binary, one file per behaviour, through the front door.

mod architecture;
mod cli;
mod examples;
mod manifests;
mod pass;
mod ports;
mod schemas;
mod store_story;
mod support;
