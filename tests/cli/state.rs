//! A state folder serves one repository and one tracked branch, whatever flags, variables and work trees say for a while.

use crate::support::command::Team;

/// Another team's repository beside the first one's, with nothing in it.
fn other(team: &Team) -> String {
    team.run_in(team.outside(), &["init", "other"]).done();
    team.outside().join("other").to_str().unwrap().to_owned()
}

#[test]
fn another_repository_takes_nothing_out_of_a_state_that_is_not_its_own() {
    let team = Team::published();
    let (other, state) = (other(&team), team.path(".switchboard").to_str().unwrap().to_owned());
    for command in [&["apply"][..], &["plan"], &["list"], &["watch"], &["review", "list"]] {
        let ran = team.run_with(team.outside(), command, &[("SWITCHBOARD_REPO", &other), ("SWITCHBOARD_STATE", &state)]).failed();
        assert!(
            ran.err.contains("the state in [tmp]/team/.switchboard is that of [tmp]/team/.git, not of [tmp]/other/.git"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("--state"), "{}", ran.err);
    }
    assert_eq!(team.stage("crm"), "published");
    team.run(&["plan", "--detailed-exitcode"]).done();
}

#[test]
fn a_repository_that_moved_keeps_the_state_beside_it() {
    let team = Team::published();
    let moved = team.outside().join("moved");
    std::fs::rename(team.root(), &moved).unwrap();
    team.run_in(&moved, &["apply"]).done();
    team.run_in(&moved, &["plan", "--detailed-exitcode"]).done();
    // One that was named by --state has to be begun anew.
    let state = ["--state", "apart"];
    team.run_in(team.outside(), &[&["--repo", "moved", "apply"], &state[..]].concat()).done();
    std::fs::rename(&moved, team.root()).unwrap();
    let refused = team.run_in(team.outside(), &[&["--repo", "team", "apply"], &state[..]].concat()).failed();
    assert!(refused.err.contains("switchboard rebuild"), "{}", refused.err);
    team.run_in(team.outside(), &[&["--repo", "team", "rebuild"], &state[..]].concat()).done();
    team.run_in(team.outside(), &[&["--repo", "team", "plan", "--detailed-exitcode"], &state[..]].concat()).done();
}

#[test]
fn what_cannot_be_understood_of_a_state_is_no_leave_to_use_it() {
    let team = Team::published();
    team.write(".switchboard/serves.json", "{");
    let ran = team.run(&["apply"]).failed();
    assert!(ran.err.contains("cannot read [tmp]/team/.switchboard/serves.json"), "{}", ran.err);
    team.run(&["rebuild"]).done();
    assert_eq!(team.stage("crm"), "published");
}

#[test]
fn without_a_main_branch_a_work_tree_on_another_branch_for_a_while_changes_nothing() {
    let team = Team::published();
    let git = team.git();
    let mut main = git.find_branch("main", git2::BranchType::Local).unwrap();
    main.rename("master", false).unwrap();
    // The branch that was followed is gone: whoever says so by name is believed, and from then on.
    let ran = team.run(&["apply"]).failed();
    assert!(ran.err.contains("no branch `main`") && ran.err.contains("--branch"), "{}", ran.err);
    team.run(&["apply", "--branch", "master"]).done();
    team.run(&["plan", "--detailed-exitcode"]).done();

    let head = git.head().unwrap().peel_to_commit().unwrap();
    git.branch("feature", &head, false).unwrap();
    git.set_head("refs/heads/feature").unwrap();
    team.run(&["delete", "crm", "--commit"]).done();
    let ran = team.run(&["plan", "--detailed-exitcode"]).done();
    assert!(ran.out.contains("In sync"), "{}", ran.out);
    team.run(&["apply"]).done();
    assert_eq!(team.stage("crm"), "published");
}
