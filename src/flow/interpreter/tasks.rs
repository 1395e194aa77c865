//! Lists of tasks and single tasks: the order of transformations is that of dsl.md, "Data Flow".

use std::future::Future;
use std::pin::Pin;

use jaq_core::ValT as _;
use jaq_json::Val;
use serde_json::{Value, json};

use super::Run;
use super::arguments::Moment;
use crate::flow::expression::value::text_of;
use crate::flow::fault::{Fault, Standard};
use crate::flow::model::{Act, Branch, NamedError, Raise, Task, Then};
use crate::flow::template::Template;

/// How a list of tasks ended.
pub(super) struct Done {
    pub(super) output: Val,
    /// Whether the whole flow ends with it.
    pub(super) end: bool,
}

/// What a task's act gave.
pub(super) struct Acted {
    output: Val,
    /// Where the act itself says to go on.
    then: Option<Then>,
    end: bool,
}

impl Acted {
    pub(super) fn with(output: Val) -> Self {
        Self { output, then: None, end: false }
    }
}

type Running<'r> = Pin<Box<dyn Future<Output = Result<Done, Fault>> + 'r>>;

impl Run<'_> {
    /// Runs a list of tasks, each with the output of the one before.
    pub(super) fn tasks<'r>(&'r self, tasks: &'r [Task], input: Val) -> Running<'r> {
        Box::pin(async move {
            let mut data = input;
            let mut at = 0;
            while let Some(task) = tasks.get(at) {
                let (output, then) = self.task(task, data).await.map_err(|fault| fault.at_task(&task.reference))?;
                data = output;
                match then {
                    Next::Then(Then::Continue) => at += 1,
                    Next::Then(Then::Task(index)) => at = index,
                    Next::Then(Then::Exit) => break,
                    Next::Then(Then::End) | Next::End => return Ok(Done { output: data, end: true }),
                }
            }
            Ok(Done { output: data, end: false })
        })
    }

    async fn task(&self, task: &Task, raw_input: Val) -> Result<(Val, Next), Fault> {
        self.spend()?;
        let mut moment = Moment::of_task(self, task, raw_input.clone());
        if let Some(condition) = &task.condition
            && !condition.evaluate(raw_input.clone(), &moment).map_err(Fault::expression)?.as_bool()
        {
            return Ok((raw_input, Next::Then(Then::Continue)));
        }
        let input = match &task.input_from {
            None => raw_input,
            Some(from) => self.evaluate(from, &raw_input, &moment)?,
        };
        moment.input(input.clone());
        let acted = self.act(task, &input, &moment).await?;
        moment.raw_output(acted.output.clone());
        let output = match &task.output_as {
            None => acted.output,
            Some(shape) => self.evaluate(shape, &acted.output, &moment)?,
        };
        moment.output(output.clone());
        if let Some(export) = &task.export_as {
            let context = self.evaluate(export, &output, &moment)?;
            *self.context.borrow_mut() = context;
        }
        let next = if acted.end { Next::End } else { Next::Then(acted.then.unwrap_or(task.then)) };
        Ok((output, next))
    }

    async fn act(&self, task: &Task, input: &Val, moment: &Moment<'_>) -> Result<Acted, Fault> {
        match &task.act {
            Act::Set(template) => Ok(Acted::with(self.evaluate(template, input, moment)?)),
            Act::Do(tasks) => {
                let done = self.tasks(tasks, input.clone()).await?;
                Ok(Acted { output: done.output, then: None, end: done.end })
            }
            Act::Emit(event) => {
                self.emit(event, input, moment)?;
                Ok(Acted::with(input.clone()))
            }
            Act::Raise(raise) => Err(self.raise(raise, input, moment)?),
            Act::Switch(branches) => Ok(Acted { output: input.clone(), then: self.branch(branches, input, moment)?, end: false }),
            Act::Http(http) => self.http(http, input, moment).await.map(Acted::with),
        }
    }

    fn branch(&self, branches: &[Branch], input: &Val, moment: &Moment<'_>) -> Result<Option<Then>, Fault> {
        for branch in branches {
            if let Some(when) = &branch.when
                && when.evaluate(input.clone(), moment).map_err(Fault::expression)?.as_bool()
            {
                return Ok(Some(branch.then));
            }
        }
        Ok(branches.iter().find(|branch| branch.when.is_none()).map(|branch| branch.then))
    }

    /// Emits a CloudEvent 1.0; what it must have and the flow does not give is added.
    fn emit(&self, event: &Template, input: &Val, moment: &Moment<'_>) -> Result<(), Fault> {
        let given = self.bounded(&self.evaluate(event, input, moment)?)?;
        let mut complete = json!({ "specversion": "1.0" });
        let defaults = [
            ("id", json!(self.setting.world.id())),
            ("source", json!(self.setting.source)),
            ("time", json!(self.setting.world.now().to_string())),
        ];
        for (key, value) in defaults {
            complete[key] = value;
        }
        if let Value::Object(given) = given {
            for (key, value) in given {
                complete[key.as_str()] = value;
            }
        }
        let mut events = self.events.borrow_mut();
        if events.len() >= self.setting.budget.events {
            let detail = format!("the flow emitted more than {} events", self.setting.budget.events);
            return Err(Fault::standard(Standard::Runtime, "Too many events", detail));
        }
        events.push(complete);
        Ok(())
    }

    fn raise(&self, raise: &Raise, input: &Val, moment: &Moment<'_>) -> Result<Fault, Fault> {
        match raise {
            Raise::Declared(name) => self.declared(name, None),
            Raise::Described { kind, status, title, detail, instance } => {
                let text = |template: &Template| self.evaluate(template, input, moment).map(|value| text_of(&value));
                let status = text(status)?;
                let status = status.parse().map_err(|_| Fault::expression(format!("`{status}` is not an HTTP status")))?;
                Ok(Fault {
                    kind: text(kind)?,
                    status,
                    title: title.as_ref().map(text).transpose()?,
                    detail: detail.as_ref().map(text).transpose()?,
                    instance: instance.clone(),
                    name: None,
                })
            }
        }
    }

    /// A declared error, as an error that occurred.
    pub(super) fn declared(&self, name: &str, detail: Option<String>) -> Result<Fault, Fault> {
        let Some(NamedError { kind, status, title, detail: usual }) = self.setting.errors.get(name) else {
            return Err(Fault::standard(Standard::Configuration, "Undeclared error", format!("no error `{name}` is declared")));
        };
        Ok(Fault {
            kind: kind.clone(),
            status: *status,
            title: title.clone(),
            detail: detail.or_else(|| usual.clone()),
            instance: None,
            name: Some(name.into()),
        })
    }
}

/// Where the flow goes on after a task.
enum Next {
    Then(Then),
    /// A task within it has ended the flow.
    End,
}
