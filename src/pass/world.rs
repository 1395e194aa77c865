//! The ports a pass works on, and its few settings. `assemble` builds it from settings; tests build it from fakes.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::forge::Forge;
use crate::harness::Harness;
use crate::model::Clock;
use crate::planning::{Retry, Step};
use crate::registry::Registry;
use crate::repository::Repository;
use crate::store::Store;

/// Everything outside that a pass can see or change.
#[derive(Clone)]
pub struct World {
    /// Where desired state is read from and reviews' branches are written to.
    pub repository: Arc<dyn Repository>,
    /// Where reviews are held.
    pub forge: Arc<dyn Forge>,
    /// What the environments hold.
    pub registry: Arc<dyn Registry>,
    /// Facts, evidence and plans.
    pub store: Arc<dyn Store>,
    /// What runs the tests.
    pub harness: Arc<dyn Harness>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How many steps are performed at once.
    pub concurrency: usize,
    /// How long one step may take before it counts as failed.
    pub step_deadline: Duration,
    /// When failed steps are tried again.
    pub retry: RetryPolicy,
}

impl World {
    /// The next attempt of a step that has failed so often in a row.
    pub(super) fn retry_of(&self, step: Step, failures: u32, failure: String) -> Retry {
        let now = self.clock.now();
        Retry { step, failures, at: now.saturating_add(self.retry.delay(failures)).unwrap_or(now), failed_at: now, failure }
    }
}

/// Capped exponential backoff with jitter, per connector.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// The delay after the first failure.
    pub first: SignedDuration,
    /// The longest delay.
    pub longest: SignedDuration,
    /// Draws a number between 0 and 1 for the jitter; a simulation gives its own.
    pub jitter: fn() -> f64,
}

impl RetryPolicy {
    /// The delay after so many failures in a row: doubled each time, capped, and shortened by up to a half at random
    /// so that connectors that failed together do not all come back together.
    pub fn delay(&self, failures: u32) -> SignedDuration {
        let doubled = self.first.saturating_mul(1_i32.checked_shl(failures.saturating_sub(1).min(20)).unwrap_or(i32::MAX));
        let whole = doubled.min(self.longest).as_secs_f64();
        SignedDuration::try_from_secs_f64(whole * (0.5 + 0.5 * (self.jitter)())).unwrap_or(self.longest)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { first: SignedDuration::from_secs(1), longest: SignedDuration::from_mins(5), jitter: fastrand::f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_and_is_capped() {
        let policy = RetryPolicy { jitter: || 1.0, ..RetryPolicy::default() };
        let seconds: Vec<i64> = [1, 2, 3, 9, 10, 40, u32::MAX].map(|failures| policy.delay(failures).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300, 300]);
        let shortest = RetryPolicy { jitter: || 0.0, ..RetryPolicy::default() };
        assert_eq!(shortest.delay(2).as_secs(), 1);
    }
}
