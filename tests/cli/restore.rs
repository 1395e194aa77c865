//! `restore` brings a connector back as git's history has it.

use crate::support::command::Team;

const MANIFEST: &str = "connectors/crm/connector.yaml";

#[test]
fn a_deleted_connector_comes_back_as_it_was() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    let before = team.read(MANIFEST);
    team.run(&["delete", "crm", "--commit"]).done();
    let ran = team.run(&["restore", "crm", "--commit"]).done();
    assert!(ran.out.starts_with("Restored connectors/crm as of "), "{}", ran.out);
    assert_eq!(team.read(MANIFEST), before);
    assert_eq!(team.last_commit().0, "Restore crm");
    assert_eq!(team.dirty(), Vec::<String>::new());
}

#[test]
fn an_earlier_state_can_be_named() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    let before = team.read(MANIFEST);
    team.write("connectors/crm/notes.md", "more");
    team.run(&["edit", "crm", "--set", "title=Customers", "--commit", "--all"]).done();
    let ran = team.run(&["restore", "crm"]).failed();
    assert!(ran.err.contains("Name the commit to go back to with --rev."), "{}", ran.err);
    team.run(&["restore", "crm", "--rev", "HEAD~1", "--commit"]).done();
    assert_eq!(team.read(MANIFEST), before);
    assert!(!team.path("connectors/crm/notes.md").exists());
}

#[test]
fn work_in_progress_is_not_lost() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    team.write("connectors/crm/notes.md", "half a thought");
    let ran = team.run(&["restore", "crm", "--rev", "HEAD"]).failed();
    assert!(ran.err.contains("connectors/crm/notes.md has uncommitted changes that would be lost"), "{}", ran.err);
}

#[test]
fn what_never_was_cannot_come_back() {
    let team = Team::new();
    let ran = team.run(&["restore", "crm"]).failed();
    assert!(ran.err.contains("git's history does not hold connectors/crm"), "{}", ran.err);
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    team.run(&["delete", "crm", "--commit"]).done();
    let ran = team.run(&["restore", "crn"]).two();
    assert!(ran.err.contains("Did you mean `crm`?"), "{}", ran.err);
}
