//! Parses arguments, runs, exits with the right code.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == "worker") {
        return switchboard::harness::worker::run();
    }
    ExitCode::SUCCESS
}
