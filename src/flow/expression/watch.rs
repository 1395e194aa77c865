//! How long the present evaluation has been going on. Nothing interrupts jq, so whoever minds its time watches from another thread and
//! ends the process.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// When the present evaluation began, in microseconds of this process and never 0; 0 while there is none.
static SINCE: AtomicU64 = AtomicU64::new(0);

/// Marks an evaluation until it is dropped.
pub(crate) struct Watched;

/// Begins an evaluation. One thread evaluates in a worker, so there is one at a time.
pub(crate) fn begin() -> Watched {
    SINCE.store(micros().max(1), Ordering::Relaxed);
    Watched
}

impl Drop for Watched {
    fn drop(&mut self) {
        SINCE.store(0, Ordering::Relaxed);
    }
}

/// How long the present evaluation has been going on.
pub fn evaluating() -> Option<Duration> {
    match SINCE.load(Ordering::Relaxed) {
        0 => None,
        since => Some(Duration::from_micros(micros().saturating_sub(since))),
    }
}

fn micros() -> u64 {
    u64::try_from(BEGAN.elapsed().as_micros()).unwrap_or(u64::MAX)
}
