//! The difference between two texts or two bundles, as people read it, and the colours of one that a test tells.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use owo_colors::OwoColorize as _;
use similar::{ChangeTag, TextDiff};

use super::columns::{harmless, one_line};
use super::paint;
use crate::manifest::MANIFEST;
use crate::model::BundleFiles;

/// The differing lines of every file, each file under its path; empty where nothing differs.
pub fn bundles(before: Option<&BundleFiles>, after: Option<&BundleFiles>) -> String {
    let paths: BTreeSet<&str> = [before, after].into_iter().flatten().flat_map(BundleFiles::iter).map(|(path, _)| path).collect();
    let mut text = String::new();
    for path in paths {
        let [old, new] = [before, after].map(|files| files?.get(path).map(|bytes| content(path, bytes)));
        if old != new {
            text.push_str(&file(path, old.as_deref(), new.as_deref()));
        }
    }
    text
}

/// A file without what is not content: the registry keeps a manifest with the status it had when it was first deployed.
fn content<'b>(path: &str, bytes: &'b [u8]) -> Cow<'b, [u8]> {
    match as_text(Some(bytes)) {
        Some(text) if path == MANIFEST => {
            let is_status = |line: &str| line.starts_with("status:");
            let lines = text.split_inclusive('\n').map(|line| if is_status(line) { "status: …\n" } else { line });
            Cow::Owned(lines.collect::<String>().into_bytes())
        }
        Some(_) | None => Cow::Borrowed(bytes),
    }
}

fn file(path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> String {
    let what = match (old, new) {
        (None, _) => " (new)",
        (_, None) => " (removed)",
        (Some(_), Some(_)) => "",
    };
    let mut text = format!("{}\n", format!("{}{what}", one_line(path)).style(paint::STRONG));
    match (as_text(old), as_text(new)) {
        (Some(old), Some(new)) => text.push_str(&lines(old, new)),
        (None, _) | (_, None) => {
            let size = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
            let _ = writeln!(text, "  not text: {} bytes before, {} after", size(old), size(new));
        }
    }
    text
}

fn as_text(bytes: Option<&[u8]>) -> Option<&str> {
    bytes.map_or(Some(""), |bytes| std::str::from_utf8(bytes).ok())
}

/// The differing lines with three lines around them.
pub fn lines(old: &str, new: &str) -> String {
    let difference = TextDiff::from_lines(old, new);
    let mut text = String::new();
    for group in difference.grouped_ops(3) {
        if let Some(first) = group.first() {
            let _ = writeln!(text, "{}", format!("@@ line {} @@", first.new_range().start + 1).style(paint::FAINT));
        }
        for change in group.iter().flat_map(|op| difference.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ("-", paint::BAD),
                ChangeTag::Insert => ("+", paint::GOOD),
                ChangeTag::Equal => (" ", paint::FAINT),
            };
            let line = harmless(change.value().trim_end_matches(['\n', '\r']));
            let _ = writeln!(text, "{}", format!("{sign}{line}").style(style));
        }
    }
    text
}

/// How many lines of each side are still to come in the part of a unified difference that is being read; none outside of one, where a
/// line that begins with a sign only looks like one.
#[derive(Default)]
pub(super) struct Unified {
    expected: u32,
    actual: u32,
}

impl Unified {
    /// The next line; one of a difference has the colour of its sign.
    pub(super) fn coloured(&mut self, line: &str) -> String {
        let is_within = self.expected + self.actual > 0;
        match (is_within, line.as_bytes().first()) {
            (false, _) => {
                let title = if line == "--- expected" { Some(paint::BAD) } else { (line == "+++ actual").then_some(paint::GOOD) };
                if let Some((expected, actual)) = line.strip_prefix("@@ ").and_then(|rest| rest.strip_suffix(" @@")).and_then(lengths) {
                    *self = Self { expected, actual };
                }
                title.map_or_else(|| line.to_owned(), |title| line.style(title).to_string())
            }
            (true, Some(b'-')) => {
                self.expected = self.expected.saturating_sub(1);
                line.style(paint::BAD).to_string()
            }
            (true, Some(b'+')) => {
                self.actual = self.actual.saturating_sub(1);
                line.style(paint::GOOD).to_string()
            }
            (true, Some(_) | None) => {
                *self = Self { expected: self.expected.saturating_sub(1), actual: self.actual.saturating_sub(1) };
                line.to_owned()
            }
        }
    }
}

/// How many lines of each side a part of a difference has, from what stands over it, such as `-1,4 +1,5`.
fn lengths(heading: &str) -> Option<(u32, u32)> {
    let (expected, actual) = heading.strip_prefix('-')?.split_once(" +")?;
    let length = |range: &str| range.split_once(',').map_or(Some(1), |(_, length)| length.parse().ok());
    Some((length(expected)?, length(actual)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(files: &[(&str, &[u8])]) -> BundleFiles {
        BundleFiles::new(files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect())
    }

    #[test]
    fn each_file_that_differs_is_shown_under_its_path() {
        let before = bundle(&[("a", b"1\n2\n"), ("gone", b"x\n"), ("same", b"s\n")]);
        let after = bundle(&[("a", b"1\n3\n"), ("icon", b"\xff\xfe"), ("same", b"s\n")]);
        let text = anstream::adapter::strip_str(&bundles(Some(&before), Some(&after))).to_string();
        insta::assert_snapshot!(text, @r"
        a
        @@ line 1 @@
         1
        -2
        +3
        gone (removed)
        @@ line 1 @@
        -x
        icon (new)
          not text: 0 bytes before, 2 after
        ");
        assert_eq!(bundles(Some(&before), Some(&before)), "");
    }

    #[test]
    fn only_lines_of_a_difference_have_the_colour_of_their_sign() {
        let mut difference = Unified::default();
        let mut kind = |line: &str| match difference.coloured(line) {
            shown if shown == line => "plain",
            shown if shown == line.style(paint::BAD).to_string() => "bad",
            _ => "good",
        };
        let lines = [
            "- 1",
            "--- expected",
            "+++ actual",
            "@@ -1,3 +1,3 @@",
            " [",
            "-  -1",
            "+  -2",
            " ]",
            "[",
            "  -1",
            "-1",
            "@@ -9 +8,0 @@",
            "-7",
            "+7",
        ];
        let kinds = lines.map(&mut kind);
        let plain = "plain";
        assert_eq!(kinds, [plain, "bad", "good", plain, plain, "bad", "good", plain, plain, plain, plain, plain, "bad", plain]);
    }

    #[test]
    fn nothing_in_a_file_reaches_the_terminal_as_a_command() {
        assert!(!anstream::adapter::strip_str(&lines("", "\u{1b}]0;title\u{7}\n")).to_string().contains('\u{1b}'));
        assert!(lines("", "\u{1b}]0;title\u{7}\n").contains("\u{fffd}]0;title\u{fffd}"));
    }
}
