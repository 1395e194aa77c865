//! What a schema says about names: which properties a body has, which it needs, and whether others may stand beside them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::reference::follow;

/// How many schemas are looked into for one body.
const MOST_SCHEMAS: usize = 500;
/// How many names in them, about.
const MOST_NAMES: usize = 10_000;
/// How deep `allOf` and the like may be nested.
const DEEPEST: usize = 32;

/// The properties of a body.
#[derive(Debug, Default)]
pub(super) struct Shape<'d> {
    pub(super) properties: BTreeMap<&'d str, &'d Value>,
    pub(super) required: BTreeSet<&'d str>,
    /// Whether it can be a map at all.
    pub(super) is_map: bool,
    /// Whether other properties may be given as well.
    pub(super) is_open: bool,
    /// Why some of it could not be read.
    pub(super) unread: Option<String>,
    is_other: bool,
    seen: usize,
    names: usize,
}

impl<'d> Shape<'d> {
    /// The shape that a schema describes.
    pub(super) fn of(root: &'d Value, schema: Option<&'d Value>) -> Self {
        let mut shape = Self::default();
        if let Some(schema) = schema {
            shape.add(root, schema, true, 0);
        }
        shape.is_map |= !shape.properties.is_empty() || !shape.is_other;
        shape.is_open |= shape.properties.is_empty();
        shape.required.retain(|name| !shape.properties.get(name).is_some_and(|property| is_read_only(root, property)));
        shape
    }

    /// Adds what one schema says; only what all must meet can require properties.
    fn add(&mut self, root: &'d Value, schema: &'d Value, binding: bool, depth: usize) {
        self.seen += 1;
        if self.seen > MOST_SCHEMAS || self.names > MOST_NAMES || depth > DEEPEST {
            self.is_open = true;
            return;
        }
        let schema = match follow(root, schema) {
            Ok(schema) => schema,
            Err(why) => {
                self.unread.get_or_insert(why);
                return;
            }
        };
        match schema.get("type") {
            None => {}
            Some(kind) if names(kind, "object") => self.is_map = true,
            Some(_) => {
                self.is_other = true;
                return;
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for (name, property) in properties.take(MOST_NAMES) {
            self.names += 1;
            self.properties.insert(name, property);
        }
        for name in required.take(if binding { MOST_NAMES } else { 0 }) {
            self.names += 1;
            self.required.insert(name);
        }
        let others = schema.get("additionalProperties").is_some_and(|others| others.as_bool() != Some(false));
        self.is_open |= others || schema.get("patternProperties").is_some();
        for (key, binding) in [("allOf", binding), ("anyOf", false), ("oneOf", false)] {
            for inner in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.add(root, inner, binding, depth + 1);
            }
        }
    }
}

/// Whether a property may be null.
pub(super) fn is_nullable(root: &Value, property: &Value) -> bool {
    let allows = |schema: &Value| {
        let schema = follow(root, schema).ok();
        schema.is_some_and(|schema| {
            schema.get("nullable") == Some(&Value::Bool(true)) || schema.get("type").is_some_and(|kind| names(kind, "null"))
        })
    };
    let alternatives = ["anyOf", "oneOf"].into_iter().filter_map(|key| follow(root, property).ok()?.get(key)?.as_array());
    allows(property) || alternatives.flatten().take(MOST_SCHEMAS).any(allows)
}

/// Whether a property holds bytes rather than text.
pub(super) fn is_binary(root: &Value, property: &Value) -> bool {
    let Ok(property) = follow(root, property) else { return false };
    let has = |key: &str, value: &str| property.get(key).and_then(Value::as_str) == Some(value);
    has("format", "binary")
        || has("type", "file")
        || (property.get("contentMediaType").is_some() && property.get("contentEncoding").is_none())
}

fn is_read_only(root: &Value, property: &Value) -> bool {
    follow(root, property).is_ok_and(|property| property.get("readOnly") == Some(&Value::Bool(true)))
}

/// Whether `type`, one or several, names a type.
fn names(kind: &Value, name: &str) -> bool {
    kind.as_str() == Some(name) || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind.as_str() == Some(name)))
}
