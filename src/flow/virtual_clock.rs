//! A clock for tests: time stands still while anything can go on, and jumps to the next sleeper's end once nothing can.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use jiff::Timestamp;

/// A clock that only sleeping moves.
#[derive(Debug)]
pub struct VirtualClock(Mutex<State>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    next: u64,
    /// Who sleeps, by when they wake and in the order they fell asleep.
    sleepers: BTreeMap<(Timestamp, u64), Option<Waker>>,
}

impl VirtualClock {
    /// A clock that begins here.
    pub fn new(beginning: Timestamp) -> Self {
        Self(Mutex::new(State { now: beginning, next: 0, sleepers: BTreeMap::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Moves the clock to a later moment, where nothing is driven.
    pub fn set(&self, now: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(now);
    }

    /// Lets time pass, once whatever is driven has come to rest.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + '_ {
        let mut state = self.state();
        let until = state.now.saturating_add(duration).unwrap_or(Timestamp::MAX);
        state.next += 1;
        Sleep { clock: self, key: (until, state.next) }
    }

    /// Runs work to its end, on this clock. Work that waits for something else than this clock waits for it in real time.
    pub async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let woken = Arc::new(Woken { again: AtomicBool::new(false), outer: context.waker().clone() });
            let waker = Waker::from(Arc::clone(&woken));
            loop {
                woken.again.store(false, Ordering::SeqCst);
                if let Poll::Ready(ended) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Poll::Ready(ended);
                }
                if !woken.again.load(Ordering::SeqCst) && !self.jump() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Moves to the next end of a sleep; tells whether there was one.
    fn jump(&self) -> bool {
        let mut state = self.state();
        let Some(((until, _), _)) = state.sleepers.first_key_value() else { return false };
        let until = *until;
        state.now = state.now.max(until);
        let due: Vec<_> = state.sleepers.range_mut(..=(until, u64::MAX)).filter_map(|(_, waker)| waker.take()).collect();
        state.sleepers.retain(|(end, _), _| *end > until);
        drop(state);
        due.into_iter().for_each(Waker::wake);
        true
    }
}

struct Sleep<'c> {
    clock: &'c VirtualClock,
    key: (Timestamp, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if state.now >= self.key.0 {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.state().sleepers.remove(&self.key);
    }
}

struct Woken {
    again: AtomicBool,
    outer: Waker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.again.store(true, Ordering::SeqCst);
        self.outer.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{join, select};

    use super::*;

    fn run<T>(work: impl AsyncFnOnce(&VirtualClock) -> T) -> T {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(clock.drive(work(&clock)))
    }

    #[test]
    fn a_day_passes_at_once_and_sleeps_run_side_by_side() {
        let day = Duration::from_secs(86_400);
        let (first, second) = run(async |clock| {
            let at = |duration| async move {
                clock.sleep(duration).await;
                clock.now().as_second()
            };
            join(at(day), at(day * 2)).await
        });
        assert_eq!((first, second), (86_400, 172_800));
    }

    #[test]
    fn what_can_go_on_goes_on_before_time_does() {
        let now = run(async |clock| {
            let mut left = 100;
            let work = poll_fn(|context| {
                left -= 1;
                context.waker().wake_by_ref();
                if left == 0 { Poll::Ready(clock.now()) } else { Poll::Pending }
            });
            match select(pin!(work), pin!(clock.sleep(Duration::from_secs(1)))).await {
                futures_util::future::Either::Left((now, _)) => now,
                futures_util::future::Either::Right(_) => panic!("time went on before the work"),
            }
        });
        assert_eq!(now, Timestamp::UNIX_EPOCH);
    }
}
