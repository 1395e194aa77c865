//! `plan` shows what the next pass would do, and changes nothing.

use crate::support::command::Team;

#[test]
fn exit_codes_tell_whether_changes_are_pending() {
    let team = Team::with_crm();
    let ran = team.run(&["plan", "--detailed-exitcode"]).done();
    assert!(ran.out.starts_with("In sync with ") && ran.out.ends_with(": nothing to do.\n"), "{}", ran.out);
    team.run(&["pre-publish", "crm", "--commit"]).done();
    let ran = team.run(&["plan", "--detailed-exitcode"]).two();
    assert_eq!(ran.out, "+  crm  deploy 0.1.0 to test  test does not hold it yet\n\nPlan: 1 to deploy, 0 to publish, 0 to delete.\n");
    assert_eq!(team.run(&["plan"]).done().out, ran.out, "looking changes nothing, and is no failure");
}

#[test]
fn what_cannot_be_read_is_never_in_sync() {
    let team = Team::with_crm();
    let ran = team.run(&["plan", "--detailed-exitcode", "--branch", "nowhere"]).failed();
    assert!(ran.out.contains("unreadable: "), "{}", ran.out);
    assert!(!ran.out.contains("In sync"), "{}", ran.out);
}

#[test]
fn differing_lines_are_shown_on_request() {
    let team = Team::published();
    team.run(&["edit", "crm", "--set", "title=Customers", "--set", "version=0.2.0", "--set", "status=pre-published", "--commit"]).done();
    let ran = team.run(&["plan", "--diff"]).done();
    assert!(ran.out.starts_with("~  crm  deploy 0.2.0 to test, replacing 0.1.0"), "{}", ran.out);
    assert!(ran.out.contains("    connector.yaml\n") && ran.out.contains("    -title: Crm\n    +title: Customers\n"), "{}", ran.out);
    let json = team.run(&["plan", "--output", "json"]).done().json();
    assert_eq!(json["steps"][0]["step"], "deploy");
    assert_eq!(json["steps"][0]["connector"], "crm");
    assert!(json.get("differences").is_none());
}

#[test]
fn one_connector_can_be_chosen() {
    let team = Team::with_crm();
    team.run(&["new", "mail", "--kind", "saas", "--commit"]).done();
    team.run(&["pre-publish", "crm", "--commit"]).done();
    team.run(&["pre-publish", "mail", "--commit"]).done();
    let ran = team.run(&["plan", "mail"]).done();
    assert!(ran.out.contains("mail") && !ran.out.contains("crm"), "{}", ran.out);
    let ran = team.run(&["plan", "mial"]).two();
    assert!(ran.err.contains("Did you mean `mail`?"), "{}", ran.err);
}
