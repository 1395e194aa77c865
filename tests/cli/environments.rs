//! An environment that `switchboard.yaml` does not declare any more keeps what it holds, and every look says so.

use crate::support::command::Team;

#[test]
fn an_environment_that_was_dropped_is_told_of() {
    let team = Team::with_crm();
    let settings = team.read("switchboard.yaml");
    team.write("switchboard.yaml", settings.replace("environments:\n", "environments:\n  staging: {}\n"));
    team.commit_all("Add staging");
    team.run(&["pre-publish", "crm", "--commit"]).done();
    team.run(&["apply"]).done();
    assert!(!team.run(&["list"]).done().out.contains("any more"));

    team.write("switchboard.yaml", settings);
    team.commit_all("Drop staging");
    let note = "note: the environment staging is not declared in switchboard.yaml any more and keeps what it holds: 1 connector\n";
    let ran = team.run(&["list"]).done();
    assert!(ran.out.ends_with(&format!("\n\n{note}")), "{}", ran.out);
    let ran = team.run(&["plan"]).done();
    assert!(ran.out.starts_with(note) && ran.out.contains("\n\nIn sync with "), "{}", ran.out);
    let ran = team.run(&["show", "crm"]).done();
    assert!(ran.out.contains(", not in switchboard.yaml any more: it keeps this\n"), "{}", ran.out);
    let json = team.run(&["list", "--output", "json"]).done().json();
    assert_eq!(json[0]["undeclared"], serde_json::json!(["staging"]));
    let json = team.run(&["plan", "--output", "json"]).done().json();
    assert_eq!(json["undeclared"], serde_json::json!([{ "environment": "staging", "connectors": 1 }]));

    // It is taken out of there by its deletion, as of everywhere.
    team.run(&["delete", "crm", "--commit"]).done();
    team.run(&["apply"]).done();
    assert!(!team.run(&["plan"]).done().out.contains("staging"));
}
