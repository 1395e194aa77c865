//! `explain` tells more about codes and stages.

use crate::support::command::Team;

#[test]
fn codes_and_stages_are_explained() {
    let team = Team::nowhere();
    let ran = team.run_in(team.outside(), &["explain", "sb020"]).done();
    assert!(ran.out.starts_with("SB020: unknown key\n") && ran.out.contains("\nFix: "), "{}", ran.out);
    for stage in ["in-review", "in review", "In Review"] {
        let ran = team.run_in(team.outside(), &["explain", stage]).done();
        assert!(ran.out.contains("Allowed: withdraw, view."), "{}", ran.out);
    }
    let json = team.run_in(team.outside(), &["explain", "pre-published", "--output", "json"]).done().json();
    assert_eq!(json["operations"], serde_json::json!(["publish", "edit", "delete"]));
}

#[test]
fn an_unknown_code_is_wrong_usage() {
    let team = Team::nowhere();
    let ran = team.run_in(team.outside(), &["explain", "SB998"]).two();
    assert!(ran.err.contains("there is no such code") && ran.err.contains("Codes run from SB001"), "{}", ran.err);
}
