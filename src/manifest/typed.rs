//! A file as one of this room's types, or every problem in it at once.

use serde::de::DeserializeOwned;

use super::document::in_order;
use super::schemas::Described;
use super::{Document, code, excerpt, violation};
use crate::model::{Place, Problem};

/// Reads a file by the schema of its type.
pub(super) fn read<T: DeserializeOwned + Described>(file: &str, bytes: &[u8]) -> Result<(T, Document), Vec<Problem>> {
    read_with(file, bytes, |_, _| {})
}

/// Reads a file by the schema of its type and by rules that a schema cannot express. The rules see any document, however wrong.
pub(super) fn read_with<T: DeserializeOwned + Described>(
    file: &str,
    bytes: &[u8],
    rules: impl FnOnce(&Document, &mut Vec<Problem>),
) -> Result<(T, Document), Vec<Problem>> {
    let document = Document::parse(file, bytes)?;
    let mut problems = Vec::new();
    let schema = T::compiled().map_err(|error| vec![Problem::error(code::UNREADABLE, Place::file(file), error)])?;
    if !schema.validator.is_valid(document.value()) {
        violation::report(schema, &document, bytes, &mut problems);
    }
    rules(&document, &mut problems);
    if !problems.is_empty() {
        return Err(in_order(problems));
    }
    match T::deserialize(document.value()) {
        Ok(value) => Ok((value, document)),
        Err(error) => Err(vec![Problem::error(
            code::UNREADABLE,
            Place::file(file),
            format!("the file cannot be read: {}", excerpt::of_message(&error)),
        )]),
    }
}
