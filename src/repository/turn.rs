//! Turns: one Switchboard at a time changes a repository's references, its index and its work trees. The operating system ends the turn
//! of a process that ends, however it ends.
//!
//! Whoever has the turn writes down which of git's own locks it is about to take. What is still written there when the next turn begins
//! was left by a process that was killed, and such a lock is removed where it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use git2::Repository;

/// The locked file's name in the git directory. It does not end in `.lock`, so that nobody who sweeps such files away ends a turn.
const NAME: &str = "switchboard-turn";

/// How often the turn is tried, `PAUSE` apart: longer than the longest turn waits for git's own locks.
const ATTEMPTS: u32 = 3_000;
const PAUSE: Duration = Duration::from_millis(10);

/// How old a lock is that nobody holds any more: git holds one for an instant.
const STALE: Duration = Duration::from_secs(5);
/// How often a lock is looked at, `PAUSE` apart, until it counts as left behind.
pub(super) const UNTIL_STALE: u32 = 600;

/// The most that is read of what was written down, in bytes.
const MOST: u64 = 64 * 1024;

/// Held while this process changes the repository.
pub(super) struct Turn {
    // Locked for as long as it is open.
    file: File,
    /// The locks that a killed process had written down.
    left: Vec<PathBuf>,
}

impl Turn {
    /// Waits for the turn of a repository on this machine.
    pub(super) fn take(repo: &Repository) -> Result<Self> {
        let path = repo.commondir().join(NAME);
        let attempt = || format!("cannot use {}", path.display());
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let mut file = match opened {
            // Another user's file can be locked without being written.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(&path).with_context(attempt)?,
            other => other.with_context(attempt)?,
        };
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => {
                    let left = written(&mut file).with_context(attempt)?;
                    return Ok(Self { file, left });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(error).with_context(attempt),
            }
        }
        bail!("another switchboard has been changing the repository for too long; if one is stopped, end it")
    }

    /// Writes down that these locks are about to be taken.
    pub(super) fn announce(&mut self, locks: impl Iterator<Item = PathBuf>) {
        let lines: String = locks.filter_map(|lock| lock.to_str().map(|lock| format!("{lock}\n"))).collect();
        // Where this fails, a lock that is left behind has to be removed by hand; that is no reason to change nothing.
        if let Err(error) = self.file.write_all(lines.as_bytes()) {
            tracing::warn!(%error, "cannot write down which locks are taken");
        }
    }

    /// Whether a killed process was about to take this lock.
    pub(super) fn was_left(&self, lock: &Path) -> bool {
        self.left.iter().any(|left| left == lock)
    }

    /// Removes a lock if it is so old that nobody holds it any more. Only who has the turn does so, so that no two take one lock for
    /// left behind.
    pub(super) fn remove_stale(&self, lock: &Path) {
        let age = fs::metadata(lock).and_then(|metadata| metadata.modified()).ok().and_then(|modified| modified.elapsed().ok());
        if age.is_some_and(|age| age > STALE) {
            tracing::warn!(lock = %lock.display(), "removing a lock that a killed process left");
            fs::remove_file(lock).ok();
        }
    }

    /// Waits until a lock that a killed process has left is old enough to be removed; one of anybody else stays.
    pub(super) fn clear(&self, lock: &Path) {
        for _ in 0..UNTIL_STALE {
            if !(self.was_left(lock) && lock.exists()) {
                return;
            }
            self.remove_stale(lock);
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Whatever this process locked is released by now; what others left may stand still.
        let _ = self.file.set_len(0);
        let left = std::mem::take(&mut self.left);
        self.announce(left.into_iter().filter(|lock| lock.exists()));
    }
}

fn written(file: &mut File) -> std::io::Result<Vec<PathBuf>> {
    let mut text = Vec::new();
    file.take(MOST).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).lines().map(PathBuf::from).collect())
}
