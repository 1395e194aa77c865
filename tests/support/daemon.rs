//! The daemon as a process of its own; it ends with the test.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use super::command::Team;

/// A running `watch`, and what it prints.
pub struct Daemon {
    child: Child,
    pub lines: Lines<BufReader<ChildStdout>>,
    pub notes: Lines<BufReader<ChildStderr>>,
}

impl Daemon {
    /// Starts it in the team's repository, and waits until it watches.
    pub fn start(team: &Team, arguments: &[&str]) -> Self {
        let mut child = team.command(&team.root(), arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = notes.next().unwrap().unwrap();
        assert!(ready.starts_with("Watching; state in "), "{ready}");
        Self { child, lines, notes }
    }

    /// The next line of its output; it fails where the daemon ends instead.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    /// The next note or log line that holds a text.
    #[track_caller]
    pub fn note_with(&mut self, text: &str) -> String {
        let notes = self.notes.by_ref().map(Result::unwrap);
        notes.into_iter().find(|note| note.contains(text)).unwrap_or_else(|| panic!("the daemon ended without a note of {text:?}"))
    }

    /// The processes it has started.
    pub fn children(&self) -> Vec<u32> {
        let stats = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let id: u32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
            Some((id, stat(id)?))
        });
        stats.filter(|(_, (_, parent))| *parent == self.child.id()).map(|(id, _)| id).collect()
    }

    /// Sends a signal, such as TERM, and waits for the end.
    pub fn end_with(&mut self, signal: &str) -> ExitStatus {
        assert!(Command::new("/bin/kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a process still runs; one that has ended and waits to be collected does not.
pub fn runs(id: u32) -> bool {
    stat(id).is_some_and(|(state, _)| state != 'Z')
}

/// A process's state and its parent, proc(5).
fn stat(id: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
