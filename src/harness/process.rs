//! One worker process as its parent sees it: started, spoken to, ended, and the reason why it ended by itself.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::protocol::{self, Frames, Limits, Said, Task, Word};
use crate::model::{Clock, SystemClock};

/// How workers are run.
#[derive(Clone)]
pub struct WorkersConfig {
    /// The executable that has the subcommand `worker`: this one.
    pub program: PathBuf,
    /// How many runs go on at once.
    pub concurrency: usize,
    /// How long one case, or a stand-alone flow, may take.
    pub case_deadline: Duration,
    /// How long all cases of one run may take, without the time it waits for its turns.
    pub run_limit: Duration,
    /// How long a run keeps its worker while others wait for one; it goes on to the end of a case.
    pub slice: Duration,
    /// The address space of a worker, in bytes.
    pub memory: u64,
    /// Tells when a run began.
    pub clock: Arc<dyn Clock>,
}

impl WorkersConfig {
    /// The usual bounds: as many workers as processors, 10 s a case, 2 minutes a run in slices of 2 s, 512 MiB a worker.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            concurrency: std::thread::available_parallelism().map_or(2, usize::from),
            case_deadline: Duration::from_secs(10),
            run_limit: Duration::from_mins(2),
            slice: Duration::from_secs(2),
            memory: 512 << 20,
            clock: Arc::new(SystemClock),
        }
    }
}

/// How much of a worker's stderr is kept, in bytes.
const KEPT: usize = 8 << 10;
/// How long a worker that has closed its pipe may take to end.
const GRACE: Duration = Duration::from_secs(1);

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
const SIGXCPU: i32 = 24;

/// Why a worker ended by itself.
pub(super) struct Death {
    /// For a person.
    pub(super) reason: String,
    pub(super) blame: Blame,
}

/// What a worker's end speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// What it was asked to do.
    Task,
    /// The machine: it killed the worker, or gave it too little to begin.
    Machine,
}

/// A worker process. Dropping it kills the process.
pub(super) struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: Frames<ChildStdout>,
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
            // What is typed at a terminal, or told to a whole service, is the parent's to hear: it ends its workers when it wants.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start a worker with {}", config.program.display()))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            anyhow::bail!("a worker has no pipes");
        };
        let limits = Limits { memory: config.memory, cpu: config.case_deadline.as_secs().saturating_mul(60).clamp(60, 3600) };
        // A worker that is gone already tells so when it is asked for something.
        let _ = stdin.write_all(&protocol::frame(&limits)?).await;
        let stdout = protocol::frames(stdout);
        Ok(Self { child, stdin, stdout, stderr: tokio::spawn(keep(stderr)), memory: config.memory, tasks: 0 })
    }

    /// Asks for something.
    pub(super) async fn ask(&mut self, task: Task) -> io::Result<()> {
        self.tasks += 1;
        self.stdin.write_all(&protocol::frame(&Said::Task(task))?).await?;
        self.stdin.flush().await
    }

    /// Asks it to stop at the next case boundary. One that is gone tells so when it is listened to.
    pub(super) async fn pause(&mut self) {
        if let Ok(frame) = protocol::frame(&Said::Pause) {
            let _ = self.stdin.write_all(&frame).await;
        }
    }

    /// Waits for what it says next; where it is given up, nothing is lost.
    pub(super) async fn hear(&mut self) -> io::Result<Word> {
        protocol::next(&mut self.stdout).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Both ways of the conversation, to be used at once.
    pub(super) fn ways(&mut self) -> (&mut ChildStdin, &mut Frames<ChildStdout>) {
        self.tasks += 1;
        (&mut self.stdin, &mut self.stdout)
    }

    /// Ends it.
    pub(super) async fn stop(mut self) {
        let _ = self.child.kill().await;
    }

    /// Why it ended by itself.
    pub(super) async fn death(mut self) -> Death {
        let status = timeout(GRACE, self.child.wait()).await;
        let Ok(Ok(status)) = status else {
            let _ = self.child.kill().await;
            return Death { reason: "it broke off its work and was stopped".to_owned(), blame: Blame::Task };
        };
        let said = timeout(GRACE, self.stderr).await;
        let said = said.ok().and_then(Result::ok).unwrap_or_default();
        death_of(status, &String::from_utf8_lossy(&said), self.memory)
    }
}

/// Reads a pipe to its end and keeps the beginning.
async fn keep(mut pipe: impl AsyncRead + Unpin) -> Vec<u8> {
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

fn death_of(status: ExitStatus, said: &str, memory: u64) -> Death {
    let task = |reason: String| Death { reason, blame: Blame::Task };
    let machine = |reason: String| Death { reason, blame: Blame::Machine };
    if said.contains("has overflowed its stack") {
        return task("the stack overflowed".to_owned());
    }
    if said.contains("memory allocation of") || said.contains("capacity overflow") {
        return task(format!("the worker ran out of memory (limit {} MiB)", memory >> 20));
    }
    let panicked = said.contains("panicked at");
    let said = panic_of(said);
    match (status.signal(), status.code()) {
        (Some(SIGXCPU), _) => task("it used up its CPU time".to_owned()),
        (Some(SIGKILL | SIGTERM), _) => machine("it was killed from outside".to_owned()),
        (Some(signal), _) => task(format!("it was ended by signal {signal}{said}")),
        (None, Some(code)) if panicked => task(format!("it exited by itself (code {code}){said}")),
        (None, Some(code)) => machine(format!("it exited by itself (code {code}){said}")),
        (None, None) => machine(format!("it exited by itself{said}")),
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
    fn reasons_are_for_people_and_blame_the_right_one() {
        let death = |status: i32, said: &str| {
            let death = death_of(ExitStatus::from_raw(status), said, 512 << 20);
            (death.reason, death.blame)
        };
        let task = |reason: &str| (reason.to_owned(), Blame::Task);
        let machine = |reason: &str| (reason.to_owned(), Blame::Machine);
        let overflow = "\nthread 'engine' (7) has overflowed its stack\nfatal runtime error: stack overflow, aborting\n";
        assert_eq!(death(6, overflow), task("the stack overflowed"));
        assert_eq!(death(6, "memory allocation of 1000000000 bytes failed\n"), task("the worker ran out of memory (limit 512 MiB)"));
        assert_eq!(death(24, ""), task("it used up its CPU time"));
        let panic = "thread 'engine' panicked at src/x.rs:1:1:\nindex out of bounds\nnote: run with\n";
        assert_eq!(death(101 << 8, panic), task("it exited by itself (code 101): index out of bounds"));
        assert_eq!(death(9, ""), machine("it was killed from outside"));
        assert_eq!(death(3 << 8, ""), machine("it exited by itself (code 3)"));
        let poor = "cannot start the engine: Cannot allocate memory (os error 12)\n";
        assert_eq!(death(1 << 8, poor).1, Blame::Machine);
    }
}
