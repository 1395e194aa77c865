//! Evaluates a trigger's expressions with jq: only for worker processes.

use serde_json::{Map, Value};

use super::incoming::MOST_BODY;
use super::model::{Slot, Trigger};
use crate::flow::data::{self, Data};
use crate::flow::expression::value::{to_jq, to_json};
use crate::flow::expression::{Argument, Arguments};
use crate::flow::redact::Redactor;

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

/// What becomes of a value that depends on a secret.
enum Use {
    /// It is compared, or a key; it goes nowhere.
    Inside,
    /// It is sent to whoever asks, or kept where people see it: redacted.
    Shown,
    /// It tells events apart: redacted they would all be the same.
    Remembered,
}

impl Slot {
    fn used(self) -> Use {
        match self {
            Self::Secret
            | Self::Payload
            | Self::Username
            | Self::Password
            | Self::Token
            | Self::TokenFrom
            | Self::ChallengeWhen
            | Self::SigningSecret
            | Self::SigningPayload => Use::Inside,
            Self::ChallengeHeaders | Self::ChallengeBody | Self::AnswerHeaders | Self::AnswerBody | Self::Cursor => Use::Shown,
            Self::DeduplicateBy => Use::Remembered,
        }
    }
}

impl Trigger {
    /// Evaluates expressions against the values of a connection. What it returns may never return, or end the process: only for workers.
    pub fn evaluator(&self, connection: &Map<String, Value>) -> impl Fn(Slot, &Value) -> Result<Value, String> {
        let values = Connection(data::of_connection(connection, &self.hidden));
        move |slot, input| match slot.used() {
            Use::Inside => json(self.evaluated(slot, &Data::plain(to_jq(input)), &values)?.real()),
            Use::Shown => {
                let own = |slot: Slot, input: &Value| json(self.evaluated(slot, &Data::plain(to_jq(input)), &values)?.real());
                let redactor = Redactor::default().and(self.secrets(&own, input));
                let made = self.evaluated(slot, &redactor.data(input), &values)?.shown().map_err(|telling| telling.to_string())?;
                json(&made).map(|value| redactor.value(value))
            }
            Use::Remembered => match self.evaluated(slot, &Data::plain(to_jq(input)), &values)? {
                secret if secret.is_secret() => Err("it depends on a secret of the connection".to_owned()),
                plain => json(plain.real()),
            },
        }
    }

    fn evaluated(&self, slot: Slot, input: &Data, connection: &Connection) -> Result<Data, String> {
        let template = self.templates.get(&slot).ok_or_else(|| format!("the trigger has no {}", slot.key()))?;
        template.evaluate(input, connection).map_err(|why| why.to_string())
    }
}

fn json(value: &jaq_json::Val) -> Result<Value, String> {
    to_json(value, MOST).map_err(|unfit| unfit.to_string())
}
