//! What breaks a schema, in words: each violation with its place, what is wrong and how to mend it.

use std::collections::HashSet;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::document::{MOST_PROBLEMS, escape};
use super::schemas::Compiled;
use super::wording::{TYPES, bound, count, found_in_words, last_name, plain, types, types_in_words};
use super::{Document, code, excerpt, form, suggestion};
use crate::model::Problem;

struct Report<'a> {
    schema: &'a Value,
    document: &'a Document,
    bytes: &'a [u8],
    problems: &'a mut Vec<Problem>,
    /// Keys that a misspelt one was most likely meant to be: they are not reported as missing too.
    meant: HashSet<(String, String)>,
    /// Values that have been reported: one problem each is enough.
    told: HashSet<String>,
    /// Keys whose form has been reported.
    named: HashSet<String>,
}

/// Reports everything in a document that breaks its schema.
pub(super) fn report(compiled: &Compiled, document: &Document, bytes: &[u8], problems: &mut Vec<Problem>) {
    let mut report =
        Report { schema: &compiled.schema, document, bytes, problems, meant: HashSet::new(), told: HashSet::new(), named: HashSet::new() };
    // More than are shown, so that the reader learns that there are more; a hostile file may hold very many.
    let errors: Vec<_> = compiled.validator.iter_errors(document.value()).take(MOST_PROBLEMS * 2).collect();
    let (unknown, others): (Vec<_>, Vec<_>) =
        errors.iter().partition(|error| matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. }));
    for error in unknown.into_iter().chain(others) {
        report.tell(error);
    }
}

impl<'a> Report<'a> {
    fn tell(&mut self, error: &ValidationError<'_>) {
        let pointer = error.instance_path().as_str();
        let rule = self.schema_around(error);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for key in unexpected.iter().take(MOST_PROBLEMS + 1) {
                    self.unknown_key(pointer, key, rule);
                }
            }
            ValidationErrorKind::Required { property } => self.missing_key(pointer, property.as_str().unwrap_or_default()),
            ValidationErrorKind::PropertyNames { error: name } => self.key_form(pointer, name),
            _ if !self.told.insert(pointer.to_owned()) => {}
            ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. } => {
                self.one_of(pointer, error.instance(), rule)
            }
            ValidationErrorKind::AnyOf { .. } if !alternatives(rule, "anyOf").is_empty() => {
                self.choice(pointer, error.instance(), &alternatives(rule, "anyOf"), false)
            }
            ValidationErrorKind::MinProperties { .. } | ValidationErrorKind::MaxProperties { .. } => {
                self.property_count(pointer, error.instance(), rule)
            }
            ValidationErrorKind::Type { kind } => self.wrong_type(pointer, error.instance(), kind),
            ValidationErrorKind::Enum { options } => {
                self.not_allowed(pointer, error.instance(), options.as_array().map_or(&[], Vec::as_slice))
            }
            ValidationErrorKind::Constant { expected_value } => {
                self.not_allowed(pointer, error.instance(), std::slice::from_ref(expected_value))
            }
            ValidationErrorKind::Pattern { pattern } => self.wrong_form(pointer, error.instance(), pattern),
            kind => {
                let (id, message) = bound(kind).unwrap_or_else(|| (code::UNREADABLE, excerpt::of_message(error)));
                let message =
                    if id == code::RANGE { format!("{message}, found {}", excerpt::of(&error.instance().to_string())) } else { message };
                self.add(id, pointer, message, None);
            }
        }
    }

    /// The schema object whose keyword was broken.
    fn schema_around(&self, error: &ValidationError<'_>) -> &'a Value {
        let path = error.schema_path().as_str();
        let parent = path.rfind('/').map_or("", |end| &path[..end]);
        self.schema.pointer(parent).unwrap_or(&Value::Null)
    }

    fn unknown_key(&mut self, pointer: &str, key: &str, rule: &Value) {
        let known: Vec<&str> =
            rule.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
        let given = |key: &str| self.document.value().pointer(pointer).is_some_and(|map| map.get(key).is_some());
        let hint = match suggestion::nearest(key, known.iter().copied()) {
            Some(meant) if given(meant) => Some(format!("`{meant}` is there already; remove this one.")),
            Some(meant) => {
                self.meant.insert((pointer.to_owned(), meant.to_owned()));
                Some(format!("Did you mean `{meant}`?"))
            }
            None if known.is_empty() => None,
            // So OpenAPI writes it.
            None if last_name(pointer).as_deref() == Some("apiKey") && matches!(key, "in" | "name") => {
                Some("Write `apiKey: { query: NAME, value: … }`, or `header: NAME`.".to_owned())
            }
            None => Some(format!("Known keys here: {}.", suggestion::listed(&known))),
        };
        let place = self.document.key_place(&format!("{pointer}/{}", escape(key)));
        self.push(Problem::error(code::UNKNOWN_KEY, place, format!("unknown key `{}`", excerpt::of(key))), hint);
    }

    fn missing_key(&mut self, pointer: &str, key: &str) {
        if self.meant.contains(&(pointer.to_owned(), key.to_owned())) {
            return;
        }
        let message = match last_name(pointer) {
            Some(name) => format!("`{name}` misses the key `{key}`"),
            None => format!("the key `{key}` is missing"),
        };
        self.push(Problem::error(code::MISSING_KEY, self.document.key_place(pointer), message), Some(format!("Add `{key}: …`.")));
    }

    fn key_form(&mut self, pointer: &str, error: &ValidationError<'_>) {
        let key = error.instance().as_str().unwrap_or_default().to_owned();
        let shown = excerpt::of(&key);
        let (message, hint) = match error.kind() {
            ValidationErrorKind::Pattern { pattern } => {
                let expected = form::in_words(pattern).unwrap_or(pattern);
                (
                    format!("the name `{shown}` is not {expected}"),
                    form::mended(pattern, &key).map(|mended| format!("Did you mean `{mended}`?")),
                )
            }
            kind => (bound(kind).map_or_else(|| excerpt::of_message(error), |(_, message)| format!("the name `{shown}`: {message}")), None),
        };
        let named = format!("{pointer}/{}", escape(&key));
        if self.named.insert(named.clone()) {
            self.push(Problem::error(code::KEY_FORM, self.document.key_place(&named), message), hint);
        }
    }

    /// Either one value out of several, each with a description, or one key out of several.
    fn one_of(&mut self, pointer: &str, found: &Value, rule: &Value) {
        let branches = rule.get("oneOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let values: Vec<Value> = branches.iter().filter_map(|branch| branch.get("const").cloned()).collect();
        if values.len() == branches.len() {
            return self.not_allowed(pointer, found, &values);
        }
        self.choice(pointer, found, &alternatives(rule, "oneOf"), true);
    }

    fn property_count(&mut self, pointer: &str, found: &Value, rule: &Value) {
        let keys: Vec<&str> =
            rule.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
        let is_one = |bound: &str| rule.get(bound).is_some_and(|bound| *bound == 1);
        if keys.is_empty() && !(is_one("minProperties") && is_one("maxProperties")) {
            let is_empty = found.as_object().is_none_or(serde_json::Map::is_empty);
            let most = rule.get("maxProperties").filter(|_| !is_empty);
            let wanted = most.map_or_else(|| "at least 1 key".to_owned(), |most| format!("at most {most} keys"));
            let message = format!("expected {wanted}, found {}", count(found));
            return self.add(code::LENGTH, pointer, message, None);
        }
        if keys.is_empty() {
            let hint = "Write each task as `- name: { … }`, with its keys indented below its name.";
            let message = format!("expected one name with what belongs to it, found {}", count(found));
            return self.add(code::CHOICE, pointer, message, Some(hint.to_owned()));
        }
        self.choice(pointer, found, &keys, rule.get("maxProperties").is_some());
    }

    fn choice(&mut self, pointer: &str, found: &Value, keys: &[&str], exactly: bool) {
        let given: Vec<String> = keys.iter().filter(|key| found.get(key).is_some()).map(|key| format!("`{key}`")).collect();
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        if given.is_empty() && keys.iter().any(|key| self.meant.contains(&(pointer.to_owned(), (*key).to_owned()))) {
            return;
        }
        let wanted = if exactly { "exactly one" } else { "at least one" };
        let found = if given.is_empty() { "none is given".to_owned() } else { format!("{} are given", suggestion::joined(&given, "and")) };
        let name = last_name(pointer).map_or_else(|| "the file".to_owned(), |name| format!("`{name}`"));
        let message = format!("{name} needs {wanted} of {}; {found}", suggestion::listed(keys));
        let hint = if given.is_empty() { "Add one of them." } else { "Keep one of them." };
        self.push(Problem::error(code::CHOICE, self.document.key_place(pointer), message), Some(hint.to_owned()));
    }

    fn wrong_type(&mut self, pointer: &str, found: &Value, kind: &TypeKind) {
        let expected = types(kind);
        let message = format!("expected {}, found {}", types_in_words(&expected), found_in_words(found));
        let source = self.source(pointer);
        let hint = match found {
            Value::Null => Some("Write a value, or remove the key.".to_owned()),
            Value::Number(_) | Value::Bool(_) if expected.contains(&"string") => Some(format!("Put it in quotes: `\"{source}\"`.")),
            Value::String(text)
                if matches!(super::scalar::resolve(text), Ok(Value::Number(_) | Value::Bool(_))) && !expected.contains(&"string") =>
            {
                Some(format!("Remove the quotes: `{}`.", excerpt::of(text)))
            }
            Value::String(text) if expected == ["boolean", "object"] && TYPES.iter().any(|(kind, _)| kind == text) => {
                Some(format!("Write a schema: `{{ type: {text} }}`."))
            }
            Value::String(_) | Value::Number(_) if expected == ["array"] && !source.contains('…') => {
                Some(format!("Write a list: `[{source}]`."))
            }
            _ => None,
        };
        self.add(code::WRONG_TYPE, pointer, message, hint);
    }

    fn not_allowed(&mut self, pointer: &str, found: &Value, allowed: &[Value]) {
        let allowed: Vec<String> = allowed.iter().map(plain).collect();
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        let message = match allowed.as_slice() {
            [only] => format!("expected `{only}`, found {}", found_in_words(found)),
            several => format!("expected one of {}, found {}", suggestion::listed(several), found_in_words(found)),
        };
        let hint = found.as_str().and_then(|text| match suggestion::nearest(text, allowed.iter().copied()) {
            Some(meant) => Some(format!("Did you mean `{meant}`?")),
            None => text.contains("${").then(|| "Write one of them out: no expression can stand here.".to_owned()),
        });
        self.add(code::NOT_ALLOWED, pointer, message, hint);
    }

    fn wrong_form(&mut self, pointer: &str, found: &Value, pattern: &str) {
        let text = found.as_str().unwrap_or_default();
        if pattern == form::SEMVER {
            let reason =
                text.parse::<semver::Version>().err().map_or_else(String::new, |error| format!(": {}", excerpt::of_message(&error)));
            let message = format!("`{}` is not a semantic version{reason}", excerpt::of(text));
            return self.add(code::VERSION, pointer, message, Some("Write MAJOR.MINOR.PATCH, such as `1.2.0`.".to_owned()));
        }
        let expected = form::in_words(pattern).unwrap_or(pattern);
        let message = if text.trim().is_empty() {
            format!("expected {expected}, found nothing")
        } else {
            format!("`{}` is not {expected}", excerpt::of(text))
        };
        self.add(code::FORM, pointer, message, form::mended(pattern, text).map(|mended| format!("Did you mean `{mended}`?")));
    }

    /// The value as it stands in the file.
    fn source(&self, pointer: &str) -> String {
        let bytes = self.document.mark(pointer).and_then(|mark| self.bytes.get(mark.start as usize..mark.end as usize)).unwrap_or_default();
        excerpt::of(&String::from_utf8_lossy(bytes))
    }

    /// Adds a problem with a value, which its message names.
    fn add(&mut self, id: &str, pointer: &str, message: String, hint: Option<String>) {
        let message = last_name(pointer).map_or_else(|| message.clone(), |name| format!("`{name}`: {message}"));
        self.push(Problem::error(id, self.document.place(pointer), message), hint);
    }

    fn push(&mut self, problem: Problem, hint: Option<String>) {
        self.problems.push(Problem { hint, ..problem });
    }
}

/// The keys of which a schema asks for one.
fn alternatives<'a>(rule: &'a Value, keyword: &str) -> Vec<&'a str> {
    let branches = rule.get(keyword).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    branches.iter().filter_map(|branch| branch.pointer("/required/0").and_then(Value::as_str)).collect()
}
