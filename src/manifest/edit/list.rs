//! Adds an entry to a list, or removes one, in either of YAML's two notations.

use std::ops::Range;

use super::layout::Layout;
use super::token;

/// Adds an entry at the end of a list of `length` entries.
pub(super) fn add(layout: &Layout<'_>, pointer: &str, length: usize, value: &str) -> String {
    let list = layout.span(pointer);
    let token = token::in_flow(value);
    let Some(last) = length.checked_sub(1) else {
        return layout.splice(list.start + 1..list.start + 1, &token);
    };
    let last = layout.span(&format!("{pointer}/{last}"));
    if is_flow(layout, pointer) {
        return layout.splice(last.end..last.end, &format!("{}{token}", separator(layout, pointer, length)));
    }
    let dash = dash_before(layout, last.start);
    let indent = &layout.text[layout.line_start(dash)..dash];
    let indent: String = indent.chars().map(|_| ' ').collect();
    layout.add_line(last.end, &format!("{indent}- {token}"))
}

/// Removes an entry from a list of `length` entries.
pub(super) fn remove(layout: &Layout<'_>, pointer: &str, index: usize, length: usize) -> String {
    let entry = layout.span(&format!("{pointer}/{index}"));
    if is_flow(layout, pointer) {
        return remove_from_flow(layout, pointer, index, length);
    }
    let dash = dash_before(layout, entry.start);
    let lines = layout.line_start(dash)..layout.next_line(entry.end);
    if length > 1 {
        return layout.splice(lines, "");
    }
    let colon = layout.after_colon(pointer);
    let mut text = layout.splice(lines, "");
    text.insert_str(colon, " []");
    text
}

fn remove_from_flow(layout: &Layout<'_>, pointer: &str, index: usize, length: usize) -> String {
    let entry = layout.span(&format!("{pointer}/{index}"));
    let list_end = layout.span(pointer).end;
    if let Some(comma) = comma_after(layout.text, entry.end, list_end) {
        let rest = &layout.text[comma + 1..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        // What follows moves up to where the entry was; blanks are not left at the end of a line or of the list.
        let is_last_of_line = rest[blanks..].starts_with(['\r', '\n', ']']);
        let (start, end) = if is_last_of_line {
            (if index > 0 { blanks_before(layout, entry.start) } else { entry.start }, comma + 1)
        } else {
            (entry.start, comma + 1 + blanks)
        };
        return layout.splice(whole_line(layout, start..end), "");
    }
    if length == 1 {
        return layout.splice(whole_line(layout, entry), "");
    }
    let before = layout.span(&format!("{pointer}/{}", index.saturating_sub(1)));
    let Some(comma) = comma_after(layout.text, before.end, entry.start) else { return layout.text.to_owned() };
    let cut = whole_line(layout, blanks_before(layout, entry.start).max(comma + 1)..entry.end);
    let mut text = layout.splice(cut, "");
    text.remove(comma);
    text
}

/// A stretch, widened to its whole line where nothing else stands there.
fn whole_line(layout: &Layout<'_>, span: Range<usize>) -> Range<usize> {
    let (start, end) = (layout.line_start(span.start), layout.next_line(span.end));
    let alone = start > 0
        && layout.text[start..span.start].trim().is_empty()
        && layout.text[span.end..end].trim().is_empty()
        && layout.text[..end].ends_with('\n');
    if alone { start..end } else { span }
}

fn blanks_before(layout: &Layout<'_>, at: usize) -> usize {
    layout.text[..at].trim_end_matches([' ', '\t']).len()
}

/// The comma between two entries, comments skipped.
fn comma_after(text: &str, from: usize, to: usize) -> Option<usize> {
    let mut in_comment = false;
    for (at, byte) in text.as_bytes()[from..to].iter().enumerate() {
        match byte {
            b'\n' => in_comment = false,
            b'#' => in_comment = true,
            b',' if !in_comment => return Some(from + at),
            _ => {}
        }
    }
    None
}

/// What stands between the last two entries, where it is only a comma and blanks.
fn separator<'t>(layout: &Layout<'t>, pointer: &str, length: usize) -> &'t str {
    let Some(before) = length.checked_sub(2) else { return ", " };
    let gap = layout.span(&format!("{pointer}/{before}")).end..layout.span(&format!("{pointer}/{}", length - 1)).start;
    layout.text.get(gap).filter(|gap| gap.trim() == ",").unwrap_or(", ")
}

fn is_flow(layout: &Layout<'_>, pointer: &str) -> bool {
    layout.text[layout.span(pointer).start..].starts_with('[') || layout.is_in_flow(pointer)
}

/// The dash of a block entry.
fn dash_before(layout: &Layout<'_>, entry: usize) -> usize {
    layout.text[..entry].rfind('-').unwrap_or(entry)
}
