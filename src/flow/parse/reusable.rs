//! `use`: what a stand-alone workflow document declares once and refers to by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Declared, Parser};
use crate::flow::codes;
use crate::flow::expression::Stage;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Extension, Task};
use crate::manifest::{escape, unescape};

/// What is declared under `use` and is made of tasks; the rest stands in [`Declared`].
#[derive(Debug, Default)]
pub(crate) struct Reusable {
    pub(crate) functions: BTreeMap<String, Task>,
    pub(crate) extensions: Vec<Extension>,
}

const KINDS: [&str; 12] = ["all", "call", "composite", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try"];

impl Parser<'_> {
    /// What the document's flow may refer to. Names come first, so that what refers to them finds them whatever the order.
    pub(crate) fn declared_in(document: &Map<String, Value>, at: &At<'_>, findings: &mut Vec<Finding>) -> Declared {
        let mut declared = Declared { emits: true, stands_alone: true, loose: is_loose(document), ..Declared::default() };
        let Some(Value::Object(uses)) = document.get("use") else { return declared };
        let at = &at.key("use");
        let bare = Declared { loose: declared.loose, ..Declared::default() };
        let mut parser = Parser::new(&bare);
        let known = ["authentications", "catalogs", "errors", "extensions", "functions", "retries", "secrets", "timeouts"];
        parser.keys(uses, at, "`use`", &known);
        if uses.contains_key("catalogs") {
            let message = "`catalogs` are not supported: a flow is whole in its own repository";
            parser.found(Finding::of_key(&at.key("catalogs"), codes::NEVER, message).hint("Write the function under `use.functions`."));
        }
        declared.secrets = parser.names(uses, at, "secrets");
        declared.functions = parser.section(uses, at, "functions").map(|functions| functions.keys().cloned().collect()).unwrap_or_default();
        findings.append(&mut parser.findings);
        // What may hold expressions sees the secrets.
        let with_secrets = Declared { secrets: declared.secrets.clone(), stands_alone: true, loose: declared.loose, ..Declared::default() };
        let mut parser = Parser::new(&with_secrets);
        declared.described = parser.each(uses, at, "errors", |parser, value, at| {
            let map = parser.map(value, at, "an error")?;
            parser.error(map, at).map(Arc::new)
        });
        declared.timeouts =
            parser.each(uses, at, "timeouts", |parser, value, at| parser.at_stage(Stage::BeforeTask, |parser| parser.timeout(value, at)));
        // Where a policy is used, the error has one of these names.
        let mut errors = vec!["$error".to_owned()];
        document.values().for_each(|value| caught(value, &mut errors));
        let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
        declared.retries = parser
            .each(uses, at, "retries", |parser, value, at| parser.with_locals(&errors, |parser| parser.retry(value, at).map(Arc::new)));
        declared.authentications = parser.each(uses, at, "authentications", |parser, value, at| {
            let map = parser.map(value, at, "`authentication`")?;
            parser.scheme(map, at).map(Arc::new)
        });
        declared.reads_definition = parser.reads_definition;
        findings.append(&mut parser.findings);
        declared
    }

    /// The functions and extensions, which see everything else that is declared.
    pub(crate) fn reusable(&mut self, document: &Map<String, Value>, at: &At<'_>) -> Reusable {
        let Some(Value::Object(uses)) = document.get("use") else { return Reusable::default() };
        let at = &at.key("use");
        let functions = self.each(uses, at, "functions", |parser, value, at| {
            let pointer = at.pointer();
            let escaped = pointer.rsplit('/').next().unwrap_or_default();
            let (name, reference) = (unescape(escaped), format!("/use/functions/{escaped}"));
            parser.task(&name, value, at, reference, &[])
        });
        Reusable { functions, extensions: self.extensions(uses, at) }
    }

    fn extensions(&mut self, uses: &Map<String, Value>, at: &At<'_>) -> Vec<Extension> {
        let Some(value) = uses.get("extensions") else { return Vec::new() };
        let at = at.key("extensions");
        let Some(entries) = self.list(value, &at, "`extensions`") else { return Vec::new() };
        let mut extensions = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let at = at.index(index);
            let Some((name, value)) = entry.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next()) else {
                self.found(Finding::new(&at, codes::SHAPE, "an extension is a map with one key, its name"));
                continue;
            };
            let reference = format!("/use/extensions/{index}/{}", escape(name));
            extensions.extend(self.extension(value, &at.key(name), &reference));
        }
        extensions
    }

    fn extension(&mut self, value: &Value, at: &At<'_>, reference: &str) -> Option<Extension> {
        let map = self.map(value, at, "an extension")?;
        self.keys(map, at, "an extension", &["extend", "when", "before", "after"]);
        let extend = self.required(map, "extend", at, "an extension").and_then(|value| self.text(value, &at.key("extend"), "`extend`"));
        let extend = extend.filter(|kind| *kind == "wait" || self.one_of(kind, &at.key("extend"), "`extend`", &KINDS));
        let when = map.get("when").and_then(|value| self.condition(value, &at.key("when"), "`when`"));
        let mut around =
            |key: &str| map.get(key).map(|tasks| self.tasks(tasks, &at.key(key), &format!("{reference}/{key}"))).unwrap_or_default();
        let (before, after) = (around("before"), around("after"));
        // Its tasks speak of the task they are run around.
        self.reads_definition = true;
        Some(Extension { extend: extend?.to_owned(), when, before, after })
    }

    fn section<'v>(&mut self, uses: &'v Map<String, Value>, at: &At<'_>, key: &str) -> Option<&'v Map<String, Value>> {
        self.map(uses.get(key)?, &at.key(key), &format!("`{key}`"))
    }

    fn each<T>(
        &mut self,
        uses: &Map<String, Value>,
        at: &At<'_>,
        key: &str,
        mut parse: impl FnMut(&mut Self, &Value, &At<'_>) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let at = at.key(key);
        let Some(Value::Object(section)) = uses.get(key) else {
            if let Some(other) = uses.get(key) {
                self.map(other, &at, &format!("`{key}`"));
            }
            return BTreeMap::new();
        };
        section.iter().filter_map(|(name, value)| Some((name.clone(), parse(self, value, &at.key(name))?))).collect()
    }

    fn names(&mut self, uses: &Map<String, Value>, at: &At<'_>, key: &str) -> Vec<String> {
        let Some(value) = uses.get(key) else { return Vec::new() };
        let at = at.key(key);
        let Some(names) = self.list(value, &at, &format!("`{key}`")) else { return Vec::new() };
        let names = names.iter().enumerate();
        names.filter_map(|(index, name)| self.text(name, &at.index(index), "a name").map(str::to_owned)).collect()
    }
}

fn is_loose(document: &Map<String, Value>) -> bool {
    document.get("evaluate").and_then(|evaluate| evaluate.get("mode")).is_some_and(|mode| mode == "loose")
}

/// The variables that hold caught errors somewhere in a document.
fn caught(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let name = map.get("catch").and_then(|catch| catch.get("as")?.as_str());
            into.extend(name.map(|name| format!("${}", name.trim_start_matches('$'))));
            map.values().for_each(|value| caught(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| caught(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
