//! The variables of expressions, built only where an expression reads them.

use jaq_json::Val;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Run;
use crate::flow::expression::value::{text_to_jq, to_jq};
use crate::flow::expression::{Argument, Arguments};
use crate::flow::model::{NOTHING, Task};

/// A point of a run: which variables have a value there is the table of dsl.md, "Runtime expression arguments".
pub(super) struct Moment<'a> {
    run: &'a Run<'a>,
    with_context: bool,
    task: Option<TaskMoment<'a>>,
}

/// The task at that point.
pub(super) struct TaskMoment<'a> {
    pub(super) task: &'a Task,
    pub(super) started: Timestamp,
    pub(super) raw_input: Val,
    /// The transformed input, once there is one.
    pub(super) input: Option<Val>,
    pub(super) raw_output: Option<Val>,
    /// The transformed output, once there is one.
    pub(super) output: Option<Val>,
}

impl<'a> Moment<'a> {
    /// Before the first task (without the context), or after the last one (with it).
    pub(super) fn of_flow(run: &'a Run<'a>, with_context: bool) -> Self {
        Self { run, with_context, task: None }
    }

    /// Within a task.
    pub(super) fn of_task(run: &'a Run<'a>, task: &'a Task, raw_input: Val) -> Self {
        let started = run.setting.world.now();
        let task = TaskMoment { task, started, raw_input, input: None, raw_output: None, output: None };
        Self { run, with_context: true, task: Some(task) }
    }

    pub(super) fn input(&mut self, input: Val) {
        if let Some(task) = &mut self.task {
            task.input = Some(input);
        }
    }

    pub(super) fn raw_output(&mut self, output: Val) {
        if let Some(task) = &mut self.task {
            task.raw_output = Some(output);
        }
    }

    pub(super) fn output(&mut self, output: Val) {
        if let Some(task) = &mut self.task {
            task.output = Some(output);
        }
    }

    fn task(&self, moment: &TaskMoment<'_>) -> Val {
        let definition = self.run.setting.flow.definition.pointer(&moment.task.reference).map_or(NOTHING, to_jq);
        object([
            ("name", text_to_jq(&moment.task.name)),
            ("reference", text_to_jq(&moment.task.reference)),
            ("definition", definition),
            ("input", moment.raw_input.clone()),
            ("output", moment.raw_output.clone().unwrap_or(NOTHING)),
            ("startedAt", to_jq(&moment_in_time(moment.started))),
        ])
    }

    fn workflow(&self) -> Val {
        object([
            ("id", text_to_jq(&self.run.id)),
            ("definition", to_jq(&self.run.setting.flow.definition)),
            ("input", self.run.input.clone()),
            ("startedAt", to_jq(&moment_in_time(self.run.started))),
        ])
    }
}

impl Arguments for Moment<'_> {
    fn value(&self, argument: Argument) -> Val {
        let task = self.task.as_ref();
        match argument {
            Argument::Context if self.with_context => self.run.context.borrow().clone(),
            Argument::Context => NOTHING,
            Argument::Input => task.and_then(|task| task.input.clone()).unwrap_or(NOTHING),
            Argument::Output => task.and_then(|task| task.output.clone()).unwrap_or(NOTHING),
            Argument::Task => task.map_or(NOTHING, |task| self.task(task)),
            Argument::Workflow => self.workflow(),
            Argument::Runtime => to_jq(&json!({
                "name": "switchboard",
                "version": env!("CARGO_PKG_VERSION"),
                "metadata": { "engineLevel": crate::model::ENGINE_LEVEL },
            })),
            Argument::Connection => self.run.setting.values.clone(),
        }
    }
}

fn object<const N: usize>(entries: [(&str, Val); N]) -> Val {
    Val::obj(entries.into_iter().map(|(key, value)| (text_to_jq(key), value)).collect())
}

fn moment_in_time(at: Timestamp) -> Value {
    json!({ "iso8601": at.to_string(), "epoch": { "seconds": at.as_second(), "milliseconds": at.as_millisecond() } })
}
