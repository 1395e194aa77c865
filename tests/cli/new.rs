//! `new` adds a connector that validates.

use crate::support::command::Team;

#[test]
fn both_kinds_validate_without_a_word_to_say() {
    let team = Team::new();
    let ran = team.run(&["new", "github-issues", "--kind", "saas"]).done();
    assert!(ran.out.starts_with("Added connectors/github-issues\n"), "{}", ran.out);
    team.run(&["new", "billing", "--kind", "self-built", "--owner", "bob@example.com", "--title", "Billing: ours"]).done();
    assert_eq!(team.run(&["validate"]).done().out, "2 connectors: nothing wrong.\n");
    let saas = team.read("connectors/github-issues/connector.yaml");
    assert!(saas.contains("title: Github Issues\n") && saas.contains("owner: alice@example.com\n") && !saas.contains("\nversion:"));
    let own = team.read("connectors/billing/connector.yaml");
    assert!(own.contains("title: \"Billing: ours\"\n") && own.contains("owner: bob@example.com\n") && own.contains("\nversion: 0.1.0\n"));
}

#[test]
fn a_new_connector_is_ready_to_be_published() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas"]).done();
    team.run(&["publish", "crm"]).done();
    let ran = team.run(&["validate"]).done();
    assert!(ran.out.contains(": nothing wrong.") || ran.out.contains("warning"), "{}", ran.out);
}

#[test]
fn it_is_committed_alone_when_asked() {
    let team = Team::new();
    team.write("other.txt", "x");
    let git = team.git();
    let mut index = git.index().unwrap();
    index.add_path(std::path::Path::new("other.txt")).unwrap();
    index.write().unwrap();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    let (message, paths) = team.last_commit();
    assert_eq!(message, "Add crm");
    assert!(paths.iter().all(|path| path.starts_with("connectors/crm/")), "{paths:?}");
    assert_eq!(team.dirty(), ["other.txt"]);
    assert!(team.git().index().unwrap().get_path(std::path::Path::new("other.txt"), 0).is_some(), "still staged");
}

#[test]
fn mistakes_are_refused_and_write_nothing() {
    let team = Team::new();
    let ran = team.run(&["new", "GitHub Issues", "--kind", "saas"]).two();
    assert!(ran.err.contains("hint: `github-issues` would do."), "{}", ran.err);
    let ran = team.run(&["new", "crm", "--kind", "cloud"]).two();
    assert!(ran.err.contains("expected saas"), "{}", ran.err);
    let ran = team.run(&["new", "crm", "--kind", "saas", "--owner", "nobody"]).two();
    assert!(ran.err.starts_with("error: cannot add crm: "), "{}", ran.err);
    team.identify("", "");
    let ran = team.run(&["new", "crm", "--kind", "saas"]).failed();
    assert!(ran.err.contains("it needs an owner") && ran.err.contains("--owner ADDRESS"), "{}", ran.err);
    assert!(!team.path("connectors/crm").exists());
    team.run(&["new", "crm", "--kind", "saas", "--owner", "a@example.com"]).done();
    let ran = team.run(&["new", "crm", "--kind", "saas", "--owner", "a@example.com"]).failed();
    assert!(ran.err.contains("connectors/crm exists already"), "{}", ran.err);
}
