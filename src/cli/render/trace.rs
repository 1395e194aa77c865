//! A run as people read it: a tree of the tasks with how long each took, and below each what it sent and what came back.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use owo_colors::{OwoColorize as _, Style};
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::columns::one_line;
use super::evidence::took;
use super::paint;
use crate::cli::trace::{Event, Line};
use crate::manifest::cut;

/// The longest text on a line, in characters.
const LONGEST: usize = 300;
/// The widest that tasks may push the column of times.
const WIDEST: usize = 60;
/// How deep tasks are shown within each other.
const DEEPEST: usize = 100;
/// What an answer tells of itself beside its body.
const TELLING: [&str; 9] = [
    "content-type",
    "location",
    "link",
    "retry-after",
    "www-authenticate",
    "x-request-id",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "etag",
];

/// A turn of a task, and what happened in it in order.
struct Turn<'a> {
    name: &'a str,
    reference: &'a str,
    began: Timestamp,
    ended: Option<(Timestamp, &'a Event)>,
    depth: usize,
    parts: Vec<Part<'a>>,
}

enum Part<'a> {
    Turn(u32),
    /// Something beside turns, and how long after the request before it.
    Event(&'a Event, u64),
}

/// A line of the tree.
enum Row {
    Task { branch: String, sign: (&'static str, Style), name: String, time: String, reference: String },
    Detail { branch: String, text: String, style: Style },
}

/// The turns of a run, by their numbers.
#[derive(Default)]
struct Tree<'a> {
    turns: HashMap<u32, Turn<'a>>,
    roots: Vec<Part<'a>>,
}

/// The tree below what ran. `left_out` is how much more happened than the lines tell.
pub fn tree(what: &str, lines: &[Line], left_out: usize) -> String {
    let tree = Tree::of(lines);
    let mut rows = Vec::new();
    tree.parts(&tree.roots, "", &mut rows);
    let total = lines.first().zip(lines.last()).map_or(0, |(first, last)| micros(first.at, last.at));
    let widest = rows.iter().map(Row::width).filter(|width| *width <= WIDEST).max().unwrap_or(0);
    let mut text = format!("{} {}\n", one_line(what).style(paint::STRONG), format!("({})", took(total)).style(paint::FAINT));
    rows.iter().for_each(|row| row.write(widest, &mut text));
    if left_out > 0 {
        let _ = writeln!(text, "{}", format!("… and {left_out} more").style(paint::FAINT));
    }
    text
}

fn micros(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_micros()).unwrap_or(0)
}

impl<'a> Tree<'a> {
    fn of(lines: &'a [Line]) -> Self {
        let mut tree = Self::default();
        let mut sent = HashMap::new();
        for Line { at, turn, within, name, reference, event } in lines {
            match event {
                Event::Started => {
                    tree.begin(*turn, *within, Turn { name, reference, began: *at, ended: None, depth: 0, parts: Vec::new() })
                }
                Event::Completed | Event::Faulted { .. } | Event::Cancelled => {
                    if let Some(turn) = tree.turns.get_mut(turn) {
                        turn.ended = Some((*at, event));
                    }
                }
                Event::Sent { .. } | Event::Retried { .. } | Event::Answered { .. } | Event::Unanswered { .. } => {
                    let since = sent.insert(*turn, *at).map_or(0, |before| micros(before, *at));
                    if let Some(turn) = tree.turns.get_mut(turn) {
                        turn.parts.push(Part::Event(event, since));
                    }
                }
            }
        }
        tree
    }

    /// A turn is put where it belongs only once, and after what it is part of: whatever a run tells, that makes a tree.
    fn begin(&mut self, number: u32, within: Option<u32>, turn: Turn<'a>) {
        if self.turns.contains_key(&number) {
            return;
        }
        let depth = match within.map(|within| self.turns.get_mut(&within)) {
            None => {
                self.roots.push(Part::Turn(number));
                0
            }
            Some(Some(outer)) if outer.depth < DEEPEST => {
                outer.parts.push(Part::Turn(number));
                outer.depth + 1
            }
            Some(_) => return,
        };
        self.turns.insert(number, Turn { depth, ..turn });
    }

    fn parts(&self, parts: &[Part<'a>], branch: &str, rows: &mut Vec<Row>) {
        let last = parts.iter().rposition(|part| matches!(part, Part::Turn(_)));
        for (index, part) in parts.iter().enumerate() {
            match part {
                Part::Turn(number) => {
                    let Some(turn) = self.turns.get(number) else { continue };
                    let (joint, below) = if Some(index) == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                    rows.push(turn.row(format!("{branch}{joint}")));
                    let below = format!("{branch}{below}");
                    self.parts(&turn.parts, &below, rows);
                    if let Some((_, Event::Faulted { error })) = turn.ended
                        && !self.is_told(turn, error)
                    {
                        rows.push(detail(&below, &fault(error), paint::BAD));
                    }
                }
                Part::Event(event, since) => {
                    let line = if last.is_some_and(|last| index < last) { "│  " } else { "" };
                    details(event, *since, &format!("{branch}{line}"), rows);
                }
            }
        }
    }

    /// Whether an error of a turn is the one that something in it has ended with, and so is told already.
    fn is_told(&self, turn: &Turn<'_>, error: &Value) -> bool {
        if let Some(Part::Event(Event::Unanswered { reason }, _)) = turn.parts.last() {
            return fault(error).ends_with(reason.as_str());
        }
        let inner = turn.parts.iter().filter_map(|part| if let Part::Turn(number) = part { self.turns.get(number) } else { None });
        let mut ends = inner.filter_map(|inner| inner.ended);
        // Where it comes from is told anew on its way out.
        ends.any(|(_, event)| matches!(event, Event::Faulted { error: within } if fault(within) == fault(error)))
    }
}

impl Turn<'_> {
    fn row(&self, branch: String) -> Row {
        let sign = match self.ended.map(|(_, event)| event) {
            Some(Event::Completed) => ("✓", paint::GOOD),
            Some(Event::Faulted { .. }) => ("✗", paint::BAD),
            Some(_) => ("–", paint::WARN),
            None => ("…", paint::WARN),
        };
        let time = self.ended.map_or_else(String::new, |(at, _)| took(micros(self.began, at)));
        Row::Task { branch, sign, name: short(self.name), time, reference: short(self.reference) }
    }
}

fn details(event: &Event, since: u64, branch: &str, rows: &mut Vec<Row>) {
    let mut add = |text: &str, style| rows.push(detail(branch, text, style));
    match event {
        Event::Sent { method, url, headers, body } => {
            add(&format!("→ {method} {url}"), Style::new());
            headers.iter().for_each(|(name, value)| add(&format!("  {name}: {value}"), paint::FAINT));
            body.iter().for_each(|body| add(&format!("  {body}"), Style::new()));
        }
        Event::Answered { status, headers, body } => {
            add(&format!("← {status} in {}", took(since)), if *status < 400 { paint::GOOD } else { paint::BAD });
            let telling = headers.iter().filter(|(name, _)| TELLING.iter().any(|known| known.eq_ignore_ascii_case(name)));
            telling.for_each(|(name, value)| add(&format!("  {name}: {value}"), paint::FAINT));
            if !body.is_empty() {
                add(&format!("  {body}"), Style::new());
            }
        }
        Event::Unanswered { reason } => add(&format!("← no answer in {}: {reason}", took(since)), paint::BAD),
        Event::Retried { retry, after_millis } => add(&format!("↻ retry {retry}, after {}", took(after_millis * 1000)), paint::WARN),
        Event::Started | Event::Completed | Event::Faulted { .. } | Event::Cancelled => {}
    }
}

/// An error in a line: its status, and what it says most of.
fn fault(error: &Value) -> String {
    let text = |key: &str| error.get(key).and_then(Value::as_str);
    let words: Vec<&str> = [text("title"), text("detail")].into_iter().flatten().collect();
    let words = if words.is_empty() { text("type").unwrap_or_default().to_owned() } else { words.join(": ") };
    format!("{} {words}", error.get("status").unwrap_or(&Value::Null))
}

fn detail(branch: &str, text: &str, style: Style) -> Row {
    // The blanks at its beginning say what it belongs to.
    let indent = text.len() - text.trim_start_matches(' ').len();
    Row::Detail { branch: branch.to_owned(), text: format!("{:indent$}{}", "", short(text)), style }
}

/// A text in one line of bounded length.
fn short(text: &str) -> String {
    cut(&one_line(text), LONGEST)
}

impl Row {
    /// How far a task reaches; 0 for what is no task.
    fn width(&self) -> usize {
        match self {
            Self::Task { branch, name, .. } => branch.width() + 2 + name.width(),
            Self::Detail { .. } => 0,
        }
    }

    fn write(&self, widest: usize, text: &mut String) {
        match self {
            Self::Task { branch, sign: (sign, style), name, time, reference } => {
                let padding = widest.saturating_sub(self.width());
                let (branch, sign, reference) = (branch.style(paint::FAINT), sign.style(*style), reference.style(paint::FAINT));
                let _ = writeln!(text, "{branch}{sign} {}{:padding$}  {time:>7}  {reference}", name.style(paint::STRONG), "");
            }
            Self::Detail { branch, text: said, style } => {
                let _ = writeln!(text, "{}{}", branch.style(paint::FAINT), said.style(*style));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(millis: i64, turn: u32, within: Option<u32>, event: Event) -> Line {
        let at = Timestamp::from_millisecond(millis).unwrap();
        Line { at, turn, within, name: "x".repeat(turn as usize), reference: format!("/do/{turn}"), event }
    }

    fn plain(lines: &[Line], left_out: usize) -> String {
        anstream::adapter::strip_str(&tree("crm get", lines, left_out)).to_string()
    }

    fn faulted(instance: &str) -> Event {
        Event::Faulted { error: json!({ "type": "t", "status": 503, "title": "Busy", "detail": "come again", "instance": instance }) }
    }

    #[test]
    fn times_line_up_and_an_error_is_told_where_it_comes_from() {
        let lines = [
            line(0, 1, None, Event::Started),
            line(1, 3, Some(1), Event::Started),
            line(
                2,
                3,
                Some(1),
                Event::Sent { method: "GET".into(), url: "https://h/".into(), headers: Vec::new(), body: Some("{}".into()) },
            ),
            line(14, 3, Some(1), Event::Unanswered { reason: "nobody".into() }),
            line(15, 3, Some(1), faulted("/do/0")),
            line(16, 1, None, Event::Retried { retry: 1, after_millis: 2500 }),
            line(2516, 4, Some(1), Event::Started),
            line(2517, 4, Some(1), Event::Cancelled),
            line(2520, 1, None, faulted("/do/1/do/0")),
            line(2521, 12, None, Event::Started),
        ];
        insta::assert_snapshot!(plain(&lines, 2), @r"
        crm get (2.5 s)
        ├─ ✗ x               2.5 s  /do/1
        │  ├─ ✗ xxx          14 ms  /do/3
        │  │  → GET https://h/
        │  │    {}
        │  │  ← no answer in 12 ms: nobody
        │  │  503 Busy: come again
        │  │  ↻ retry 1, after 2.5 s
        │  └─ – xxxx          1 ms  /do/4
        └─ … xxxxxxxxxxxx           /do/12
        … and 2 more
        ");
    }

    #[test]
    fn whatever_a_run_tells_is_a_tree() {
        let started = |turn, within| line(0, turn, within, Event::Started);
        let lines =
            [started(1, Some(1)), started(2, Some(3)), started(3, None), started(3, Some(3)), started(4, Some(3)), started(3, Some(4))];
        assert_eq!(plain(&lines, 0).lines().count(), 3);
        let deep: Vec<Line> = (1..5000).map(|turn| started(turn, (turn > 1).then(|| turn - 1))).collect();
        assert_eq!(plain(&deep, 0).lines().count(), DEEPEST + 2);
    }
}
