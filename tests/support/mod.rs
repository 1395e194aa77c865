//! World builder, stateful fakes, fixed clock, command runner.

pub mod git;
pub mod git_http;
pub mod git_ssh;
pub mod team;
pub mod universe;

pub mod command;
