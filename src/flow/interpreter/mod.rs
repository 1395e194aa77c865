//! Runs a flow: the DSL's data flow, task by task, every effect through the World and within its budget.
//!
//! 1. [`run`] takes a `Setting` (what the flow runs with) and makes a `Run` of it, with a `budget` that counts all it uses and a `secrecy`
//!    that knows all its secrets.
//! 2. `tasks` goes through a list of tasks. For each it checks `if`, transforms the input, lets it act, transforms the output, exports to
//!    the context and says which task is next. `arguments` are the variables that expressions read there; `turn` tells that a task began
//!    and how it ended.
//! 3. `acts` is what a task does: `set`, `emit`, `raise`, `switch`, `wait` and calls of other flows in place; `for` and `fork` in
//!    `control`, `try` in `attempt`, the calls over HTTP in `call`. `documents` gets what they read beside the flow: schemas and OpenAPI
//!    descriptions.
//! 4. A call over HTTP: `outgoing` puts the request together (with `content` for query and body), and `credentials` adds who sends it.
//!    `again` sends it until it is answered: at its `pace`, or as slowly as the service asks, which `waiting` reads. `redirect` follows
//!    where it leads, and [`World::send`] is what sends. `mapping` turns the response into an error where it stands for one. `paging` does
//!    all that for page after page (`link` reads the header that leads to the next).
//! 5. What comes of it all is an `Outcome`, without secrets.

mod acts;
mod again;
mod arguments;
mod attempt;
mod budget;
mod call;
mod content;
mod control;
mod credentials;
mod documents;
mod link;
mod mapping;
mod outgoing;
mod pace;
mod paging;
mod redirect;
mod secrecy;
mod tasks;
mod turn;
mod waiting;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::Timestamp;
use serde_json::{Map, Value};

use self::arguments::{Around, Moment};
pub use self::budget::Budget;
use self::budget::Meter;
use self::secrecy::Secrecy;
use super::data::Data;
use super::expression::value::{text_of, to_json};
use super::fault::{Fault, Standard};
use super::model::{self, ConnectionModel, Flow, NamedError, Span, Task};
use super::points::Point;
use super::program::{Outcome, Target};
use super::redact::Redactor;
use super::template::Template;
use super::world::World;
use crate::model::lasting;

/// What flows can call and refer to.
#[derive(Debug, Default)]
pub(crate) struct Library {
    /// The connector's flows.
    pub(crate) flows: BTreeMap<Target, Flow>,
    /// The document's functions.
    pub(crate) functions: BTreeMap<String, Task>,
    /// The errors that can be raised by name.
    pub(crate) errors: BTreeMap<String, NamedError>,
    /// The types that schemas can refer to.
    pub(crate) types: Map<String, Value>,
}

/// What a flow runs with.
pub(crate) struct Setting<'a> {
    pub(crate) library: &'a Library,
    pub(crate) connection: &'a ConnectionModel,
    /// The values of the connection's properties.
    pub(crate) values: Data,
    /// The document's secrets, by name.
    pub(crate) secrets: Data,
    pub(crate) world: &'a dyn World,
    pub(crate) budget: Budget,
    /// What events say they come from, where the flow does not say it.
    pub(crate) source: &'a str,
    /// Takes the secrets out of what services say of them.
    pub(crate) redactor: Redactor,
}

/// One run of one flow.
#[derive(Clone)]
pub(crate) struct Run<'a> {
    setting: &'a Setting<'a>,
    meter: &'a Meter,
    flow: &'a Flow,
    id: String,
    started: Timestamp,
    /// The flow's input before anything was made of it.
    input: Data,
    context: Rc<RefCell<Data>>,
    /// How deep it was called.
    depth: u32,
}

/// Runs a flow to its end. No secret is in what comes of it.
pub(crate) async fn run(setting: &Setting<'_>, flow: &Flow, input: Data) -> Outcome {
    run_among(setting, flow, input, Vec::new()).await
}

/// Runs a flow whose expressions can read these variables besides, each named with its `$`.
pub(crate) async fn run_among(setting: &Setting<'_>, flow: &Flow, input: Data, variables: Vec<(&str, Data)>) -> Outcome {
    let around = variables.into_iter().fold(Around::default(), |around, (name, value)| around.with(name, value));
    let meter = Meter::new(Secrecy::of(setting.redactor.clone()));
    let run = Run::new(setting, &meter, flow, input, 0);
    let whole = async {
        let output = run.flow(around).await?;
        // An output that is too big or too deep is what the last task made of it.
        output.shown().map_err(Fault::from).and_then(|output| run.bounded_value(&output)).map_err(|fault| fault.at_task(&meter.begun()))
    };
    let limit = setting.budget.time;
    let ended = run.within(limit, whole, || out_of_time(limit)).await;
    let result = ended.map_err(|fault| fault.at_task("/"));
    let (events, redactor) = (meter.events.take(), meter.secrecy.redactor());
    Outcome {
        result: result.map(|output| redactor.value(output)).map_err(|fault| redactor.fault(fault)),
        events: events.into_iter().map(|event| redactor.value(event)).collect(),
    }
}

fn out_of_time(limit: Duration) -> Fault {
    Fault::standard(Standard::Timeout, "Out of time", format!("the flow ran longer than {}", lasting(limit))).fatal()
}

impl<'a> Run<'a> {
    fn new(setting: &'a Setting<'a>, meter: &'a Meter, flow: &'a Flow, input: Data, depth: u32) -> Self {
        let (id, started) = (setting.world.id(), setting.world.now());
        Self { setting, meter, flow, id, started, input, context: Rc::new(RefCell::new(Data::null())), depth }
    }
}

impl Run<'_> {
    /// Runs the flow from its raw input to its output, still with its secrets.
    async fn flow(&self, around: Around) -> Result<Data, Fault> {
        let work = async {
            let before = Moment::of_flow(self, false);
            self.flow.point.into_iter().for_each(|point| self.reached(point));
            self.fits(&self.flow.input, &self.input, "input", &before).await?;
            let input = self.transformed(&self.flow.input, self.input.clone(), &before)?;
            *self.context.borrow_mut() = input.clone();
            let output = self.tasks(&self.flow.tasks, input, around).await?.output;
            let after = Moment::of_flow(self, true);
            let output = self.transformed(&self.flow.output, output, &after)?;
            self.fits(&self.flow.output, &output, "output", &after).await?;
            Ok(output)
        };
        match &self.flow.timeout {
            None => work.await,
            Some(timeout) => {
                let limit = self.span(timeout, &self.input, &Moment::of_flow(self, false))?;
                self.within(limit, work, || timed_out("flow", limit)).await
            }
        }
    }

    /// Tells that the run came to a point of its connector.
    fn reached(&self, point: Point) {
        self.setting.world.reached(point);
    }

    fn transformed(&self, shape: &model::Shape, data: Data, moment: &Moment<'_>) -> Result<Data, Fault> {
        match &shape.template {
            None => Ok(data),
            Some(template) => self.evaluate(template, &data, moment),
        }
    }

    fn evaluate(&self, template: &Template, input: &Data, moment: &Moment<'_>) -> Result<Data, Fault> {
        template.evaluate(input, moment).map_err(Fault::expression)
    }

    /// The real value as JSON of bounded size. Where a secret makes it too big, nothing catches that.
    fn bounded(&self, data: &Data) -> Result<Value, Fault> {
        let bounded = self.bounded_value(data.real());
        if data.is_secret() { bounded.map_err(Fault::fatal) } else { bounded }
    }

    /// A value that leaves the flow, as JSON of bounded size.
    fn bounded_value(&self, value: &jaq_json::Val) -> Result<Value, Fault> {
        to_json(value, self.setting.budget.size)
            .map_err(|unfit| Fault::standard(Standard::Runtime, "Value out of bounds", unfit.to_string()))
    }

    fn span(&self, span: &Span, input: &Data, moment: &Moment<'_>) -> Result<Duration, Fault> {
        match span {
            Span::Fixed(duration) => Ok(*duration),
            Span::Given(template) => {
                let text = self.decided(&self.evaluate(template, input, moment)?, text_of)?;
                model::duration(&text).map_err(Fault::expression)
            }
        }
    }

    /// Breaks work off once its time is over.
    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Fault>>,
        late: impl FnOnce() -> Fault,
    ) -> Result<T, Fault> {
        let work = std::pin::pin!(work);
        match select(work, self.setting.world.sleep(limit)).await {
            Either::Left((ended, _)) => ended,
            Either::Right(((), _)) => Err(late()),
        }
    }
}

/// The error of what took longer than it may.
fn timed_out(what: &str, limit: Duration) -> Fault {
    Fault::standard(Standard::Timeout, "Timed out", format!("the {what} took longer than {}", lasting(limit)))
}

#[cfg(test)]
mod tests;
