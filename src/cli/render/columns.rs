//! Columns that line up, for text whose styles take no room.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};
use unicode_width::UnicodeWidthStr as _;

use super::paint;
use crate::manifest::is_obeyed;

/// A table without lines: two blanks between columns, none at the end of a row.
#[derive(Debug, Default)]
pub struct Columns {
    rows: Vec<Vec<(String, Style)>>,
}

impl Columns {
    /// A table with a heading.
    pub fn with_heading<const N: usize>(titles: [&str; N]) -> Self {
        Self { rows: vec![titles.iter().map(|title| ((*title).to_owned(), paint::FAINT)).collect()] }
    }

    /// Adds a row. Line breaks and control characters inside a cell become blanks.
    pub fn row<const N: usize>(&mut self, cells: [(String, Style); N]) {
        self.rows.push(cells.into_iter().map(|(text, style)| (one_line(&text), style)).collect());
    }

    /// The rows as text, each indented by `indent` blanks.
    pub fn render(&self, indent: usize) -> String {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..count).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let last = row.iter().rposition(|(cell, _)| !cell.is_empty()).unwrap_or(0);
            let _ = write!(text, "{:indent$}", "");
            for (column, (cell, style)) in row.iter().enumerate().take(last + 1) {
                let padding = if column == last { 0 } else { widths[column] - cell.width() + 2 };
                let _ = write!(text, "{}{:padding$}", cell.style(*style), "");
            }
            text.push('\n');
        }
        text
    }
}

/// Text from outside on one line, with nothing in it that a terminal would obey.
pub fn one_line(text: &str) -> String {
    text.split(char::is_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").replace(is_obeyed, "\u{fffd}")
}

/// Text from outside with its line breaks, and with nothing in it that a terminal would obey.
pub fn harmless(text: &str) -> String {
    text.replace(|c: char| is_obeyed(c) && c != '\n' && c != '\t', "\u{fffd}")
}

/// A value as one line of JSON, which says the same to a program, and in which nothing is obeyed by a terminal.
pub fn escaped(value: &serde_json::Value) -> String {
    let mut line = String::new();
    for c in value.to_string().chars() {
        if is_obeyed(c) {
            line.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_means_the_same_and_nothing_in_it_is_obeyed() {
        let value = serde_json::json!({ "a\u{202E}": "b\n\u{9b}c" });
        assert_eq!(escaped(&value), r#"{"a\u202e":"b\n\u009bc"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped(&value)).unwrap(), value);
    }

    #[test]
    fn nothing_from_outside_is_obeyed() {
        assert_eq!(one_line(" a\u{1b}[2J\n\u{9b}1m\u{202E}b\u{200F} "), "a\u{fffd}[2J \u{fffd}1m\u{fffd}b\u{fffd}");
        assert_eq!(harmless("a\tb\r\n\u{2066}c"), "a\tb\u{fffd}\n\u{fffd}c");
    }

    #[test]
    fn columns_line_up_and_rows_end_with_text() {
        let mut columns = Columns::with_heading(["NAME", "STAGE", "WAITS ON"]);
        columns.row([("é".into(), Style::new()), ("editing".into(), paint::GOOD), (String::new(), Style::new())]);
        columns.row([("日本".into(), Style::new()), ("x".into(), paint::BAD), ("a\nb \u{1b}[31m\u{202e}".into(), Style::new())]);
        let text = anstream::adapter::strip_str(&columns.render(1)).to_string();
        assert_eq!(text, " NAME  STAGE    WAITS ON\n é     editing\n 日本  x        a b \u{fffd}[31m\u{fffd}\n");
    }
}
