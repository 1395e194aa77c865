//! What people hand to a command: a file, or JSON in one of several ways.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::failure::Failure;
use crate::manifest::cut;

/// The largest input that is read, in bytes.
const LARGEST_INPUT: usize = 16 * 1024 * 1024;
/// How much of a key a message repeats, in characters.
const LONGEST_KEY: usize = 80;

const READ_INPUT: &str = "read the input";

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
    serde_json::from_str::<Once>(&text).and_then(|Once| serde_json::from_str(&text)).map_err(|error| {
        let reason = if error.is_data() { format!("{error}") } else { format!("it is not JSON: {error}") };
        Failure::usage(READ_INPUT, reason).hint("Give JSON, @FILE, or - for the standard input.")
    })
}

/// JSON in which no map has a key twice: of two values, one would be dropped without a word.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Once)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some((key, Self)) = entries.next_entry::<String, Self>()? {
            if let Some(twice) = keys.replace(key) {
                return Err(A::Error::custom(format!("the key `{}` is given twice", cut(&twice, LONGEST_KEY))));
            }
        }
        Ok(self)
    }
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
        Some(path) if !Path::new(path).exists() => {
            let failure = Failure::refused(READ_INPUT, format!("there is no file {path}"));
            Err(failure.hint("Name a file after the @, as seen from the current folder. JSON is given without it."))
        }
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
