//! The systemd unit: what it runs exists, and what it promises about safety is in it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

fn unit() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/service/switchboard.service")).unwrap()
}

/// Every setting of the unit by section and key; a key that is given several times has its last value.
fn settings(unit: &str) -> HashMap<(String, String), String> {
    let mut section = String::new();
    let mut settings = HashMap::new();
    for line in unit.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("no setting: {line}"));
            settings.insert((section.clone(), key.to_owned()), value.to_owned());
        }
    }
    settings
}

#[test]
fn the_unit_is_hardened_and_stops_in_time() {
    let settings = settings(&unit());
    for (key, value) in [
        ("Type", "exec"),
        ("DynamicUser", "yes"),
        ("User", "switchboard"),
        ("StateDirectory", "switchboard"),
        ("EnvironmentFile", "/etc/switchboard/switchboard.env"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("CapabilityBoundingSet", ""),
        ("Restart", "on-failure"),
        ("KillSignal", "SIGTERM"),
        ("TimeoutStopSec", "15"),
    ] {
        assert_eq!(settings.get(&("Service".to_owned(), key.to_owned())).map(String::as_str), Some(value), "{key}");
    }
    assert_eq!(settings[&("Install".to_owned(), "WantedBy".to_owned())], "multi-user.target");
    let secrets = unit().lines().any(|line| line.starts_with("Environment="));
    assert!(!secrets, "settings come from a file that only root can read");
}

#[test]
fn the_unit_runs_the_daemon_as_it_is() {
    let settings = settings(&unit());
    let line = &settings[&("Service".to_owned(), "ExecStart".to_owned())];
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..2], ["/usr/local/bin/switchboard", "watch"]);
    let help = Command::new(env!("CARGO_BIN_EXE_switchboard")).args(["watch", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for flag in words.iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(flag), "`switchboard watch` has no {flag}:\n{help}");
    }
}

#[test]
fn systemd_accepts_the_unit_where_it_is_there_to_ask() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchboard.service");
    fs::write(&file, unit().replace("/usr/local/bin/switchboard", env!("CARGO_BIN_EXE_switchboard"))).unwrap();
    let answer = Command::new("systemd-analyze").arg("verify").arg("--man=no").arg(&file).output();
    let Ok(answer) = answer else { return };
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
}
