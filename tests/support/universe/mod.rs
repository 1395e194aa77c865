//! A whole world in memory: git, forge, registry, store and harness with state, and a fault before or after any call.

mod audit;
mod forge;
mod git;
mod harness;
mod registry;
mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use switchboard::model::{Clock, FixedClock};
use switchboard::pass::{RetryPolicy, World};

pub use audit::Audit;
pub use forge::ForgeState;
pub use git::{GitState, LINK};
pub use harness::HarnessState;
pub use registry::RegistryState;
pub use store::StoreState;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and has no effect.
    Refuse,
    /// It has its effect and the answer is lost.
    LoseAnswer,
    /// The process dies before the effect.
    CrashBefore,
    /// The process dies after the effect.
    CrashAfter,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 4] = [Fault::Refuse, Fault::LoseAnswer, Fault::CrashBefore, Fault::CrashAfter];
}

/// Everything outside the pass.
pub struct State {
    pub git: GitState,
    pub forge: ForgeState,
    pub registry: RegistryState,
    pub store: StoreState,
    pub harness: HarnessState,
    pub audit: Audit,
    /// The names of the port calls since the last restart of counting, in their order.
    pub call_names: Vec<&'static str>,
    /// The names of the calls that were counted before that.
    pub counted_names: Vec<&'static str>,
    /// Faults by the number of the call they befall.
    pub faults: BTreeMap<usize, Fault>,
    /// Faults by the name of the next call they befall.
    pub named_faults: Vec<(&'static str, Fault)>,
    /// Whether the process is dead: every call fails until the restart.
    pub crashed: bool,
}

/// A handle on the state that implements every port.
#[derive(Clone)]
pub struct Universe {
    state: Arc<Mutex<State>>,
    pub clock: FixedClock,
}

impl Universe {
    /// An empty world, early in 2030.
    pub fn new() -> Self {
        let start: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let state = State {
            git: GitState::default(),
            forge: ForgeState::default(),
            registry: RegistryState::default(),
            store: StoreState::default(),
            harness: HarnessState::default(),
            audit: Audit::default(),
            call_names: Vec::new(),
            counted_names: Vec::new(),
            faults: BTreeMap::new(),
            named_faults: Vec::new(),
            crashed: false,
        };
        Self { state: Arc::new(Mutex::new(state)), clock: FixedClock::at(start) }
    }

    /// The state, to look at or to change as people and services would.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ports, for the pass.
    pub fn world(&self) -> World {
        World {
            repository: Arc::new(self.clone()),
            forge: Arc::new(self.clone()),
            registry: Arc::new(self.clone()),
            store: Arc::new(self.clone()),
            harness: Arc::new(self.clone()),
            clock: Arc::new(self.clock.clone()),
            concurrency: 1,
            step_deadline: Duration::from_secs(60),
            retry: RetryPolicy { first: SignedDuration::from_secs(1), longest: SignedDuration::from_secs(60), jitter: || 1.0 },
        }
    }

    /// The process starts again: what it kept in memory is gone.
    pub fn restart(&self) {
        let mut state = self.state();
        state.crashed = false;
        state.harness.lose_everything();
    }

    /// From now on calls are counted from 0, and these faults befall them.
    pub fn plan_faults(&self, faults: impl IntoIterator<Item = (usize, Fault)>) {
        let mut state = self.state();
        state.counted_names = std::mem::take(&mut state.call_names);
        state.faults = faults.into_iter().collect();
    }

    /// Runs one port call, with the fault planned for it.
    fn call<T>(&self, name: &'static str, effect: impl FnOnce(&mut State, Timestamp) -> Result<T>) -> Result<T> {
        let now = self.clock.now();
        let mut state = self.state();
        if state.crashed {
            bail!("{name}: the process is dead");
        }
        let number = state.call_names.len();
        state.call_names.push(name);
        let named = state.named_faults.iter().position(|(befalls, _)| *befalls == name).map(|at| state.named_faults.remove(at).1);
        match state.faults.remove(&number).or(named) {
            None => effect(&mut state, now),
            Some(Fault::Refuse) => bail!("{name}: refused"),
            Some(Fault::LoseAnswer) => {
                effect(&mut state, now)?;
                bail!("{name}: the answer was lost")
            }
            Some(Fault::CrashBefore) => {
                state.crashed = true;
                bail!("{name}: the process died before it")
            }
            Some(Fault::CrashAfter) => {
                let outcome = effect(&mut state, now);
                state.crashed = true;
                outcome?;
                bail!("{name}: the process died after it")
            }
        }
    }
}
