//! Turns: one Switchboard at a time changes a repository's references, its index and its work trees. The operating system ends the turn
//! of a process that ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use git2::Repository;

/// The locked file's name in the git directory. It does not end in `.lock`, so that nobody who sweeps such files away ends a turn.
const NAME: &str = "switchboard-turn";

/// How often the lock is tried, 10 ms apart: longer than the longest turn waits for git's own locks.
const ATTEMPTS: u32 = 3_000;

/// Held while this process changes the repository.
pub(super) struct Turn {
    // Locked for as long as it is open.
    _file: File,
}

impl Turn {
    /// Waits for the turn of a repository on this machine.
    pub(super) fn take(repo: &Repository) -> Result<Self> {
        let path = repo.commondir().join(NAME);
        let attempt = || format!("cannot use {}", path.display());
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let file = match opened {
            // Another user's file can be locked without being written.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(&path).with_context(attempt)?,
            other => other.with_context(attempt)?,
        };
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::Error(error)) => return Err(error).with_context(attempt),
            }
        }
        bail!("another switchboard has been changing the repository for too long; if one is stopped, end it")
    }
}
