//! World builder, stateful fakes, fixed clock, command runner.

pub mod git;
