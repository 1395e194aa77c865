//! What connectors can say, through the front door: each case is a manifest with a suite, which `validate` and `test` are asked about.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::command::Team;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows.
    shows: String,
    /// The manifest, without what every one has.
    manifest: Map<String, Value>,
    /// The suite without its title. Without it the manifest is only validated.
    #[serde(default)]
    suite: Option<Map<String, Value>>,
    /// Other files of the connector's folder, by their paths.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// What `validate` says of it, each a place and what is said; nothing where it is right.
    #[serde(default)]
    invalid: Vec<String>,
    /// What the failure of the suite says, in order; it passes where nothing is given.
    #[serde(default)]
    fails: Vec<String>,
}

impl Case {
    /// Runs it, and tells what is wrong.
    fn wrong(&self, team: &Team) -> Option<String> {
        let mut manifest = json!({
            "apiVersion": "switchboard/v1", "name": "it", "title": "It", "description": "A connector.", "kind": "saas",
            "status": "editing", "owner": "alice@example.com",
        });
        manifest.as_object_mut()?.extend(self.manifest.clone());
        let folder = team.path("connectors/it");
        // YAML, so that places are those of lines that people can find.
        team.write("connectors/it/connector.yaml", serde_yaml::to_string(&manifest).unwrap());
        let _ = fs::remove_dir_all(folder.join("tests"));
        if let Some(suite) = &self.suite {
            let mut suite = suite.clone();
            suite.insert("title".to_owned(), json!("Suite"));
            team.write("connectors/it/tests/it.yaml", serde_yaml::to_string(&suite).unwrap());
        }
        for (path, content) in &self.files {
            team.write(&format!("connectors/it/{path}"), content);
        }
        if !self.invalid.is_empty() || self.suite.is_none() {
            return self.misjudged(team);
        }
        let ran = team.run(&["test", "it"]);
        let mut rest = ran.out.as_str();
        let is_told = |text: &String| {
            let told = rest.split_once(text.as_str());
            rest = told.map_or("", |(_, after)| after);
            told.is_some()
        };
        let is_right = if self.fails.is_empty() { ran.code == 0 } else { ran.code == 1 && self.fails.iter().all(is_told) };
        (!is_right).then(|| format!("{}{}", ran.out, ran.err))
    }

    fn misjudged(&self, team: &Team) -> Option<String> {
        let ran = team.run(&["validate", "it"]);
        let is_told = |text: &String| ran.out.contains(text.as_str());
        let errors = ran.out.matches("error[").count();
        (errors != self.invalid.len() || !self.invalid.iter().all(is_told)).then(|| format!("{}{}", ran.out, ran.err))
    }
}

fn hold(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/connectors").join(file);
    let cases: Vec<Case> = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"));
    let team = Team::new();
    let wrong = cases.iter().filter_map(|case| Some(format!("- {}:\n{}", case.shows, case.wrong(&team)?)));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{file}:\n{}", wrong.join("\n"));
}

topics! {
    in "tests/connectors", each hold:
    answers
    clock
    efforts
    errors
    expectations
    hooks
    matching
    properties
    rows
    sequences
}
