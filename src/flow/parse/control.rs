//! The tasks that steer others: `for`, `fork` and `try`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Act, Backoff, Catch, ErrorMember, For, Fork, Pace, Retry, Try};
use crate::flow::template::Template;
use crate::manifest::escape;
use crate::model::CoveragePointKind;

/// The most retries a policy may ask for.
const MOST_RETRIES: u64 = 1000;

impl Parser<'_> {
    pub(super) fn loop_over(&mut self, task: &Map<String, Value>, value: &Value, at: &At<'_>, reference: &str) -> Option<Act> {
        let here = at.key("for");
        let map = self.map(value, &here, "`for`")?;
        self.keys(map, &here, "`for`", &["each", "in", "at"]);
        let each = self.variable(map.get("each"), &here.key("each"), "item")?;
        let index = self.variable(map.get("at"), &here.key("at"), "index")?;
        let list = self.required(map, "in", &here, "`for`").and_then(|value| self.collection(value, &here.key("in")));
        let (condition, tasks) = self.with_locals(&[&each, &index], |parser| {
            let condition = task.get("while").and_then(|value| parser.condition(value, &at.key("while"), "`while`"));
            let tasks =
                parser.required(task, "do", at, "`for`").map(|tasks| parser.tasks(tasks, &at.key("do"), &format!("{reference}/do")));
            (condition, tasks)
        });
        Some(Act::For(Box::new(For { each, at: index, list: list?, condition, tasks: tasks? })))
    }

    /// The variable a task gives to those in it, with its `$`.
    fn variable(&mut self, value: Option<&Value>, at: &At<'_>, usual: &str) -> Option<String> {
        let Some(value) = value else { return Some(format!("${usual}")) };
        let name = self.text(value, at, "the name of a variable")?;
        let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if starts_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Some(format!("${name}"));
        }
        let message = format!("`{name}` cannot name a variable: letters, digits and `_` can");
        self.found(Finding::new(at, codes::VALUE, message));
        None
    }

    fn collection(&mut self, value: &Value, at: &At<'_>) -> Option<Template> {
        match value {
            Value::String(_) => Some(self.transform(value, at)),
            Value::Array(_) => Some(self.template(value, at)),
            other => {
                self.found(Finding::new(at, codes::VALUE, format!("`in` is an expression or a list, not {}", kind_of(other))));
                None
            }
        }
    }

    pub(super) fn fork(&mut self, value: &Value, at: &At<'_>, reference: &str) -> Option<Act> {
        let map = self.map(value, at, "`fork`")?;
        self.keys(map, at, "`fork`", &["branches", "compete"]);
        let compete = map.get("compete").map_or(Some(false), |value| self.truth(value, &at.key("compete"), "`compete`"));
        let branches = self.required(map, "branches", at, "`fork`")?;
        let branches = self.tasks(branches, &at.key("branches"), &format!("{reference}/fork/branches"));
        Some(Act::Fork(Fork { branches, compete: compete? }))
    }

    pub(super) fn attempt(
        &mut self,
        task: &Map<String, Value>,
        value: &Value,
        at: &At<'_>,
        reference: &str,
        targets: &[&str],
    ) -> Option<Act> {
        let tasks = match value {
            // The specification's prose has a single task here, its reference and schema a list.
            Value::Object(_) => self.task("try", value, &at.key("try"), format!("{reference}/try"), &[]).into_iter().collect(),
            list => self.tasks(list, &at.key("try"), &format!("{reference}/try")),
        };
        let catch = self.required(task, "catch", at, "`try`")?;
        let catch = self.catch(catch, &at.key("catch"), reference, targets)?;
        Some(Act::Try(Box::new(Try { tasks, catch })))
    }

    fn catch(&mut self, value: &Value, at: &At<'_>, reference: &str, targets: &[&str]) -> Option<Catch> {
        let map = self.map(value, at, "`catch`")?;
        self.keys(map, at, "`catch`", &["errors", "as", "when", "exceptWhen", "retry", "do", "then"]);
        let with = map.get("errors").map(|value| self.filter(value, &at.key("errors"))).unwrap_or_default();
        let variable = self.variable(map.get("as"), &at.key("as"), "error")?;
        let then = map.get("then").map(|value| self.then(value, &at.key("then"), targets));
        let mut point = |what: &str| self.points.at_key(CoveragePointKind::Catch, at, |task| format!("{what} `{task}`"));
        let again = map.contains_key("retry").then(|| point("another attempt at"));
        let handles = again.is_none() || map.contains_key("do") || then.is_some();
        let caught = handles.then(|| point("an error caught by"));
        self.with_locals(&[&variable], |parser| {
            let when = map.get("when").and_then(|value| parser.condition(value, &at.key("when"), "`when`"));
            let except_when = map.get("exceptWhen").and_then(|value| parser.condition(value, &at.key("exceptWhen"), "`exceptWhen`"));
            let retry = map.get("retry").and_then(|value| parser.retry_or_name(value, &at.key("retry")));
            let tasks = map.get("do").map(|tasks| parser.tasks(tasks, &at.key("do"), &format!("{reference}/catch/do")));
            Some(Catch { with, variable: variable.clone(), when, except_when, retry, tasks, then, caught, again })
        })
    }

    fn filter(&mut self, value: &Value, at: &At<'_>) -> Vec<(ErrorMember, Template)> {
        let Some(map) = self.map(value, at, "`errors`") else { return Vec::new() };
        self.keys(map, at, "`errors`", &["with"]);
        let Some(with) = map.get("with") else { return Vec::new() };
        let at = at.key("with");
        let Some(with) = self.map(with, &at, "`with`") else { return Vec::new() };
        // The reference says `detail`, the schema `details`.
        let members = [
            ("type", ErrorMember::Kind),
            ("status", ErrorMember::Status),
            ("title", ErrorMember::Title),
            ("detail", ErrorMember::Detail),
            ("details", ErrorMember::Detail),
            ("instance", ErrorMember::Instance),
        ];
        self.keys(with, &at, "an error filter", &members.map(|(key, _)| key));
        let given = members.iter().filter_map(|(key, member)| Some((*key, *member, with.get(*key)?)));
        given.map(|(key, member, value)| (member, self.template(value, &at.key(key)))).collect()
    }

    fn retry_or_name(&mut self, value: &Value, at: &At<'_>) -> Option<Arc<Retry>> {
        let Value::String(name) = value else { return self.retry(value, at).map(Arc::new) };
        let declared = self.declared;
        let known = declared.retries.get(name);
        if known.is_none() {
            let finding = Finding::new(at, codes::UNKNOWN_REUSABLE, format!("no retry policy `{}` under `use.retries`", escape(name)));
            self.found(finding.did_you_mean(name, declared.retries.keys().map(String::as_str)));
        }
        known.cloned()
    }

    /// A retry policy. Nothing is asked of it but that it ends: without a limit it is tried again until the flow's time is over.
    pub(super) fn retry(&mut self, value: &Value, at: &At<'_>) -> Option<Retry> {
        let map = self.retry_map(value, at)?;
        self.keys(map, at, "`retry`", &["when", "exceptWhen", "delay", "limit", "backoff", "jitter"]);
        let when = map.get("when").and_then(|value| self.condition(value, &at.key("when"), "`when`"));
        let except_when = map.get("exceptWhen").and_then(|value| self.condition(value, &at.key("exceptWhen"), "`exceptWhen`"));
        Some(Retry { when, except_when, pace: self.pace(map, at)? })
    }

    /// How often something is tried again, and how long to wait between.
    pub(super) fn pace(&mut self, map: &Map<String, Value>, at: &At<'_>) -> Option<Pace> {
        let delay = map.get("delay").and_then(|value| self.span(value, &at.key("delay"), "`delay`"));
        let backoff = map.get("backoff").map_or(Some(Backoff::Constant), |value| self.backoff(value, &at.key("backoff")));
        let jitter = map.get("jitter").and_then(|value| {
            let at = at.key("jitter");
            let map = self.map(value, &at, "`jitter`")?;
            self.keys(map, &at, "`jitter`", &["from", "to"]);
            let mut bound = |key: &str| {
                let value = self.required(map, key, &at, "`jitter`")?;
                self.span(value, &at.key(key), &format!("`{key}`"))
            };
            Some((bound("from")?, bound("to")?))
        });
        let mut pace = Pace { delay, backoff: backoff?, jitter, ..Pace::default() };
        if let Some(limit) = map.get("limit") {
            self.limit(limit, &at.key("limit"), &mut pace);
        }
        Some(pace)
    }

    fn limit(&mut self, value: &Value, at: &At<'_>, pace: &mut Pace) {
        let Some(map) = self.map(value, at, "`limit`") else { return };
        self.keys(map, at, "`limit`", &["attempt", "duration"]);
        pace.duration = map.get("duration").and_then(|value| self.span(value, &at.key("duration"), "`duration`"));
        let Some(attempt) = map.get("attempt") else { return };
        let at = at.key("attempt");
        let Some(attempt) = self.map(attempt, &at, "`attempt`") else { return };
        self.keys(attempt, &at, "`attempt`", &["count", "duration"]);
        pace.attempt = attempt.get("duration").and_then(|value| self.span(value, &at.key("duration"), "`duration`"));
        if let Some(count) = attempt.get("count") {
            let whole = count.as_u64().filter(|count| *count <= MOST_RETRIES).and_then(|count| u32::try_from(count).ok());
            if whole.is_none() {
                let message = format!("`count` is a whole number up to {MOST_RETRIES}");
                self.found(Finding::new(&at.key("count"), codes::VALUE, message));
            }
            pace.count = whole;
        }
    }

    fn backoff(&mut self, value: &Value, at: &At<'_>) -> Option<Backoff> {
        let map = self.map(value, at, "`backoff`")?;
        self.keys(map, at, "`backoff`", &["constant", "linear", "exponential"]);
        let known = [("constant", Backoff::Constant), ("linear", Backoff::Linear), ("exponential", Backoff::Exponential)];
        let given: Vec<_> = known.into_iter().filter(|(key, _)| map.contains_key(*key)).collect();
        match given.as_slice() {
            [(_, backoff)] => Some(*backoff),
            _ => {
                self.found(Finding::new(at, codes::VALUE, "`backoff` is one of `constant`, `linear` and `exponential`"));
                None
            }
        }
    }
}
