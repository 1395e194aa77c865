//! Transformations and schemas of data, and lengths of time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{self, Document, Schema, SchemaSource, Shape, Span};

impl Parser<'_> {
    /// `input`, `output` or `export`, with the transformation under `from` or `as`.
    pub(super) fn shape(&mut self, map: &Map<String, Value>, at: &At<'_>, key: &str, inner: &str) -> Shape {
        let Some(value) = map.get(key) else { return Shape::default() };
        let at = at.key(key);
        let Some(map) = self.map(value, &at, &format!("`{key}`")) else { return Shape::default() };
        self.keys(map, &at, &format!("`{key}`"), &[inner, "schema"]);
        let template = map.get(inner).map(|value| self.transform(value, &at.key(inner)));
        let schema = map.get("schema").and_then(|value| self.schema(value, &at.key("schema")));
        Shape { schema, template }
    }

    fn schema(&mut self, value: &Value, at: &At<'_>) -> Option<Schema> {
        let map = self.map(value, at, "`schema`")?;
        self.keys(map, at, "`schema`", &["format", "document", "resource"]);
        if let Some(format) = map.get("format") {
            let format = self.text(format, &at.key("format"), "`format`")?;
            // `json:2020-12` and the like name a draft; whatever it is, schemas are read as 2020-12.
            if format != "json" && !format.starts_with("json:") {
                self.found(Finding::new(&at.key("format"), codes::VALUE, format!("`format` is `{format}`, but only `json` is known")));
            }
        }
        match (map.get("document"), map.get("resource")) {
            (Some(document @ (Value::Object(_) | Value::Bool(_))), _) => Some(Schema::new(SchemaSource::Inline(document.clone()))),
            (Some(other), _) => {
                self.found(Finding::new(&at.key("document"), codes::VALUE, format!("a schema is a map, not {}", kind_of(other))));
                None
            }
            (None, Some(resource)) => {
                let document = self.resource(resource, &at.key("resource"))?;
                Some(Schema::new(SchemaSource::External(Box::new(document))))
            }
            (None, None) => {
                self.found(Finding::new(at, codes::MISSING_KEY, "`schema` needs `document` or `resource`"));
                None
            }
        }
    }

    /// A document that stands elsewhere: a map with `endpoint`.
    pub(super) fn resource(&mut self, value: &Value, at: &At<'_>) -> Option<Document> {
        let map = self.map(value, at, "a resource")?;
        self.keys(map, at, "a resource", &["name", "endpoint"]);
        let endpoint = self.required(map, "endpoint", at, "a resource")?;
        let (address, authentication) = self.endpoint(endpoint, &at.key("endpoint"))?;
        Some(Document::at(address, authentication))
    }

    /// A length of time: a map of units, ISO 8601 text, or an expression that gives such text.
    pub(super) fn span(&mut self, value: &Value, at: &At<'_>, what: &str) -> Option<Span> {
        match value {
            Value::String(text) if text.contains("${") => Some(Span::Given(self.template(value, at))),
            Value::String(text) => match model::duration(text) {
                Ok(duration) => Some(Span::Fixed(duration)),
                Err(_) if self.declared.loose => Some(Span::Given(self.template(value, at))),
                Err(message) => {
                    self.found(Finding::new(at, codes::VALUE, format!("{what}: {message}")));
                    None
                }
            },
            Value::Object(map) => self.units(map, at, what).map(Span::Fixed),
            other => {
                let message = format!("{what} is a duration, such as `PT5M` or `{{ minutes: 5 }}`, not {}", kind_of(other));
                self.found(Finding::new(at, codes::VALUE, message));
                None
            }
        }
    }

    fn units(&mut self, map: &Map<String, Value>, at: &At<'_>, what: &str) -> Option<Duration> {
        const UNITS: [(&str, u64); 5] =
            [("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1000), ("milliseconds", 1)];
        self.keys(map, at, what, &UNITS.map(|(unit, _)| unit));
        if map.is_empty() {
            self.found(Finding::new(
                at,
                codes::MISSING_KEY,
                format!("{what} needs at least one of days, hours, minutes, seconds, milliseconds"),
            ));
        }
        let (mut total, mut is_good) = (Some(0u64), true);
        for (unit, millis) in UNITS {
            let Some(value) = map.get(unit) else { continue };
            let Some(amount) = value.as_u64() else {
                self.found(Finding::new(&at.key(unit), codes::VALUE, format!("`{unit}` is a whole number, not negative")));
                is_good = false;
                continue;
            };
            total = total.and_then(|total| total.checked_add(amount.checked_mul(millis)?));
        }
        let text = || Value::Object(map.clone()).to_string();
        let time = model::bounded(total.map(Duration::from_millis), &text());
        time.map_err(|why| self.found(Finding::new(at, codes::VALUE, format!("{what}: {why}")))).ok().filter(|_| is_good)
    }

    /// `timeout`: a map with `after`, or the name of one under `use.timeouts`.
    pub(super) fn timeout(&mut self, value: &Value, at: &At<'_>) -> Option<Arc<Span>> {
        if let Value::String(name) = value {
            let declared = self.declared;
            let known = declared.timeouts.get(name);
            if known.is_none() {
                let finding = Finding::new(at, codes::UNKNOWN_REUSABLE, format!("no timeout `{name}` under `use.timeouts`"));
                self.found(finding.did_you_mean(name, declared.timeouts.keys().map(String::as_str)));
            }
            return known.cloned();
        }
        let map = self.map(value, at, "`timeout`")?;
        self.keys(map, at, "`timeout`", &["after"]);
        let after = self.required(map, "after", at, "`timeout`")?;
        self.span(after, &at.key("after"), "`after`").map(Arc::new)
    }
}
