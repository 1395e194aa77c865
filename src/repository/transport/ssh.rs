//! A remote behind ssh: the stream is the system's own `ssh`, started with an argument array, so agent, configuration and known hosts just work.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::{GitOptions, Service, Session, pkt};

/// How much of what ssh complains about is kept, in bytes.
const MAX_COMPLAINT: u64 = 4096;
/// How often a broken conversation's `ssh` is looked after, 10 ms apart, so that it can say what was wrong.
const GRACE_STEPS: u32 = 200;

/// A repository behind an ssh location.
#[derive(Debug)]
pub(in crate::repository) struct SshRemote {
    program: OsString,
    args: Vec<String>,
    host: String,
    path: String,
    timeout: Duration,
}

impl SshRemote {
    pub(super) fn new(user: Option<&str>, host: &str, port: Option<u16>, path: &str, options: &GitOptions) -> Self {
        let mut args = options.ssh_args.clone();
        for option in ["BatchMode=yes", "ConnectTimeout=30", "ServerAliveInterval=20", "ServerAliveCountMax=3"] {
            args.extend(["-o".to_owned(), option.to_owned()]);
        }
        args.extend(port.into_iter().flat_map(|port| ["-p".to_owned(), port.to_string()]));
        let destination = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
        args.extend(["--".to_owned(), destination]);
        let program = options.ssh_program.clone().into_os_string();
        Self { program, args, host: host.to_owned(), path: path.to_owned(), timeout: options.timeout }
    }

    pub(super) fn session(&self, service: Service) -> Result<SshSession> {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .arg(format!("{} {}", service.name(), quoted(&self.path)))
            .env_remove("GIT_PROTOCOL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let missing = || anyhow!("ssh was started without its pipes");
        let (input, output) = (child.stdin.take().ok_or_else(missing)?, child.stdout.take().ok_or_else(missing)?);
        let mut complaints = child.stderr.take().ok_or_else(missing)?;
        let complaint = thread::spawn(move || {
            let mut text = Vec::new();
            complaints.by_ref().take(MAX_COMPLAINT).read_to_end(&mut text).ok();
            std::io::copy(&mut complaints, &mut std::io::sink()).ok();
            text
        });
        let child = Arc::new(Mutex::new(child));
        let deadline = Deadline::start(child.clone(), self.timeout);
        let host = self.host.clone();
        Ok(SshSession { child, input: Some(input), output, complaint: Some(complaint), deadline, host })
    }
}

/// One running `ssh`.
pub(super) struct SshSession {
    child: Arc<Mutex<Child>>,
    input: Option<ChildStdin>,
    output: ChildStdout,
    complaint: Option<JoinHandle<Vec<u8>>>,
    deadline: Deadline,
    host: String,
}

impl Session for SshSession {
    fn advertisement(&mut self) -> Result<Box<dyn Read + '_>> {
        Ok(Box::new(&mut self.output))
    }

    fn ask(&mut self, request: &[u8]) -> Result<Box<dyn Read + '_>> {
        let mut input = self.input.take().context("the remote was asked already")?;
        input.write_all(request)?;
        input.flush()?;
        // Closing the pipe tells the service that no more comes.
        drop(input);
        Ok(Box::new(&mut self.output))
    }

    fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        drop(self.input.take());
        for _ in 0..GRACE_STEPS {
            if !matches!(self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None)) {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        stop(&self.child);
        let complaint = self.complaint.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let host = &self.host;
        if self.deadline.has_passed() {
            return error.context(format!("the exchange with {host} over ssh took too long and was broken off"));
        }
        match pkt::shown(&complaint).as_str() {
            "" => error.context(format!("the ssh connection to {host} broke off")),
            text => anyhow!("ssh to {host}: {text}"),
        }
    }
}

impl Drop for SshSession {
    fn drop(&mut self) {
        drop(self.input.take());
        stop(&self.child);
    }
}

fn stop(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    child.kill().ok();
    child.wait().ok();
}

/// Kills the process when its time is over, unless it is dropped before.
struct Deadline {
    passed: Arc<Mutex<bool>>,
    _done: mpsc::Sender<()>,
}

impl Deadline {
    fn start(child: Arc<Mutex<Child>>, timeout: Duration) -> Self {
        let (done, wait) = mpsc::channel();
        let passed = Arc::new(Mutex::new(false));
        let flag = passed.clone();
        thread::spawn(move || {
            if wait.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
                *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
                child.lock().unwrap_or_else(PoisonError::into_inner).kill().ok();
            }
        });
        Self { passed, _done: done }
    }

    fn has_passed(&self) -> bool {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The path in single quotes, as git itself hands it to the remote's shell.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''").replace('!', r"'\!'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_the_remote_shell() {
        assert_eq!(quoted("/srv/a b.git"), "'/srv/a b.git'");
        assert_eq!(quoted("x'; rm -rf '!"), r"'x'\''; rm -rf '\'''\!''");
    }
}
