//! A bundle that a worker has read, and its units in their order.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::{Parent, Stage};
use crate::flow::{Program, SuiteProgram};
use crate::harness::Chosen;
use crate::harness::protocol::{Suites, Word, unpack};
use crate::manifest::{Bundle, HookName, trials};
use crate::model::{CoveragePoint, Failure, Problem};

/// Something to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A case of a suite, with one of its rows where it has any: all by their places.
    Trial { suite: usize, case: usize, row: Option<usize> },
    /// The hook that ends a suite.
    End { suite: usize },
}

/// A bundle that was read and is ready to run.
pub(in crate::harness::worker) struct Ready {
    pub(super) bundle: Bundle,
    pub(super) program: Program,
    /// As many as the bundle has suites.
    pub(super) suites: Vec<SuiteProgram>,
    units: Vec<Unit>,
    /// What `beforeSuite` returned, or why it failed, by the suite's place.
    pub(super) prepared: BTreeMap<usize, Result<Value, Vec<Failure>>>,
}

impl Ready {
    /// Reads a bundle, or tells every problem that keeps it from running.
    pub(super) fn read(task: Suites) -> Result<Self, Vec<Problem>> {
        let bundle = Bundle::read(&task.connector, &unpack(task.files))?;
        let program = Program::compile(&bundle)?;
        let suites = SuiteProgram::compile(&bundle)?;
        let units = units(&bundle, &task.chosen);
        let broken = |path: &str| task.broken.iter().find(|(broken, _)| broken == path).map(|(_, why)| why);
        let prepared = bundle.suites.iter().enumerate().filter_map(|(index, file)| {
            let why = broken(&file.path)?;
            Some((index, Err(vec![format!("the hook `{}` was broken off: {why}", HookName::BeforeSuite).into()])))
        });
        let prepared = prepared.collect();
        Ok(Self { bundle, program, suites, units, prepared })
    }

    /// What of the connector cases can exercise.
    pub(super) fn points(&self) -> Vec<CoveragePoint> {
        self.program.points(&self.bundle.document)
    }

    /// How many units there are.
    pub(super) fn count(&self) -> usize {
        self.units.len()
    }

    /// Runs units by their numbers. Before it may be paused it runs one, so that every turn gets on.
    pub(in crate::harness::worker) fn run(&mut self, numbers: &[usize], stage: &Stage<'_>, parent: &mut dyn Parent) -> Result<()> {
        for (at, number) in numbers.iter().enumerate() {
            let Some(unit) = self.units.get(*number).copied() else { continue };
            if at > 0 && parent.wants_a_pause()? {
                return parent.say(Word::Paused);
            }
            self.unit(*number, unit, stage, parent)?;
        }
        parent.say(Word::Done)
    }
}

/// What is to be run of a bundle. The hook that ends a suite comes after the last of its cases, if one of them is run.
fn units(bundle: &Bundle, chosen: &Chosen) -> Vec<Unit> {
    let (mut units, mut number) = (Vec::new(), 0);
    for (suite, file) in bundle.suites.iter().enumerate() {
        let mut is_used = false;
        for trial in trials(std::slice::from_ref(file)) {
            if chosen.has(number) {
                units.push(Unit::Trial { suite, case: trial.index, row: trial.row.map(|row| row.index) });
                is_used |= trial.case.skip.is_none();
            }
            number += 1;
        }
        if is_used && file.suite.after_suite.is_some() {
            units.push(Unit::End { suite });
        }
    }
    units
}
