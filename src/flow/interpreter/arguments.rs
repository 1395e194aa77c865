//! The variables of expressions, built only where an expression reads them.

use std::rc::Rc;

use jaq_json::Val;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Run;
use crate::flow::data::Data;
use crate::flow::expression::value::{text_to_jq, to_jq};
use crate::flow::expression::{Argument, Arguments};
use crate::flow::model::Task;

/// What a task gets from the tasks that it stands in: a loop, a `try`, an extension.
#[derive(Clone, Default)]
pub(super) struct Around {
    /// Their variables, such as a loop's `$item`.
    pub(super) locals: Option<Rc<Local>>,
    /// The number of the turn it is part of.
    pub(super) within: Option<u32>,
    /// The task that an extension is run around, as its `$task`.
    pub(super) extended: Option<Rc<Data>>,
}

/// A variable, and those that were there before it. The newest of a name counts.
pub(super) struct Local {
    name: String,
    value: Data,
    outer: Option<Rc<Local>>,
}

impl Around {
    /// The same with one more variable; `name` has its `$`.
    pub(super) fn with(&self, name: &str, value: Data) -> Self {
        let local = Local { name: name.to_owned(), value, outer: self.locals.clone() };
        Self { locals: Some(Rc::new(local)), ..self.clone() }
    }

    fn local(&self, name: &str) -> Data {
        let mut next = self.locals.as_deref();
        while let Some(local) = next {
            if local.name == name {
                return local.value.clone();
            }
            next = local.outer.as_deref();
        }
        Data::null()
    }
}

/// The variables that expressions can read at one point of a run, such as `$context`, `$input` and `$task`. Which of them have a value
/// there follows the table of dsl.md, "Runtime expression arguments"; as the task goes on, more of them do.
#[derive(Clone)]
pub(super) struct Moment<'a> {
    run: &'a Run<'a>,
    with_context: bool,
    pub(super) around: Around,
    task: Option<TaskMoment<'a>>,
}

/// The task that runs at that point, and what came of it so far.
#[derive(Clone)]
struct TaskMoment<'a> {
    task: &'a Task,
    started: Timestamp,
    raw_input: Data,
    /// The transformed input, once there is one.
    input: Option<Data>,
    raw_output: Option<Data>,
    /// The transformed output, once there is one.
    output: Option<Data>,
    authorization: Option<Data>,
}

impl<'a> Moment<'a> {
    /// Before the first task (without the context), or after the last one (with it).
    pub(super) fn of_flow(run: &'a Run<'a>, with_context: bool) -> Self {
        Self { run, with_context, around: Around::default(), task: None }
    }

    /// Within a task.
    pub(super) fn of_task(run: &'a Run<'a>, task: &'a Task, around: Around, raw_input: Data) -> Self {
        let started = run.setting.world.now();
        let task = TaskMoment { task, started, raw_input, input: None, raw_output: None, output: None, authorization: None };
        Self { run, with_context: true, around, task: Some(task) }
    }

    /// The same variables and one more; `name` has its `$`.
    pub(super) fn with(&self, name: &str, value: Data) -> Self {
        Self { around: self.around.with(name, value), ..self.clone() }
    }

    pub(super) fn input(&mut self, input: Data) {
        if let Some(task) = &mut self.task {
            task.input = Some(input);
        }
    }

    pub(super) fn raw_output(&mut self, output: Data) {
        if let Some(task) = &mut self.task {
            task.raw_output = Some(output);
        }
    }

    pub(super) fn output(&mut self, output: Data) {
        if let Some(task) = &mut self.task {
            task.output = Some(output);
        }
    }

    pub(super) fn authorization(&mut self, authorization: Data) {
        if let Some(task) = &mut self.task {
            task.authorization = Some(authorization);
        }
    }

    /// `$task` of this point.
    pub(super) fn descriptor(&self) -> Data {
        let Some(moment) = &self.task else { return Data::null() };
        let definition = self.run.flow.definition.pointer(&moment.task.reference).map_or(Data::null(), |value| Data::plain(to_jq(value)));
        object([
            ("name", Data::plain(text_to_jq(&moment.task.name))),
            ("reference", Data::plain(text_to_jq(&moment.task.reference))),
            ("definition", definition),
            ("input", moment.raw_input.clone()),
            ("output", moment.raw_output.clone().unwrap_or_else(Data::null)),
            ("startedAt", Data::plain(to_jq(&moment_in_time(moment.started)))),
        ])
    }

    fn workflow(&self) -> Data {
        object([
            ("id", Data::plain(text_to_jq(&self.run.id))),
            ("definition", Data::plain(to_jq(&self.run.flow.definition))),
            ("input", self.run.input.clone()),
            ("startedAt", Data::plain(to_jq(&moment_in_time(self.run.started)))),
        ])
    }
}

impl Arguments for Moment<'_> {
    fn argument(&self, argument: Argument) -> Data {
        let task = self.task.as_ref();
        let or_nothing = |data: Option<&Data>| data.cloned().unwrap_or_else(Data::null);
        match argument {
            Argument::Context if self.with_context => self.run.context.borrow().clone(),
            Argument::Context => Data::null(),
            Argument::Input => or_nothing(task.and_then(|task| task.input.as_ref())),
            Argument::Output => or_nothing(task.and_then(|task| task.output.as_ref())),
            Argument::Task => match &self.around.extended {
                Some(extended) => Data::clone(extended),
                None => self.descriptor(),
            },
            Argument::Workflow => self.workflow(),
            Argument::Runtime => Data::plain(to_jq(&json!({
                "name": "switchboard",
                "version": env!("CARGO_PKG_VERSION"),
                "metadata": { "engineLevel": crate::model::ENGINE_LEVEL },
            }))),
            Argument::Connection => self.run.setting.values.clone(),
            Argument::Secrets => self.run.setting.secrets.clone(),
            Argument::Authorization => or_nothing(task.and_then(|task| task.authorization.as_ref())),
        }
    }

    fn local(&self, name: &str) -> Data {
        self.around.local(name)
    }

    fn now(&self) -> Data {
        #[expect(clippy::cast_precision_loss, reason = "a float tells microseconds for three hundred years")]
        let seconds = self.run.setting.world.now().as_microsecond() as f64 / 1e6;
        Data::plain(Val::from(seconds))
    }
}

/// A map as a value.
pub(super) fn object<const N: usize>(entries: [(&str, Data); N]) -> Data {
    Data::map(entries.into_iter().map(|(key, value)| (text_to_jq(key), value)).collect())
}

fn moment_in_time(at: Timestamp) -> Value {
    json!({ "iso8601": at.to_string(), "epoch": { "seconds": at.as_second(), "milliseconds": at.as_millisecond() } })
}
