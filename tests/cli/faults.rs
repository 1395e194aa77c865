//! What the machine does to Switchboard: killed processes and full disks change when the end is reached, and not which.

use std::process::Command;

use crate::support::command::{Ran, Team};
use crate::support::daemon::Daemon;

/// Everything that people see of where a team stands, but for times and commits.
fn end_state(team: &Team) -> [serde_json::Value; 2] {
    let connectors = team.run(&["list", "--output", "json"]).done().json();
    let mut reviews = team.run(&["review", "list", "--output", "json"]).done().json();
    for review in reviews.as_array_mut().unwrap() {
        let review = review.as_object_mut().unwrap();
        review.retain(|key, _| ["id", "connector", "version", "state"].contains(&key.as_str()));
    }
    [connectors, reviews]
}

/// Asks for everything that has steps of its own: a deployment, tests and a review of one connector, a deletion of another.
fn busy() -> Team {
    let team = Team::with_crm();
    team.run(&["new", "erp", "--kind", "saas", "--commit"]).done();
    team.run(&["pre-publish", "erp", "--commit"]).done();
    team.run(&["apply"]).done();
    team.run(&["delete", "erp", "--commit"]).done();
    team.run(&["publish", "crm", "--commit"]).done();
    team
}

#[test]
fn a_daemon_killed_after_any_step_ends_where_one_ends_that_lives() {
    let team = busy();
    let steps = team.run(&["apply"]).done().out.lines().count();
    assert!(steps >= 4, "{steps}");
    let expected = end_state(&team);
    assert_eq!(expected[1].as_array().unwrap().len(), 1);

    for lived in 0..steps {
        let team = busy();
        let mut daemon = Daemon::start(&team, &["watch"]);
        (0..lived).for_each(|_| drop(daemon.line()));
        assert!(!daemon.end_with("KILL").success());
        team.run(&["apply"]).done();
        assert_eq!(end_state(&team), expected, "killed after {lived} lines");
    }
}

/// A disk where no file can grow beyond a size: what a full disk is to a program, without the rights to make a small one.
#[test]
fn a_full_disk_stops_the_work_and_spoils_nothing() {
    let team = busy();
    let whole = busy();
    whole.run(&["apply"]).done();

    let mut refused = 0;
    for kib in [0, 4, 16, 64, 128, 192] {
        let ran = limited(&format!("trap '' XFSZ; ulimit -f {kib}"), &team, &["apply"]);
        if ran.code != 0 {
            refused += 1;
            assert!(ran.code == 1 && ran.err.contains("disk is full"), "{kib} KiB: {ran:?}");
        }
    }
    assert!(refused > 1);
    team.run(&["apply"]).done();
    assert_eq!(end_state(&team), end_state(&whole));
}

#[test]
fn stricter_limits_of_the_machine_are_kept_and_the_tests_still_run() {
    let team = Team::with_crm();
    let ran = limited("ulimit -H -n 64; ulimit -H -t 30; ulimit -H -c 0; ulimit -H -v 4000000", &team, &["test"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("5 passed, 0 failed"), "{ran:?}");
}

/// Runs a command under limits that the shell sets first.
fn limited(limits: &str, team: &Team, arguments: &[&str]) -> Ran {
    let plain = team.command(&team.root(), arguments);
    let mut limited = Command::new("/bin/bash");
    limited.args(["-c", &format!("{limits}; exec \"$0\" \"$@\"")]).arg(plain.get_program()).args(plain.get_args());
    limited.current_dir(team.root()).env_clear();
    limited.envs(plain.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
    let output = limited.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}
