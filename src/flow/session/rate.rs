//! How fast requests go: token buckets, in which those who wait stand in line.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex as Queue;

use crate::flow::world::{Transport, Unanswered};

/// How many buckets are kept before those that have filled up are let go.
const MOST_BUCKETS: usize = 256;

/// A token bucket: so many requests in so much time. They may all go at once; each comes back after an even share of the time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// What shares the bucket, within the connection.
    pub bucket: String,
    /// How many requests.
    pub requests: u32,
    /// In how many milliseconds.
    pub per_millis: u64,
}

/// The buckets of a connection.
#[derive(Default)]
pub(super) struct Buckets(Mutex<HashMap<String, Arc<Queue<Bucket>>>>);

/// When the bucket will be full, in nanoseconds times requests: so every share of the time is a whole number.
#[derive(Default)]
struct Bucket {
    requests: u32,
    full_at: i128,
}

impl Buckets {
    /// Waits until one more request may go. Whoever came first goes first; whoever gives up leaves the place to the next.
    pub(super) async fn wait(&self, transport: &dyn Transport, rate: Option<&Rate>) -> Result<(), Unanswered> {
        let Some(rate) = rate else { return Ok(()) };
        if rate.requests == 0 {
            return Err(Unanswered::configuration("a rate of no requests lets none through"));
        }
        let bucket = self.bucket(&rate.bucket, transport.now().as_nanosecond());
        // This lock is a fair queue, and only its head sleeps: the wait is exact, and a head that is dropped takes nothing.
        let mut bucket = bucket.lock().await;
        let wait = bucket.wait(rate, transport.now().as_nanosecond());
        if !wait.is_zero() {
            transport.sleep(wait).await;
        }
        bucket.take(rate, transport.now().as_nanosecond());
        Ok(())
    }

    fn bucket(&self, name: &str, now: i128) -> Arc<Queue<Bucket>> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(name) {
            return bucket.clone();
        }
        if buckets.len() >= MOST_BUCKETS {
            // A full bucket that nobody waits for is the same as none.
            buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1 || bucket.try_lock().is_ok_and(|bucket| !bucket.is_full(now)));
        }
        buckets.entry(name.to_owned()).or_default().clone()
    }
}

impl Bucket {
    fn is_full(&self, now: i128) -> bool {
        self.full_at <= now * i128::from(self.requests)
    }

    /// How long until there is a request in it.
    fn wait(&mut self, rate: &Rate, now: i128) -> Duration {
        let (requests, all) = (i128::from(rate.requests), per_nanos(rate));
        if self.requests != rate.requests {
            self.full_at = self.full_at / i128::from(self.requests.max(1)) * requests;
            self.requests = rate.requests;
        }
        let empty = now * requests + requests * all;
        // More than empty it is only where the clock went back or the rate has changed.
        self.full_at = self.full_at.clamp(now * requests, empty);
        let nanos = ((self.full_at + all - empty).max(0) + requests - 1) / requests;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn take(&mut self, rate: &Rate, now: i128) {
        self.full_at = self.full_at.max(now * i128::from(rate.requests)) + per_nanos(rate);
    }
}

fn per_nanos(rate: &Rate) -> i128 {
    i128::from(rate.per_millis) * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(requests: u32, per_millis: u64) -> Rate {
        Rate { bucket: "b".to_owned(), requests, per_millis }
    }

    /// When each of some requests may go that all come at once.
    fn times(bucket: &mut Bucket, rate: &Rate, count: usize, mut now: i128) -> Vec<i128> {
        let mut go = || {
            now += i128::try_from(bucket.wait(rate, now).as_nanos()).unwrap();
            bucket.take(rate, now);
            now
        };
        (0..count).map(|_| go()).collect()
    }

    #[test]
    fn all_go_at_once_then_evenly_and_nothing_is_lost_to_rounding() {
        let mut bucket = Bucket::default();
        assert_eq!(times(&mut bucket, &rate(3, 1), 7, 0), [0, 0, 0, 333_334, 666_667, 1_000_000, 1_333_334]);
        assert_eq!(times(&mut bucket, &rate(3, 1), 4, 9_000_000), [9_000_000, 9_000_000, 9_000_000, 9_333_334]);
    }

    #[test]
    fn a_clock_that_goes_back_and_a_rate_that_changes_never_wait_longer_than_one_share() {
        let mut bucket = Bucket::default();
        times(&mut bucket, &rate(2, 1000), 2, 10_000_000_000);
        assert_eq!(bucket.wait(&rate(2, 1000), 0), Duration::from_millis(500));
        assert_eq!(bucket.wait(&rate(10, 1000), 0), Duration::from_millis(100));
        assert_eq!(bucket.wait(&rate(u32::MAX, u64::MAX), i128::from(i64::MAX)), Duration::ZERO);
    }

    #[test]
    fn full_buckets_are_let_go_and_others_stay() {
        let buckets = Buckets::default();
        for name in 0..MOST_BUCKETS {
            let bucket = buckets.bucket(&name.to_string(), 0);
            bucket.try_lock().unwrap().take(&rate(1, 1 + (name as u64 % 2) * 9), 0);
            bucket.try_lock().unwrap().requests = 1;
        }
        buckets.bucket("one more", 5_000_000);
        assert_eq!(buckets.0.lock().unwrap().len(), MOST_BUCKETS / 2 + 1);
    }
}
