//! `test --watch` runs what a change affects, until it is told to stop.

use std::fs;

use crate::support::command::Team;
use crate::support::daemon::Daemon;

fn start(team: &Team, arguments: &[&str]) -> Daemon {
    Daemon::start_with(team, &[&["test", "--watch"], arguments].concat(), &[], "Watching connectors/.")
}

/// The lines of one run, up to its sum.
fn run(daemon: &mut Daemon) -> String {
    let mut text = String::new();
    loop {
        let line = daemon.line();
        text.push_str(&line);
        text.push('\n');
        if line.contains(" passed, ") && line.ends_with('.') {
            assert_eq!(daemon.line(), "");
            return text;
        }
    }
}

const SUITE: &str = "connectors/crm/tests/get-item.yaml";

#[test]
fn a_change_runs_the_tests_of_its_connector_alone() {
    let team = Team::with_crm();
    team.run(&["new", "mail", "--kind", "saas"]).done();
    let mut daemon = start(&team, &[]);
    let first = run(&mut daemon);
    assert!(first.lines().next().unwrap().ends_with("Z  testing crm, mail"), "{first}");
    assert!(first.ends_with("10 passed, 0 failed in 2 connectors.\n"), "{first}");

    // As an editor does it: whole, by another name.
    let changed = team.read(SUITE).replace("name: First item }", "name: Second item }");
    team.write("connectors/crm/tests/.get-item.yaml.new", changed);
    fs::rename(team.path("connectors/crm/tests/.get-item.yaml.new"), team.path(SUITE)).unwrap();
    let second = run(&mut daemon);
    assert!(second.lines().next().unwrap().ends_with("  testing crm"), "{second}");
    assert!(second.contains("  ✗ Items › Reads an item") && second.ends_with("4 passed, 1 failed in 1 connector.\n"), "{second}");

    // What cannot be read is shown, and waited for.
    team.replace("connectors/mail/connector.yaml", "title: Mail", "titel: Mail");
    let broken = run(&mut daemon);
    assert!(
        broken.contains("unknown key `titel`") && broken.ends_with("0 passed, 0 failed in 0 connectors; 1 cannot be read.\n"),
        "{broken}"
    );
    team.replace("connectors/mail/connector.yaml", "titel: Mail", "title: Mail");
    assert!(run(&mut daemon).ends_with("5 passed, 0 failed in 1 connector.\n"));
    assert!(daemon.end_with("INT").success());
    assert_eq!(daemon.lines.next().map(Result::unwrap), None);
}

#[test]
fn connectors_come_and_go() {
    let team = Team::with_crm();
    let (there, elsewhere) = (team.path("connectors/crm"), team.outside().join("crm"));
    fs::rename(&there, &elsewhere).unwrap();
    let mut daemon = start(&team, &[]);
    fs::rename(&elsewhere, &there).unwrap();
    let text = run(&mut daemon);
    assert!(text.ends_with("5 passed, 0 failed in 1 connector.\n"), "{text}");
    // Saved as it is, it is not run again.
    team.write(SUITE, team.read(SUITE));
    fs::rename(&there, &elsewhere).unwrap();
    assert!(daemon.line().ends_with("Z  crm gone"));
    fs::rename(&elsewhere, &there).unwrap();
    assert!(run(&mut daemon).contains("  testing crm\n"));
}

#[test]
fn a_change_ends_the_run_of_the_old_content() {
    let team = Team::with_crm();
    let manifest = team.read("connectors/crm/connector.yaml");
    team.replace("connectors/crm/connector.yaml", "${ { id, name } }", "${ def endless: endless; endless }");
    let mut daemon = start(&team, &["crm"]);
    assert!(daemon.line().ends_with("  testing crm"));
    while daemon.children().is_empty() {
        std::thread::yield_now();
    }
    team.write("connectors/crm/connector.yaml", manifest);
    let text = run(&mut daemon);
    assert!(text.ends_with("5 passed, 0 failed in 1 connector.\n") && !text.contains('✗'), "{text}");
}

#[test]
fn programs_get_a_line_a_run() {
    let team = Team::with_crm();
    let mut daemon = start(&team, &["--output", "json"]);
    let first: serde_json::Value = serde_json::from_str(&daemon.line()).unwrap();
    assert_eq!((first["passed"].as_u64(), &first["evidence"][0]["connector"]), (Some(5), &"crm".into()));
    team.replace(SUITE, "name: First item }", "name: Second item }");
    let second: serde_json::Value = serde_json::from_str(&daemon.line()).unwrap();
    assert_eq!(second["failed"], 1);
    let ran = team.run(&["test", "--watch", "--output", "junit"]).two();
    assert!(ran.err.contains("a report is about one run"), "{}", ran.err);
    team.run(&["test", "--watch", "--again"]).two();
}

#[test]
fn what_a_watch_cannot_do_is_refused() {
    let team = Team::with_crm();
    for flags in [&["--live", "--environment", "test"][..], &["--record", "--environment", "test"], &["--min-coverage", "90"], &["--again"]]
    {
        let ran = team.run(&[&["test", "--watch"], flags].concat()).two();
        assert!(ran.err.contains("cannot be used with"), "{flags:?}: {}", ran.err);
    }
    let ran = team.run(&["test", "--live", "--environment", "test", "--min-coverage", "90"]).two();
    assert!(ran.err.contains("cannot be used with"), "{}", ran.err);
}
