//! Bytes into text: size, encoding and characters are checked before anything is parsed.

use super::code;
use crate::model::{Place, Problem};

/// The largest YAML file that is read, in bytes.
pub const LARGEST_FILE: usize = 1024 * 1024;

/// The file as text, or the one reason why it is none.
pub(super) fn read<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, Problem> {
    if bytes.len() > LARGEST_FILE {
        let message = format!("the file has {} bytes, the limit is {LARGEST_FILE} (1 MiB)", bytes.len());
        return Err(Problem::error(code::TOO_LARGE, Place::file(file), message)
            .hint("Move long texts to notes.md, and split a test suite over several files."));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(file, bytes, error.valid_up_to()))?;
    match unsupported_character(text) {
        Some((at, character)) => Err(control_character(file, text, at, character)),
        None => Ok(text),
    }
}

fn not_utf8(file: &str, bytes: &[u8], at: usize) -> Problem {
    let valid = std::str::from_utf8(&bytes[..at]).unwrap_or_default();
    let byte = bytes.get(at).copied().unwrap_or_default();
    Problem::error(code::NOT_UTF8, place_of(file, valid, at), format!("the byte 0x{byte:02X} at offset {at} is not UTF-8"))
        .hint("Save the file as UTF-8.")
}

fn control_character(file: &str, text: &str, at: usize, character: char) -> Problem {
    let message = format!("the control character U+{:04X} is not allowed", u32::from(character));
    Problem::error(code::CONTROL_CHARACTER, place_of(file, text, at), message).hint("Delete it, or write it as an escape in double quotes.")
}

/// The first character that YAML 1.2 does not allow in a file.
fn unsupported_character(text: &str) -> Option<(usize, char)> {
    // Most files have none of these bytes, so that bytes are looked at before characters.
    let suspicious = |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7F || matches!(byte, 0xC2 | 0xEF);
    let start = text.bytes().position(suspicious)?;
    text.get(start..)?.char_indices().find(|(_, character)| is_unsupported(*character)).map(|(at, character)| (start + at, character))
}

fn is_unsupported(character: char) -> bool {
    let is_control = matches!(character, '\u{0}'..='\u{1F}' | '\u{7F}'..='\u{9F}');
    (is_control && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')) || matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

/// The place of a byte offset.
pub(super) fn place_of(file: &str, text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let lines = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().filter(|c| *c != '\u{FEFF}').count();
    let counted = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
    Place { file: file.to_owned(), line: counted(lines), column: counted(column) }
}
