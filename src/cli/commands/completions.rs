//! `completions`: prints what a shell needs to complete the command line.

use clap_complete::Shell;

use crate::cli::Door;
use crate::cli::failure::{Ended, Outcome};

/// Flags of `completions`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::cli::description(), "switchboard", &mut script);
    door.shell.text(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}
