//! Watches the engine from another thread of the worker: an expression that never ends keeps the engine from noticing anything itself.

use std::future::Future;
use std::os::unix::process::parent_id;
use std::pin::pin;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::outbox::Outbox;
use crate::harness::protocol::{FOR_EVER, Overstayed, Word};

/// How long a worker may outlive its parent, and the longest that a limit goes unnoticed.
const PAUSE: Duration = Duration::from_millis(250);
/// How many times within an evaluation's limit it is looked at.
const LOOKS: u32 = 20;

/// What the engine does, for the thread that watches it.
#[derive(Default)]
pub(super) struct Watch {
    /// Odd while the engine is at work, even while it waits; another number after every sign of life.
    beats: AtomicU64,
    run: Mutex<Option<Watched>>,
    watcher: OnceLock<Thread>,
}

struct Watched {
    evaluation: Duration,
    end: Instant,
    /// The task that began last.
    during: Option<String>,
    /// The last sign of life that was seen, and when.
    seen: (u64, Instant),
}

impl Watch {
    fn run(&self) -> MutexGuard<'_, Option<Watched>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a flow under the watch: each stretch between two waits, and the whole.
    pub(super) async fn over<F: Future>(&self, evaluation: Duration, time: Duration, flow: F) -> F::Output {
        let now = Instant::now();
        let end = now + time.min(FOR_EVER);
        *self.run() = Some(Watched { evaluation, end, during: None, seen: (0, now) });
        let _ended = Ended(self);
        if let Some(watcher) = self.watcher.get() {
            watcher.unpark();
        }
        let mut flow = pin!(flow);
        std::future::poll_fn(|context| {
            self.beats.fetch_add(1, Ordering::Relaxed);
            let polled = flow.as_mut().poll(context);
            self.beats.fetch_add(1, Ordering::Relaxed);
            match polled {
                Poll::Ready(output) => Poll::Ready(output),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// The engine is at work and not stuck: an evaluation has ended, another may begin.
    pub(super) fn beat(&self) {
        self.beats.fetch_add(2, Ordering::Relaxed);
    }

    /// A task begins.
    pub(super) fn begins(&self, reference: &str) {
        if let Some(run) = self.run().as_mut() {
            let during = run.during.get_or_insert_default();
            during.clear();
            during.push_str(reference);
        }
    }

    /// The task that began last.
    pub(super) fn during(&self) -> Option<String> {
        self.run().as_ref().and_then(|run| run.during.clone())
    }

    /// Looks until the process ends: once its parent has ended, or a flow overstays.
    pub(super) fn look_on(&self, parent: u32, outbox: &Outbox) -> ! {
        let _ = self.watcher.set(thread::current());
        while parent_id() == parent {
            let mut run = self.run();
            match self.look(run.as_mut(), Instant::now()) {
                Look::Again(pause) => {
                    drop(run);
                    thread::park_timeout(pause);
                }
                Look::Overstayed(limit, during) => {
                    // While the lock is held, the engine cannot end the run after all and say that, too.
                    let _ = outbox.say(&Word::Overstayed { limit, during });
                    process::exit(1);
                }
            }
        }
        process::exit(1);
    }

    fn look(&self, run: Option<&mut Watched>, now: Instant) -> Look {
        let Some(watched) = run else { return Look::Again(PAUSE) };
        let beats = self.beats.load(Ordering::Relaxed);
        if beats.is_multiple_of(2) || watched.seen.0 != beats {
            watched.seen = (beats, now);
        }
        let overstayed = if now >= watched.end {
            Some(Overstayed::Run)
        } else if now - watched.seen.1 >= watched.evaluation {
            Some(Overstayed::Evaluation)
        } else {
            None
        };
        match overstayed {
            Some(limit) => Look::Overstayed(limit, watched.during.clone()),
            None => Look::Again((watched.evaluation / LOOKS).min(PAUSE).min(watched.end - now).max(Duration::from_millis(1))),
        }
    }
}

/// What a look has found.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Again(Duration),
    Overstayed(Overstayed, Option<String>),
}

/// Ends the watch however the run ends.
struct Ended<'a>(&'a Watch);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        *self.0.run() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const AGAIN: Look = Look::Again(Duration::from_millis(50));

    fn watched(now: Instant) -> Watched {
        Watched { evaluation: SECOND, end: now + 10 * SECOND, during: Some("/do/0/a".to_owned()), seen: (0, now) }
    }

    #[test]
    fn who_waits_is_not_stuck_and_who_works_shows_signs_of_life() {
        let (watch, now) = (Watch::default(), Instant::now());
        let mut run = watched(now);
        assert_eq!(watch.look(Some(&mut run), now + 5 * SECOND), AGAIN);
        watch.beats.store(7, Ordering::Relaxed);
        assert_eq!(watch.look(Some(&mut run), now + 6 * SECOND), AGAIN);
        watch.beat();
        assert_eq!(watch.look(Some(&mut run), now + 7 * SECOND), AGAIN);
        let overstayed = Look::Overstayed(Overstayed::Evaluation, Some("/do/0/a".to_owned()));
        assert_eq!(watch.look(Some(&mut run), now + 8 * SECOND), overstayed);
    }

    #[test]
    fn a_run_has_an_end() {
        let (watch, now) = (Watch::default(), Instant::now());
        let overstayed = Look::Overstayed(Overstayed::Run, Some("/do/0/a".to_owned()));
        assert_eq!(watch.look(Some(&mut watched(now)), now + 10 * SECOND), overstayed);
        assert_eq!(watch.look(None, now + 20 * SECOND), Look::Again(PAUSE));
    }
}
