//! `errors` of a request: which responses stand for which declared errors.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{HeaderTest, Mapping, Statuses};
use crate::flow::template::Template;
use crate::model::CoveragePointKind;

const WHAT: &str = "an error mapping";

impl Parser<'_> {
    pub(super) fn mappings(&mut self, value: &Value, at: &At<'_>) -> Vec<Mapping> {
        let Some(entries) = self.list(value, at, "`errors`") else { return Vec::new() };
        entries.iter().enumerate().filter_map(|(index, entry)| self.mapping(entry, &at.index(index))).collect()
    }

    fn mapping(&mut self, entry: &Value, at: &At<'_>) -> Option<Mapping> {
        let entry = self.map(entry, at, WHAT)?;
        self.keys(entry, at, WHAT, &["status", "headers", "when", "raise", "detail"]);
        let when = entry.get("when").and_then(|value| self.over_response(value, &at.key("when"), "`when`"));
        let headers = entry.get("headers").map(|value| self.header_tests(value, &at.key("headers"))).unwrap_or_default();
        let looks_inside = entry.contains_key("when") || entry.contains_key("headers");
        let statuses = match entry.get("status") {
            Some(value) => self.statuses(value, &at.key("status"), looks_inside),
            None if looks_inside => Vec::new(),
            None => {
                self.found(Finding::new(at, codes::MISSING_KEY, format!("{WHAT} needs `status`, `headers` or `when`")));
                Vec::new()
            }
        };
        let detail = entry.get("detail").map(|value| self.detail(value, &at.key("detail")));
        let raise = self.required(entry, "raise", at, WHAT).and_then(|value| self.text(value, &at.key("raise"), "`raise`"))?;
        self.error_named(raise, &at.key("raise"));
        let point = self.points.at(CoveragePointKind::ErrorMapping, at, |task| match task {
            "" => format!("the mapping to `{raise}`"),
            task => format!("the mapping to `{raise}` in `{task}`"),
        });
        Some(Mapping { statuses, headers, when, raise: raise.to_owned(), detail, point })
    }

    fn detail(&mut self, value: &Value, at: &At<'_>) -> Template {
        self.headers_named(value, at);
        self.text_or_expression(value, at, "`detail`")
    }

    fn header_tests(&mut self, value: &Value, at: &At<'_>) -> Vec<(String, HeaderTest)> {
        let Some(map) = self.map(value, at, "`headers`") else { return Vec::new() };
        let mut tests = Vec::with_capacity(map.len());
        for (name, value) in map {
            let test = match value {
                Value::String(text) => HeaderTest::Is(text.clone()),
                Value::Number(number) => HeaderTest::Is(number.to_string()),
                Value::Bool(given) => HeaderTest::Given(*given),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    let message = format!("a header is text, or `true` where it must only be there, not {}", kind_of(value));
                    self.found(Finding::new(&at.key(name), codes::VALUE, message));
                    continue;
                }
            };
            tests.push((name.clone(), test));
        }
        tests
    }

    /// A status, a class such as `4xx`, or a list of them. Successful ones need a look at the rest of the response.
    pub(super) fn statuses(&mut self, value: &Value, at: &At<'_>, looks_inside: bool) -> Statuses {
        let single = std::slice::from_ref(value);
        let values = value.as_array().map_or(single, Vec::as_slice);
        let ranges: Statuses = values.iter().filter_map(range).collect();
        if ranges.len() != values.len() || ranges.is_empty() {
            let message = "statuses are HTTP statuses from 200 to 599, classes such as `4xx`, or a list of them";
            self.found(Finding::new(at, codes::VALUE, message));
        } else if !looks_inside && ranges.iter().any(|range| *range.start() < 300) {
            let finding = Finding::new(at, codes::VALUE, "a successful status alone says nothing");
            self.found(finding.hint("Add `when`, a condition on the response."));
        }
        ranges
    }
}

fn range(value: &Value) -> Option<RangeInclusive<u16>> {
    match value {
        Value::Number(number) => {
            let status = number.as_u64().and_then(|status| u16::try_from(status).ok())?;
            (200..=599).contains(&status).then_some(status..=status)
        }
        Value::String(class) => {
            let digit: u16 = class.strip_suffix("xx").or_else(|| class.strip_suffix("XX"))?.parse().ok()?;
            (2..=5).contains(&digit).then_some(digit * 100..=digit * 100 + 99)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
