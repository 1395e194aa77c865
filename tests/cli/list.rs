//! `list`, `show` and `explain` tell how connectors stand.

use crate::support::command::Team;

#[test]
fn every_connector_has_a_line() {
    let team = Team::in_review();
    team.run(&["new", "mail", "--kind", "saas", "--owner", "bob@example.com", "--commit"]).done();
    let ran = team.run(&["list"]).done();
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "CONNECTOR  OWNER              KIND        VERSION           STAGE      ALLOWED                       WAITS ON");
    assert_eq!(lines[1], "crm        alice@example.com  self-built  0.1.0             in review  withdraw, view                review #1");
    assert!(lines[2].starts_with("mail       bob@example.com    saas        sha-"), "{}", lines[2]);
    assert!(lines[2].ends_with("  editing    share, publish, edit, delete"), "{}", lines[2]);
    assert_eq!(ran.err, "");
}

#[test]
fn json_names_every_field() {
    let json = Team::in_review().run(&["list", "--output", "json"]).done().json();
    let crm = &json[0];
    assert_eq!(crm["stage"], "in-review");
    assert_eq!(crm["status"], "published");
    assert_eq!(crm["environments"]["test"]["version"], "0.1.0");
    assert_eq!(crm["waitingOn"][0]["kind"], "review");
    assert_eq!(crm["waitingOn"][0]["summary"], "review #1");
    assert_eq!(crm["next"], serde_json::Value::Null);
}

#[test]
fn nothing_to_list_says_how_to_begin() {
    let ran = Team::new().run(&["list"]).done();
    assert_eq!(ran.out, "No connector is committed yet. `switchboard new NAME --kind saas` adds one; commit it to see it here.\n");
}

#[test]
fn one_connector_is_shown_in_full() {
    let team = Team::published();
    let ran = team.run(&["show", "crm"]).done();
    for part in [
        "crm  Crm\n",
        "  stage    published\n",
        "  production  0.1.0",
        "  tests    5 passed, 0 failed\n",
        "approved by bob@example.com",
        "published 0.1.0 to production by review #1",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing:\n{}", ran.out);
    }
    let json = team.run(&["show", "crm", "--output", "json"]).done().json();
    assert_eq!(json["stage"], "published");
    assert_eq!(json["tests"]["passed"], 5);
    assert!(json["history"].as_array().unwrap().iter().any(|entry| entry["fact"] == "published"));
    let ran = team.run(&["show", "crn"]).two();
    assert!(ran.err.contains("Did you mean `crm`?"), "{}", ran.err);
}

#[test]
fn a_connector_is_explained_in_sentences() {
    let team = Team::in_review();
    let ran = team.run(&["explain", "crm"]).done();
    assert_eq!(
        ran.out,
        "crm is in review: a review of it is open, and its content is frozen (test holds 0.1.0).\n\
         Its manifest asks for `published`: it is to be tested, reviewed and published.\n\
         The tests of this content: 5 passed, 0 failed.\n\
         It waits on review #1.\n"
    );
    let ran = team.run(&["explain", "nothing-such"]).two();
    assert!(ran.err.contains("there is no connector `nothing-such`"), "{}", ran.err);
}

#[test]
fn a_broken_manifest_waits_and_the_others_go_on() {
    let team = Team::with_crm();
    team.run(&["new", "mail", "--kind", "saas", "--commit"]).done();
    team.replace("connectors/crm/connector.yaml", "title: Crm", "titel: Crm");
    team.commit_all("Break crm");
    let ran = team.run(&["list"]).done();
    assert!(ran.out.contains("a readable manifest: connectors/crm/connector.yaml:4:1: error[SB020]"), "{}", ran.out);
    assert_eq!(team.stage("mail"), "editing");
}

#[test]
fn what_could_not_be_read_is_not_said_to_be_empty() {
    let team = Team::nowhere();
    git2::Repository::init(team.outside().join("team")).unwrap();
    let ran = team.run(&["list"]).failed();
    assert_eq!(ran.out, "Nothing is known of any connector.\n");
    assert!(ran.err.contains("it has no commit yet"), "{}", ran.err);
    for command in ["show", "explain", "plan"] {
        let ran = team.run(&[command, "crm"]).failed();
        assert!(ran.err.contains("no connector `crm` is known: cannot read the repository: it has no commit yet"), "{}", ran.err);
    }
    let ran = team.run(&["apply"]).failed();
    assert!(ran.err.ends_with("Nothing could be planned: every environment keeps what it holds.\n"), "{}", ran.err);
}

#[test]
fn a_remote_that_is_away_leaves_what_was_last_known() {
    let team = Team::with_crm();
    let url = format!("file://{}", team.root().display());
    let list = || team.run_in(team.outside(), &["list", "--repo", &url]);
    assert!(list().done().out.contains("crm "));
    std::fs::rename(team.root(), team.outside().join("away")).unwrap();
    let ran = list().failed();
    assert!(ran.out.contains("crm "), "{}", ran.out);
    assert!(ran.err.ends_with("warning: what is shown is the last known state\n"), "{}", ran.err);
}
