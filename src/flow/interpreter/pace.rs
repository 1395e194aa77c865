//! The pace at which something is tried again: how often, how long to wait before each time, and for how long in all.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Run;
use super::arguments::Moment;
use super::turn::Going;
use crate::flow::data::Data;
use crate::flow::fault::Fault;
use crate::flow::model::{Backoff, Pace};
use crate::flow::told::What;

impl Pace {
    /// Whether there may be no more retries after so many.
    pub(super) fn is_over(&self, retries: u32) -> bool {
        self.count.is_some_and(|most| retries >= most)
    }
}

impl Run<'_> {
    /// Counts a retry, tells of it, and lets its delay pass.
    pub(super) async fn wait_to_retry(&self, retries: &mut u32, delay: Duration, going: &Going<'_>) -> Result<(), Fault> {
        self.meter.turn(&self.setting.budget)?;
        *retries += 1;
        going.tell(|| What::Retried { retry: *retries, after_millis: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX) });
        self.setting.world.sleep(delay).await;
        Ok(())
    }

    /// Whether there is time for another attempt after this delay.
    pub(super) fn leaves_time(
        &self,
        pace: &Pace,
        delay: Duration,
        began: Timestamp,
        input: &Data,
        moment: &Moment<'_>,
    ) -> Result<bool, Fault> {
        let Some(limit) = &pace.duration else { return Ok(true) };
        let signed = |time: Duration| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        let limit = signed(self.span(limit, input, moment)?);
        let spent = self.setting.world.now().duration_since(began);
        Ok(spent.saturating_add(signed(delay)) <= limit)
    }

    /// The delay before a retry, as it grows from one to the next.
    pub(super) fn growing(&self, pace: &Pace, retries: u32, input: &Data, moment: &Moment<'_>) -> Result<Duration, Fault> {
        let base = pace.delay.as_ref().map_or(Ok(Duration::ZERO), |delay| self.span(delay, input, moment))?;
        let delay = match pace.backoff {
            Backoff::Constant => base,
            Backoff::Linear => base.saturating_mul(retries.saturating_add(1)),
            Backoff::Exponential => base.saturating_mul(1u32.checked_shl(retries).unwrap_or(u32::MAX)),
        };
        Ok(delay.saturating_add(self.jitter(pace, input, moment)?))
    }

    /// What chance adds to a delay.
    pub(super) fn jitter(&self, pace: &Pace, input: &Data, moment: &Moment<'_>) -> Result<Duration, Fault> {
        let Some((from, to)) = &pace.jitter else { return Ok(Duration::ZERO) };
        let (from, to) = (self.span(from, input, moment)?, self.span(to, input, moment)?);
        let width = u64::try_from(to.saturating_sub(from).as_micros()).unwrap_or(u64::MAX);
        Ok(from.saturating_add(Duration::from_micros(self.setting.world.random() % width.saturating_add(1).max(1))))
    }
}
