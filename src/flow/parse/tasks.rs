//! Lists of tasks, and what all tasks have in common.

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::finding::{At, Finding, escape};
use crate::flow::model::{Act, Task, Then};

/// What says what a task does, with how far it is supported.
const ACTS: [(&str, Support); 12] = [
    ("call", Support::Yes),
    ("do", Support::Yes),
    ("emit", Support::Yes),
    ("raise", Support::Yes),
    ("set", Support::Yes),
    ("switch", Support::Yes),
    ("for", Support::NotYet),
    ("fork", Support::NotYet),
    ("try", Support::NotYet),
    ("wait", Support::NotYet),
    ("listen", Support::Never),
    ("run", Support::Never),
];

const COMMON: [&str; 6] = ["if", "input", "output", "export", "then", "metadata"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Support {
    Yes,
    NotYet,
    Never,
}

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

    fn task(&mut self, name: &str, definition: &Value, at: &At<'_>, reference: String, targets: &[&str]) -> Option<Task> {
        let map = self.map(definition, at, "a task")?;
        let act = self.act(map, at, &reference, targets);
        let condition = map.get("if").and_then(|value| self.condition(value, &at.key("if"), "`if`"));
        let input_from = self.shaped(map, at, "input", "from");
        let output_as = self.shaped(map, at, "output", "as");
        let export_as = self.shaped(map, at, "export", "as");
        let then = map.get("then").map_or(Then::Continue, |value| self.then(value, &at.key("then"), targets));
        Some(Task { name: name.to_owned(), reference, condition, input_from, output_as, export_as, then, act: act? })
    }

    fn act(&mut self, map: &Map<String, Value>, at: &At<'_>, reference: &str, targets: &[&str]) -> Option<Act> {
        let mut known = COMMON.to_vec();
        let acts: Vec<_> = ACTS.iter().filter(|(key, _)| map.contains_key(*key) && !(*key == "do" && map.contains_key("for"))).collect();
        match acts.as_slice() {
            [(key, Support::Yes)] => {
                known.push(key);
                if *key == "call" {
                    known.push("with");
                }
                self.keys(map, at, "a task", &known, &["timeout"]);
                let (value, here) = (&map[*key], at.key(key));
                match *key {
                    "set" => self.set(value, &here),
                    "do" => Some(Act::Do(self.tasks(value, &here, &format!("{reference}/do")))),
                    "emit" => self.emit(value, &here),
                    "raise" => self.raise(value, &here),
                    "switch" => self.switch(value, &here, targets),
                    _ => self.call(map, value, at),
                }
            }
            [(key, Support::NotYet)] => {
                self.found(Finding::of_key(&at.key(key), codes::NOT_YET, format!("`{key}` is not yet supported")));
                None
            }
            [(key, Support::Never)] => {
                let finding = Finding::of_key(
                    &at.key(key),
                    codes::NEVER,
                    format!("`{key}` is not supported: a connector talks HTTP and nothing else"),
                );
                self.found(finding.hint(if *key == "listen" {
                    "Listen to a service with a trigger."
                } else {
                    "Use `call: request` or `call: http`."
                }));
                None
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

    fn no_act(&mut self, map: &Map<String, Value>, at: &At<'_>) {
        let acts = ACTS.iter().filter(|(_, support)| *support == Support::Yes).map(|(key, _)| *key);
        let unknown: Vec<_> = map.keys().filter(|key| !COMMON.contains(&key.as_str()) && *key != "timeout").collect();
        for key in &unknown {
            let finding = Finding::of_key(&at.key(key), codes::UNKNOWN_KEY, format!("unknown key `{key}` in a task"));
            self.found(finding.did_you_mean(key, acts.clone().chain(COMMON)));
        }
        if unknown.is_empty() {
            let acts = acts.map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            self.found(Finding::new(at, codes::MISSING_KEY, format!("the task does nothing: it needs one of {acts}")));
        }
    }

    /// The transformation under `input.from`, `output.as` or `export.as`.
    pub(super) fn shaped(
        &mut self,
        map: &Map<String, Value>,
        at: &At<'_>,
        key: &str,
        inner: &str,
    ) -> Option<crate::flow::template::Template> {
        let value = map.get(key)?;
        let at = at.key(key);
        let map = self.map(value, &at, &format!("`{key}`"))?;
        self.keys(map, &at, &format!("`{key}`"), &[inner], &["schema"]);
        map.get(inner).map(|value| self.transform(value, &at.key(inner)))
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
