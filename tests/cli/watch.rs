//! `watch` follows the tracked branch, alone on its state, until it is told to stop.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::support::command::Team;

/// The daemon's process; it ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(team: &Team, arguments: &[&str]) -> (Daemon, impl Iterator<Item = String> + use<>) {
    let mut child = team.command(&team.root(), arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let ready = BufReader::new(child.stderr.as_mut().unwrap()).lines().next().unwrap().unwrap();
    assert!(ready.starts_with("Watching; state in "), "{ready}");
    (Daemon(child), lines)
}

#[test]
fn commits_are_followed_and_a_second_daemon_is_refused() {
    let team = Team::with_crm();
    let (mut daemon, mut lines) = start(&team, &["watch"]);
    team.run(&["pre-publish", "crm", "--commit"]).done();
    assert_eq!(lines.next().unwrap(), "crm: deploy 0.1.0 to test");
    assert!(lines.next().unwrap().starts_with("crm: run the tests of "));
    for arguments in [&["watch"][..], &["apply"], &["rebuild"]] {
        let ran = team.run(arguments).failed();
        assert!(ran.err.contains("another switchboard"), "{arguments:?}: {}", ran.err);
    }
    terminate(&daemon);
    assert!(daemon.0.wait().unwrap().success());
    assert_eq!(lines.next(), None);
}

#[test]
fn a_decision_is_acted_on_at_once() {
    let team = Team::in_review();
    let (daemon, mut lines) = start(&team, &["watch", "--output", "json"]);
    team.run(&["review", "approve", "1", "--by", "bob@example.com"]).done();
    let told: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!((told["connector"].as_str(), told["step"].as_str()), (Some("crm"), Some("publish")));
    assert_eq!(told["failure"], serde_json::Value::Null);
    drop(daemon);
}

fn terminate(daemon: &Daemon) {
    let id = daemon.0.id().to_string();
    assert!(std::process::Command::new("/bin/kill").args(["-TERM", &id]).status().unwrap().success());
}
