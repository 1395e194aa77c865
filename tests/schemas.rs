//! The committed JSON Schemas are those of the types, and a third party's validator agrees with this room's.

#![expect(clippy::unwrap_used, reason = "a test stops where something it relies on is not there")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use switchboard::cli::output_schemas;
use switchboard::manifest::{schema_text, schemas};

use crate::manifests::{files_in, kind_of, problems_of};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    let names = |inner: &str| -> Vec<String> {
        let entries = std::fs::read_dir(folder().join(inner)).unwrap().map(|entry| entry.unwrap());
        let files = entries.filter(|entry| entry.path().is_file()).map(|entry| entry.file_name().into_string().unwrap());
        files.map(|name| format!("{inner}{name}")).collect()
    };
    let committed: BTreeSet<String> = [names(""), names("output/")].concat().into_iter().collect();
    let all = || schemas().into_iter().chain(output_schemas());
    let expected: BTreeSet<String> = all().map(|(file, _)| file.to_owned()).collect();
    assert_eq!(committed, expected, "files in schemas/; run `switchboard schema --write`");
    for (file, schema) in all() {
        let text = std::fs::read_to_string(folder().join(file)).unwrap();
        assert!(text == schema_text(&schema), "schemas/{file} differs from the types; run `switchboard schema --write`");
    }
}

/// The files that the PyPI tool `check-jsonschema` refuses, out of files of one kind. It must be able to read all of them.
fn refused_by_third_party(kind: &str, files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let schema = folder().join(format!("{kind}.schema.json"));
    let mut command = Command::new("check-jsonschema");
    command.args(["--output-format", "json", "--schemafile"]).arg(schema).args(files);
    let output = match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("`check-jsonschema` is not on PATH; run tests/run, which installs it, or `pip install check-jsonschema`")
        }
        output => output.unwrap(),
    };
    let stdout = String::from_utf8(output.stdout).unwrap();
    let report: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["parse_errors"].as_array().map_or(0, Vec::len), 0, "{report:#}");
    let refused = report["errors"].as_array().into_iter().flatten();
    refused.map(|error| PathBuf::from(error["filename"].as_str().unwrap())).collect()
}

/// Whether a problem's code says that the file breaks its schema.
fn breaks_structure(code: &str) -> bool {
    ("SB020"..="SB028").contains(&code)
}

#[test]
fn a_third_party_accepts_what_is_valid_and_refuses_what_breaks_structure() {
    let mut files: BTreeMap<String, (Vec<PathBuf>, BTreeSet<PathBuf>)> = BTreeMap::new();
    for path in files_in("valid").into_iter().chain(files_in("invalid")) {
        let problems = problems_of(kind_of(&path), &std::fs::read(&path).unwrap());
        let is_broken = problems.iter().any(|problem| breaks_structure(&problem.code));
        if problems.is_empty() || is_broken {
            let (all, broken) = files.entry(kind_of(&path).to_owned()).or_default();
            all.push(path.clone());
            broken.extend(is_broken.then_some(path));
        }
    }
    assert_eq!(files.len(), schemas().len(), "every schema is tried");
    for (kind, (all, broken)) in files {
        assert_eq!(refused_by_third_party(&kind, &all), broken, "{kind} files");
    }
}

/// The files of one kind in every example's repository.
fn examples_of(kind: &str) -> Vec<PathBuf> {
    let is_of_kind = |path: &Path| {
        let parts: Vec<&str> = path.iter().rev().map(|part| part.to_str().unwrap()).collect();
        match parts.as_slice() {
            ["connector.yaml", _, "connectors", ..] => kind == "connector",
            [_, "recordings", "tests", _, "connectors", ..] => kind == "recording",
            [_, "tests", _, "connectors", ..] => kind == "suite",
            ["switchboard.yaml", ..] => kind == "switchboard",
            [_, _, "releases", ..] => kind == "release",
            [_, _, "connections", ..] => kind == "connection",
            _ => false,
        }
    };
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
            if path.is_dir() {
                folders.push(path);
            } else if is_yaml && is_of_kind(&path) {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn a_third_party_accepts_every_example() {
    for (file, _) in schemas() {
        let kind = file.strip_suffix(".schema.json").unwrap();
        let files = examples_of(kind);
        if !files.is_empty() {
            assert_eq!(refused_by_third_party(kind, &files), BTreeSet::new());
        }
    }
}

/// Editors show descriptions: every key of every schema has one.
#[test]
fn every_key_is_described() {
    fn undescribed(schema: &Value, at: &str, found: &mut Vec<String>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            if property["description"].as_str().is_none_or(str::is_empty) {
                found.push(format!("{at}/{key}"));
            }
            undescribed(property, &format!("{at}/{key}"), found);
        }
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            undescribed(definition, &format!("{at}/{name}"), found);
        }
    }
    let mut found = Vec::new();
    for (file, schema) in schemas() {
        undescribed(&schema, file, &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
}
