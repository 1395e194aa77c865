//! `flow run`: runs a stand-alone workflow document in a worker process.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::render::columns::harmless;
use crate::harness::{FlowOutcome, run_flow};
use crate::manifest::LARGEST_FILE;

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
        Some(path) => String::from_utf8(bounded(Path::new(path), LARGEST_INPUT)?).with_context(|| format!("cannot read {path}"))?,
        None if input == "-" => std::io::read_to_string(std::io::stdin()).context("cannot read the standard input")?,
        None => input,
    };
    let input = serde_json::from_str(&input).map_err(|error| {
        Failure::usage("read the input", format!("it is not JSON: {error}")).hint("Give JSON, @FILE, or - for the standard input.")
    })?;
    let bytes = bounded(&file, LARGEST_FILE)?;
    match run_flow(&assemble::workers(&door.settings)?, &file.display().to_string(), &bytes, input).await? {
        FlowOutcome::Output(output) => {
            door.shell.json(&output)?;
            Ok(Outcome::Done)
        }
        FlowOutcome::Fault(fault) => {
            door.shell.note(harmless(&fault.to_string()));
            Ok(Outcome::Findings)
        }
        FlowOutcome::Invalid(problems) => {
            problems.iter().for_each(|problem| door.shell.note(harmless(&problem.to_string())));
            Ok(Outcome::Findings)
        }
    }
}

/// The largest input that is read from a file, in bytes.
const LARGEST_INPUT: usize = 16 * 1024 * 1024;

/// Reads a file of at most `largest` bytes. What is no file, a device or a pipe, may never end.
fn bounded(path: &Path, largest: usize) -> Result<Vec<u8>, Failure> {
    let attempt = || format!("cannot read {}", path.display());
    let refused = |reason: String| Failure::refused(format!("read {}", path.display()), reason);
    let mut bytes = Vec::new();
    if !std::fs::metadata(path).with_context(attempt)?.is_file() {
        return Err(refused("it is not a file".to_owned()));
    }
    File::open(path).with_context(attempt)?.take(largest as u64 + 1).read_to_end(&mut bytes).with_context(attempt)?;
    if bytes.len() > largest { Err(refused(format!("it has more than {largest} bytes"))) } else { Ok(bytes) }
}
