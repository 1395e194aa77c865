//! What a request is answered.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::{AnswerShape, Slot};
use super::receive::Setting;
use super::verify::Refusal;
use crate::flow::exchange::bytes;

/// How big the body of an answer may be, in bytes.
const MOST_ANSWER: usize = 64 << 10;

/// Headers that say how a message is sent, which the server knows better.
const FRAMING: [&str; 5] = ["content-length", "transfer-encoding", "connection", "upgrade", "trailer"];

/// An answer to an HTTP request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers with their values; names in lowercase.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// The same with one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer to a request that is refused: it tells a stranger no more than the status does.
    pub(super) fn refusing(refusal: &Refusal) -> Self {
        Self::empty(match refusal {
            Refusal::Missing(_) | Refusal::Malformed(_) | Refusal::Wrong(_) | Refusal::Stale { .. } => 401,
            // The service is asked to try again when the connector or the connection has been put right.
            Refusal::NoSecret(_) | Refusal::Expression(_) | Refusal::Answer(_) => 500,
            Refusal::Method(_) => 405,
            Refusal::TooBig => 413,
            Refusal::NotJson => 400,
        })
    }

    /// The answer that the trigger gives to a request.
    pub(super) fn made(shape: &AnswerShape, slots: [Slot; 2], seen: &Value, setting: &Setting<'_>) -> Result<Self, Refusal> {
        let [headers, body] = slots;
        let evaluate = |slot: Slot| (setting.evaluate)(slot, seen).map_err(|_| Refusal::Expression(slot.key()));
        let mut answer = Self::empty(shape.status);
        if shape.has_headers {
            let Value::Object(map) = evaluate(headers)? else { return Err(Refusal::Answer(headers.key())) };
            answer.headers = written(map).ok_or(Refusal::Answer(headers.key()))?;
        }
        if shape.has_body {
            let (kind, bytes) = match evaluate(body)? {
                // Nothing that a request brought is ever shown as a page.
                Value::String(text) => ("text/plain; charset=utf-8", text.into_bytes()),
                other => ("application/json", other.to_string().into_bytes()),
            };
            if bytes.len() > MOST_ANSWER {
                return Err(Refusal::Answer(body.key()));
            }
            answer.body = bytes;
            if !answer.headers.iter().any(|(name, _)| name == "content-type") {
                answer = answer.header("content-type", kind);
            }
            answer = answer.header("x-content-type-options", "nosniff");
        }
        Ok(answer)
    }
}

/// Headers as they are sent, unless a value would break out of its line.
fn written(map: Map<String, Value>) -> Option<Vec<(String, String)>> {
    let header = |(name, value): (String, Value)| {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        let name = name.to_ascii_lowercase();
        let is_sendable = text.len() <= MOST_ANSWER && text.chars().all(|c| c == '\t' || !c.is_control()) && !FRAMING.contains(&&*name);
        is_sendable.then_some((name, text))
    };
    map.into_iter().map(header).collect()
}
