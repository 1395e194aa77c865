//! Which cases `test` runs, as its command line chooses them.

use crate::support::command::Team;

const MANIFEST: &str = "apiVersion: switchboard/v1
name: it
title: It
description: A connector.
kind: saas
status: editing
owner: alice@example.com
actions:
  same: { do: [{ same: { set: '${ . }' } }] }
";

fn case(title: &str, more: &str) -> String {
    format!("  - {{ title: {title}, {more}action: same, input: {{ a: 1 }}, expect: {{ output: {{ a: 1 }} }} }}\n")
}

fn team() -> Team {
    let team = Team::new();
    team.write("connectors/it/connector.yaml", MANIFEST);
    let first = [case("Reads", "tags: [quick], "), case("Writes", "tags: [slow], "), case("Fails", "each: { gone: 1, lost: 2 }, ")];
    team.write("connectors/it/tests/first.yaml", format!("title: First\ncases:\n{}", first.concat()));
    let second = [case("Reads more", ""), case("Waits", "skip: it never ends, ")];
    team.write("connectors/it/tests/second.yaml", format!("title: Second\ntags: [slow]\ncases:\n{}", second.concat()));
    team
}

/// The titles of what was run, as programs read them.
fn ran(team: &Team, flags: &[&str]) -> Vec<String> {
    let json = team.run(&[&["test", "--output", "json"], flags].concat()).done().json();
    let evidence = &json["evidence"][0];
    assert_eq!(evidence["partial"], true, "{flags:?}");
    evidence["cases"].as_array().unwrap().iter().map(|case| case["case"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn titles_and_tags_choose_cases() {
    let team = team();
    assert_eq!(ran(&team, &["--suite", "first"]), ["Reads", "Writes", "Fails › gone", "Fails › lost"]);
    assert_eq!(ran(&team, &["--suite", "tests/second"]), ["Reads more", "Waits"]);
    assert_eq!(ran(&team, &["--case", "reads"]), ["Reads", "Reads more"]);
    assert_eq!(ran(&team, &["--case", "› lost"]), ["Fails › lost"]);
    assert_eq!(ran(&team, &["--tag", "slow"]), ["Writes", "Reads more", "Waits"]);
    assert_eq!(ran(&team, &["--tag", "slow", "--tag", "quick", "--suite", "first"]), ["Reads", "Writes"]);
    assert_eq!(ran(&team, &["--skip-tag", "slow"]), ["Reads", "Fails › gone", "Fails › lost"]);
}

#[test]
fn a_run_of_everything_is_not_marked_as_a_part() {
    let json = team().run(&["test", "--output", "json"]).done().json();
    assert_eq!(json["evidence"][0]["partial"], serde_json::Value::Null);
    assert_eq!(json["evidence"][0]["cases"].as_array().unwrap().len(), 6);
    assert_eq!(json["evidence"][0]["cases"][5]["outcome"], "skipped");
    assert_eq!(json["evidence"][0]["cases"][5]["skipped"], "it never ends");
    assert_eq!(json["passed"], 5);
}

#[test]
fn what_chooses_nothing_is_a_mistake() {
    let team = team();
    for (flags, reason, hint) in [
        (&["--tag", "slwo"][..], "no suite or case has the tag `slwo`", "Did you mean `slow`?"),
        (&["--skip-tag", "qick"], "no suite or case has the tag `qick`", "Did you mean `quick`?"),
        (&["--suite", "secnod"], "no suite has `secnod` in its title or path", "Did you mean `Second`?"),
        (&["--case", "wrietes"], "no case has `wrietes` in its title", "Did you mean `Writes`?"),
        (&["--case", "reads", "--skip-tag", "quick", "--suite", "first"], "no case is all of that at once", "Leave one of the flags out."),
    ] {
        let ran = team.run(&[&["test"], flags].concat()).two();
        assert!(ran.err.contains(reason) && ran.err.contains(hint), "{flags:?}: {}", ran.err);
    }
}

#[test]
fn connectors_without_a_chosen_case_are_left_out() {
    let team = team();
    team.write("connectors/other/connector.yaml", MANIFEST.replace("name: it", "name: other"));
    team.write("connectors/other/tests/a.yaml", format!("title: Other\ncases:\n{}", case("Only", "tags: [rare], ")));
    let json = team.run(&["test", "--output", "json", "--tag", "rare"]).done().json();
    assert_eq!(json["evidence"].as_array().unwrap().len(), 1);
    assert_eq!(json["evidence"][0]["connector"], "other");
    team.run(&["test", "it", "--tag", "rare"]).two();
}
