//! The tasks that stay inside: `set`, `emit`, `raise` and `switch`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::expression::value::text_to_jq;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Act, Branch, DescribedError, Raise, Switch};
use crate::flow::template::Template;
use crate::flow::uri;
use crate::model::CoveragePointKind;

impl Parser<'_> {
    pub(super) fn set(&mut self, value: &Value, at: &At<'_>) -> Option<Act> {
        match value {
            Value::Object(_) => Some(Act::Set(self.template(value, at))),
            Value::String(text) if text.contains("${") || self.declared.loose => Some(Act::Set(self.template(value, at))),
            other => {
                let finding = Finding::new(at, codes::VALUE, format!("`set` is a map or a `${{ … }}`, not {}", kind_of(other)));
                self.found(finding);
                None
            }
        }
    }

    pub(super) fn emit(&mut self, value: &Value, at: &At<'_>) -> Option<Act> {
        if !self.emits {
            self.found(Finding::of_key(at, codes::EMIT, "only a trigger emits events").hint("Return the data as the output."));
        }
        let emit = self.map(value, at, "`emit`")?;
        self.keys(emit, at, "`emit`", &["event"]);
        let event = self.required(emit, "event", at, "`emit`")?;
        let at = at.key("event");
        let event = self.map(event, &at, "`event`")?;
        self.keys(event, &at, "`event`", &["with"]);
        let with = self.required(event, "with", &at, "`event`")?;
        let at = at.key("with");
        let properties = self.map(with, &at, "`with`")?;
        if let Some(kind) = self.required(properties, "type", &at, "an event") {
            self.text(kind, &at.key("type"), "`type`");
        }
        let entries = properties.iter().map(|(key, value)| {
            let at = at.key(key);
            let value = match key.as_str() {
                "source" | "dataschema" => self.address_text(value, &at, &format!("`{key}`")),
                _ => self.template(value, &at),
            };
            (text_to_jq(key), value)
        });
        Some(Act::Emit(Template::Map(entries.collect())))
    }

    pub(super) fn raise(&mut self, value: &Value, at: &At<'_>) -> Option<Act> {
        let raise = self.map(value, at, "`raise`")?;
        self.keys(raise, at, "`raise`", &["error"]);
        let error = self.required(raise, "error", at, "`raise`")?;
        let at = at.key("error");
        match error {
            Value::String(text) if text.contains("${") => Some(Act::Raise(Raise::Given(Box::new(self.template(error, &at))))),
            Value::String(name) => {
                self.error_named(name, &at);
                let described = self.declared.described.get(name).cloned();
                Some(Act::Raise(described.map_or_else(|| Raise::Declared(name.clone()), Raise::Described)))
            }
            Value::Object(map) => self.error(map, &at).map(|error| Act::Raise(Raise::Described(Arc::new(error)))),
            other => {
                self.found(Finding::new(
                    &at,
                    codes::VALUE,
                    format!("an error is a declared name, a map or a `${{ … }}`, not {}", kind_of(other)),
                ));
                None
            }
        }
    }

    /// An error as it is described.
    pub(super) fn error(&mut self, map: &Map<String, Value>, at: &At<'_>) -> Option<DescribedError> {
        self.keys(map, at, "an error", &["type", "status", "title", "detail", "instance"]);
        let kind = self.required(map, "type", at, "an error").map(|kind| self.address_text(kind, &at.key("type"), "`type`"));
        let status = self.required(map, "status", at, "an error").map(|status| self.status_template(status, &at.key("status")));
        let [title, detail, instance] = ["title", "detail", "instance"]
            .map(|key| map.get(key).map(|value| self.text_or_expression(value, &at.key(key), &format!("`{key}`"))));
        Some(DescribedError { kind: kind?, status: status?, title, detail, instance })
    }

    /// Finds a name that no declared error has.
    pub(crate) fn error_named(&mut self, name: &str, at: &At<'_>) {
        let declared = self.declared;
        if !declared.errors.contains_key(name) && !declared.described.contains_key(name) {
            let finding = Finding::new(at, codes::UNKNOWN_ERROR, format!("no error `{name}` is declared"));
            self.found(match crate::manifest::nearest(name, declared.errors.keys().chain(declared.described.keys()).map(String::as_str)) {
                Some(near) => finding.hint(format!("Did you mean `{near}`?")),
                None => finding.hint("Declare it under `errors`."),
            });
        }
    }

    pub(super) fn text_or_expression(&mut self, value: &Value, at: &At<'_>, what: &str) -> Template {
        self.text(value, at, what);
        self.template(value, at)
    }

    /// Text that is a URI template or an expression.
    fn address_text(&mut self, value: &Value, at: &At<'_>, what: &str) -> Template {
        let Some(text) = self.text(value, at, what).filter(|text| text.contains('{') && !text.contains("${")) else {
            return self.template(value, at);
        };
        match uri::parse(text) {
            Ok(parts) => Template::Address(parts),
            Err(message) => {
                self.found(Finding::new(at, codes::VALUE, format!("{what}: {message}")).hint(uri::INSTEAD));
                Template::literal(value)
            }
        }
    }

    fn status_template(&mut self, value: &Value, at: &At<'_>) -> Template {
        let good = match value {
            Value::Number(number) => number.as_u64().is_some_and(|status| (100..=599).contains(&status)),
            Value::String(text) => text.contains("${"),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        };
        if !good {
            self.found(Finding::new(at, codes::VALUE, "`status` must be an HTTP status, 100 to 599, or a `${ … }`"));
        }
        self.template(value, at)
    }

    /// The branches of a `switch`; `at` is where its task stands.
    pub(super) fn switch(&mut self, value: &Value, at: &At<'_>, targets: &[&str]) -> Option<Act> {
        let (task, at) = (at, &at.key("switch"));
        let cases = self.list(value, at, "`switch`")?;
        let mut branches = Vec::with_capacity(cases.len());
        let mut defaults = 0;
        for (index, case) in cases.iter().enumerate() {
            let at = at.index(index);
            let Some((name, case)) = case.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next()) else {
                self.found(Finding::new(&at, codes::SHAPE, "a case is a map with one key, its name"));
                continue;
            };
            let at = at.key(name);
            let Some(case) = self.map(case, &at, "a case") else { continue };
            self.keys(case, &at, "a case", &["when", "then"]);
            let when = case.get("when").map(|when| self.condition(when, &at.key("when"), "`when`"));
            defaults += usize::from(when.is_none());
            if when.is_none() && defaults > 1 {
                self.found(Finding::new(&at, codes::SHAPE, "only one case of a `switch` can be without `when`"));
            }
            let Some(then) = self.required(case, "then", &at, "a case").map(|then| self.then(then, &at.key("then"), targets)) else {
                continue;
            };
            let point = self.points.at_key(CoveragePointKind::Branch, &at, |task| format!("the branch `{name}` of `{task}`"));
            match when {
                None => branches.push(Branch { when: None, then, point }),
                Some(Some(when)) => branches.push(Branch { when: Some(when), then, point }),
                Some(None) => {}
            }
        }
        let none = || self.points.at_key(CoveragePointKind::Branch, task, |task| format!("`{task}` where no branch fits"));
        let none = (defaults == 0).then(none);
        Some(Act::Switch(Switch { branches, none }))
    }
}
