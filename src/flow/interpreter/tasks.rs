//! Lists of tasks and single tasks: the order of transformations is that of dsl.md, "Data Flow".

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::arguments::{Around, Moment};
use super::turn::Going;
use super::{Run, timed_out};
use crate::flow::data::Data;
use crate::flow::fault::Fault;
use crate::flow::model::{Condition, Extension, Shape, Task, Then};

/// How a list of tasks ended.
pub(super) struct Done {
    pub(super) output: Data,
    pub(super) how: How,
}

/// What ended a list of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Its last task.
    Through,
    /// `then: exit`.
    Exit,
    /// `then: end`, which ends all lists around it too.
    End,
}

/// What came of doing a task.
pub(super) struct Acted {
    pub(super) output: Data,
    /// Where to go on, if the task decided that itself, as `switch` does.
    pub(super) then: Option<Then>,
}

impl Acted {
    pub(super) fn with(output: Data) -> Self {
        Self { output, then: None }
    }

    /// What a list of tasks gave to the task it belongs to.
    pub(super) fn of(done: Done) -> Self {
        Self { output: done.output, then: (done.how == How::End).then_some(Then::End) }
    }
}

pub(super) type Running<'r> = Pin<Box<dyn Future<Output = Result<Done, Fault>> + 'r>>;

impl Run<'_> {
    /// Runs a list of tasks, each with the output of the one before.
    pub(super) fn tasks<'r>(&'r self, tasks: &'r [Task], input: Data, around: Around) -> Running<'r> {
        Box::pin(async move {
            let mut data = input;
            let mut at = 0;
            while let Some(task) = tasks.get(at) {
                let then;
                (data, then) = self.task(task, data, around.clone()).await?;
                match then {
                    Then::Continue => at += 1,
                    Then::Task(index) => at = index,
                    Then::Exit => return Ok(Done { output: data, how: How::Exit }),
                    Then::End => return Ok(Done { output: data, how: How::End }),
                }
            }
            Ok(Done { output: data, how: How::Through })
        })
    }

    /// Runs a task, unless its condition skips it: then its input is its output.
    pub(super) async fn task(&self, task: &Task, raw_input: Data, around: Around) -> Result<(Data, Then), Fault> {
        self.meter.step(&self.setting.budget).map_err(|fault| fault.at_task(&task.reference))?;
        let within = around.within;
        let mut moment = Moment::of_task(self, task, around, raw_input.clone());
        let condition = match &task.condition {
            None => Ok(true),
            Some(condition) => {
                condition.expression.evaluate(&raw_input, &moment).map_err(Fault::expression).and_then(|truth| self.holds(&truth))
            }
        };
        if let (Some(Condition { sides: [met, unmet], .. }), Ok(holds)) = (&task.condition, &condition) {
            self.reached(if *holds { *met } else { *unmet });
        }
        if condition == Ok(false) {
            return Ok((raw_input, Then::Continue));
        }
        let going = Going::begin(self, task, within);
        let ended = match condition {
            Err(fault) => Err(fault),
            Ok(_) => self.timed(task, raw_input, &mut moment, &going).await,
        };
        let ended = ended.map_err(|fault| fault.at_task(&task.reference));
        going.end(&ended);
        ended
    }

    async fn timed(&self, task: &Task, raw_input: Data, moment: &mut Moment<'_>, going: &Going<'_>) -> Result<(Data, Then), Fault> {
        let Some(timeout) = &task.timeout else { return self.turn(task, raw_input, moment, going).await };
        let limit = self.span(timeout, &raw_input, moment)?;
        self.within(limit, self.turn(task, raw_input, moment, going), || timed_out("task", limit)).await
    }

    async fn turn(&self, task: &Task, raw_input: Data, moment: &mut Moment<'_>, going: &Going<'_>) -> Result<(Data, Then), Fault> {
        self.fits(&task.input, &raw_input, "input", moment).await?;
        let input = self.transformed(&task.input, raw_input, moment)?;
        moment.input(input.clone());
        moment.around.within = Some(going.number);
        let acted = self.extended(task, &input, moment, going).await?;
        moment.raw_output(acted.output.clone());
        let output = self.transformed(&task.output, acted.output, moment)?;
        moment.output(output.clone());
        self.fits(&task.output, &output, "output", moment).await?;
        self.export(&task.export, &output, moment).await?;
        Ok((output, acted.then.unwrap_or(task.then)))
    }

    /// Sets the flow's context to what `export.as` gives. Without `as` the context stays; it must fit the schema in either case.
    async fn export(&self, export: &Shape, output: &Data, moment: &Moment<'_>) -> Result<(), Fault> {
        let context = match &export.template {
            None if export.schema.is_none() => return Ok(()),
            None => self.context.borrow().clone(),
            Some(template) => self.evaluate(template, output, moment)?,
        };
        self.fits(export, &context, "context", moment).await?;
        *self.context.borrow_mut() = context;
        Ok(())
    }

    /// Does a task, with the extensions before and after it. Their output is dropped, unless one before it ends with `exit` or `end`: then
    /// the task is not done, and that output stands for its own.
    async fn extended(&self, task: &Task, input: &Data, moment: &mut Moment<'_>, going: &Going<'_>) -> Result<Acted, Fault> {
        if self.flow.extensions.is_empty() || moment.around.extended.is_some() {
            return self.act(task, input, moment, going).await;
        }
        let kind = task.act.kind();
        let mut applied: Vec<&Extension> = Vec::new();
        for extension in self.flow.extensions.iter().filter(|extension| extension.extend == "all" || extension.extend == kind) {
            let applies = match &extension.when {
                None => true,
                Some(when) => self.holds(&when.evaluate(input, moment).map_err(Fault::expression)?)?,
            };
            if applies {
                applied.push(extension);
            }
        }
        let around = Around { extended: Some(Rc::new(moment.descriptor())), ..moment.around.clone() };
        for extension in &applied {
            let done = self.tasks(&extension.before, input.clone(), around.clone()).await?;
            if done.how != How::Through {
                return Ok(Acted::of(done));
            }
        }
        let acted = self.act(task, input, moment, going).await?;
        for extension in &applied {
            let done = self.tasks(&extension.after, acted.output.clone(), around.clone()).await?;
            if done.how == How::End {
                return Ok(Acted { then: Some(Then::End), ..acted });
            }
        }
        Ok(acted)
    }
}
