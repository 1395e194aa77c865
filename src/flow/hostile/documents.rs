//! Documents and manifests that were written by chance, or spoiled: the parser tells what is wrong with them, with a place.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::{BoxedStrategy, Just, Strategy, TestCaseError, any, prop, prop_assert, prop_oneof};
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::expressions::noise;
use super::flows::workflow;
use super::{ORDINARY_STACK, on_a_stack_of, try_all};
use crate::flow::{Program, Workflow};
use crate::manifest::Bundle;
use crate::model::{BundleFiles, Problem};

/// Keys that mean something in some place.
const KEYS: [&str; 58] = [
    "document",
    "dsl",
    "use",
    "do",
    "set",
    "call",
    "with",
    "endpoint",
    "uri",
    "authentication",
    "basic",
    "oauth2",
    "grant",
    "client",
    "for",
    "each",
    "in",
    "at",
    "while",
    "fork",
    "branches",
    "compete",
    "try",
    "catch",
    "errors",
    "retry",
    "limit",
    "attempt",
    "count",
    "backoff",
    "jitter",
    "switch",
    "when",
    "then",
    "raise",
    "error",
    "type",
    "status",
    "emit",
    "event",
    "wait",
    "seconds",
    "timeout",
    "after",
    "input",
    "from",
    "schema",
    "resource",
    "output",
    "as",
    "export",
    "if",
    "extensions",
    "functions",
    "secrets",
    "listen",
    "paginate",
    "é",
];

/// Any value at all.
fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(KEYS.to_vec()).prop_map(Value::from),
        noise().prop_map(Value::from),
    ];
    let key = prop::sample::select(KEYS.to_vec());
    leaf.prop_recursive(5, 60, 5, move |inner| {
        let entries = prop::collection::vec((key.clone(), inner.clone()), 0..5);
        let map = entries.prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>());
        prop_oneof![prop::collection::vec(inner, 0..5).prop_map(Value::from), map.prop_map(Value::from)]
    })
    .boxed()
}

/// How a good document is spoiled.
#[derive(Debug, Clone)]
enum Spoil {
    Replace(Value),
    Remove,
    Rename(&'static str),
    Add(&'static str, Value),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let key = || prop::sample::select(KEYS.to_vec());
    prop_oneof![
        value().prop_map(Spoil::Replace),
        Just(Spoil::Remove),
        key().prop_map(Spoil::Rename),
        (key(), value()).prop_map(|(key, value)| Spoil::Add(key, value)),
    ]
}

/// Every place in a value, as pointers.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), into)),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value));
            entries.for_each(|(key, value)| places(value, &format!("{at}/{key}"), into));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn spoiled(mut whole: Value, spoils: &[(Index, Spoil)]) -> Value {
    for (at, spoil) in spoils {
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        let place = at.get(&all).clone();
        let (parent, key) = place.rsplit_once('/').unwrap_or_default();
        let key = key.replace("~1", "/").replace("~0", "~");
        match spoil {
            Spoil::Replace(value) => *whole.pointer_mut(&place).unwrap() = value.clone(),
            Spoil::Add(key, value) => {
                if let Some(map) = whole.pointer_mut(&place).unwrap().as_object_mut() {
                    map.insert((*key).to_owned(), value.clone());
                }
            }
            Spoil::Remove | Spoil::Rename(_) => match whole.pointer_mut(parent) {
                Some(Value::Object(map)) => {
                    let value = map.remove(&key);
                    if let (Spoil::Rename(name), Some(value)) = (spoil, value) {
                        map.insert((*name).to_owned(), value);
                    }
                }
                Some(Value::Array(items)) => {
                    if let Some(index) = key.parse().ok().filter(|index| *index < items.len()) {
                        items.remove(index);
                    }
                }
                _ => {}
            },
        }
    }
    whole
}

/// The workflows of the conformance tests.
static GOOD: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flows");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files = files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "yaml"));
    let cases = files.flat_map(|file| serde_yaml::from_str::<Vec<Value>>(&std::fs::read_to_string(file).unwrap()).unwrap());
    let workflows = cases.map(|mut case| case["workflow"].take()).filter(Value::is_object);
    workflows
        .map(|mut workflow| {
            let document = json!({ "dsl": "1.0.3", "namespace": "test", "name": "case", "version": "0.1.0" });
            workflow.as_object_mut().unwrap().entry("document").or_insert(document);
            workflow
        })
        .collect()
});

/// A manifest that uses everything.
static MANIFEST: LazyLock<Value> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/valid/everything.connector.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    serde_yaml::from_str(&text).unwrap()
});

/// It is read, or told what is wrong with it: at least one thing, each with a place and a message of reasonable length.
fn told<T>(read: Result<T, Vec<Problem>>) -> Result<(), String> {
    let Err(problems) = read else { return Ok(()) };
    let wrong = |problem: &&Problem| problem.message.is_empty() || problem.message.len() > 3000 || problem.place.line == 0;
    match problems.iter().find(wrong) {
        Some(problem) => Err(format!("{problem:?}")),
        None if problems.is_empty() => Err("nothing is wrong, but it is refused".to_owned()),
        None => Ok(()),
    }
}

fn read(text: &str) -> Result<(), TestCaseError> {
    on_a_stack_of(ORDINARY_STACK, || told(Workflow::read("flow.yaml", text.as_bytes()))).map_err(TestCaseError::fail)
}

fn compile(manifest: &Value) -> Result<(), TestCaseError> {
    let files = BundleFiles::new([("connector.yaml".to_owned(), manifest.to_string().into_bytes())].into());
    let compiled = || told(Bundle::read("demo", &files).and_then(|bundle| Program::compile(&bundle)));
    on_a_stack_of(ORDINARY_STACK, compiled).map_err(TestCaseError::fail)
}

fn document() -> Value {
    json!({ "dsl": "1.0.3", "namespace": "test", "name": "case", "version": "0.1.0" })
}

#[test]
fn a_document_by_chance_is_told_what_is_wrong_with_it() {
    try_all(
        400,
        || (value(), value()),
        |(value, tasks)| {
            read(&value.to_string())?;
            read(&json!({ "document": document(), "use": value, "do": tasks }).to_string())?;
            read(&json!({ "document": document(), "do": [{ "a": tasks }] }).to_string())
        },
    );
}

#[test]
fn text_by_chance_is_told_what_is_wrong_with_it() {
    try_all(
        400,
        || (noise(), noise()),
        |(text, source)| {
            read(&text)?;
            let task = json!({ "a": { "if": source, "set": { "b": source, "c": format!("${{{source}}}") }, "output": { "as": source } } });
            for mode in ["strict", "loose"] {
                read(&json!({ "document": document(), "evaluate": { "mode": mode }, "do": [task] }).to_string())?;
            }
            Ok(())
        },
    );
}

#[test]
fn a_spoiled_document_is_told_what_is_wrong_with_it() {
    try_all(
        1000,
        || (any::<Index>(), prop::collection::vec((any::<Index>(), spoil()), 1..4)),
        |(which, spoils)| read(&spoiled(which.get(&GOOD).clone(), &spoils).to_string()),
    );
}

#[test]
fn spoiled_text_is_told_what_is_wrong_with_it() {
    try_all(
        300,
        || (workflow(), any::<Index>(), any::<u8>(), any::<bool>()),
        |(written, at, byte, cut)| {
            let mut bytes = written.to_string().into_bytes();
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at)
            } else {
                bytes[at] = byte
            }
            on_a_stack_of(ORDINARY_STACK, || told(Workflow::read("flow.yaml", &bytes))).map_err(TestCaseError::fail)
        },
    );
}

#[test]
fn a_spoiled_manifest_is_told_what_is_wrong_with_it() {
    try_all(
        400,
        || (prop::collection::vec((any::<Index>(), spoil()), 1..4), value()),
        |(spoils, tasks)| {
            compile(&spoiled(MANIFEST.clone(), &spoils))?;
            let mut manifest = MANIFEST.clone();
            manifest["actions"]["create-issue"]["do"] = tasks;
            compile(&manifest)
        },
    );
}

#[test]
fn a_flow_in_bad_taste_is_read() {
    try_all(300, workflow, |written| {
        let problems = on_a_stack_of(ORDINARY_STACK, || Workflow::read("flow.yaml", written.to_string().as_bytes())).err();
        prop_assert!(problems.is_none(), "{problems:#?}");
        Ok(())
    });
}

#[test]
fn what_is_spoiled_was_good() {
    assert!(GOOD.len() > 100, "{}", GOOD.len());
    assert!(GOOD.iter().filter(|workflow| Workflow::read("flow.yaml", workflow.to_string().as_bytes()).is_ok()).count() > 100);
    compile(&MANIFEST).unwrap();
}
