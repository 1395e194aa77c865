//! What people hand to a command: a file, or JSON in one of several ways.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::failure::Failure;

/// The largest input that is read, in bytes.
const LARGEST_INPUT: usize = 16 * 1024 * 1024;

/// Reads an input: JSON, `@FILE`, or `-` for the standard input.
pub fn input(given: &str) -> Result<Value, Failure> {
    let text = match given {
        "-" => {
            let bytes = bounded(std::io::stdin(), LARGEST_INPUT).context("cannot read the standard input")?;
            let bytes =
                bytes.ok_or_else(|| Failure::refused("read the standard input", format!("it has more than {LARGEST_INPUT} bytes")))?;
            String::from_utf8(bytes).context("cannot read the standard input")?
        }
        given => text(given)?,
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage("read the input", format!("it is not JSON: {error}")).hint("Give JSON, @FILE, or - for the standard input.")
    })
}

/// Reads the values of secrets by their names: JSON or `@FILE`. What is wrong with them is told without them.
pub fn secrets(given: &str) -> Result<Map<String, Value>, Failure> {
    let secrets = serde_json::from_str::<Map<String, Value>>(&text(given)?);
    secrets.map_err(|error| {
        let reason = format!("they are not a map in JSON, as line {}, column {} shows", error.line(), error.column());
        Failure::usage("read the secrets", reason).hint("Give a map from names to values, as JSON or @FILE.")
    })
}

/// What is given as it is, or as `@FILE`.
fn text(given: &str) -> Result<String, Failure> {
    match given.strip_prefix('@') {
        Some(path) => Ok(String::from_utf8(file(Path::new(path), LARGEST_INPUT)?).with_context(|| format!("cannot read {path}"))?),
        None => Ok(given.to_owned()),
    }
}

/// Reads a file of at most `largest` bytes. What is no file, a device or a pipe, may never end.
pub fn file(path: &Path, largest: usize) -> Result<Vec<u8>, Failure> {
    let attempt = || format!("cannot read {}", path.display());
    let refused = |reason: String| Failure::refused(format!("read {}", path.display()), reason);
    if !std::fs::metadata(path).with_context(attempt)?.is_file() {
        return Err(refused("it is not a file".to_owned()));
    }
    let bytes = bounded(File::open(path).with_context(attempt)?, largest).with_context(attempt)?;
    bytes.ok_or_else(|| refused(format!("it has more than {largest} bytes")))
}

/// Everything there is to read, unless it is more than `largest` bytes.
fn bounded(from: impl Read, largest: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(largest as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= largest).then_some(bytes))
}
