//! `completions` prints what a shell needs.

use crate::support::command::Team;

#[test]
fn completions_know_the_commands() {
    let team = Team::nowhere();
    for shell in ["bash", "zsh", "fish"] {
        let ran = team.run_in(team.outside(), &["completions", shell]).done();
        assert!(ran.out.contains("pre-publish"), "{shell}");
    }
    team.run_in(team.outside(), &["completions", "tcsh"]).two();
}
