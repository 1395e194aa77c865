//! `demo` makes a team's repository of its own and, with `--walkthrough`, takes its connectors through the whole lifecycle.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::command::Team;

#[test]
fn the_walkthrough_shows_the_whole_lifecycle() {
    let team = Team::nowhere();
    let ran = team.run_in(team.outside(), &["demo", "--walkthrough"]).done();
    let stages: Vec<&str> = ran
        .out
        .lines()
        .filter_map(|line| {
            ["in review", "pre-published", "published", "rejected", "editing"]
                .into_iter()
                .find(|stage| line.contains(&format!("  {stage}  ")))
        })
        .collect();
    let mut wanted =
        ["editing", "pre-published", "in review", "published", "rejected", "in review", "pre-published"].into_iter().peekable();
    stages.iter().for_each(|stage| {
        wanted.next_if_eq(stage);
    });
    assert_eq!(wanted.next(), None, "{stages:?}\n{}", ran.out);
    a_failing_test_stops_a_publish(&ran.out);

    let again = team.run_in(team.outside(), &["demo", "--walkthrough"]).done();
    assert!(again.out.contains("published"));
}

/// What is told of the second connector: it is published with a wrong path, held with the reason, shown with the difference, and mended.
#[track_caller]
fn a_failing_test_stops_a_publish(told: &str) {
    let mut rest = told;
    for line in [
        "$ switchboard publish openaq-air-quality --commit",
        "openaq-air-quality  pre-published  passing tests: 3 failed",
        "$ switchboard test openaq-air-quality",
        "✗ Latest values › One value for each sensor",
        "-  \"url\": \"https://api.openaq.org/v3/locations/2178/latest\"",
        "+  \"url\": \"https://api.openaq.org/v3/location/2178/latest\"",
        "6 passed, 3 failed in 1 connector.",
        "The path is mended",
        "review #2",
    ] {
        let at = rest.find(line).unwrap_or_else(|| panic!("{line:?} is not told, or not in its turn:\n{told}"));
        rest = &rest[at..];
    }
}

#[test]
fn the_walkthrough_works_on_its_own_repository_whatever_the_environment_names() {
    let team = Team::published();
    let (root, state) = (team.root(), team.path(".switchboard"));
    let variables = [
        ("SWITCHBOARD_REPO", root.to_str().unwrap()),
        ("SWITCHBOARD_STATE", state.to_str().unwrap()),
        ("SWITCHBOARD_BRANCH", "production"),
    ];
    team.run_with(team.outside(), &["demo", "--walkthrough"], &variables).done();
    assert_eq!(team.stage("crm"), "published");
    team.run(&["plan", "--detailed-exitcode"]).done();
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let team = Team::nowhere();
    fs::create_dir(team.outside().join("mine")).unwrap();
    fs::write(team.outside().join("mine/thesis.txt"), "precious").unwrap();
    let ran = team.run_in(team.outside(), &["demo", "mine", "--walkthrough"]).failed();
    assert!(ran.err.contains("it is not empty"), "{}", ran.err);
    assert_eq!(fs::read_to_string(team.outside().join("mine/thesis.txt")).unwrap(), "precious");
}

#[test]
fn every_file_names_a_schema_that_is_there() {
    let team = Team::nowhere();
    team.run_in(team.outside(), &["demo", "--walkthrough"]).done();
    let mut named = 0;
    for file in files_below(&team.outside().join("switchboard-demo/connectors")) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if let Some(schema) = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema=")) {
            named += 1;
            assert!(file.parent().unwrap().join(schema).is_file(), "{} names {schema}", file.display());
        }
    }
    assert!(named > 3, "{named}");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn the_demo_is_made_where_it_is_named_or_not_at_all() {
    let team = Team::nowhere();
    std::fs::create_dir(team.outside().join("full")).unwrap();
    std::fs::write(team.outside().join("full/mine"), "").unwrap();
    let ran = team.run_in(team.outside(), &["demo", "nope/../full"]).two();
    assert!(ran.err.contains("nope does not exist"), "{}", ran.err);
    assert_eq!(std::fs::read_dir(team.outside().join("full")).unwrap().count(), 1);
    let ran = team.run_in(team.outside(), &["demo", "--output", "json"]).two();
    assert!(ran.err.contains("watch --output json"), "{}", ran.err);
}
