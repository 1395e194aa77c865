//! CSV into JSON, RFC 4180 and its dialects.

use std::collections::BTreeSet;

use ::csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde_json::Value;

use super::short;

/// How many rows a response may have.
const ROWS: usize = 100_000;
/// How many columns it may have.
const COLUMNS: usize = 1000;
/// How many cells it may have.
const CELLS: usize = 500_000;

/// A dialect of CSV, and whether its first row names the columns.
///
/// With a header every row becomes a map of texts; without one, a list of texts. Blanks around a name in the header are dropped. A
/// column without a name is named by its number, `column3`; a name that comes again counts on: `name`, `name_2`, `name_3`. Every row
/// must have as many cells as the first; a line with nothing in it is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CsvOptions {
    delimiter: u8,
    quote: Option<u8>,
    header: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', quote: Some(b'"'), header: true }
    }
}

impl CsvOptions {
    /// A dialect with one character between cells, and one around them; an empty `quote` is none.
    pub(crate) fn new(delimiter: &str, quote: &str, header: bool) -> Result<Self, String> {
        let delimiter = single("delimiter", delimiter)?;
        let quote = if quote.is_empty() { None } else { Some(single("quote", quote)?) };
        if quote == Some(delimiter) {
            Err("`delimiter` and `quote` are the same".to_owned())
        } else {
            Ok(Self { delimiter, quote, header })
        }
    }
}

fn single(key: &str, text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n') => Ok(*byte),
        _ => Err(format!("`{key}` is one ASCII character, not `{}`", short(text))),
    }
}

/// The rows of a text.
pub(super) fn read(text: &str, options: CsvOptions) -> Result<Value, String> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).delimiter(options.delimiter);
    match options.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    let mut reader = builder.from_reader(text.as_bytes());
    let (mut record, mut header, mut rows, mut cells) = (StringRecord::new(), None, Vec::new(), 0);
    while reader.read_record(&mut record).map_err(|error| wrong(error.kind()))? {
        cells += record.len();
        if record.len() > COLUMNS {
            return Err(format!("the response has more than {COLUMNS} columns"));
        }
        if rows.len() == ROWS || cells > CELLS {
            return Err(format!("the response has more than {ROWS} rows or {CELLS} cells"));
        }
        match &header {
            None if options.header => header = Some(names(&record)),
            None => rows.push(record.iter().map(Value::from).collect()),
            Some(names) => {
                rows.push(Value::Object(names.iter().zip(&record).map(|(name, cell)| (name.clone(), Value::from(cell))).collect()));
            }
        }
    }
    Ok(Value::Array(rows))
}

/// The columns' names, each of them once.
fn names(header: &StringRecord) -> Vec<String> {
    let given = |(index, name): (usize, &str)| if name.trim().is_empty() { format!("column{}", index + 1) } else { name.trim().to_owned() };
    let given: Vec<String> = header.iter().enumerate().map(given).collect();
    // What counts on must not take a name that another column has by itself.
    let mut taken: BTreeSet<String> = given.iter().cloned().collect();
    let mut seen = BTreeSet::new();
    let mut names = Vec::with_capacity(given.len());
    for name in &given {
        let is_first = seen.insert(name);
        let next = if is_first { None } else { (2..).map(|count| format!("{name}_{count}")).find(|name| !taken.contains(name)) };
        taken.extend(next.clone());
        names.push(next.unwrap_or_else(|| name.clone()));
    }
    names
}

fn wrong(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map(|pos| format!("line {} of ", pos.line())).unwrap_or_default();
            format!("{line}the response has {len} cells, but the first row has {expected_len}")
        }
        other => format!("the response is not CSV: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(text: &str) -> Value {
        read(text, CsvOptions::default()).unwrap()
    }

    #[test]
    fn rows_are_maps_of_texts() {
        let text = "id,name, note \r\n1,\"Müller, \"\"Bob\"\"\",\r\n\r\n2,\"two\nlines\",x\r\n";
        let expected = json!([
            {"id": "1", "name": "Müller, \"Bob\"", "note": ""},
            {"id": "2", "name": "two\nlines", "note": "x"},
        ]);
        assert_eq!(table(text), expected);
        assert_eq!(table("id,name\n"), json!([]));
    }

    #[test]
    fn dialects_are_read_as_told() {
        let semicolons = CsvOptions::new(";", "'", false).unwrap();
        assert_eq!(read("a;'b;c'\n1;2\n", semicolons), Ok(json!([["a", "b;c"], ["1", "2"]])));
        let tabs = CsvOptions::new("\t", "", true).unwrap();
        assert_eq!(read("a\tb\n\"1\t2\n", tabs), Ok(json!([{"a": "\"1", "b": "2"}])));
        for (delimiter, quote, expected) in [
            ("", "\"", "`delimiter` is one ASCII character, not ``"),
            ("ü", "\"", "`delimiter` is one ASCII character, not `ü`"),
            ("\n", "\"", "`delimiter` is one ASCII character, not ` `"),
            (",", "''", "`quote` is one ASCII character, not `''`"),
            (",", ",", "`delimiter` and `quote` are the same"),
        ] {
            assert_eq!(CsvOptions::new(delimiter, quote, true), Err(expected.to_owned()));
        }
    }

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let text = "a,,a,a_2,a,column2\n1,2,3,4,5,6\n";
        assert_eq!(table(text), json!([{"a": "1", "column2": "2", "a_3": "3", "a_2": "4", "a_4": "5", "column2_2": "6"}]));
    }

    #[test]
    fn uneven_rows_are_refused_by_their_line() {
        let refused = read("a,b\n\"1\n\",2\n3\n", CsvOptions::default());
        assert_eq!(refused, Err("line 4 of the response has 1 cells, but the first row has 2".to_owned()));
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let refused = |text: String| read(&text, CsvOptions::default()).unwrap_err();
        assert_eq!(refused(",".repeat(COLUMNS)), "the response has more than 1000 columns");
        assert_eq!(refused("a\n".repeat(ROWS + 2)), "the response has more than 100000 rows or 500000 cells");
        assert_eq!(refused(format!("{}\n", ",".repeat(99)).repeat(5001)), "the response has more than 100000 rows or 500000 cells");
    }
}
