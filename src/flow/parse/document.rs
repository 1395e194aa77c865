//! What stands around the tasks of a stand-alone workflow document.

use serde_json::{Map, Value};

use super::Parser;
use crate::flow::codes;
use crate::flow::expression::Stage;
use crate::flow::finding::{At, Finding};
use crate::flow::model::Flow;

impl Parser<'_> {
    /// The document's flow, and the source its events name.
    pub(crate) fn workflow(&mut self, map: &Map<String, Value>, at: &At<'_>) -> (Option<Flow>, String) {
        self.keys(map, at, "a workflow", &["document", "input", "use", "do", "timeout", "output", "schedule", "evaluate"]);
        let source = self.described(map, at);
        if let Some(evaluate) = map.get("evaluate") {
            self.evaluate(evaluate, &at.key("evaluate"));
        }
        if let Some(schedule) = map.get("schedule") {
            self.schedule(schedule, &at.key("schedule"));
        }
        let input = self.at_stage(Stage::BeforeFlow, |parser| parser.shape(map, at, "input", "from"));
        let output = self.at_stage(Stage::AfterFlow, |parser| parser.shape(map, at, "output", "as"));
        let timeout =
            self.at_stage(Stage::BeforeFlow, |parser| map.get("timeout").and_then(|value| parser.timeout(value, &at.key("timeout"))));
        let Some(tasks) = map.get("do") else {
            self.found(Finding::new(at, codes::DOCUMENT, "a workflow needs `do`, its tasks"));
            return (None, source);
        };
        let tasks = self.tasks(tasks, &at.key("do"), "/do");
        let definition = if self.reads_definition { Value::Object(map.clone()) } else { Value::Null };
        (Some(Flow { tasks, definition, input, output, timeout, extensions: Vec::new(), point: None }), source)
    }

    fn described(&mut self, map: &Map<String, Value>, at: &At<'_>) -> String {
        let Some(value) = map.get("document") else {
            self.found(Finding::new(at, codes::DOCUMENT, "a workflow needs `document`: dsl, namespace, name and version"));
            return String::new();
        };
        let at = at.key("document");
        let Some(document) = self.map(value, &at, "`document`") else { return String::new() };
        let required = ["dsl", "namespace", "name", "version"];
        self.keys(document, &at, "`document`", &["dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"]);
        let texts = required.map(|key| {
            let value = self.required(document, key, &at, "`document`");
            value.and_then(|value| self.text(value, &at.key(key), &format!("`{key}`"))).unwrap_or_default()
        });
        let [dsl, namespace, name, version] = texts;
        if !dsl.is_empty() && dsl != "1" && !dsl.starts_with("1.") {
            self.found(Finding::new(&at.key("dsl"), codes::DOCUMENT, format!("version `{dsl}` of the DSL is not supported; 1.0 is")));
        }
        for (key, text) in [("namespace", namespace), ("name", name)] {
            if document.get(key).is_some_and(Value::is_string) && !is_label(text) {
                let message = format!("`{key}` is `{text}`, but is letters, digits and hyphens, at most 63, with no hyphen at its ends");
                self.found(Finding::new(&at.key(key), codes::DOCUMENT, message));
            }
        }
        if document.get("version").is_some_and(Value::is_string) && semver::Version::parse(version).is_err() {
            let message = format!("`version` is `{version}`, which is not a semantic version, such as `1.0.0`");
            self.found(Finding::new(&at.key("version"), codes::DOCUMENT, message));
        }
        for key in ["title", "summary"] {
            document.get(key).map(|value| self.text(value, &at.key(key), &format!("`{key}`")));
        }
        for key in ["tags", "metadata"] {
            document.get(key).map(|value| self.map(value, &at.key(key), &format!("`{key}`")));
        }
        format!("/{namespace}/{name}/{version}")
    }

    fn evaluate(&mut self, value: &Value, at: &At<'_>) {
        let Some(map) = self.map(value, at, "`evaluate`") else { return };
        self.keys(map, at, "`evaluate`", &["language", "mode"]);
        if let Some(language) = map.get("language")
            && language != "jq"
        {
            self.found(Finding::new(&at.key("language"), codes::NEVER, "only `language: jq` is supported"));
        }
        if let Some(mode) = map.get("mode").and_then(|mode| self.text(mode, &at.key("mode"), "`mode`")) {
            self.one_of(mode, &at.key("mode"), "`mode`", &["strict", "loose"]);
        }
    }

    /// When a runtime would start the flow by itself. `flow run` starts it at once, with its input for the events, so it is checked and
    /// not kept.
    fn schedule(&mut self, value: &Value, at: &At<'_>) {
        let Some(map) = self.map(value, at, "`schedule`") else { return };
        self.keys(map, at, "`schedule`", &["every", "cron", "after", "on", "read"]);
        for key in ["every", "after"] {
            if let Some(value) = map.get(key) {
                self.span(value, &at.key(key), &format!("`{key}`"));
            }
        }
        if let Some(cron) = map.get("cron") {
            self.text(cron, &at.key("cron"), "`cron`");
        }
        if let Some(on) = map.get("on").and_then(|on| self.map(on, &at.key("on"), "`on`")) {
            self.keys(on, &at.key("on"), "`on`", &["all", "any", "one", "until"]);
        }
        if let Some(read) = map.get("read").and_then(|read| self.text(read, &at.key("read"), "`read`")) {
            self.one_of(read, &at.key("read"), "`read`", &["data", "envelope", "raw"]);
        }
        if map.contains_key("read") && !map.contains_key("on") {
            self.found(Finding::of_key(&at.key("read"), codes::DOCUMENT, "`read` says how events are read, but there is no `on`"));
        }
        if !["every", "cron", "after", "on"].iter().any(|key| map.contains_key(*key)) {
            self.found(Finding::new(at, codes::DOCUMENT, "`schedule` needs `every`, `cron`, `after` or `on`"));
        }
    }
}

/// Whether it can name a workflow or its namespace: a label as of RFC 1123, section 2.1.
fn is_label(text: &str) -> bool {
    let inner = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inner && (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-')
}
