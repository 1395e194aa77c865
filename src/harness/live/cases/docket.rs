//! What is noted of live cases while a worker runs them.

use std::sync::Arc;
use std::time::Instant;

use super::super::conversation::End;
use super::tape::Tape;
use crate::harness::protocol::{Heading, Part, Word};
use crate::manifest::HookName;
use crate::model::CaseReport;

/// The cases that a worker has run, and the one that it runs.
#[derive(Default)]
pub(in crate::harness::live) struct Docket {
    pub(super) reports: Vec<CaseReport>,
    /// The one that it runs, and since when.
    pub(super) running: Option<(Heading, Instant)>,
    /// The hook that it is in, with the path of its suite.
    pub(super) hook: Option<(HookName, String)>,
    /// The unit that comes after those that it has begun.
    pub(super) next: usize,
    /// What takes down what crosses the network, where that is wanted.
    tape: Option<Arc<Tape>>,
}

impl Docket {
    pub(super) fn new(tape: Option<Arc<Tape>>) -> Self {
        Self { tape, ..Self::default() }
    }

    /// Takes in what a worker says of cases; the end, where it is the last.
    pub(in crate::harness::live) fn heard(&mut self, word: Word) -> Option<End> {
        match word {
            Word::Counted(_) | Word::Points(_) => None,
            Word::Entered(part) => {
                self.hook = match part {
                    Part::Case => None,
                    Part::Hook(name, suite) => Some((name, suite)),
                };
                None
            }
            Word::Started(unit, heading) => {
                self.hook = None;
                self.running = Some((heading, Instant::now()));
                self.next = unit + 1;
                None
            }
            Word::Ended(unit, report, _) if self.running.take().is_some() => {
                self.reports.extend(report);
                self.next = unit + 1;
                None
            }
            Word::Taped(is_on) => {
                self.tape.iter().for_each(|tape| tape.turn(is_on));
                None
            }
            Word::Done => Some(End::Done),
            Word::Ended(..)
            | Word::Recorded(_)
            | Word::Paused
            | Word::Invalid(_)
            | Word::Asked { .. }
            | Word::Withdrew(_)
            | Word::Began(_)
            | Word::Told(_)
            | Word::Overstayed { .. }
            | Word::Outcome { .. }
            | Word::Turned { .. } => Some(End::unasked()),
        }
    }
}
