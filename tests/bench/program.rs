//! Runs the real programs and measures them: wall time, peak memory, and the moment a line appears.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// What one run of a program took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// The most memory the process itself held, in KiB; its workers are processes of their own.
    pub peak: u64,
}

/// Switchboard on a repository, with its state where the benchmark says.
pub fn switchboard(repository: &Path, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.arg("--repo").arg(repository).arg("--state").arg(state).env_remove("SWITCHBOARD_LOG");
    command
}

/// A peer's program, where it is on this machine, on the path or among the tools that `tests/run` installs.
pub fn find(name: &str) -> Option<PathBuf> {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin").join(name);
    let candidates = [tool, PathBuf::from(name)];
    let runs = |program: &PathBuf| {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    candidates.into_iter().find(runs)
}

/// Runs a program to its end with nothing shown. Fails where it does not end well.
pub fn timed(command: &mut Command) -> Result<Cost> {
    let complaints = tempfile::NamedTempFile::new()?;
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints.reopen()?).spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak_of(&child).unwrap_or(peak);
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    let wall = start.elapsed();
    if !status.success() {
        bail!("{:?} ended with {status}: {}", command.get_program(), fs::read_to_string(complaints.path())?);
    }
    Ok(Cost { wall, peak })
}

/// The kernel's high-water mark of resident memory. It only grows, so the last look before the end is the peak, give or take a millisecond.
fn peak_of(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// A daemon at work, and the lines it prints with the moment each came.
pub struct Daemon {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Daemon {
    /// Starts `watch`.
    pub fn start(repository: &Path, state: &Path) -> Result<Self> {
        let mut child =
            switchboard(repository, state).arg("watch").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = child.stdout.take().context("the daemon has no output")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// The moment it printed the first line from now on that holds this text. Fails where none comes within a minute.
    pub fn wait_for(&self, text: &str) -> Result<Instant> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((at, line)) if line.contains(text) => return Ok(at),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => bail!("the daemon printed no {text:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("the daemon ended"),
            }
        }
    }

    /// Stops it with SIGTERM, and returns the most memory it held, in KiB.
    pub fn stop(mut self) -> Result<u64> {
        let peak = peak_of(&self.child).context("cannot read the daemon's memory")?;
        let id = self.child.id().to_string();
        ensure!(Command::new("kill").args([OsStr::new("-TERM"), OsStr::new(&id)]).status()?.success(), "cannot stop the daemon");
        ensure!(self.child.wait()?.success(), "the daemon did not stop well");
        Ok(peak)
    }
}
