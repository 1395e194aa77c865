//! What a test suite holds for the engine: the flows of its hooks, and the texts of its cases that are expressions as a whole.

use serde_json::Value;

use super::Parser;
use crate::flow::codes;
use crate::flow::expression::{Stage, guard};
use crate::flow::finding::{At, Finding};
use crate::flow::model::Flow;
use crate::flow::template::Template;
use crate::manifest::{Tasks, cut};

/// How many doubts are told of one suite, and how much of a text they repeat, in characters.
const MOST_DOUBTS: usize = 100;
const LONGEST_TEXT: usize = 60;

/// A text in a case that stands for what its expression gives.
#[derive(Debug)]
pub(crate) struct Blank {
    /// Where it stands in the case.
    pub(crate) pointer: String,
    pub(crate) template: Template,
    /// Whether what is read from secrets goes there as it is: into exchanges, which are never shown but beside what was sent.
    pub(crate) is_exact: bool,
    /// Whether text means nothing there but an expression, so that what is given must be something else.
    pub(crate) is_typed: bool,
}

/// What kind of part of a case, by what of it may hold expressions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Case,
    /// A poll, or something that happens.
    Step,
    Exchange,
    Request,
    Response,
    Expectation,
    /// The error, or the answer, that is expected.
    Ending,
    Value,
}

impl Part {
    /// What stands under a key; nothing where it is left as it is written.
    fn under(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Case | Self::Step, "exchanges") => Some(Self::Exchange),
            (Self::Case | Self::Step, "expect") => Some(Self::Expectation),
            (Self::Case, "polls" | "sequence") => Some(Self::Step),
            (Self::Case, "connection" | "input" | "request" | "subscription" | "cursor") | (Self::Step, "request" | "after" | "times") => {
                Some(Self::Value)
            }
            (Self::Case | Self::Step, _) => None,
            (Self::Exchange, "request") => Some(Self::Request),
            (Self::Exchange, "response") => Some(Self::Response),
            (Self::Exchange, "inAnyOrder") => Some(Self::Exchange),
            // What is asserted is evaluated later, over what came of the case; a schema is none of ours to change.
            (Self::Request, "assert" | "bodySchema") | (Self::Expectation, "assert" | "outputSchema") => None,
            (Self::Expectation, "error" | "answer") => Some(Self::Ending),
            (Self::Exchange | Self::Request | Self::Response | Self::Expectation | Self::Ending | Self::Value, _) => Some(Self::Value),
        }
    }

    /// Whether what stands under a key is no text.
    fn is_typed(self, key: &str) -> bool {
        match self {
            Self::Exchange => key == "times",
            Self::Response => matches!(key, "status" | "delay"),
            Self::Expectation => matches!(key, "requests" | "retries" | "elapsed"),
            Self::Ending => key == "status",
            Self::Step => matches!(key, "after" | "times"),
            Self::Case | Self::Request | Self::Value => false,
        }
    }
}

/// One way through a case.
#[derive(Clone, Copy)]
struct Way {
    part: Part,
    is_exact: bool,
    is_typed: bool,
}

impl Parser<'_> {
    /// A hook's flow, which can read these variables besides.
    pub(crate) fn hook(&mut self, tasks: &Tasks, variables: &[&str], at: &At<'_>) -> Flow {
        let tasks = self.with_locals(variables, |parser| parser.tasks(&tasks.0, at, "/do"));
        Flow { tasks, ..Flow::default() }
    }

    /// The expressions of a case, which can read these variables.
    pub(crate) fn case(&mut self, written: &Value, variables: &[&str], at: &At<'_>) -> Vec<Blank> {
        let mut blanks = Vec::new();
        let way = Way { part: Part::Case, is_exact: false, is_typed: false };
        let base = at.pointer().len();
        self.with_locals(variables, |parser| {
            parser.at_stage(Stage::Suite, |parser| parser.blanks(written, way, at, &mut blanks));
        });
        for blank in &mut blanks {
            blank.pointer.drain(..base);
        }
        blanks
    }

    fn blanks(&mut self, value: &Value, way: Way, at: &At<'_>, blanks: &mut Vec<Blank>) {
        match value {
            Value::String(text) if text.contains("${") => match end_of(text) {
                End::Whole | End::Never => {
                    let template = self.template(value, at);
                    blanks.push(Blank { pointer: at.pointer(), template, is_exact: way.is_exact, is_typed: way.is_typed });
                }
                End::Within => self.doubt_part(text, at),
            },
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.blanks(item, way, &at.index(index), blanks));
            }
            Value::Object(map) => {
                for (key, value) in map {
                    if let Some(part) = way.part.under(key) {
                        let is_exact = way.is_exact || part == Part::Exchange;
                        self.blanks(value, Way { part, is_exact, is_typed: way.part.is_typed(key) }, &at.key(key), blanks);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Doubts that a text is meant as it is that has an expression in it, and more.
    fn doubt_part(&mut self, text: &str, at: &At<'_>) {
        let reads = |parser: &Self| {
            let rest = text.split("${").skip(1);
            rest.filter_map(|rest| guard::end(rest).map(|end| rest[..end].trim())).any(|source| parser.begins_like_one(source))
        };
        if self.doubts.len() < MOST_DOUBTS && reads(self) {
            let message = format!("`{}` is text here: in a case, an expression is a text as a whole", cut(text, LONGEST_TEXT));
            let hint = r#"Write it all as one, such as `${ "/items/\($each.id)" }`. If the text is meant, `${ "…" }` says so."#;
            self.doubts.push(Finding::new(at, codes::READS_LIKE_EXPRESSION, message).hint(hint));
        }
    }
}

/// Where the expression ends that a text begins with.
enum End {
    /// Where the text does.
    Whole,
    /// Before that; or the text begins with something else.
    Within,
    Never,
}

fn end_of(text: &str) -> End {
    let Some(rest) = text.trim().strip_prefix("${") else { return End::Within };
    match guard::end(rest) {
        Some(end) if end + 1 == rest.len() => End::Whole,
        Some(_) => End::Within,
        None => End::Never,
    }
}
