//! `test` runs the working files' suites.

mod coverage;

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
    assert!(ran.out.contains("connectors/crm/tests/get-item.yaml:6:"), "{}", ran.out);
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
