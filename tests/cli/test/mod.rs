//! `test` runs the working files' suites.

mod again;
mod coverage;
mod reports;
mod selection;
mod watch;

use crate::support::command::Team;

#[test]
fn a_new_connector_passes_its_own_tests() {
    let ran = Team::with_crm().run(&["test"]).done();
    assert!(ran.out.starts_with("crm "), "{}", ran.out);
    assert_eq!(ran.out.matches("  ✓ ").count(), 5, "{}", ran.out);
    assert!(ran.out.ends_with("\n5 passed, 0 failed in 1 connector.\n"), "{}", ran.out);
}

#[test]
fn a_failure_shows_what_differs_and_where() {
    let team = Team::with_crm();
    team.replace(
        "connectors/crm/tests/get-item.yaml",
        "output: { id: item-1, name: First item }",
        "output: { id: item-1, name: Second item }",
    );
    let ran = team.run(&["test", "crm"]).failed();
    assert!(ran.out.contains("  ✗ Items › Reads an item"), "{}", ran.out);
    assert!(ran.out.contains("connectors/crm/tests/get-item.yaml:18:7\n      the output is not as expected:\n"), "{}", ran.out);
    assert!(ran.out.contains("Second item") && ran.out.contains("First item"), "{}", ran.out);
    assert!(ran.out.ends_with("4 passed, 1 failed in 1 connector.\n"), "{}", ran.out);
}

#[test]
fn a_connector_that_cannot_be_read_keeps_no_other_from_its_tests() {
    let team = Team::with_crm();
    team.run(&["new", "mail", "--kind", "saas"]).done();
    team.replace("connectors/mail/connector.yaml", "title: Mail", "titel: Mail");
    let json = team.run(&["test", "--output", "json"]).failed().json();
    assert_eq!((json["passed"].as_u64(), json["failed"].as_u64()), (Some(5), Some(0)));
    assert_eq!(json["evidence"][0]["connector"], "crm");
    assert!(json["problems"].as_array().unwrap().iter().any(|problem| problem["code"] == "SB020"));
    let ran = team.run(&["test", "mial"]).two();
    assert!(ran.err.contains("Did you mean `mail`?"), "{}", ran.err);
}

#[test]
fn tests_that_take_longer_than_they_may_have_failed() {
    let team = Team::with_crm();
    let within = |time: &str| team.run_with(&team.root(), &["test"], &[("SWITCHBOARD_TEST_TIME", time)]);
    within("5m").done();
    let ran = within("1ns").failed();
    assert!(ran.out.contains("the tests did not end within 0 s; the cases after these were not run"), "{}", ran.out);
    let ran = within("soon").failed();
    assert!(ran.err.contains("cannot read SWITCHBOARD_TEST_TIME: expected a length of time"), "{}", ran.err);
}

#[test]
fn a_day_of_polls_takes_no_time() {
    const POLLS: usize = 288;
    let team = Team::new();
    let manifest = "
apiVersion: switchboard/v1
name: it
title: It
description: A connector.
kind: saas
status: editing
owner: alice@example.com
connection: { hosts: [api.example.com], baseUrl: https://api.example.com }
triggers:
  made:
    on: { schedule: { every: PT5M } }
    cursor: ${ .next }
    do:
      - list: { call: request, with: { method: get, path: /things, query: { after: \"${ .cursor }\", at: \"${ .scheduledAt }\" } } }
      - tell: { emit: { event: { with: { type: made, data: \"${ .id }\" } } }, output: { as: \"${ {next: .data} }\" } }
";
    team.write("connectors/it/connector.yaml", manifest.replace("\\\"", "\""));
    let polls: String = (0..POLLS)
        .map(|poll| {
            let (hour, minute) = (poll * 5 / 60, poll * 5 % 60);
            let after = if poll == 0 { String::new() } else { format!("after: {}, ", poll - 1) };
            format!(
                "      - exchanges: [{{ request: {{ method: get, queryIncludes: {{ {after}at: \"2025-01-01T{hour:02}:{minute:02}:00Z\" }} }}, response: {{ status: 200, body: {{ id: {poll} }} }} }}]\n"
            )
        })
        .collect();
    let expect = format!("    expect: {{ cursor: {}, requests: {POLLS}, assert: [\"(.events | length) == {POLLS}\"] }}\n", POLLS - 1);
    team.write(
        "connectors/it/tests/it.yaml",
        format!("title: Day\ncases:\n  - title: polls\n    trigger: made\n    polls:\n{polls}{expect}"),
    );
    team.run(&["test", "it"]).done();
}

/// Makes a connector whose tests pass, beside `crm`.
fn another(team: &Team, name: &str) {
    team.run(&["new", name, "--kind", "saas"]).done();
}

#[test]
fn of_many_connectors_what_passed_is_counted() {
    let team = Team::with_crm();
    for name in ["mail", "shop", "stock"] {
        another(&team, name);
    }
    team.replace("connectors/shop/tests/get-item.yaml", "name: First item }", "name: Second item }");
    let ran = team.run(&["test"]).failed();
    assert_eq!(ran.out.matches("  ✓ ").count(), 0, "{}", ran.out);
    assert_eq!(ran.out.matches("5 passed, 0 failed (").count(), 3, "{}", ran.out);
    assert!(ran.out.contains("  ✗ Items › Reads an item"), "{}", ran.out);
    let names: Vec<&str> = ran.out.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["crm", "mail", "shop", "stock", "", "19"], "in order, wherever no terminal reads: {}", ran.out);
    let ran = team.run(&["test", "-v"]).failed();
    assert_eq!(ran.out.matches("  ✓ ").count(), 19, "{}", ran.out);
    assert!(ran.out.contains("Slowest cases:\n"), "{}", ran.out);
}
