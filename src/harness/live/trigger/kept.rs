//! A trigger's state in this process: read once, replaced under the lease.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::MutexGuard;
use tokio::time::{sleep, timeout};

use super::{Memory, Unopened};
use crate::flow::trigger::TriggerState;
use crate::model::{Clock as _, SystemClock};
use crate::store::{Leased, TriggerKey, TriggerLease, TriggerLeaseLost, TriggerStates};

/// How long a lease outlives a process that was killed, and how often one that lives extends it.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
const EXTENDED_EVERY: Duration = Duration::from_secs(10);
/// How long a run that is being settled is waited for in the end.
const SETTLING: Duration = Duration::from_secs(1);

pub(super) struct Kept {
    states: Arc<dyn TriggerStates>,
    key: TriggerKey,
    lease: Mutex<TriggerLease>,
    state: Mutex<TriggerState>,
    turns: tokio::sync::Mutex<()>,
}

/// The state while nobody else can change it.
pub(super) struct Turn<'a> {
    kept: &'a Kept,
    state: TriggerState,
    _turn: MutexGuard<'a, ()>,
}

impl Kept {
    pub(super) async fn open(
        states: Arc<dyn TriggerStates>,
        key: &TriggerKey,
        begin: TriggerState,
        memory: Memory,
    ) -> Result<Self, Unopened> {
        let now = SystemClock.now();
        let holder = format!("process {}", std::process::id());
        let lease = match states.lease_trigger(key, &holder, now, end_of_lease(now)).await? {
            Leased::Mine(lease) => lease,
            Leased::Others { holder, until } => return Err(Unopened::Held { holder, until }),
        };
        let stored = match states.trigger_state(key).await {
            Ok(stored) => stored.map(|text| TriggerState::read(&text)).transpose().map_err(Unopened::from),
            Err(error) => Err(error.into()),
        };
        let state = match (stored, memory) {
            (Ok(stored), Memory::Kept) => stored.unwrap_or(begin),
            (Ok(stored), Memory::Forgotten) => TriggerState { subscription: stored.and_then(|state| state.subscription), ..begin },
            (Err(Unopened::State(_)), Memory::Forgotten) => begin,
            (Err(error), Memory::Kept | Memory::Forgotten) => {
                states.return_trigger_lease(key, &lease).await?;
                return Err(error);
            }
        };
        let kept =
            Self { states, key: key.clone(), lease: Mutex::new(lease), state: Mutex::new(state), turns: tokio::sync::Mutex::default() };
        if memory == Memory::Forgotten {
            kept.put(&kept.state()).await?;
        }
        Ok(kept)
    }

    pub(super) async fn close(&self) -> Result<()> {
        // Whoever still settles a run is waited for, but not where its events are taken by nobody.
        let _turn = timeout(SETTLING, self.turns.lock()).await;
        self.states.return_trigger_lease(&self.key, &self.lease()).await
    }

    /// The state as it stands, whoever is about to change it.
    pub(super) fn state(&self) -> TriggerState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a turn to change the state.
    pub(super) async fn turn(&self) -> Turn<'_> {
        let turn = self.turns.lock().await;
        Turn { kept: self, state: self.state(), _turn: turn }
    }

    /// Keeps the lease for as long as it is waited for; the error is that it is lost.
    pub(super) async fn hold(&self) -> anyhow::Error {
        loop {
            sleep(EXTENDED_EVERY).await;
            let now = SystemClock.now();
            let lease = TriggerLease { until: end_of_lease(now), ..self.lease() };
            match self.states.extend_trigger_lease(&self.key, &lease).await {
                Ok(()) => self.extended(lease.until),
                Err(error) if error.is::<TriggerLeaseLost>() || self.lease().until < now => return error,
                // The store may be back before the lease is over.
                Err(_) => {}
            }
        }
    }

    fn lease(&self) -> TriggerLease {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extended(&self, until: Timestamp) {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        lease.until = lease.until.max(until);
    }

    async fn put(&self, state: &TriggerState) -> Result<()> {
        let lease = TriggerLease { until: end_of_lease(SystemClock.now()), ..self.lease() };
        let text = state.to_json().with_context(|| format!("cannot keep the state of {}", self.key))?;
        self.states.put_trigger_state(&self.key, &lease, &text).await?;
        self.extended(lease.until);
        Ok(())
    }
}

impl Turn<'_> {
    pub(super) fn state(&self) -> &TriggerState {
        &self.state
    }

    /// Whether the lease is this process's by its own clock: one that slept for long may have been taken for dead.
    pub(super) fn make_sure(&self) -> Result<()> {
        if self.kept.lease().until < SystemClock.now() { Err(TriggerLeaseLost(self.kept.key.clone()).into()) } else { Ok(()) }
    }

    /// Replaces the state, here and in the store: both, or neither.
    pub(super) async fn replace(&mut self, next: TriggerState) -> Result<()> {
        if next != self.state {
            self.kept.put(&next).await?;
            self.remember(next);
        }
        Ok(())
    }

    /// Replaces the state here alone, where the store has failed.
    pub(super) fn remember(&mut self, next: TriggerState) {
        self.kept.state.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&next);
        self.state = next;
    }
}

fn end_of_lease(now: Timestamp) -> Timestamp {
    now.checked_add(LEASE).unwrap_or(Timestamp::MAX)
}
