//! Turns at a worker: runs get them in the order in which they ask, and give them back at a case boundary while others wait.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

/// So many turns at once, each for a slice of time where others wait.
pub(super) struct Turns {
    permits: Semaphore,
    slice: Duration,
    /// How many wait for a turn.
    waiting: watch::Sender<usize>,
}

/// A turn; dropping it gives it back.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    began: Instant,
    _permit: Option<SemaphorePermit<'a>>,
}

impl Turns {
    pub(super) fn new(count: usize, slice: Duration) -> Self {
        Self { permits: Semaphore::new(count.max(1)), slice, waiting: watch::Sender::new(0) }
    }

    /// Waits for a turn, behind those who asked before.
    pub(super) async fn take(&self) -> Turn<'_> {
        let permit = match self.permits.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => {
                let _waiting = Waiting::begin(&self.waiting);
                // The semaphore is never closed, so waiting for a turn cannot fail.
                self.permits.acquire().await.ok()
            }
        };
        self.turn(permit)
    }

    /// A turn that nobody else waits for, if there is one.
    pub(super) fn take_free(&self) -> Option<Turn<'_>> {
        self.permits.try_acquire().ok().map(|permit| self.turn(Some(permit)))
    }

    /// Whether there is a turn that nobody waits for.
    pub(super) fn has_free(&self) -> bool {
        self.permits.available_permits() > 0
    }

    fn turn<'a>(&'a self, permit: Option<SemaphorePermit<'a>>) -> Turn<'a> {
        Turn { turns: self, began: Instant::now(), _permit: permit }
    }
}

impl Turn<'_> {
    /// How long it has been held.
    pub(super) fn spent(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether its slice is over and others wait. One that is lent has no slice.
    pub(super) fn is_to_be_given_back(&self, kind: Kind) -> bool {
        self.spent() >= self.slice(kind) && *self.turns.waiting.borrow() > 0
    }

    /// Returns once it is to be given back, or has been held for so long.
    pub(super) async fn is_over(&self, kind: Kind, most: Duration) {
        let is_wanted = async {
            sleep_until(self.began + self.slice(kind)).await;
            // The sender lives as long as this turn, so there is always somebody to tell.
            let _ = self.turns.waiting.subscribe().wait_for(|waiting| *waiting > 0).await;
        };
        tokio::select! { () = is_wanted => {}, () = sleep_until(self.began + most) => {} }
    }

    fn slice(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Own => self.turns.slice,
            Kind::Lent => Duration::ZERO,
        }
    }
}

/// Whose a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The run's: each has one in its time.
    Own,
    /// Nobody's: a run that has one already makes use of it until somebody waits.
    Lent,
}

/// One that waits, counted as long as it does.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a watch::Sender<usize>) -> Self {
        waiting.send_modify(|count| *count += 1);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_turn_is_given_back_after_its_slice_to_those_who_wait() {
        let turns = Turns::new(1, Duration::ZERO);
        let first = turns.take().await;
        assert!(!first.is_to_be_given_back(Kind::Own) && first.is_over(Kind::Own, HOUR).now_or_never().is_none(), "nobody waits");
        let (mut second, mut third) = (Box::pin(turns.take()), Box::pin(turns.take()));
        assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
        assert!(first.is_to_be_given_back(Kind::Own));
        first.is_over(Kind::Own, HOUR).await;
        drop(first);
        let second = second.await;
        assert!(third.as_mut().now_or_never().is_none() && second.is_to_be_given_back(Kind::Own), "the third waits");
        drop(third);
        assert!(!second.is_to_be_given_back(Kind::Own), "who waited has gone");
    }

    #[tokio::test]
    async fn a_turn_is_kept_while_its_slice_lasts() {
        let turns = Turns::new(1, HOUR);
        let first = turns.take().await;
        let mut second = Box::pin(turns.take());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(!first.is_to_be_given_back(Kind::Own) && first.is_over(Kind::Own, HOUR).now_or_never().is_none());
        first.is_over(Kind::Own, Duration::ZERO).await;
    }

    #[tokio::test]
    async fn a_free_turn_is_lent_until_somebody_waits() {
        let turns = Turns::new(1, HOUR);
        assert!(turns.has_free());
        let lent = turns.take_free().unwrap();
        assert!(!turns.has_free() && turns.take_free().is_none());
        assert!(!lent.is_to_be_given_back(Kind::Lent) && lent.is_over(Kind::Lent, HOUR).now_or_never().is_none());
        let mut waiting = Box::pin(turns.take());
        assert!(waiting.as_mut().now_or_never().is_none() && lent.is_to_be_given_back(Kind::Lent));
        lent.is_over(Kind::Lent, HOUR).await;
        drop(lent);
        waiting.await;
        assert!(turns.has_free());
    }
}
