//! What `--output json` prints is what its schema says.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;
use switchboard::cli::output_schemas;

use crate::support::command::Team;
use crate::support::daemon::Daemon;

/// The schemas, and which of them were kept to.
struct Contract {
    schemas: BTreeMap<String, Validator>,
    kept: Vec<String>,
}

impl Contract {
    fn new() -> Self {
        let name = |file: &str| file.trim_start_matches("output/").trim_end_matches(".schema.json").to_owned();
        let schemas = output_schemas().into_iter().map(|(file, schema)| (name(file), jsonschema::validator_for(&schema).unwrap()));
        Self { schemas: schemas.collect(), kept: Vec::new() }
    }

    fn check(&mut self, name: &str, value: &Value) {
        let problems: Vec<String> =
            self.schemas[name].iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(problems.is_empty(), "{name}: {problems:#?}\n{value:#}");
        self.kept.push(name.to_owned());
    }

    /// Runs a command and checks what it prints.
    fn run(&mut self, team: &Team, name: &str, arguments: &[&str]) {
        let ran = team.run(&[arguments, &["--output", "json"]].concat());
        assert!(!ran.out.is_empty(), "{arguments:?}: {ran:?}");
        self.check(name, &ran.json());
    }
}

#[test]
fn every_command_keeps_to_its_schema() {
    let (team, mut contract) = (Team::with_crm(), Contract::new());
    std::fs::write(team.outside().join("mine.yaml"), "token: t0ps3cret\nbaseUrl: http://127.0.0.1:1\n").unwrap();
    contract.run(&team, "init", &["init"]);
    contract.run(&team, "change", &["new", "mail", "--kind", "self-built", "--commit"]);
    contract.run(&team, "validate", &["validate"]);
    contract.run(&team, "test", &["test"]);
    contract.run(&team, "change", &["publish", "crm", "--commit"]);
    contract.run(&team, "plan", &["plan", "--diff"]);
    contract.run(&team, "apply", &["apply"]);
    for (name, arguments) in [
        ("list", &["list"][..]),
        ("plan", &["plan"]),
        ("show", &["show", "crm"]),
        ("explain", &["explain", "crm"]),
        ("explain", &["explain", "SB020"]),
        ("explain", &["explain", "in-review"]),
        ("review-list", &["review", "list"]),
        ("review-show", &["review", "show", "1"]),
        ("review-decision", &["review", "reject", "1", "--by", "bob@example.com", "--reason", "not yet"]),
        ("list", &["list"]),
        ("review-show", &["review", "show", "1"]),
        ("review-decision", &["review", "reopen", "1", "--by", "bob@example.com"]),
        ("review-decision", &["review", "approve", "1", "--by", "bob@example.com"]),
        ("apply", &["apply"]),
        ("review-list", &["review", "list"]),
        ("show", &["show", "crm"]),
    ] {
        contract.run(&team, name, arguments);
    }
    let traced = team
        .run(&["invoke", "crm", "get-item", "--input", r#"{"id":"a"}"#, "--connection", "../mine.yaml", "--trace", "--output", "json"])
        .failed();
    for line in traced.err.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|line| line.get("event").is_some()) {
        contract.check("invoke-trace", &line);
    }
    for broken in [&["show", "nobody"][..], &["publish", "crm", "--nonsense"], &["review", "approve", "1", "--by", "bob@example.com"]] {
        let ran = team.run(&[broken, &["--output", "json"]].concat());
        contract.check("error", &serde_json::from_str(&ran.err).unwrap());
    }
    team.replace("connectors/crm/connector.yaml", "title: ", "titel: ");
    contract.run(&team, "validate", &["validate"]);
    contract.run(&team, "test", &["test"]);
    team.commit_all("Break it");
    for (name, arguments) in [("list", &["list"][..]), ("plan", &["plan"]), ("show", &["show", "crm"])] {
        contract.run(&team, name, arguments);
    }
    team.run(&["pre-publish", "mail", "--commit"]).done();
    let mut daemon = Daemon::start(&team, &["watch", "--output", "json"]);
    contract.check("watch", &serde_json::from_str(&daemon.line()).unwrap());
    let unchecked: Vec<&String> = contract.schemas.keys().filter(|name| !contract.kept.contains(name)).collect();
    assert!(unchecked.is_empty(), "no output was checked against {unchecked:?}");
}
