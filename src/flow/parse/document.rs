//! What stands around the tasks of a stand-alone workflow document.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Parser;
use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Flow, NamedError};

impl Parser<'_> {
    /// The document's flow, and the source its events name.
    pub(crate) fn workflow(&mut self, map: &Map<String, Value>, at: &At<'_>) -> (Option<Flow>, String) {
        self.keys(map, at, "a workflow", &["document", "input", "use", "do", "output", "evaluate"], &["timeout", "schedule"]);
        let source = self.described(map, at);
        if let Some(evaluate) = map.get("evaluate") {
            self.evaluate(evaluate, &at.key("evaluate"));
        }
        let input_from = self.shaped(map, at, "input", "from");
        let output_as = self.shaped(map, at, "output", "as");
        let Some(tasks) = map.get("do") else {
            self.found(Finding::new(at, codes::DOCUMENT, "a workflow needs `do`, its tasks"));
            return (None, source);
        };
        let tasks = self.tasks(tasks, &at.key("do"), "/do");
        let definition = if self.reads_definition { Value::Object(map.clone()) } else { Value::Null };
        (Some(Flow { tasks, definition, input_from, output_as }), source)
    }

    fn described(&mut self, map: &Map<String, Value>, at: &At<'_>) -> String {
        let Some(value) = map.get("document") else {
            self.found(Finding::new(at, codes::DOCUMENT, "a workflow needs `document`: dsl, namespace, name and version"));
            return String::new();
        };
        let at = at.key("document");
        let Some(document) = self.map(value, &at, "`document`") else { return String::new() };
        let required = ["dsl", "namespace", "name", "version"];
        self.keys(document, &at, "`document`", &["dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"], &[]);
        let texts = required.map(|key| {
            let value = self.required(document, key, &at, "`document`");
            value.and_then(|value| self.text(value, &at.key(key), &format!("`{key}`"))).unwrap_or_default()
        });
        let [dsl, namespace, name, version] = texts;
        if !dsl.is_empty() && dsl != "1" && !dsl.starts_with("1.") {
            self.found(Finding::new(&at.key("dsl"), codes::DOCUMENT, format!("version `{dsl}` of the DSL is not supported; 1.0 is")));
        }
        format!("/{namespace}/{name}/{version}")
    }

    fn evaluate(&mut self, value: &Value, at: &At<'_>) {
        let Some(map) = self.map(value, at, "`evaluate`") else { return };
        self.keys(map, at, "`evaluate`", &["language", "mode"], &[]);
        for (key, supported) in [("language", "jq"), ("mode", "strict")] {
            if let Some(value) = map.get(key)
                && value != supported
            {
                self.found(Finding::new(&at.key(key), codes::NOT_YET, format!("only `{key}: {supported}` is supported")));
            }
        }
    }

    /// The errors under `use`, by name.
    pub(crate) fn reusable_errors(&mut self, map: &Map<String, Value>, at: &At<'_>) -> BTreeMap<String, NamedError> {
        let Some(value) = map.get("use") else { return BTreeMap::new() };
        let at = at.key("use");
        let Some(uses) = self.map(value, &at, "`use`") else { return BTreeMap::new() };
        let not_yet = ["authentications", "catalogs", "extensions", "functions", "retries", "secrets", "timeouts"];
        self.keys(uses, &at, "`use`", &["errors"], &not_yet);
        let Some(errors) = uses.get("errors") else { return BTreeMap::new() };
        let at = at.key("errors");
        let Some(errors) = self.map(errors, &at, "`errors`") else { return BTreeMap::new() };
        errors.iter().filter_map(|(name, error)| Some((name.clone(), self.reusable_error(error, &at.key(name))?))).collect()
    }

    fn reusable_error(&mut self, value: &Value, at: &At<'_>) -> Option<NamedError> {
        let map = self.map(value, at, "an error")?;
        self.keys(map, at, "an error", &["type", "status", "title", "detail", "instance"], &[]);
        let kind = self.required(map, "type", at, "an error").and_then(|value| self.text(value, &at.key("type"), "`type`"));
        let status = self.required(map, "status", at, "an error").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        if map.contains_key("status") && status.is_none() {
            self.found(Finding::new(&at.key("status"), codes::VALUE, "`status` must be an HTTP status, 100 to 599"));
        }
        let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(NamedError { kind: kind?.to_owned(), status: status?, title: text("title"), detail: text("detail") })
    }
}
