//! What tasks do, and those that stay inside: `set`, `emit`, `raise`, `switch`, `wait`, and calls of actions and functions.

use serde_json::{Value, json};

use super::arguments::{Around, Moment};
use super::tasks::Acted;
use super::turn::Going;
use super::{Run, budget};
use crate::flow::data::{self, Data};
use crate::flow::expression::value::to_jq;
use crate::flow::fault::{Fault, Standard};
use crate::flow::model::{Act, Branch, DescribedError, NamedError, Raise, Switch, Task, Then};
use crate::flow::program::Target;
use crate::flow::template::Template;

impl Run<'_> {
    // What is big is boxed: this is part of the future of every task around it.
    pub(super) async fn act(&self, task: &Task, input: &Data, moment: &mut Moment<'_>, going: &Going<'_>) -> Result<Acted, Fault> {
        match &task.act {
            Act::Set(template) => Ok(Acted::with(self.evaluate(template, input, moment)?)),
            Act::Do(tasks) => self.tasks(tasks, input.clone(), moment.around.clone()).await.map(Acted::of),
            Act::Emit(event) => self.emit(event, input, moment).map(Acted::with),
            Act::For(each) => self.loop_over(each, input, moment).await,
            Act::Fork(fork) => self.fork(fork, input, moment).await,
            Act::Raise(raise) => Err(self.raise(raise, input, moment)?),
            Act::Switch(switch) => Ok(Acted { output: input.clone(), then: self.branch(switch, input, moment)?.map(|branch| branch.then) }),
            Act::Try(tried) => self.attempt(tried, input, moment, going).await,
            Act::Wait(span) => {
                let time = self.span(span, input, moment)?;
                self.setting.world.sleep(time).await;
                Ok(Acted::with(input.clone()))
            }
            Act::Http(http) => {
                self.announce(self.authentication_of(http), input, moment)?;
                Box::pin(self.http(http, input, moment, going)).await.map(Acted::with)
            }
            Act::OpenApi(call) => {
                self.announce(call.authentication.as_deref(), input, moment)?;
                Box::pin(self.openapi(call, input, moment, going)).await.map(Acted::with)
            }
            Act::Action { name, with } => self.call_action(name, with.as_ref(), input, moment).await.map(Acted::with),
            Act::Function { name, with } => self.call_function(name, with.as_ref(), input, moment).await,
        }
    }

    /// The branch that is taken, if one is.
    fn branch<'s>(&self, switch: &'s Switch, input: &Data, moment: &Moment<'_>) -> Result<Option<&'s Branch>, Fault> {
        let mut taken = switch.branches.iter().find(|branch| branch.when.is_none());
        for branch in &switch.branches {
            if let Some(when) = &branch.when
                && self.holds(&when.evaluate(input, moment).map_err(Fault::expression)?)?
            {
                taken = Some(branch);
                break;
            }
        }
        taken.map(|branch| branch.point).or(switch.none).into_iter().for_each(|point| self.reached(point));
        Ok(taken)
    }

    /// Emits a CloudEvent 1.0, which is the task's output too; what it must have and the flow does not give is added.
    fn emit(&self, event: &Template, input: &Data, moment: &Moment<'_>) -> Result<Data, Fault> {
        let given = self.evaluate(event, input, moment)?;
        let shown = self.completed(self.bounded_value(&given.shown()?)?);
        self.meter.event(&self.setting.budget, shown.clone())?;
        if !given.is_secret() {
            return Ok(Data::plain(to_jq(&shown)));
        }
        // Its id and time are the same on both sides.
        let (id, time) = (shown["id"].clone(), shown["time"].clone());
        let mut real = self.completed(self.bounded(&given)?);
        real["id"] = id;
        real["time"] = time;
        Ok(Data::new(to_jq(&real), data::marked(&shown)))
    }

    fn completed(&self, given: Value) -> Value {
        let world = self.setting.world;
        let mut complete = json!({ "specversion": "1.0" });
        let defaults = [("id", json!(world.id())), ("source", json!(self.setting.source)), ("time", json!(world.now().to_string()))];
        for (key, value) in defaults {
            complete[key] = value;
        }
        if let Value::Object(given) = given {
            for (key, value) in given {
                complete[key.as_str()] = value;
            }
        }
        complete
    }

    fn raise(&self, raise: &Raise, input: &Data, moment: &Moment<'_>) -> Result<Fault, Fault> {
        match raise {
            Raise::Declared(name) => self.declared(name, None),
            Raise::Given(template) => self.given_error(template, input, moment),
            Raise::Described(error) => {
                let DescribedError { kind, status, title, detail, instance } = &**error;
                let shown = |template: &Template| {
                    let (real, shown) = self.evaluate(template, input, moment)?.texts();
                    Ok::<_, Fault>(shown.unwrap_or(real))
                };
                let status = shown(status)?;
                let status = status.parse().ok().filter(|status| (100..=599).contains(status));
                let status = status.ok_or_else(|| Fault::expression("the `status` of an error is an HTTP status, 100 to 599"))?;
                Ok(Fault {
                    status,
                    title: title.as_ref().map(shown).transpose()?,
                    detail: detail.as_ref().map(shown).transpose()?,
                    instance: instance.as_ref().map(shown).transpose()?,
                    ..Fault::of(shown(kind)?)
                })
            }
        }
    }

    /// An error that an expression gives: whoever caught it raises it again as it was, and where it was.
    fn given_error(&self, template: &Template, input: &Data, moment: &Moment<'_>) -> Result<Fault, Fault> {
        let error = self.bounded_value(&self.evaluate(template, input, moment)?.shown()?)?;
        let text = |key: &str| error[key].as_str().map(str::to_owned);
        let status = error["status"].as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| (100..=599).contains(status));
        let Some((kind, status)) = text("type").zip(status) else {
            return Err(Fault::expression("`raise.error` gives no error, which is a map with a `type` and a `status` of 100 to 599"));
        };
        let declared = self.setting.library.errors.iter().find(|(_, declared)| declared.kind == kind);
        Ok(Fault {
            status,
            title: text("title"),
            detail: text("detail"),
            instance: text("instance"),
            name: declared.map(|(name, _)| name.as_str().into()),
            ..Fault::of(kind)
        })
    }

    /// A declared error, as an error that occurred.
    pub(super) fn declared(&self, name: &str, detail: Option<String>) -> Result<Fault, Fault> {
        let Some(NamedError { kind, status, title, detail: usual }) = self.setting.library.errors.get(name) else {
            return Err(Fault::standard(Standard::Configuration, "Undeclared error", format!("no error `{name}` is declared")));
        };
        Ok(Fault {
            status: *status,
            title: title.clone(),
            detail: detail.or_else(|| usual.clone()),
            name: Some(name.into()),
            ..Fault::of(kind.clone())
        })
    }

    /// Runs another action: from its input alone to its output alone.
    async fn call_action(&self, name: &str, with: Option<&Template>, input: &Data, moment: &Moment<'_>) -> Result<Data, Fault> {
        budget::may_call(&self.setting.budget, self.depth + 1)?;
        let Some(flow) = self.setting.library.flows.get(&Target::Action(name.to_owned())) else {
            return Err(Fault::standard(Standard::Configuration, "No such action", format!("the action `{name}` has no flow")));
        };
        let input = self.given(with, input, moment)?;
        let run = Run::new(self.setting, self.meter, flow, input, self.depth + 1);
        let around = Around { within: moment.around.within, ..Around::default() };
        // Boxed, because flows that call each other would be futures of endless size.
        let called = Box::pin(run.flow(around)).await;
        called.map_err(|fault| fault.below(&format!("/actions/{name}")))
    }

    /// Runs a function of the document: a task like any other, with its own input.
    async fn call_function(&self, name: &str, with: Option<&Template>, input: &Data, moment: &Moment<'_>) -> Result<Acted, Fault> {
        budget::may_call(&self.setting.budget, self.depth + 1)?;
        let Some(task) = self.setting.library.functions.get(name) else {
            return Err(Fault::standard(Standard::Configuration, "No such function", format!("no function `{name}` is declared")));
        };
        let input = self.given(with, input, moment)?;
        let run = Run { depth: self.depth + 1, ..self.clone() };
        let around = Around { within: moment.around.within, extended: moment.around.extended.clone(), ..Around::default() };
        let (output, then) = Box::pin(run.task(task, input, around)).await?;
        Ok(Acted { output, then: (then == Then::End).then_some(then) })
    }

    fn given(&self, with: Option<&Template>, input: &Data, moment: &Moment<'_>) -> Result<Data, Fault> {
        match with {
            None => Ok(input.clone()),
            Some(with) => self.evaluate(with, input, moment),
        }
    }
}
