//! The walk through a JSON Schema (2020-12): every schema inside it, and nothing that only looks like one, such as an example.

use serde_json::Value;

use super::parts;
use crate::flow::finding::At;
use crate::manifest::Manifest;

/// Calls `visit` with every schema of a manifest as a whole: inputs, outputs and types.
pub(super) fn of_manifest(manifest: &Manifest, visit: &mut dyn FnMut(&Value, &At<'_>)) {
    for part in parts::parts(manifest) {
        for (key, schema) in [("input", part.input), ("output", part.output)] {
            if let Some(schema) = schema {
                visit(&schema.0, &At::base(part.section).key(part.name).key(key));
            }
        }
    }
    for (name, schema) in manifest.types.iter() {
        visit(&schema.0, &At::base("/types").key(name));
    }
}

/// Calls `visit` with a schema and with every schema inside it. Manifests are not nested deeply, so recursion is safe.
pub(super) fn each(schema: &Value, path: &At<'_>, visit: &mut dyn FnMut(&Value, &At<'_>)) {
    visit(schema, path);
    let Value::Object(keywords) = schema else { return };
    for (keyword, value) in keywords {
        let path = path.key(keyword);
        match keyword.as_str() {
            "additionalProperties"
            | "contains"
            | "contentSchema"
            | "else"
            | "if"
            | "items"
            | "not"
            | "propertyNames"
            | "then"
            | "unevaluatedItems"
            | "unevaluatedProperties" => each(value, &path, visit),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    each(inner, &path.index(index), visit);
                }
            }
            "$defs" | "definitions" | "dependentSchemas" | "patternProperties" | "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    each(inner, &path.key(name), visit);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_are_told_from_data() {
        let schema = json!({
            "properties": { "$ref": { "type": "string" }, "a": { "items": { "anyOf": [{}, { "not": {} }] } } },
            "examples": [{ "properties": { "x": {} } }],
            "default": { "items": {} },
            "additionalProperties": false,
        });
        let mut seen = Vec::new();
        each(&schema, &At::base(""), &mut |_, path| seen.push(path.pointer()));
        let expected = [
            "",
            "/properties/$ref",
            "/properties/a",
            "/properties/a/items",
            "/properties/a/items/anyOf/0",
            "/properties/a/items/anyOf/1",
            "/properties/a/items/anyOf/1/not",
            "/additionalProperties",
        ];
        assert_eq!(seen, expected);
    }
}
