//! One case: a workflow, what it is given, and what must come of it.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::stub::{Exchange, Stub};
use crate::support::command::{Ran, Team};

/// What stands in an expectation where any value will do.
const ANY: &str = "<any>";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Case {
    /// What it shows.
    shows: String,
    /// Everything but `document`, which is the same for most; with it where it is not.
    workflow: Value,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    secrets: Map<String, Value>,
    /// Files beside the workflow.
    #[serde(default)]
    files: BTreeMap<String, Value>,
    /// Requests that must come, each once and in any order, with their answers.
    #[serde(default)]
    exchanges: Vec<Exchange>,
    /// Further flags.
    #[serde(default)]
    flags: Vec<String>,
    /// The output; a key of its own, so that null can be one.
    #[serde(default, deserialize_with = "given")]
    output: Option<Value>,
    /// Members of the error.
    error: Option<Map<String, Value>>,
    /// What is told of a workflow that is not run: each is the beginning of a place, and a part of what is said of it.
    invalid: Option<Vec<String>>,
    /// What happens to tasks, in order: such as `started first`.
    happens: Option<Vec<String>>,
    /// The tasks that are started, in order, by where they stand.
    starts: Option<Vec<String>>,
}

fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Case {
    /// Runs it, and tells what is wrong.
    pub(super) fn run(&self) -> Vec<String> {
        let team = Team::nowhere();
        let folder = team.outside().join("flows");
        fs::create_dir(&folder).unwrap();
        for (name, content) in &self.files {
            let text = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
            fs::write(folder.join(name), text).unwrap();
        }
        let mut workflow = self.workflow.clone();
        if let Some(map) = workflow.as_object_mut().filter(|map| !map.contains_key("document")) {
            map.insert("document".to_owned(), json!({"dsl": "1.0.3", "namespace": "test", "name": "case", "version": "0.1.0"}));
        }
        // Text is a document as somebody writes it.
        let text = workflow.as_str().map_or_else(|| workflow.to_string(), str::to_owned);
        fs::write(folder.join("flow.yaml"), text).unwrap();
        fs::write(folder.join("secrets.json"), Value::Object(self.secrets.clone()).to_string()).unwrap();
        let stub = Stub::start(self.exchanges.clone());
        let mut arguments = vec!["flow".to_owned(), "run".to_owned(), "flows/flow.yaml".to_owned()];
        arguments.extend(["--events", "events", "--secrets", "@flows/secrets.json"].map(str::to_owned));
        arguments.extend(["--input".to_owned(), self.input.to_string()]);
        arguments.extend(stub.mappings().into_iter().flat_map(|mapping| ["--map-host".to_owned(), mapping]));
        arguments.extend(self.flags.iter().cloned());
        let ran = team.run_in(team.outside(), &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let mut wrong = self.differences(&ran);
        wrong.extend(self.disorder(&fs::read_to_string(team.outside().join("events")).unwrap_or_default()));
        wrong.extend(stub.wrong());
        wrong.into_iter().map(|wrong| format!("- {}: {wrong}", self.shows)).collect()
    }
}

impl Case {
    fn differences(&self, ran: &Ran) -> Vec<String> {
        if let Some(expected) = &self.output {
            let output = serde_json::from_str::<Value>(&ran.out);
            return match output {
                Ok(output) if ran.code == 0 && fits(expected, &output) => Vec::new(),
                _ => vec![format!("expected the output {expected}, got {} {}{}", ran.code, ran.out, ran.err)],
            };
        }
        if let Some(expected) = &self.error {
            let Ok(Value::Object(error)) = serde_json::from_str(&ran.err) else {
                return vec![format!("expected an error, got {} {}{}", ran.code, ran.out, ran.err)];
            };
            let wrong = expected.iter().filter(|(key, value)| !error.get(*key).is_some_and(|got| fits(value, got)));
            let mut wrong: Vec<_> = wrong.map(|(key, value)| format!("expected the {key} {value}, got {}", ran.err)).collect();
            if ran.code != 1 || !ran.out.is_empty() {
                wrong.push(format!("an error ends with 1 and without an output: {ran:?}"));
            }
            return wrong;
        }
        let expected = self.invalid.as_deref().unwrap_or_default();
        let is_told = |text: &String| {
            let (place, message) = text.split_once(' ').unwrap_or((text, ""));
            ran.err.lines().any(|line| line.contains(&format!("flow.yaml:{place}")) && line.contains(message))
        };
        let mut wrong: Vec<_> =
            expected.iter().filter(|text| !is_told(text)).map(|text| format!("expected `{text}`, got {ran:?}")).collect();
        if expected.is_empty() || ran.code != 1 {
            wrong.push(format!("nothing is expected of it, or it was run: {ran:?}"));
        }
        wrong
    }

    fn disorder(&self, events: &str) -> Vec<String> {
        let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let mut wrong = Vec::new();
        if let Some(expected) = &self.happens {
            let happened: Vec<_> = events.iter().map(|event| format!("{} {}", text(event, "event"), text(event, "name"))).collect();
            if happened != *expected {
                wrong.push(format!("expected {expected:?} to happen, got {happened:?}"));
            }
        }
        if let Some(expected) = &self.starts {
            let started: Vec<_> = events.iter().filter(|event| event["event"] == "started").map(|event| text(event, "task")).collect();
            if started != *expected {
                wrong.push(format!("expected {expected:?} to start, got {started:?}"));
            }
        }
        wrong
    }
}

/// Whether a value is the expected one. Members of a map come in any order.
pub(super) fn fits(expected: &Value, value: &Value) -> bool {
    match (expected, value) {
        (Value::String(any), _) if any == ANY => true,
        (Value::Array(expected), Value::Array(items)) => {
            expected.len() == items.len() && expected.iter().zip(items).all(|(expected, item)| fits(expected, item))
        }
        (Value::Object(expected), Value::Object(members)) => {
            let has = |(key, expected): (&String, &Value)| members.get(key).is_some_and(|member| fits(expected, member));
            expected.len() == members.len() && expected.iter().all(has)
        }
        (expected, value) => expected == value,
    }
}
