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

#[test]
fn what_cannot_be_committed_is_not_written() {
    let team = Team::with_crm();
    team.run(&["new", "erp", "--kind", "saas", "--commit"]).done();
    team.run(&["delete", "erp", "--commit"]).done();
    for lock in ["index.lock", "refs/heads/main.lock"] {
        team.write(&format!(".git/{lock}"), "");
        for arguments in [
            &["share", "crm", "bob@example.com"][..],
            &["edit", "crm", "--set", "title=Else"],
            &["pre-publish", "crm"],
            &["delete", "crm"],
            &["restore", "erp"],
            &["new", "mail", "--kind", "saas"],
        ] {
            let ran = team.run(&[arguments, &["--commit"]].concat()).failed();
            let reason = format!("another git process holds [tmp]/team/.git/{lock}");
            assert!(ran.err.contains(&reason) && ran.err.contains("hint: "), "{arguments:?}: {}", ran.err);
            assert_eq!(team.dirty(), Vec::<String>::new(), "{arguments:?}");
        }
        std::fs::remove_file(team.path(&format!(".git/{lock}"))).unwrap();
    }
}

#[test]
fn a_commit_that_fails_after_all_leaves_the_manifest_as_it_was() {
    let team = Team::with_crm();
    // Git cannot tell the branch's log of the commit.
    let log = team.path(".git/logs/refs/heads/main");
    std::fs::remove_file(&log).ok();
    team.write(".git/logs/refs/heads/main/in-the-way", "");
    for arguments in [&["share", "crm", "bob@example.com"][..], &["publish", "crm"], &["edit", "crm", "--set", "title=Else"]] {
        let before = team.read("connectors/crm/connector.yaml");
        team.run(&[arguments, &["--commit"]].concat()).failed();
        assert_eq!(team.read("connectors/crm/connector.yaml"), before, "{arguments:?}");
    }
}
