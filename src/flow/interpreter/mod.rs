//! Runs a flow: the DSL's data flow, task by task, every effect through the World and within its budget.

mod arguments;
mod call;
mod content;
mod tasks;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use jaq_json::Val;
use jiff::Timestamp;
use serde_json::Value;

use self::arguments::Moment;
use super::expression::value::{to_jq, to_json};
use super::fault::{Fault, Standard};
use super::model::{ConnectionModel, Flow, NOTHING, NamedError};
use super::template::Template;
use super::world::World;

/// What one run may use. Always on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many tasks may be run.
    pub steps: u32,
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
        Self { steps: 10_000, time: Duration::from_secs(300), size: 8 << 20, response: 16 << 20, events: 1000 }
    }
}

/// What a flow runs with.
pub(crate) struct Setting<'a> {
    pub(crate) flow: &'a Flow,
    pub(crate) connection: &'a ConnectionModel,
    pub(crate) errors: &'a BTreeMap<String, NamedError>,
    /// The values of the connection's properties.
    pub(crate) values: Val,
    pub(crate) world: &'a dyn World,
    pub(crate) budget: Budget,
    /// What events say they come from, where the flow does not say it.
    pub(crate) source: &'a str,
}

/// How a run ended, before anything is redacted.
pub(crate) struct Ended {
    pub(crate) result: Result<Value, Fault>,
    pub(crate) events: Vec<Value>,
}

/// One run of one flow.
pub(crate) struct Run<'a> {
    setting: Setting<'a>,
    id: String,
    started: Timestamp,
    /// The flow's input before anything was made of it.
    input: Val,
    context: RefCell<Val>,
    events: RefCell<Vec<Value>>,
    steps: Cell<u32>,
}

/// Runs a flow to its end.
pub(crate) async fn run(setting: Setting<'_>, input: &Value) -> Ended {
    let run = Run {
        id: setting.world.id(),
        started: setting.world.now(),
        setting,
        input: to_jq(input),
        context: RefCell::new(NOTHING),
        events: RefCell::new(Vec::new()),
        steps: Cell::new(0),
    };
    let result = run.flow().await;
    Ended { result, events: run.events.into_inner() }
}

impl Run<'_> {
    async fn flow(&self) -> Result<Value, Fault> {
        let flow = self.setting.flow;
        let input = match &flow.input_from {
            None => self.input.clone(),
            Some(from) => self.evaluate(from, &self.input, &Moment::of_flow(self, false))?,
        };
        *self.context.borrow_mut() = input.clone();
        let output = self.tasks(&flow.tasks, input).await?.output;
        let output = match &flow.output_as {
            None => output,
            Some(shape) => self.evaluate(shape, &output, &Moment::of_flow(self, true))?,
        };
        self.bounded(&output)
    }

    fn evaluate(&self, template: &Template, input: &Val, moment: &Moment<'_>) -> Result<Val, Fault> {
        template.evaluate(input, moment).map_err(Fault::expression)
    }

    /// A value that leaves the flow, as JSON of bounded size.
    fn bounded(&self, value: &Val) -> Result<Value, Fault> {
        to_json(value, self.setting.budget.size)
            .map_err(|unfit| Fault::standard(Standard::Runtime, "Value out of bounds", unfit.to_string()))
    }

    /// Counts a step, and ends the run where the budget is used up.
    fn spend(&self) -> Result<(), Fault> {
        let budget = &self.setting.budget;
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > budget.steps {
            let detail = format!("the flow ran more than {} tasks", budget.steps);
            return Err(Fault::standard(Standard::Runtime, "Out of steps", detail));
        }
        let spent = self.setting.world.now().duration_since(self.started);
        if spent > jiff::SignedDuration::try_from(budget.time).unwrap_or(jiff::SignedDuration::MAX) {
            let detail = format!("the flow ran longer than {} s", budget.time.as_secs());
            return Err(Fault::standard(Standard::Timeout, "Out of time", detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
