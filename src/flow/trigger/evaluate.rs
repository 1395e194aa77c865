//! Evaluates a trigger's expressions with jq: only for worker processes.

use serde_json::{Map, Value};

use super::incoming::MOST_BODY;
use super::model::{Slot, Trigger};
use crate::flow::data::Data;
use crate::flow::expression::value::{to_jq, to_json};
use crate::flow::expression::{Argument, Arguments};

/// What an expression of a trigger may make, in bytes: a payload holds the body and little else.
const MOST: usize = 2 * MOST_BODY;

struct Connection(Data);

impl Arguments for Connection {
    fn argument(&self, argument: Argument) -> Data {
        match argument {
            Argument::Connection => self.0.clone(),
            Argument::Context
            | Argument::Input
            | Argument::Output
            | Argument::Task
            | Argument::Workflow
            | Argument::Runtime
            | Argument::Secrets
            | Argument::Authorization => Data::null(),
        }
    }

    fn local(&self, _: &str) -> Data {
        Data::null()
    }

    fn now(&self) -> Data {
        Data::null()
    }
}

impl Trigger {
    /// Evaluates expressions against the values of a connection. What it returns may never return, or end the process: only for workers.
    pub fn evaluator(&self, connection: &Map<String, Value>) -> impl Fn(Slot, &Value) -> Result<Value, String> {
        let connection = Connection(Data::plain(to_jq(&Value::Object(connection.clone()))));
        move |slot, input| {
            let template = self.templates.get(&slot).ok_or_else(|| format!("the trigger has no {}", slot.key()))?;
            let value = template.evaluate(&Data::plain(to_jq(input)), &connection).map_err(|why| why.to_string())?;
            to_json(value.real(), MOST).map_err(|unfit| unfit.to_string())
        }
    }
}
