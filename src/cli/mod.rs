//! THE DOOR: one file per command: parse, call, render.

/// Runs one command line.
pub fn start(_arguments: std::env::ArgsOs) -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
