//! The processes that a test has started, by `/proc`.

use std::fs;

/// The children of this process, those that have ended and are not waited for among them.
pub fn children() -> Vec<u32> {
    children_of(std::process::id())
}

/// The children of a process.
pub fn children_of(process: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(|id| id.parse::<u32>().unwrap()));
    }
    found
}

/// Whether a process has not ended.
pub fn is_alive(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Ends a process at once.
pub fn kill(process: u32) {
    assert!(std::process::Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}
