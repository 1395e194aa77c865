//! The daemon as a process of its own; it ends with the test.

use std::io::{self, BufRead as _, BufReader, Lines, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use super::command::Team;

/// A running `watch`, or another command that goes on until it is told to stop, and what it prints.
pub struct Daemon {
    child: Child,
    pub lines: Lines<BufReader<Box<dyn Read + Send + Sync>>>,
    pub notes: Lines<BufReader<ChildStderr>>,
    /// What it said when it was ready.
    pub ready: String,
}

impl Daemon {
    /// Starts it in the team's repository, and waits until it watches.
    pub fn start(team: &Team, arguments: &[&str]) -> Self {
        Self::start_with(team, arguments, &[], "Watching; state in ")
    }

    /// Starts any command that goes on, and waits until it says that it is ready.
    pub fn start_with(team: &Team, arguments: &[&str], variables: &[(&str, &str)], ready: &str) -> Self {
        let mut command = team.command(&team.root(), arguments);
        let mut child = command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = reading(Box::new(child.stdout.take().unwrap()));
        let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = notes.next().unwrap().unwrap();
        assert!(said.starts_with(ready), "{said}");
        Self { child, lines, notes, ready: said }
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

    /// Reads its output no more.
    pub fn close_output(&mut self) {
        self.lines = reading(Box::new(io::empty()));
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Sends a signal, such as TERM, and waits for the end.
    pub fn end_with(&mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        self.child.wait().unwrap()
    }

    /// Sends a signal, such as TERM.
    pub fn signal(&self, signal: &str) {
        assert!(Command::new("/bin/kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap().success());
    }
}

fn reading(from: Box<dyn Read + Send + Sync>) -> Lines<BufReader<Box<dyn Read + Send + Sync>>> {
    BufReader::new(from).lines()
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
