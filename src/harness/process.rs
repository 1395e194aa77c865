//! One worker process as its parent sees it: started, spoken to, ended, and the reason why it ended by itself.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::protocol::{self, Limits, Task, Word};
use super::workers::WorkersConfig;

/// How much of a worker's stderr is kept, in bytes.
const KEPT: usize = 8 << 10;
/// How long a worker that has closed its pipe may take to end.
const GRACE: Duration = Duration::from_secs(1);

const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

/// A worker process. Dropping it kills the process.
pub(super) struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: JoinHandle<Vec<u8>>,
    memory: u64,
    /// How many tasks it was given.
    pub(super) tasks: u32,
}

impl Worker {
    /// Starts a process with an empty environment and its limits.
    pub(super) async fn start(config: &WorkersConfig) -> Result<Self> {
        let mut child = Command::new(&config.program)
            .arg("worker")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start a worker with {}", config.program.display()))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            anyhow::bail!("a worker has no pipes");
        };
        let limits = Limits { memory: config.memory, cpu: config.case_deadline.as_secs().saturating_mul(60).clamp(60, 3600) };
        // A worker that is gone already tells so when it is asked for something.
        let _ = stdin.write_all(&protocol::frame(&limits)?).await;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout), stderr: tokio::spawn(keep(stderr)), memory: config.memory, tasks: 0 })
    }

    /// Asks for something.
    pub(super) async fn ask(&mut self, task: &Task) -> io::Result<()> {
        self.tasks += 1;
        self.stdin.write_all(&protocol::frame(task)?).await?;
        self.stdin.flush().await
    }

    /// Waits for what it says next.
    pub(super) async fn hear(&mut self) -> io::Result<Word> {
        let mut header = [0; 4];
        self.stdout.read_exact(&mut header).await?;
        let mut bytes = vec![0; protocol::length(header)?];
        self.stdout.read_exact(&mut bytes).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Ends it.
    pub(super) async fn stop(mut self) {
        let _ = self.child.kill().await;
    }

    /// Why it ended by itself, for a person.
    pub(super) async fn reason(mut self) -> String {
        let status = timeout(GRACE, self.child.wait()).await;
        let Ok(Ok(status)) = status else {
            let _ = self.child.kill().await;
            return "it broke off its work and was stopped".to_owned();
        };
        let said = timeout(GRACE, self.stderr).await;
        let said = said.ok().and_then(Result::ok).unwrap_or_default();
        reason_of(status, &String::from_utf8_lossy(&said), self.memory)
    }
}

/// Reads a pipe to its end and keeps the beginning.
async fn keep(mut pipe: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(read) = pipe.read(&mut chunk).await {
        if read == 0 {
            break;
        }
        let room = KEPT.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(&chunk[..room]);
    }
    kept
}

fn reason_of(status: ExitStatus, said: &str, memory: u64) -> String {
    if said.contains("has overflowed its stack") {
        return "the stack overflowed".to_owned();
    }
    let is_memory = said.contains("memory allocation of") || said.contains("capacity overflow") || said.contains("Cannot allocate memory");
    if is_memory {
        return format!("the worker ran out of memory (limit {} MiB)", memory >> 20);
    }
    let said = panic_of(said);
    match (status.signal(), status.code()) {
        (Some(SIGXCPU), _) => "it used up its CPU time".to_owned(),
        (Some(SIGKILL), _) => "it was killed from outside".to_owned(),
        (Some(signal), _) => format!("it was ended by signal {signal}{said}"),
        (None, Some(code)) => format!("it exited by itself (code {code}){said}"),
        (None, None) => format!("it exited by itself{said}"),
    }
}

/// The line that says why a thread panicked, or else the first line there is.
fn panic_of(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let after_panic = lines.iter().position(|line| line.contains("panicked at")).and_then(|at| lines.get(at + 1));
    match after_panic.or(lines.first()) {
        Some(line) => format!(": {}", line.chars().take(200).collect::<String>()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_for_people() {
        let status = ExitStatus::from_raw;
        let overflow = "\nthread 'engine' (7) has overflowed its stack\nfatal runtime error: stack overflow, aborting\n";
        assert_eq!(reason_of(status(6), overflow, 0), "the stack overflowed");
        let memory = "memory allocation of 1000000000 bytes failed\n";
        assert_eq!(reason_of(status(6), memory, 512 << 20), "the worker ran out of memory (limit 512 MiB)");
        assert_eq!(reason_of(status(9), "", 0), "it was killed from outside");
        assert_eq!(reason_of(status(3 << 8), "", 0), "it exited by itself (code 3)");
        let panic = "thread 'engine' panicked at src/x.rs:1:1:\nindex out of bounds\nnote: run with\n";
        assert_eq!(reason_of(status(101 << 8), panic, 0), "it exited by itself (code 101): index out of bounds");
    }
}
