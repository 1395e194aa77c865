//! What `--output json` prints, described: the JSON Schema of every command's result. Keys may be added; none is renamed or removed.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::{apply, explain, init, list, plan, review, show, validate};
use crate::cli::change::Changed;
use crate::cli::failure::ErrorReport;
use crate::cli::tested::Tested;
use crate::cli::trace::Line;

/// What `explain` prints: of a code, a stage or a connector.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Explanation {
    Code(explain::CodeExplained),
    Stage(explain::StageExplained),
    Connector(Box<show::Explained>),
}

macro_rules! outputs {
    ($($name:literal $type:ty, $title:literal)*) => {
        /// Every schema, by the name of its file in `schemas/`.
        pub fn schemas() -> Vec<(&'static str, Value)> {
            vec![$((concat!("output/", $name, ".schema.json"), schema_of::<$type>($name, $title))),*]
        }
    };
}

outputs! {
    "apply" apply::Applied, "What `switchboard apply` and `rebuild` did"
    "change" Changed, "What a command that changes a connector did: new, edit, share, publish and the like"
    "error" ErrorReport, "Why a command did not do what it was asked, on the standard error stream"
    "explain" Explanation, "What `switchboard explain` tells"
    "init" init::Made, "What `switchboard init` made"
    "invoke-trace" Line, "One line of `switchboard invoke --trace` or `flow run --trace`, on the standard error stream: what happened to a task"
    "list" list::Listed, "Every connector, as `switchboard list` shows it"
    "plan" plan::Shown, "The plan, as `switchboard plan` shows it"
    "review-decision" review::Decided, "What was decided by `switchboard review approve`, `reject` or `reopen`"
    "review-list" review::Listed, "Every review, as `switchboard review list` shows it"
    "review-show" review::Case, "A reviewer's case, as `switchboard review show` shows it"
    "show" show::Shown, "One connector, as `switchboard show` shows it"
    "test" Tested, "What the tests showed that `switchboard test` ran"
    "validate" validate::Findings, "What `switchboard validate` found"
    "watch" apply::Told, "One line of `switchboard watch`: a step and what became of it"
}

fn schema_of<T: JsonSchema>(name: &str, title: &str) -> Value {
    let generated = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("$id".to_owned(), format!("urn:switchboard:v1:output:{name}").into());
    schema.insert("title".to_owned(), title.into());
    if let Value::Object(generated) = generated.to_value() {
        for (key, value) in generated {
            schema.entry(key).or_insert(value);
        }
    }
    Value::Object(schema)
}
