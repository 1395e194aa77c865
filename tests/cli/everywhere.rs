//! What holds for every command: flags, mistakes, streams.

use std::io::Read as _;
use std::process::Stdio;

use crate::support::command::Team;

#[test]
fn help_is_the_result_and_groups_commands() {
    let ran = Team::nowhere().run_in(std::path::Path::new("/"), &["--help"]).done();
    assert!(ran.out.contains("Write connectors:\n  init"), "{}", ran.out);
    assert!(ran.out.contains("--repo <PATH|URL>"), "{}", ran.out);
    assert_eq!(ran.err, "");
}

#[test]
fn a_wrong_flag_or_command_is_wrong_usage_with_a_suggestion() {
    let team = Team::nowhere();
    let ran = team.run_in(team.outside(), &["validat"]).two();
    assert!(ran.err.contains("'validate'"), "{}", ran.err);
    let ran = team.run_in(team.outside(), &["validate", "--reev", "x"]).two();
    assert!(ran.err.contains("'--rev'"), "{}", ran.err);
    assert_eq!(ran.out, "");
}

#[test]
fn no_command_prints_help_and_is_wrong_usage() {
    let team = Team::nowhere();
    let ran = team.run_in(team.outside(), &[]).two();
    assert!(ran.err.contains("Usage: switchboard <COMMAND>"), "{}", ran.err);
}

#[test]
fn outside_of_a_repository_every_command_says_so() {
    let team = Team::nowhere();
    for arguments in [&["validate"][..], &["new", "crm", "--kind", "saas"], &["publish", "crm"], &["restore", "crm"]] {
        let ran = team.run_in(team.outside(), arguments).failed();
        assert!(ran.err.contains("there is no git repository around [tmp]"), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("switchboard init"), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_repository_can_be_named_by_flag_and_by_variable() {
    let team = Team::new();
    team.run(&["new", "crm", "--kind", "saas"]).done();
    let root = team.root();
    let root = root.to_str().unwrap();
    assert_eq!(team.run_in(team.outside(), &["validate", "--repo", root]).done().out, "1 connector: nothing wrong.\n");
    let ran = team.run_with(team.outside(), &["validate"], &[("SWITCHBOARD_REPO", root)]).done();
    assert_eq!(ran.out, "1 connector: nothing wrong.\n");
    let ran = team.run_in(team.outside(), &["validate", "--repo", "nowhere"]).failed();
    assert!(ran.err.contains("there is no folder"), "{}", ran.err);
}

#[test]
fn failures_are_json_for_programs_and_leave_the_result_stream_empty() {
    let team = Team::new();
    let ran = team.run(&["publish", "crm", "--output", "json"]).two();
    let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(error["error"]["kind"], "usage");
    assert_eq!(error["error"]["attempt"], "publish crm");
    assert_eq!(ran.out, "");
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let team = Team::new();
    assert!(!team.run(&["validate"]).done().out.contains('\u{1b}'));
    assert!(team.run(&["validate", "--color", "always"]).done().out.contains('\u{1b}'));
    let ran = team.run_with(&team.root(), &["validate"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]);
    assert!(!ran.out.contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let team = Team::nowhere();
    let mut child = team.command(team.outside(), &["schema", "connector"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{errors}");
    assert_eq!(errors, "");
}

#[test]
fn commands_that_look_say_where_to_look() {
    let team = Team::nowhere();
    for arguments in [&["list"][..], &["plan"], &["apply"], &["show", "crm"], &["review", "list"], &["watch"]] {
        let ran = team.run_in(team.outside(), arguments).failed();
        assert!(ran.err.contains("there is no git repository around [tmp]"), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("name it with --repo"), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn wrong_usage_is_json_for_programs() {
    let team = Team::nowhere();
    for flags in [&["--output", "json"][..], &["--output=json"]] {
        let ran = team.run_in(team.outside(), &[&["validat"], flags].concat()).two();
        let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!(error["error"]["kind"], "usage");
        assert_eq!(error["error"]["reason"], "unrecognized subcommand 'validat'");
        assert_eq!(ran.out, "");
    }
    let help = team.run_in(team.outside(), &["--help", "--output", "json"]).done();
    assert!(help.out.contains("Write connectors:"), "help that was asked for is help");
}
