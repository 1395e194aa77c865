//! What people hand to a command: a file, or JSON in one of several ways.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::failure::Failure;

/// The largest input that is read, in bytes.
const LARGEST_INPUT: usize = 16 * 1024 * 1024;

/// Reads an input: JSON, `@FILE`, or `-` for the standard input.
pub fn input(given: &str) -> Result<Value, Failure> {
    let text = match given.strip_prefix('@') {
        Some(path) => String::from_utf8(file(Path::new(path), LARGEST_INPUT)?).with_context(|| format!("cannot read {path}"))?,
        None if given == "-" => {
            let bytes = bounded(std::io::stdin(), LARGEST_INPUT).context("cannot read the standard input")?;
            let bytes =
                bytes.ok_or_else(|| Failure::refused("read the standard input", format!("it has more than {LARGEST_INPUT} bytes")))?;
            String::from_utf8(bytes).context("cannot read the standard input")?
        }
        None => given.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage("read the input", format!("it is not JSON: {error}")).hint("Give JSON, @FILE, or - for the standard input.")
    })
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
