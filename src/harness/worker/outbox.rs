//! What a worker says: gathered while the engine is at work, and written at once when it waits.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::harness::protocol::{self, Word};

/// How much is gathered at most before it is written anyway, in bytes.
const ROOM: usize = 64 << 10;

/// The worker's pipe to its parent. Words reach it in the order in which they were said, whichever thread said them.
pub(super) struct Outbox(Mutex<BufWriter<File>>);

impl Outbox {
    /// The standard output, of which nobody else makes use.
    pub(super) fn stdout() -> io::Result<Self> {
        let pipe = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Self(Mutex::new(BufWriter::with_capacity(ROOM, pipe))))
    }

    fn pipe(&self) -> MutexGuard<'_, BufWriter<File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something with the next [`Self::flush`], or before it.
    pub(super) fn put(&self, word: &Word) -> io::Result<()> {
        let frame = protocol::frame(word)?;
        self.pipe().write_all(&frame)
    }

    /// Writes what was said.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.pipe().flush()
    }

    /// Says something at once.
    pub(super) fn say(&self, word: &Word) -> io::Result<()> {
        self.put(word)?;
        self.flush()
    }

    /// Says what a flow tells or asks: what it tells at once, before it goes on, which may be the end of this process; what it asks once
    /// it waits.
    pub(super) fn relay(&self, word: &Word) -> io::Result<()> {
        if matches!(word, Word::Told(_) | Word::Began(_)) { self.say(word) } else { self.put(word) }
    }
}
