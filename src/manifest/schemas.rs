//! The JSON Schemas of every file a team writes, generated from the types: editors, third parties and this room read the same ones.

use std::sync::LazyLock;

use jsonschema::Validator;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value};

use super::{Config, ConnectionValues, Manifest, Recording, Suite};
use crate::model::Release;

/// A schema, and what checks values against it.
pub(super) struct Compiled {
    pub schema: Value,
    pub validator: Validator,
}

/// A type that is read from a file of its own, and so has a schema of its own.
pub(super) trait Described {
    /// The schema, or why it cannot be used.
    fn compiled() -> Result<&'static Compiled, &'static str>;
}

macro_rules! described {
    ($($type:ident $file:literal $title:literal)*) => {
        $(impl Described for $type {
            fn compiled() -> Result<&'static Compiled, &'static str> {
                static COMPILED: LazyLock<Result<Compiled, String>> = LazyLock::new(|| compile(schema_of::<$type>($file, $title)));
                COMPILED.as_ref().map_err(String::as_str)
            }
        })*

        /// Every schema, by the name of its file in `schemas/`.
        pub fn schemas() -> Vec<(&'static str, Value)> {
            vec![$((concat!($file, ".schema.json"), schema_of::<$type>($file, $title))),*]
        }
    };
}

described! {
    Manifest "connector" "Switchboard connector"
    Suite "suite" "Switchboard test suite"
    Recording "recording" "Switchboard recording"
    Config "switchboard" "Switchboard repository"
    Release "release" "Switchboard release record"
    ConnectionValues "connection" "Switchboard connection values"
}

/// A schema as it stands in `schemas/`.
pub fn schema_text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn compile(schema: Value) -> Result<Compiled, String> {
    let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
    Ok(Compiled { schema, validator })
}

/// The schema of a type with its own name, title and description first.
fn schema_of<T: JsonSchema>(file: &str, title: &str) -> Value {
    let mut generated = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(for_files).transform(&mut generated);
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("$id".to_owned(), format!("urn:switchboard:v1:{file}").into());
    schema.insert("title".to_owned(), title.into());
    if let Value::Object(generated) = generated.to_value() {
        for (key, value) in generated {
            schema.entry(key).or_insert(value);
        }
    }
    Value::Object(schema)
}

/// A key that may be left out may still not be empty, unless its type begins with null: there that says something. Formats that only Rust
/// has mean nothing to others.
fn for_files(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type")
        && types.first().is_some_and(|kind| kind != "null")
    {
        types.retain(|kind| kind != "null");
        if let [single] = types.as_slice() {
            let single = single.clone();
            object.insert("type".to_owned(), single);
        }
    }
    if let Some(Value::Array(choices)) = object.get("anyOf")
        && let [Value::Object(some), none] = choices.as_slice()
        && none.get("type").is_some_and(|kind| kind == "null")
    {
        let some = some.clone();
        object.remove("anyOf");
        object.extend(some);
    }
    if object.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        object.remove("format");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pattern in a schema, wherever it stands.
    fn patterns(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(map) => {
                found.extend(map.get("pattern").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| patterns(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| patterns(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_pattern_can_be_said_in_words() {
        let mut found = Vec::new();
        schemas().iter().for_each(|(_, schema)| patterns(schema, &mut found));
        found.retain(|pattern| super::super::form::in_words(pattern).is_none());
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn every_schema_compiles() {
        assert_eq!(Manifest::compiled().err(), None);
        assert_eq!(Suite::compiled().err(), None);
        assert_eq!(Recording::compiled().err(), None);
        assert_eq!(Config::compiled().err(), None);
        assert_eq!(Release::compiled().err(), None);
        assert_eq!(ConnectionValues::compiled().err(), None);
    }
}
