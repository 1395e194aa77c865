//! The one table of stages decides which operations are refused, whatever the command.

use crate::support::command::Team;

const MANIFEST: &str = "connectors/crm/connector.yaml";

#[track_caller]
fn refused(team: &Team, arguments: &[&str], reason: &str, hint: &str) {
    let before = team.read(MANIFEST);
    let ran = team.run(arguments).failed();
    assert!(ran.err.contains(reason), "{arguments:?}: {}", ran.err);
    assert!(ran.err.contains(hint), "{arguments:?}: {}", ran.err);
    assert_eq!(team.read(MANIFEST), before);
}

#[test]
fn in_review_the_content_is_frozen_and_the_wish_can_be_taken_back() {
    let team = Team::in_review();
    for arguments in [
        &["edit", "crm", "--set", "title=Other"][..],
        &["delete", "crm", "--commit"],
        &["share", "crm", "bob@example.com"],
        &["publish", "crm"],
        &["pre-publish", "crm"],
    ] {
        refused(&team, arguments, "it is in review, where only these are allowed: withdraw, view", "switchboard withdraw crm --commit");
    }
    let ran = team.run(&["withdraw", "crm", "--commit"]).done();
    assert!(ran.out.starts_with("crm asks to be pre-published (commit "), "{}", ran.out);
    assert_eq!(team.run(&["apply"]).done().out, "crm: withdraw review #1\n");
    assert_eq!(team.stage("crm"), "pre-published");
    refused(&team, &["withdraw", "crm"], "it is pre-published", "There is no review to withdraw");
    refused(&team, &["share", "crm", "bob@example.com"], "it is pre-published", "switchboard show crm");
}

#[test]
fn rejected_content_must_change_before_it_is_asked_for_again() {
    let team = Team::in_review();
    team.run(&["review", "reject", "1", "--reason", "no docs", "--by", "bob@example.com"]).done();
    team.run(&["apply"]).done();
    assert_eq!(team.stage("crm"), "rejected");
    refused(&team, &["publish", "crm"], "it is rejected", "Change its content first");
    team.run(&["edit", "crm", "--set", "version=0.1.1", "--commit"]).done();
    team.run(&["publish", "crm", "--commit"]).done();
    team.run(&["apply"]).done();
    assert_eq!(team.stage("crm"), "in-review");
}

#[test]
fn published_content_is_published_and_other_content_begins_anew() {
    let team = Team::published();
    refused(&team, &["publish", "crm"], "it is published", "raise its version");
    team.run(&["share", "crm", "bob@example.com"]).done();
    team.run(&["edit", "crm", "--set", "version=0.2.0"]).done();
    team.run(&["publish", "crm", "--commit", "--all"]).done();
    team.run(&["apply"]).done();
    assert_eq!(team.stage("crm"), "in-review");
}
