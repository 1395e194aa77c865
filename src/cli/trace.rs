//! What a run tells, as it may be shown: without secrets, in parts of bounded size, and not without end.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::output::{Format, Shell};
use super::render;
use super::render::columns::escaped;
use crate::flow::{Body, EXCERPT, Redactor, Request, Told, What};
use crate::harness::live::Veil;
use crate::manifest::cut;

/// How many lines are kept for people: more than anybody reads.
const MOST_LINES: usize = 20_000;
/// How many headers of a request or an answer are shown, and how long each may be, in characters.
const MOST_HEADERS: usize = 50;
const LONGEST_HEADER: usize = 300;
/// Headers that are credentials themselves, whoever made them up.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// One thing that happened in a run: a line of JSON for programs.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// When.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// To which turn of which task: its number within the run, from 1. A task in a loop has several turns.
    pub turn: u32,
    /// The turn it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<u32>,
    /// The task's name.
    pub name: String,
    /// Where the task stands in its flow, such as `/do/0/create`.
    pub reference: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened to a turn of a task.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(tag = "event", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Event {
    /// It began.
    Started,
    /// It ended well.
    Completed,
    /// It ended with an error.
    Faulted {
        /// The error, RFC 7807.
        error: Value,
    },
    /// It was broken off.
    Cancelled,
    /// It is tried again.
    Retried {
        /// Which retry it is, from 1.
        retry: u32,
        /// After how long, in milliseconds.
        after_millis: u64,
    },
    /// It sent a request.
    Sent {
        /// The method.
        method: String,
        /// The address.
        url: String,
        /// The headers, by name and value.
        headers: Vec<(String, String)>,
        /// The beginning of the body.
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// The answer to its request came.
    Answered {
        /// The status.
        status: u16,
        /// The headers, by name and value.
        headers: Vec<(String, String)>,
        /// The beginning of the body.
        body: String,
    },
    /// No answer came.
    Unanswered {
        /// Why not.
        reason: String,
    },
}

/// Listens to a run, and shows what it tells: programs at once, people as a tree in the end.
pub struct Tracer {
    shell: Shell,
    veil: Veil,
    lines: Vec<Line>,
    /// The turns whose beginning was kept.
    kept: HashSet<u32>,
    left_out: usize,
}

impl Tracer {
    /// Nothing heard yet.
    pub fn new(shell: Shell, veil: Veil) -> Self {
        Self { shell, veil, lines: Vec::new(), kept: HashSet::new(), left_out: 0 }
    }

    /// Hears what a run tells.
    pub fn hear(&mut self, told: &Told) {
        let line = line(told, self.veil.redactor());
        match self.shell.format {
            Format::Json => self.shell.note(escaped(&serde_json::to_value(&line).unwrap_or_default())),
            Format::Human => self.keep(line),
        }
    }

    fn keep(&mut self, line: Line) {
        let is_wanted = match line.event {
            // A turn that is shown is shown to its end.
            Event::Completed | Event::Faulted { .. } | Event::Cancelled => self.kept.remove(&line.turn),
            Event::Started => self.lines.len() < MOST_LINES && self.kept.insert(line.turn),
            Event::Retried { .. } | Event::Sent { .. } | Event::Answered { .. } | Event::Unanswered { .. } => self.lines.len() < MOST_LINES,
        };
        if is_wanted {
            self.lines.push(line);
        } else {
            self.left_out += 1;
        }
    }

    /// Shows people the tree below what ran.
    pub fn end(self, what: &str) {
        if self.shell.format == Format::Human {
            self.shell.note(render::trace::tree(what, &self.lines, self.left_out).trim_end());
        }
    }
}

fn line(told: &Told, redactor: &Redactor) -> Line {
    let event = match &told.what {
        What::Started => Event::Started,
        What::Completed => Event::Completed,
        What::Faulted(error) => Event::Faulted { error: redactor.value(error.clone()) },
        What::Cancelled => Event::Cancelled,
        What::Retried { retry, after_millis } => Event::Retried { retry: *retry, after_millis: *after_millis },
        What::Sent(request) => sent(request, redactor),
        What::Answered { status, headers, body } => {
            Event::Answered { status: *status, headers: shown_headers(headers, redactor), body: beginning(body, redactor) }
        }
        What::Unanswered(reason) => Event::Unanswered { reason: redactor.text(reason) },
    };
    let turn = &told.turn;
    let (name, reference) = (turn.name.clone(), turn.reference.clone());
    Line { at: told.at, turn: turn.number, within: turn.within, name, reference, event }
}

fn sent(request: &Request, redactor: &Redactor) -> Event {
    let mut url = request.url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        // Addresses that have no place for a user are not those of HTTP.
        let _ = url.set_password(None).and_then(|()| url.set_username("redacted"));
    }
    let url = redactor.text(url.as_str()).replace("%5Bredacted%5D", "[redacted]");
    let body = request.body.as_ref().map(|body| match body {
        Body::Json(value) => beginning(&redactor.value(value.clone()).to_string(), redactor),
        Body::Text(text) => beginning(text, redactor),
        Body::Form(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            beginning(&fields.join("&"), redactor)
        }
        Body::Multipart(parts) => {
            let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            beginning(&format!("({} parts: {})", parts.len(), names.join(", ")), redactor)
        }
        Body::Bytes(bytes) => format!("({} bytes)", bytes.len()),
    });
    Event::Sent { method: request.method.clone(), url: cut(&url, EXCERPT), headers: shown_headers(&request.headers, redactor), body }
}

fn shown_headers(headers: &[(String, String)], redactor: &Redactor) -> Vec<(String, String)> {
    let shown = headers.iter().take(MOST_HEADERS).map(|(name, value)| {
        let value = if CREDENTIALS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            // The scheme is no secret; a cookie has none.
            let scheme = value.split_once(' ').map(|(scheme, _)| scheme).filter(|_| !name.to_ascii_lowercase().ends_with("cookie"));
            scheme.map_or_else(|| "[redacted]".to_owned(), |scheme| format!("{scheme} [redacted]"))
        } else {
            redactor.text(value)
        };
        (name.clone(), cut(&value, LONGEST_HEADER))
    });
    shown.collect()
}

/// The beginning of a text, without what is left of a secret at its end where it was cut.
fn beginning(text: &str, redactor: &Redactor) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", redactor.beginning(&text[..end])),
        // It may have been cut before: a byte of a character that was cut is told as one of three.
        None if text.len() + 3 >= EXCERPT => redactor.beginning(text),
        None => redactor.text(text),
    }
}
