//! `apply` does what git asks for until nothing is left to do now.

use crate::support::command::Team;

#[test]
fn a_connector_is_deployed_tested_and_proposed_in_one_go() {
    let team = Team::with_crm();
    team.run(&["publish", "crm", "--commit"]).done();
    let ran = team.run(&["apply"]).done();
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "crm: deploy 0.1.0 to test");
    assert!(lines[1].starts_with("crm: run the tests of "), "{lines:?}");
    assert_eq!(lines[2..], ["crm: open the review of 0.1.0"]);
    assert_eq!(ran.err, "At rest. 1 waiting; 0 failed.\n");
    assert_eq!(team.run(&["apply"]).done().out, "", "nothing is done twice");
}

#[test]
fn programs_get_one_document() {
    let team = Team::with_crm();
    team.run(&["pre-publish", "crm", "--commit"]).done();
    let json = team.run(&["apply", "--output", "json"]).done().json();
    assert_eq!(json["performed"][0]["step"], "deploy");
    assert_eq!(json["performed"][0]["summary"], "deploy 0.1.0 to test");
    assert_eq!(json["failed"], 0);
    assert_eq!(json["waiting"], serde_json::json!([]));
}

#[test]
fn many_deletions_wait_for_a_person_who_confirms_that_exact_set() {
    let team = Team::new();
    let names: Vec<String> = (0..7).map(|n| format!("c{n}")).collect();
    for name in &names {
        team.run(&["new", name, "--kind", "saas"]).done();
        team.run(&["pre-publish", name]).done();
    }
    team.commit_all("Add seven");
    team.run(&["apply"]).done();
    for name in &names[1..] {
        std::fs::remove_dir_all(team.path(&format!("connectors/{name}"))).unwrap();
    }
    team.commit_all("Delete six");
    let plan = team.run(&["plan"]).done();
    assert!(plan.out.contains("confirmation of 6 deletions") && plan.out.contains("c1, c2, c3, c4, c5, c6"), "{}", plan.out);
    let id = plan.out.split("--confirm-deletions ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let ran = team.run(&["apply"]).done();
    assert_eq!(ran.out, "", "nothing is deleted unconfirmed");
    let ran = team.run(&["apply", "--confirm-deletions", "another"]).failed();
    assert!(ran.err.contains("no deletions wait under this id"), "{}", ran.err);
    let ran = team.run(&["apply", "--confirm-deletions", &id, "--by", "bob"]).two();
    assert!(ran.err.contains("`bob` is not an address"), "{}", ran.err);
    let ran = team.run(&["apply", "--confirm-deletions", &id]).done();
    assert_eq!(ran.out.lines().count(), 6, "{}", ran.out);
    assert_eq!(team.run(&["plan", "--detailed-exitcode"]).done().out.lines().count(), 1);
}

#[test]
fn what_somebody_has_to_mend_is_a_finding() {
    let team = Team::with_crm();
    team.replace("connectors/crm/tests/get-item.yaml", "name: not-found, status: 404", "name: not-found, status: 410");
    team.run(&["pre-publish", "crm", "--commit", "--all"]).done();
    let ran = team.run(&["apply"]).failed();
    assert!(ran.err.contains("At rest. 1 waiting; 0 failed. 1 connector has something to mend"), "{}", ran.err);
    let json = team.run(&["apply", "--output", "json"]).failed().json();
    assert_eq!(json["waiting"][0]["waitingOn"]["kind"], "passing-tests");
}

#[test]
fn a_step_that_failed_is_told_of_and_tried_again() {
    let team = Team::with_crm();
    let head = team.git().head().unwrap().peel_to_commit().unwrap().id();
    team.git().reference("refs/heads/switchboard", head, false, "in the way").unwrap();
    team.run(&["publish", "crm", "--commit"]).done();
    let ran = team.run(&["apply"]).failed();
    let why = "the branch `switchboard` leaves no room for it; rename or delete that one";
    assert!(ran.out.contains("open the review of 0.1.0: failed: ") && ran.out.trim_end().ends_with(why), "{}", ran.out);
    assert!(ran.err.ends_with("At rest. 1 waiting; 1 failed. The next pass tries it again.\n"), "{}", ran.err);
    let list = team.run(&["list"]).done().out;
    assert!(list.contains("the next pass: open the review of 0.1.0, which failed at 2"), "{list}");
    assert!(list.contains(why), "{list}");
    let show = team.run(&["show", "crm"]).done().out;
    assert!(show.contains("\nLast failure\n  open the review of 0.1.0: failed at 2"), "{show}");
    assert!(show.contains("\n  It is tried again by the next pass.\n"), "{show}");
    let explained = team.run(&["explain", "crm"]).done().out;
    assert!(explained.contains("That failed at 2"), "{explained}");
    let failed = &team.run(&["list", "--output", "json"]).done().json()[0]["failed"];
    assert_eq!((failed["step"].as_str(), failed["failures"].as_u64()), (Some("openReview"), Some(1)));
    assert!(failed["failure"].as_str().unwrap().ends_with(why), "{failed}");
    team.git().find_reference("refs/heads/switchboard").unwrap().delete().unwrap();
    team.run(&["apply"]).done();
    assert_eq!(team.stage("crm"), "in-review");
    assert!(!team.run(&["show", "crm"]).done().out.contains("Last failure"));
}
