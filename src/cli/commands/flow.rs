//! `flow run`: runs a stand-alone workflow document in a worker process.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::harness::{FlowOutcome, run_flow};

/// Flags of `flow`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Run a workflow document, YAML or JSON
    Run {
        /// The document
        file: PathBuf,
        /// The input: JSON, @FILE, or - for the standard input
        #[arg(long, default_value = "{}")]
        input: String,
    },
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let What::Run { file, input } = arguments.what;
    let input = match input.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?,
        None if input == "-" => std::io::read_to_string(std::io::stdin()).context("cannot read the standard input")?,
        None => input,
    };
    let input = serde_json::from_str(&input).map_err(|error| Failure::usage("read the input", format!("it is not JSON: {error}")).hint("Give JSON, @FILE, or - for the standard input."))?;
    let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    match run_flow(&assemble::workers(&door.settings)?, &file.display().to_string(), &bytes, input).await? {
        FlowOutcome::Output(output) => {
            door.shell.json(&output)?;
            Ok(Outcome::Done)
        }
        FlowOutcome::Fault(fault) => {
            door.shell.note(fault.to_string());
            Ok(Outcome::Findings)
        }
        FlowOutcome::Invalid(problems) => {
            problems.iter().for_each(|problem| door.shell.note(problem.to_string()));
            Ok(Outcome::Findings)
        }
    }
}
