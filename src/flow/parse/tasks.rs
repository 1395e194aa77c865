//! Lists of tasks, and what all tasks have in common.

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::expression::Stage;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Act, Condition, Task, Then};
use crate::manifest::escape;
use crate::model::CoveragePointKind;

/// What says what a task does, with the keys that belong to it.
const ACTS: [(&str, &[&str]); 10] = [
    ("call", &["with"]),
    ("do", &[]),
    ("emit", &[]),
    ("for", &["while", "do"]),
    ("fork", &[]),
    ("raise", &[]),
    ("set", &[]),
    ("switch", &[]),
    ("try", &["catch"]),
    ("wait", &[]),
];

/// What would wait for events or run programs.
const NEVER: [&str; 2] = ["listen", "run"];

const COMMON: [&str; 7] = ["if", "input", "output", "export", "timeout", "then", "metadata"];

impl Parser<'_> {
    /// Parses a list of tasks. `reference` is where the list stands in its flow, such as `/do`.
    pub(crate) fn tasks(&mut self, value: &Value, at: &At<'_>, reference: &str) -> Vec<Task> {
        let Some(entries) = self.list(value, at, "a flow") else { return Vec::new() };
        if entries.is_empty() {
            self.found(Finding::new(at, codes::SHAPE, "the list has no task"));
        }
        let names: Vec<_> = entries.iter().enumerate().map(|(index, entry)| self.entry(entry, &at.index(index))).collect();
        self.duplicates(&names, at);
        let targets: Vec<&str> = names.iter().map(|name| name.map_or("", |(name, _)| name)).collect();
        let mut tasks = Vec::with_capacity(names.len());
        for (index, named) in names.iter().enumerate() {
            let Some((name, definition)) = named else { continue };
            let at = at.index(index);
            let reference = format!("{reference}/{index}/{}", escape(name));
            tasks.extend(self.task(name, definition, &at.key(name), reference, &targets));
        }
        tasks
    }

    fn entry<'v>(&mut self, entry: &'v Value, at: &At<'_>) -> Option<(&'v str, &'v Value)> {
        match entry.as_object().map(|map| (map.len(), map.iter().next())) {
            Some((1, Some((name, definition)))) => Some((name.as_str(), definition)),
            Some((count, _)) => {
                let message = format!("a task is a map with one key, its name; here are {count}");
                self.found(Finding::new(at, codes::SHAPE, message).hint("Write `- name: { … }`, the task's keys indented below its name."));
                None
            }
            None => {
                self.found(Finding::new(at, codes::SHAPE, format!("a task is a map with one key, its name, not {}", kind_of(entry))));
                None
            }
        }
    }

    fn duplicates(&mut self, names: &[Option<(&str, &Value)>], at: &At<'_>) {
        for (index, named) in names.iter().enumerate() {
            if let Some((name, _)) = named
                && names[..index].iter().flatten().any(|(earlier, _)| earlier == name)
            {
                let at = at.index(index);
                self.found(Finding::of_key(&at.key(name), codes::DUPLICATE_TASK, format!("another task of this list is named `{name}`")));
            }
        }
    }

    pub(super) fn task(&mut self, name: &str, definition: &Value, at: &At<'_>, reference: String, targets: &[&str]) -> Option<Task> {
        let map = self.map(definition, at, "a task")?;
        let around = std::mem::replace(&mut self.points.task, name.to_owned());
        let task = self.inside(name, map, at, reference, targets);
        self.points.task = around;
        task
    }

    fn inside(&mut self, name: &str, map: &Map<String, Value>, at: &At<'_>, reference: String, targets: &[&str]) -> Option<Task> {
        let act = self.at_stage(Stage::Within, |parser| parser.act(map, at, &reference, targets));
        if let Some(metadata) = map.get("metadata") {
            self.map(metadata, &at.key("metadata"), "`metadata`");
        }
        let (condition, input, timeout) = self.at_stage(Stage::BeforeTask, |parser| {
            let condition = map.get("if").and_then(|value| parser.whether(value, &at.key("if")));
            let timeout = map.get("timeout").and_then(|value| parser.timeout(value, &at.key("timeout")));
            (condition, parser.shape(map, at, "input", "from"), timeout)
        });
        let output = self.at_stage(Stage::Within, |parser| parser.shape(map, at, "output", "as"));
        let export = self.at_stage(Stage::After, |parser| parser.shape(map, at, "export", "as"));
        let then = map.get("then").map_or(Then::Continue, |value| self.then(value, &at.key("then"), targets));
        Some(Task { name: name.to_owned(), reference, condition, input, output, export, timeout, then, act: act? })
    }

    fn whether(&mut self, value: &Value, at: &At<'_>) -> Option<Condition> {
        let expression = self.condition(value, at, "`if`")?;
        let mut side = |what: &str| self.points.at(CoveragePointKind::Branch, at, |task| format!("`{task}` {what}"));
        Some(Condition { expression, sides: [side("where its `if` is true"), side("skipped by its `if`")] })
    }

    fn act(&mut self, map: &Map<String, Value>, at: &At<'_>, reference: &str, targets: &[&str]) -> Option<Act> {
        if let Some(key) = NEVER.into_iter().find(|key| map.contains_key(*key)) {
            let message = format!("`{key}` is not supported: a connector talks HTTP and nothing else");
            let hint = if key == "listen" { "Listen to a service with a trigger." } else { "Use `call: request` or `call: http`." };
            self.found(Finding::of_key(&at.key(key), codes::NEVER, message).hint(hint));
            return None;
        }
        let belongs = |key: &str| key == "do" && map.contains_key("for");
        let acts: Vec<_> = ACTS.iter().filter(|(key, _)| map.contains_key(*key) && !belongs(key)).collect();
        match acts.as_slice() {
            [(key, own)] => {
                let known: Vec<&str> = COMMON.iter().chain(*own).chain(std::iter::once(key)).copied().collect();
                self.keys(map, at, "a task", &known);
                self.act_of(key, map, at, reference, targets)
            }
            [] => {
                self.no_act(map, at);
                None
            }
            several => {
                let keys = several.iter().map(|(key, _)| format!("`{key}`")).collect::<Vec<_>>().join(" and ");
                self.found(
                    Finding::new(at, codes::SHAPE, format!("the task has {keys}, but does one thing only")).hint("Make it two tasks."),
                );
                None
            }
        }
    }

    fn act_of(&mut self, key: &str, map: &Map<String, Value>, at: &At<'_>, reference: &str, targets: &[&str]) -> Option<Act> {
        let (value, here) = (&map[key], at.key(key));
        match key {
            "set" => self.set(value, &here),
            "do" => Some(Act::Do(self.tasks(value, &here, &format!("{reference}/do")))),
            "emit" => self.emit(value, &here),
            "for" => self.loop_over(map, value, at, reference),
            "fork" => self.fork(value, &here, reference),
            "raise" => self.raise(value, &here),
            "switch" => self.switch(value, at, targets),
            "try" => self.attempt(map, value, at, reference, targets),
            "wait" => self.span(value, &here, "`wait`").map(Act::Wait),
            _ => self.call(map, value, at),
        }
    }

    fn no_act(&mut self, map: &Map<String, Value>, at: &At<'_>) {
        let acts = ACTS.iter().map(|(key, _)| *key);
        let unknown: Vec<_> = map.keys().filter(|key| !COMMON.contains(&key.as_str())).collect();
        for key in &unknown {
            let finding = Finding::of_key(&at.key(key), codes::UNKNOWN_KEY, format!("unknown key `{key}` in a task"));
            self.found(finding.did_you_mean(key, acts.clone().chain(COMMON)));
        }
        if unknown.is_empty() {
            let acts = acts.map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            self.found(Finding::new(at, codes::MISSING_KEY, format!("the task does nothing: it needs one of {acts}")));
        }
    }

    /// A flow directive, or the name of a task of the same list.
    pub(super) fn then(&mut self, value: &Value, at: &At<'_>, targets: &[&str]) -> Then {
        let Some(text) = self.text(value, at, "`then`") else { return Then::Continue };
        match text {
            "continue" => Then::Continue,
            "exit" => Then::Exit,
            "end" => Then::End,
            name => match targets.iter().position(|target| *target == name) {
                Some(index) => Then::Task(index),
                None => {
                    let finding = Finding::new(at, codes::TARGET, format!("no task `{name}` in this list to go on with"));
                    self.found(finding.did_you_mean(name, targets.iter().copied().chain(["continue", "exit", "end"])));
                    Then::Continue
                }
            },
        }
    }
}
