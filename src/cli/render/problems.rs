//! Problems as people read them: place, code and message on one line that editors understand, the line itself, and how to mend it.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;
use unicode_width::UnicodeWidthStr as _;

use super::columns::{harmless, one_line};
use super::paint;
use crate::model::{Place, Problem, Severity};

/// The longest part of a line that is shown, in characters.
const LONGEST_EXCERPT: usize = 120;

/// One problem; `source` is the file it is in, for an excerpt.
pub fn problem(problem: &Problem, source: Option<&[u8]>) -> String {
    let style = match problem.severity {
        Severity::Error => paint::BAD,
        Severity::Warning => paint::WARN,
    };
    let label = format!("{}[{}]", problem.severity, problem.code);
    let mut text = format!("{}: {}: {}\n", one_line(&problem.place.to_string()), label.style(style), harmless(&problem.message));
    if let Some((line, marker)) = source.and_then(|bytes| excerpt(&problem.place, bytes)) {
        let number = problem.place.line.to_string();
        let _ = writeln!(text, "    {} {line}", format!("{number} |").style(paint::FAINT));
        let _ = writeln!(text, "    {:pad$} {} {marker}", "", "|".style(paint::FAINT), pad = number.len(), marker = marker.style(style));
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(text, "    {} {}", "hint:".style(paint::HINT), harmless(hint));
    }
    text
}

/// The line of a place and a marker below its column.
fn excerpt(place: &Place, bytes: &[u8]) -> Option<(String, String)> {
    let line = bytes.split(|byte| *byte == b'\n').nth(usize::try_from(place.line).ok()?.checked_sub(1)?)?;
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let column = usize::try_from(place.column).ok()?.checked_sub(1)?;
    if line.is_empty() || column > LONGEST_EXCERPT {
        return None;
    }
    let shown: String = harmless(&line.chars().take(LONGEST_EXCERPT).collect::<String>()).replace('\t', " ");
    let before: String = shown.chars().take(column).collect();
    Some((shown, format!("{}^", " ".repeat(before.width()))))
}

/// `2 errors, 1 warning`; `nothing wrong` where there is neither.
pub fn counted(errors: usize, warnings: usize) -> String {
    let some = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let parts: Vec<String> = [some(errors, "error"), some(warnings, "warning")].into_iter().flatten().collect();
    if parts.is_empty() { "nothing wrong".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(problem: &Problem, source: Option<&[u8]>) -> String {
        anstream::adapter::strip_str(&super::problem(problem, source)).to_string()
    }

    #[test]
    fn the_place_is_underlined() {
        let place = Place { file: "connectors/x/connector.yaml".into(), line: 2, column: 4 };
        let found = Problem::error("SB020", place, "unknown key `titel`").hint("Did you mean `title`?");
        insta::assert_snapshot!(plain(&found, Some("name: x\né: titel: 1\n".as_bytes())), @r"
        connectors/x/connector.yaml:2:4: error[SB020]: unknown key `titel`
            2 | é: titel: 1
              |    ^
            hint: Did you mean `title`?
        ");
    }

    #[test]
    fn odd_places_and_files_give_no_excerpt() {
        for (line, column, source) in [(9, 1, "a\n"), (0, 0, "a\n"), (1, 500, "a\n"), (1, 1, "\n")] {
            let found = Problem::error("SB001", Place { file: "f".into(), line, column }, "odd");
            assert_eq!(plain(&found, Some(source.as_bytes())).lines().count(), 1, "{line}:{column}");
        }
        let found = Problem::error("SB001", Place::file("f"), "odd");
        assert_eq!(plain(&found, Some(b"\xff\n")).lines().count(), 1);
    }

    #[test]
    fn counts_read_as_sentences() {
        assert_eq!(counted(0, 0), "nothing wrong");
        assert_eq!(counted(1, 2), "1 error, 2 warnings");
    }
}
