//! Evaluates a trigger's expressions with jq: only for worker processes.

use jaq_json::Val;
use serde_json::{Map, Value};

use super::incoming::MOST_BODY;
use super::model::{Slot, Trigger};
use crate::flow::expression::value::{to_jq, to_json};
use crate::flow::expression::{Argument, Arguments};

/// What an expression of a trigger may make, in bytes: a payload holds the body and little else.
const MOST: usize = 2 * MOST_BODY;

struct Connection(Val);

impl Arguments for Connection {
    fn value(&self, argument: Argument) -> Val {
        match argument {
            Argument::Connection => self.0.clone(),
            Argument::Context | Argument::Input | Argument::Output | Argument::Task | Argument::Workflow | Argument::Runtime => Val::Null,
        }
    }
}

impl Trigger {
    /// Evaluates expressions against the values of a connection. What it returns may never return, or end the process: only for workers.
    pub fn evaluator(&self, connection: &Map<String, Value>) -> impl Fn(Slot, &Value) -> Result<Value, String> {
        let connection = Connection(to_jq(&Value::Object(connection.clone())));
        move |slot, input| {
            let template = self.templates.get(&slot).ok_or_else(|| format!("the trigger has no {}", slot.key()))?;
            let value = template.evaluate(&to_jq(input), &connection)?;
            to_json(&value, MOST).map_err(|unfit| unfit.to_string())
        }
    }
}
