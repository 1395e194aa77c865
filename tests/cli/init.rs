//! `init` makes a ready team's repository and leaves alone what is there.

use crate::support::command::Team;

#[test]
fn a_repository_is_made_and_committed() {
    let team = Team::nowhere();
    let ran = team.run_in(team.outside(), &["init", "team"]).done();
    assert!(ran.out.starts_with("Made a team's repository in team:\n  switchboard.yaml\n"), "{}", ran.out);
    assert!(ran.out.ends_with("Next: cd team && switchboard new NAME --kind saas\n"), "{}", ran.out);
    let (message, paths) = team.last_commit();
    assert_eq!(message, "Begin the team's connectors");
    assert!(paths.contains(&"schemas/connector.schema.json".to_owned()), "{paths:?}");
    assert_eq!(team.dirty(), Vec::<String>::new());
    assert_eq!(team.git().head().unwrap().name().unwrap(), "refs/heads/main");
    assert!(team.read("switchboard.yaml").contains("administrators: [alice@example.com]"));
    assert!(team.read(".gitignore").contains(".switchboard/\n"));
    assert_eq!(team.run(&["validate"]).done().out, "0 connectors: nothing wrong.\n");
}

#[test]
fn making_it_again_changes_nothing() {
    let team = Team::new();
    let before = team.last_commit();
    let ran = team.run(&["init"]).done();
    assert!(ran.out.contains("nothing to do"), "{}", ran.out);
    assert_eq!(team.last_commit(), before);
}

#[test]
fn a_repository_with_files_of_its_own_keeps_them() {
    let team = Team::new();
    team.write("README.md", "ours\n");
    team.write(".gitignore", "target");
    std::fs::remove_file(team.path("schemas/suite.schema.json")).unwrap();
    team.commit_all("Ours");
    team.write("README.md", "ours, being edited\n");
    let ran = team.run(&["init"]).done();
    assert!(ran.out.contains("  schemas/suite.schema.json\n  .gitignore\n"), "{}", ran.out);
    assert_eq!(team.read(".gitignore").lines().next(), Some("target"));
    let (_, paths) = team.last_commit();
    assert_eq!(paths, [".gitignore", "schemas/suite.schema.json"]);
    assert_eq!(team.dirty(), ["README.md"]);
}

#[test]
fn without_an_identity_the_files_are_written_and_the_commit_is_left() {
    let team = Team::nowhere();
    team.identify("", "");
    let ran = team.run_in(team.outside(), &["init", "team"]).done();
    assert!(ran.err.contains("git does not know who you are"), "{}", ran.err);
    assert!(ran.out.contains("Not committed yet"), "{}", ran.out);
    assert!(team.read("switchboard.yaml").contains("administrators: []"));
    assert!(team.git().head().is_err());
}

#[test]
fn a_folder_inside_another_repository_or_a_file_is_refused() {
    let team = Team::new();
    std::fs::create_dir(team.path("inner")).unwrap();
    let ran = team.run(&["init", "inner"]).failed();
    assert!(ran.err.contains("cannot make a team's repository in inner: it is inside the repository"), "{}", ran.err);
    let ran = team.run(&["init", "README.md"]).two();
    assert!(ran.err.contains("it is a file"), "{}", ran.err);
}

#[test]
fn a_refusal_leaves_no_folder_behind() {
    let team = Team::new();
    team.run(&["init", "connectors/sub"]).failed();
    assert!(!team.path("connectors/sub").exists());
    let outside = Team::nowhere();
    let ran = outside.run_in(outside.outside(), &["init", "nope/../team"]).two();
    assert!(ran.err.contains("nope does not exist"), "{}", ran.err);
    assert!(!outside.outside().join("nope").exists());
}
