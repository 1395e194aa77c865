//! The lease: one process at a time works on a state folder. The operating system frees it when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How often the lock is tried, and how long apart: whoever looks at it holds it for an instant.
const ATTEMPTS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

/// Held while this process works on the state folder.
#[derive(Debug)]
pub struct Lease {
    // Locked for as long as it is open.
    file: File,
}

/// Why the lease could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another process holds it.
    #[error("another switchboard ({holder}) is at work on {}", state.display())]
    Held {
        /// The state folder.
        state: PathBuf,
        /// Who holds it, as it wrote.
        holder: String,
    },
    /// The lock file cannot be used.
    #[error("cannot use the lock file {}: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Lease {
    /// Takes the lease of a state folder, within half a second or not at all.
    pub fn take(state: &Path) -> Result<Self, LeaseError> {
        let path = state.join("lock");
        let unusable = |source| LeaseError::Unusable { path: path.clone(), source };
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(unusable)?;
        let mut attempt = 1;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(LeaseError::Held { state: state.to_owned(), holder: holder(&mut file) }),
                Err(TryLockError::Error(source)) => return Err(unusable(source)),
            }
            attempt += 1;
        }
        let write = |file: &mut File| -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "process {}", std::process::id())
        };
        write(&mut file).map_err(unusable)?;
        Ok(Self { file })
    }

    /// Who holds the lease of a state folder now, if anybody does.
    pub fn holder(state: &Path) -> Option<String> {
        let mut file = File::open(state.join("lock")).ok()?;
        match file.try_lock_shared() {
            Ok(()) => None,
            Err(TryLockError::WouldBlock) => Some(holder(&mut file)),
            Err(TryLockError::Error(_)) => None,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Nobody is to be named who has left.
        let _ = self.file.set_len(0);
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(100).read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) | Err(_) => "an unknown process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_and_told_who_holds_it() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(Lease::holder(state.path()), None);
        let lease = Lease::take(state.path()).unwrap();
        let refused = Lease::take(state.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        assert!(Lease::holder(state.path()).is_some());
        drop(lease);
        assert_eq!(Lease::holder(state.path()), None);
        assert_eq!(std::fs::read(state.path().join("lock")).unwrap(), b"", "nobody is named who has left");
        Lease::take(state.path()).unwrap();
    }

    #[test]
    fn whoever_only_looks_is_in_nobodys_way() {
        let state = tempfile::tempdir().unwrap();
        drop(Lease::take(state.path()).unwrap());
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                        Lease::holder(state.path());
                    }
                });
            }
            let taken: Vec<_> = (0..200).map(|_| Lease::take(state.path()).map(drop)).collect();
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(taken.iter().all(Result::is_ok), "{taken:?}");
        });
    }
}
