//! `pre-publish`, `publish` and `withdraw` ask, by one value in the manifest.

use crate::support::command::Team;

const MANIFEST: &str = "connectors/crm/connector.yaml";

fn with_crm() -> Team {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas", "--commit"]).done();
    team
}

#[test]
fn one_value_changes_and_is_committed_alone() {
    let team = with_crm();
    let before = team.read(MANIFEST);
    let ran = team.run(&["publish", "crm", "--commit"]).done();
    assert!(ran.out.starts_with("crm asks to be published (commit "), "{}", ran.out);
    assert_eq!(team.read(MANIFEST), before.replace("status: editing", "status: published"));
    assert_eq!(team.last_commit(), ("Publish crm".to_owned(), vec![MANIFEST.to_owned()]));
    assert_eq!(team.dirty(), Vec::<String>::new());
}

#[test]
fn without_commit_the_file_alone_changes() {
    let team = with_crm();
    let ran = team.run(&["pre-publish", "crm"]).done();
    assert!(ran.out.contains("Not committed yet: commit connectors/crm to ask for it."), "{}", ran.out);
    assert_eq!(team.dirty(), [MANIFEST]);
    assert_eq!(team.last_commit().0, "Add crm");
}

#[test]
fn asking_twice_is_asking_once() {
    let team = with_crm();
    team.run(&["publish", "crm", "--commit"]).done();
    let ran = team.run(&["publish", "crm", "--commit"]).done();
    assert!(ran.out.starts_with("crm asks to be published already\n"), "{}", ran.out);
    assert_eq!(team.last_commit().0, "Publish crm");
    let json = team.run(&["publish", "crm", "--output", "json"]).done().json();
    assert_eq!(json["changed"], false);
}

#[test]
fn other_work_in_the_folder_is_not_swept_along() {
    let team = with_crm();
    team.write("connectors/crm/notes.md", "half a thought");
    let ran = team.run(&["publish", "crm", "--commit"]).failed();
    assert!(ran.err.contains("cannot publish crm: connectors/crm/notes.md has uncommitted changes"), "{}", ran.err);
    assert!(team.read(MANIFEST).contains("status: editing"), "nothing was written");
    team.run(&["publish", "crm", "--commit", "--all"]).done();
    assert_eq!(team.last_commit().1, [MANIFEST, "connectors/crm/notes.md"]);
}

#[test]
fn what_could_not_be_deployed_is_refused() {
    let team = with_crm();
    team.replace(MANIFEST, "title: Crm", "titel: Crm");
    let ran = team.run(&["publish", "crm"]).failed();
    assert!(ran.err.contains("hint: `switchboard validate crm` shows all of them."), "{}", ran.err);
    team.run(&["new", "own", "--kind", "self-built"]).done();
    team.replace("connectors/own/connector.yaml", "version: 0.1.0\n", "");
    let ran = team.run(&["pre-publish", "own"]).failed();
    assert!(ran.err.contains("it is self-built and has no version yet"), "{}", ran.err);
}

#[test]
fn nobody_commits_without_a_name() {
    let team = with_crm();
    team.identify("", "");
    let ran = team.run(&["publish", "crm", "--commit"]).failed();
    assert!(ran.err.contains("git does not know who you are"), "{}", ran.err);
    assert!(team.read(MANIFEST).contains("status: editing"), "nothing was written");
}

#[test]
fn a_commit_on_another_branch_is_pointed_out() {
    let team = with_crm();
    let git = team.git();
    let head = git.head().unwrap().peel_to_commit().unwrap();
    git.branch("topic", &head, false).unwrap();
    git.set_head("refs/heads/topic").unwrap();
    let ran = team.run(&["publish", "crm", "--commit"]).done();
    assert!(ran.err.contains("committed on topic; Switchboard follows main"), "{}", ran.err);
}

#[test]
fn a_bare_repository_has_no_files_to_edit() {
    let team = with_crm();
    let bare = team.outside().join("x.git");
    git2::build::RepoBuilder::new().bare(true).clone(team.root().to_str().unwrap(), &bare).unwrap();
    let ran = team.run_in(&bare, &["publish", "crm"]).failed();
    assert!(ran.err.contains("the repository has no files to edit here"), "{}", ran.err);
}

#[test]
fn earlier_content_comes_back_through_a_review_of_its_own() {
    let team = Team::published();
    let first = team.read("connectors/crm/connector.yaml");
    team.replace("connectors/crm/connector.yaml", "version: 0.1.0", "version: 0.2.0");
    team.commit_all("Version 0.2.0");
    team.run(&["apply"]).done();
    team.run(&["review", "approve", "2", "--by", "bob@example.com"]).done();
    team.run(&["apply"]).done();

    team.write("connectors/crm/connector.yaml", first);
    team.commit_all("Back to 0.1.0");
    team.run(&["apply"]).done();
    assert_eq!(team.stage("crm"), "in-review");
    team.run(&["review", "approve", "3", "--by", "bob@example.com"]).done();
    let ran = team.run(&["apply"]).done();
    assert!(ran.out.contains("crm: publish 0.1.0 to production, replacing 0.2.0 by review #3"), "{}", ran.out);
    assert_eq!(team.stage("crm"), "published");
}
