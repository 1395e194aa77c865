//! Cases that run live, in the worker: suites as ever, with each effect of their flows a question to the parent.

use std::cell::Cell;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Runtime;

use super::Hearing;
use super::live::while_answered;
use super::outbox::Outbox;
use super::piped::Piped;
use super::suite::{self, Stage};
use super::watch::Watch;
use crate::harness::protocol::{Cases, Word};

/// How long what a case does beside its flow may take.
const BESIDE_FLOW: Duration = Duration::from_secs(5);

/// Runs the cases, one after the other.
pub(super) fn run(
    task: Cases,
    runtime: &Runtime,
    hearing: &mut Hearing,
    watch: &Watch,
    outbox: &Outbox,
    questions: &Cell<u64>,
) -> Result<()> {
    let Cases { suites, connection, budget, evaluation } = task;
    let say = |word: &Word| outbox.relay(word);
    let world = Piped::new(&say, watch, questions, false);
    let stage = Stage::Live { world: &world, connection: &connection, budget };
    // A flow sees to its time by itself, and whatever is stuck is found by that.
    let time = budget.time.saturating_add(BESIDE_FLOW);
    let mut parent = Parent { runtime, hearing, watch, outbox, world: &world, evaluation, time };
    suite::begin(suites, &stage, &mut parent).map(drop)
}

/// The parent, who answers the questions of flows.
struct Parent<'a> {
    runtime: &'a Runtime,
    hearing: &'a mut Hearing,
    watch: &'a Watch,
    outbox: &'a Outbox,
    world: &'a Piped<'a>,
    evaluation: Duration,
    time: Duration,
}

impl suite::Parent for Parent<'_> {
    fn say(&mut self, word: Word) -> Result<()> {
        Ok(self.outbox.say(&word)?)
    }

    fn put(&mut self, word: Word) -> Result<()> {
        Ok(self.outbox.put(&word)?)
    }

    fn wants_a_pause(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn drive(&mut self, work: Pin<&mut dyn Future<Output = ()>>) -> Result<()> {
        let work = self.watch.over(self.evaluation, self.time, work);
        self.runtime.block_on(while_answered(work, self.world, self.hearing, self.outbox))
    }
}
