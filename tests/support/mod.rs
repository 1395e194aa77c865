//! World builder, stateful fakes, fixed clock, command runner.

pub mod client;
pub mod command;
pub mod daemon;
pub mod git;
pub mod git_http;
pub mod git_ssh;
pub mod http;
pub mod processes;
pub mod team;
pub mod tls;
pub mod universe;
