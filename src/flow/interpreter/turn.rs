//! One turn of a task: once that it is run, of which a task in a loop or in a `try` has several; and what is told of it.

use std::cell::Cell;

use super::Run;
use crate::flow::fault::Fault;
use crate::flow::model::Task;
use crate::flow::told::{Told, Turn, What};

/// A turn that is going on. If it is dropped before [`Going::end`], the task was broken off, and that is told.
pub(super) struct Going<'a> {
    run: &'a Run<'a>,
    task: &'a Task,
    within: Option<u32>,
    /// The turn's number.
    pub(super) number: u32,
    ended: Cell<bool>,
}

impl<'a> Going<'a> {
    /// Begins a turn.
    pub(super) fn begin(run: &'a Run<'a>, task: &'a Task, within: Option<u32>) -> Self {
        let going = Self { run, task, within, number: run.meter.number(), ended: Cell::new(false) };
        run.setting.world.begins(&task.reference);
        if run.depth == 0 {
            run.meter.begins(&task.reference);
        }
        going.tell(|| What::Started);
        going
    }

    /// Ends it.
    pub(super) fn end<T>(&self, outcome: &Result<T, Fault>) {
        self.ended.set(true);
        self.tell(|| match outcome {
            Ok(_) => What::Completed,
            Err(fault) => What::Faulted(fault.to_json()),
        });
    }

    /// Tells what happens in it.
    pub(super) fn tell(&self, what: impl Fn() -> What) {
        let world = self.run.setting.world;
        world.hear(&|| Told {
            at: world.now(),
            turn: Turn { number: self.number, within: self.within, name: self.task.name.clone(), reference: self.task.reference.clone() },
            what: what(),
        });
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        if !self.ended.get() {
            self.tell(|| What::Cancelled);
        }
    }
}
