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

#[test]
fn what_git_ignores_stays_where_it_is() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    let before = team.read(MANIFEST);
    team.write(".gitignore", ".switchboard/\n*.env\n");
    team.write("connectors/crm/more.md", "more");
    team.replace(MANIFEST, "title: Crm", "title: Customers");
    team.commit_all("Change it");
    team.write("connectors/crm/local.env", "TOKEN=1");
    team.run(&["restore", "crm", "--rev", "HEAD~1", "--commit"]).done();
    assert_eq!((team.read(MANIFEST), team.read("connectors/crm/local.env").as_str()), (before, "TOKEN=1"));
    assert!(!team.path("connectors/crm/more.md").exists());
    assert_eq!(team.dirty(), Vec::<String>::new());
}

#[test]
fn what_the_branch_held_goes_before_what_was_merged_into_it() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    let git = team.git();
    let old = git.head().unwrap().peel_to_commit().unwrap();
    team.replace(MANIFEST, "title: Crm", "title: Customers");
    team.commit_all("The newest title");
    team.run(&["delete", "crm", "--commit"]).done();
    // Somebody's branch from before, with the newest commit of all.
    let who = |seconds| git2::Signature::new("Bob", "bob@example.com", &git2::Time::new(seconds, 0)).unwrap();
    let side = git.commit(None, &who(4_000_000_000), &who(4_000_000_000), "Aside", &old.tree().unwrap(), &[&old]).unwrap();
    let (main, side) = (git.head().unwrap().peel_to_commit().unwrap(), git.find_commit(side).unwrap());
    git.commit(Some("HEAD"), &who(4_000_000_001), &who(4_000_000_001), "Merge it", &main.tree().unwrap(), &[&main, &side]).unwrap();
    team.run(&["restore", "crm"]).done();
    assert!(team.read(MANIFEST).contains("title: Customers"), "{}", team.read(MANIFEST));
}
