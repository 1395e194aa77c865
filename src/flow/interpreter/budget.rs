//! What one run may use, counted through all of its tasks, branches and called actions.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secrecy::Secrecy;
use crate::flow::fault::{Fault, Standard};

/// What one run may use. Always on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// How many tasks may be run.
    pub steps: u32,
    /// How many turns all loops may take together.
    pub turns: u32,
    /// How deep actions and functions may call each other.
    pub calls: u32,
    /// How many branches may be open at once.
    pub branches: u32,
    /// How long it may take, by the World's clock.
    pub time: Duration,
    /// How big the output, an event, or the body of a request may be, in bytes.
    pub size: usize,
    /// How big the body of a response may be, in bytes.
    pub response: usize,
    /// How many events it may emit.
    pub events: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: 100_000,
            turns: 10_000,
            calls: 16,
            branches: 64,
            time: Duration::from_secs(300),
            size: 8 << 20,
            response: 16 << 20,
            events: 1000,
        }
    }
}

/// How big all events of a run may be together, in bytes: so that its outcome, which holds them and the output, can be told.
const MOST_EVENTS: usize = 32 << 20;

/// What a run has used.
#[derive(Debug)]
pub(super) struct Meter {
    steps: Cell<u32>,
    turns: Cell<u32>,
    branches: Cell<u32>,
    /// The number of the newest turn of a task.
    numbers: Cell<u32>,
    /// Which of the flow's own tasks began last.
    begun: RefCell<String>,
    pub(super) events: RefCell<Vec<Value>>,
    /// How big they are together, in bytes.
    events_size: Cell<usize>,
    /// Documents read in this run, by their addresses.
    pub(super) documents: RefCell<BTreeMap<String, Arc<Vec<u8>>>>,
    pub(super) secrecy: Secrecy,
}

/// Branches that are open until it is dropped.
pub(super) struct Branches<'m> {
    meter: &'m Meter,
    count: u32,
}

impl Drop for Branches<'_> {
    fn drop(&mut self) {
        self.meter.branches.set(self.meter.branches.get().saturating_sub(self.count));
    }
}

impl Meter {
    /// Nothing used yet.
    pub(super) fn new(secrecy: Secrecy) -> Self {
        Self {
            steps: Cell::default(),
            turns: Cell::default(),
            branches: Cell::default(),
            numbers: Cell::default(),
            begun: RefCell::default(),
            events: RefCell::default(),
            events_size: Cell::default(),
            documents: RefCell::default(),
            secrecy,
        }
    }

    /// A number for a turn of a task.
    pub(super) fn number(&self) -> u32 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Notes that one of the flow's own tasks begins.
    pub(super) fn begins(&self, reference: &str) {
        reference.clone_into(&mut self.begun.borrow_mut());
    }

    /// Which of them began last; the flow itself where none has.
    pub(super) fn begun(&self) -> String {
        let begun = self.begun.borrow();
        if begun.is_empty() { "/".to_owned() } else { begun.clone() }
    }

    /// Counts a task.
    pub(super) fn step(&self, budget: &Budget) -> Result<(), Fault> {
        self.steps.set(self.steps.get().saturating_add(1));
        within(self.steps.get(), budget.steps, "Out of steps", "ran more than", "tasks")
    }

    /// Counts a turn of a loop, or another attempt.
    pub(super) fn turn(&self, budget: &Budget) -> Result<(), Fault> {
        self.turns.set(self.turns.get().saturating_add(1));
        within(self.turns.get(), budget.turns, "Out of turns", "took more than", "turns of loops")
    }

    /// Opens branches.
    pub(super) fn open(&self, budget: &Budget, count: usize) -> Result<Branches<'_>, Fault> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let open = self.branches.get().saturating_add(count);
        within(open, budget.branches, "Too many branches", "opened more than", "branches at once")?;
        self.branches.set(open);
        Ok(Branches { meter: self, count })
    }

    /// Keeps an event.
    pub(super) fn event(&self, budget: &Budget, event: Value) -> Result<(), Fault> {
        let mut events = self.events.borrow_mut();
        let count = u32::try_from(events.len() + 1).unwrap_or(u32::MAX);
        within(count, u32::try_from(budget.events).unwrap_or(u32::MAX), "Too many events", "emitted more than", "events")?;
        self.events_size.set(self.events_size.get().saturating_add(event.to_string().len()));
        let mebibytes = |bytes: usize| u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX);
        let (used, most) = (mebibytes(self.events_size.get()), mebibytes(MOST_EVENTS));
        within(used, most, "Events too big", "emitted events of more than", "MiB together")?;
        events.push(event);
        Ok(())
    }
}

/// Whether a called action or function may still be entered.
pub(super) fn may_call(budget: &Budget, depth: u32) -> Result<(), Fault> {
    within(depth, budget.calls, "Calls nest too deep", "called its actions and functions deeper than", "levels")
}

fn within(used: u32, most: u32, title: &str, did: &str, what: &str) -> Result<(), Fault> {
    if used <= most {
        return Ok(());
    }
    Err(Fault::standard(Standard::Runtime, title, format!("the flow {did} {most} {what}")).fatal())
}
