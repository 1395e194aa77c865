//! Decides about a request: refused, answered as a handshake, or a reason to run the flow.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::incoming::{Incoming, MOST_BODY};
use super::model::{Challenge, Evaluate, Slot, Start, Trigger, Verify, Webhook};
use super::verify::{self, Refusal, encoded, signed_with};

/// What a decision rests on beside the request.
pub struct Setting<'a> {
    /// The trigger's parameters.
    pub input: &'a Value,
    /// What `subscribe` returned; null where there is no subscription.
    pub subscription: &'a Value,
    /// The present moment.
    pub now: Timestamp,
    /// Evaluates the trigger's expressions.
    pub evaluate: &'a Evaluate<'a>,
}

/// What comes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// It is refused; the reason is for the log alone.
    Refused {
        /// What it is answered.
        answer: Answer,
        /// Why.
        why: Refusal,
    },
    /// It was a handshake, and starts no flow.
    Answered(Answer),
    /// It starts the flow.
    Run {
        /// The flow's input.
        input: Value,
        /// What it is answered once it cannot get lost any more: it was stored, or its run was settled.
        answer: Answer,
    },
}

impl Trigger {
    /// Decides about a request to the trigger's path.
    pub fn receive(&self, incoming: &Incoming, setting: &Setting<'_>) -> Received {
        let Start::Webhook(webhook) = &self.start else {
            return refused(Refusal::Method(incoming.method.clone()), None);
        };
        decide(webhook, incoming, setting).unwrap_or_else(|why| refused(why, Some(webhook)))
    }
}

fn decide(webhook: &Webhook, incoming: &Incoming, setting: &Setting<'_>) -> Result<Received, Refusal> {
    if incoming.body.len() > MOST_BODY {
        return Err(Refusal::TooBig);
    }
    let verified = || webhook.verify.as_ref().map_or(Ok(()), |rule| verify::verify(rule, incoming, setting));
    if let Some(challenge) = &webhook.challenge
        && let Some(seen) = handshake(incoming, setting)
    {
        if challenge.verified {
            verified()?;
        }
        return answered(challenge, seen, setting).map(Received::Answered);
    }
    if !webhook.methods.iter().any(|method| method.as_str().eq_ignore_ascii_case(&incoming.method)) {
        return Err(Refusal::Method(incoming.method.clone()));
    }
    verified()?;
    let body = incoming.content().map_err(|_| Refusal::NotJson)?;
    let input = Value::Object(setting.request(incoming, body));
    let answer = Answer::made(&webhook.respond, [Slot::AnswerHeaders, Slot::AnswerBody], &input, setting)?;
    Ok(Received::Run { input, answer })
}

/// The request as expressions see it, where it is the handshake. An expression that fails says that it is another request.
fn handshake(incoming: &Incoming, setting: &Setting<'_>) -> Option<Map<String, Value>> {
    let seen = Value::Object(setting.request(incoming, incoming.content().ok()?));
    let is_handshake = match (setting.evaluate)(Slot::ChallengeWhen, &seen) {
        Ok(Value::Null | Value::Bool(false)) | Err(_) => false,
        Ok(_) => true,
    };
    match seen {
        Value::Object(map) if is_handshake => Some(map),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

fn answered(challenge: &Challenge, mut seen: Map<String, Value>, setting: &Setting<'_>) -> Result<Answer, Refusal> {
    if let Some((algorithm, encoding)) = challenge.sign {
        let key = verify::secret(Slot::SigningSecret, setting)?;
        let message = verify::text(Slot::SigningPayload, &Value::Object(seen.clone()), setting)?;
        let signature = encoded(encoding, &signed_with(algorithm, key.as_bytes(), message.as_bytes()));
        seen.insert("signature".to_owned(), Value::String(signature));
    }
    Answer::made(&challenge.respond, [Slot::ChallengeHeaders, Slot::ChallengeBody], &Value::Object(seen), setting)
}

fn refused(why: Refusal, webhook: Option<&Webhook>) -> Received {
    let answer = Answer::refusing(&why);
    let answer = match (answer.status, webhook.and_then(|webhook| webhook.verify.as_ref())) {
        (401, Some(Verify::Basic)) => answer.header("www-authenticate", "Basic realm=\"webhook\""),
        (401, Some(Verify::Bearer)) => answer.header("www-authenticate", "Bearer"),
        (405, _) => {
            let methods = webhook.map_or(&[][..], |webhook| &webhook.methods);
            let allowed: Vec<String> = methods.iter().map(|method| method.as_str().to_ascii_uppercase()).collect();
            answer.header("allow", &allowed.join(", "))
        }
        (_, None | Some(Verify::Basic | Verify::Bearer | Verify::Hmac(_) | Verify::Token(_))) => answer,
    };
    Received::Refused { answer, why }
}

impl Setting<'_> {
    /// The flow's input: `{ method, path, headers, query, body, input, subscription }`.
    pub(super) fn request(&self, incoming: &Incoming, body: Value) -> Map<String, Value> {
        let mut seen = incoming.seen(body);
        seen.insert("input".to_owned(), self.input.clone());
        seen.insert("subscription".to_owned(), self.subscription.clone());
        seen
    }
}

#[cfg(test)]
mod tests;
