//! The parser's refusals in words that help: what was found, where, and what usually causes it.

use granit_parser::{ErrorKind, ScanError};

use super::tree::{DEEPEST, narrow};
use super::{code, excerpt};
use crate::model::{Place, Problem};

/// A file that holds nothing.
pub(super) fn empty(file: &str) -> Problem {
    Problem::error(code::EMPTY, Place::file(file), "the file is empty").hint("Write its content, or delete the file.")
}

/// A nesting beyond the limit.
pub(super) fn too_deep(place: Place) -> Problem {
    Problem::error(code::TOO_DEEP, place, format!("maps and lists are nested more than {DEEPEST} levels deep"))
        .hint("Flatten the structure; name inner schemas under `types` and refer to them.")
}

/// More values than the limit.
pub(super) fn too_many_values(place: Place) -> Problem {
    Problem::error(code::TOO_MANY_VALUES, place, "the file holds more than 50,000 values, aliases expanded")
        .hint("Write fewer values, and use aliases for small things only.")
}

/// More text than the limit, by way of aliases.
pub(super) fn too_much_text(place: Place) -> Problem {
    Problem::error(code::TOO_MANY_VALUES, place, "the file holds more than 4 MiB of text, aliases expanded")
        .hint("Use aliases for small things only.")
}

/// The parser's refusal as a problem.
pub(super) fn problem(file: &str, text: &str, error: &ScanError) -> Problem {
    let marker = error.marker();
    let mut place = Place { file: file.to_owned(), line: narrow(marker.line()).max(1), column: narrow(marker.col() + 1) };
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(place);
    }
    if *error.kind() == ErrorKind::UnknownAnchor {
        return Problem::error(code::ALIAS, place, "the alias repeats an anchor that is not there")
            .hint("Add the anchor (`&name`) before it, or put the text in quotes if it is no alias.");
    }
    let above = marker.line().checked_sub(1).map_or("", |above| line_of(text, above));
    let (message, hint) = describe(error.kind(), line_of(text, marker.line()), above.trim());
    if text.lines().count() < marker.line() {
        // The end of the file is where the parser noticed; the last line is what people can look at.
        let last = text.lines().count().max(1);
        place = Place { line: narrow(last), column: narrow(line_of(text, last).chars().count() + 1), ..place };
    }
    Problem::error(code::SYNTAX, place, message).hint(hint)
}

/// A line by its number, from 1.
fn line_of(text: &str, line: usize) -> &str {
    text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
}

/// What is wrong, and what to do about it.
fn describe(kind: &ErrorKind, line: &str, above: &str) -> (String, &'static str) {
    const INDENTATION: &str = "Check the indentation: entries of one map or list begin in the same column.";
    const QUOTE: &str = "Put text that contains `: `, ` #` or begins with a special character in quotes.";
    const TABS: &str = "Indent with spaces; YAML does not allow tabs there.";
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => ("a tab stands where only spaces may".to_owned(), TABS),
        _ if line.trim_start_matches(' ').starts_with('\t') => ("a tab stands where only spaces may".to_owned(), TABS),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => (
            "a quote is never closed".to_owned(),
            "Close the quote; inside single quotes write `''` for a quote, inside double quotes `\\\"`.",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "something follows a closing quote".to_owned(),
            "Put the whole value in quotes; inside single quotes write `''` for a quote, inside double quotes `\\\"`.",
        ),
        ErrorKind::UnknownQuotedScalarEscape | ErrorKind::InvalidQuotedScalarHexEscape => {
            ("an escape in double quotes is not known".to_owned(), "Write `\\\\` for a backslash, or use single quotes.")
        }
        ErrorKind::UnclosedFlowCollection { open } => (format!("the bracket `{open}` is never closed"), "Close the bracket."),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("the bracket `{open}` is closed by `{close}`"), "Close brackets in the order in which they were opened.")
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            ("a closing bracket has no opening one".to_owned(), "Remove it, or put the text in quotes.")
        }
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::ExpectedFlowSequenceSeparator => {
            ("a list in brackets misses a `,` or its `]`".to_owned(), "Separate entries with `,` and close the list with `]`.")
        }
        ErrorKind::UnexpectedEofFlowMapping | ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            ("a map in braces misses a `,` or its `}`".to_owned(), "Separate entries with `,` and close the map with `}`.")
        }
        ErrorKind::MappingValueNotAllowed if !above.is_empty() && !above.contains(':') => {
            ("a `:` stands where no key can be".to_owned(), "The line above has no `:`; a key needs one. Or put the text in quotes.")
        }
        ErrorKind::InvalidColonPlacement => {
            ("a `:` stands where no key can be".to_owned(), "Close the bracket that was opened above, or put the text in quotes.")
        }
        ErrorKind::MappingValueNotAllowed => ("a `:` stands where no key can be".to_owned(), QUOTE),
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("nothing can begin with `{}`", excerpt::of(&character.to_string())), QUOTE)
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => ("a key misses its `:`".to_owned(), INDENTATION),
        ErrorKind::DirectiveDisallowed => {
            ("directives (`%…`) are not understood".to_owned(), "Remove the line, or put the text in quotes.")
        }
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidBlockScalarIndent => ("the indentation does not fit what stands above".to_owned(), INDENTATION),
        other => (format!("not YAML: {}", excerpt::of_message(other)), INDENTATION),
    }
}
