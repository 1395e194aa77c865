//! JSON Schemas (2020-12) of a connector, with its types behind `#/types/Name`. Only for worker processes: patterns can be hostile.

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::manifest::cut;

/// A schema ready to judge values.
#[derive(Debug)]
pub(crate) struct Judge(Validator);

impl Judge {
    /// Compiles a schema together with the types it may refer to.
    pub(crate) fn new(schema: &Value, types: &Map<String, Value>) -> Result<Self, String> {
        // `#/types/Name` points into the root, wherever in it the reference stands.
        let root = json!({ "allOf": [schema], "types": types });
        let validator = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(&root);
        validator.map(Self).map_err(|error| error.to_string())
    }

    /// What is wrong with a value: each with its place in it.
    pub(crate) fn flaws(&self, value: &Value) -> Vec<String> {
        const MOST: usize = 20;
        const LONGEST: usize = 300;
        self.0
            .iter_errors(value)
            .take(MOST)
            .map(|error| {
                let place = error.instance_path().to_string();
                let message = cut(&error.to_string(), LONGEST);
                if place.is_empty() { message } else { format!("{place}: {message}") }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_from_anywhere() {
        let types = json!({"Issue": {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/types/Number"}}}, "Number": {"type": "integer"}});
        let judge = Judge::new(&json!({"type": "array", "items": {"$ref": "#/types/Issue"}}), types.as_object().unwrap()).unwrap();
        assert!(judge.flaws(&json!([{"n": 1}])).is_empty());
        assert_eq!(judge.flaws(&json!([{"n": "x"}])), ["/0/n: \"x\" is not of type \"integer\""]);
        assert!(Judge::new(&json!({"$ref": "#/types/Missing"}), &Map::new()).is_err());
        assert!(Judge::new(&json!({"$ref": "http://127.0.0.1:1/x"}), &Map::new()).is_err());
    }
}
