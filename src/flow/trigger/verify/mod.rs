//! Whether a request comes from the service: its signature, its credentials or its token, compared in constant time.

mod signature;

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

pub(super) use self::signature::{encoded, sign, signed_with};
use super::incoming::Incoming;
use super::model::{Slot, TokenPlace, Verify};
use super::receive::Setting;
use crate::flow::content::BASE64;

/// Why a request is refused. Tells which part is missing or wrong, and nothing of any secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What would prove where it comes from is not there.
    #[error("the request has no {0}")]
    Missing(String),
    /// It is there, and does not have the form it must have.
    #[error("{0} of the request cannot be read")]
    Malformed(String),
    /// It is not what it must be.
    #[error("{0} of the request is not right")]
    Wrong(&'static str),
    /// It was signed too long ago, or in the future.
    #[error("the request was signed {seconds} s away from now, which is more than {tolerance} s")]
    Stale {
        /// How far away from now.
        seconds: u64,
        /// What is tolerated.
        tolerance: u64,
    },
    /// The secret that it would have to match is not there, or empty. The connection or the subscription lacks it.
    #[error("there is no secret to verify the request with: `{0}` gives none")]
    NoSecret(&'static str),
    /// An expression failed. Its message may hold secrets, and is not told.
    #[error("`{0}` failed for the request")]
    Expression(&'static str),
    /// An answer cannot be sent as the trigger gives it.
    #[error("`{0}` gives what cannot be sent as an answer")]
    Answer(&'static str),
    /// The method is not one of the trigger's.
    #[error("the trigger does not take the method {0}")]
    Method(String),
    /// The body is too big.
    #[error("the request's body is too big")]
    TooBig,
    /// The body is not what its content type says.
    #[error("the request's body is not JSON, though its content type says so")]
    NotJson,
}

/// Verifies a request.
pub(super) fn verify(verify: &Verify, incoming: &Incoming, setting: &Setting<'_>) -> Result<(), Refusal> {
    match verify {
        Verify::Hmac(hmac) => signature::verify(hmac, incoming, setting),
        Verify::Basic => basic(incoming, setting),
        Verify::Bearer => {
            let token = secret(Slot::Token, setting)?;
            let given = credentials(incoming, "bearer")?;
            right(is_same(given.as_bytes(), token.as_bytes()), "the bearer token")
        }
        Verify::Token(place) => {
            let token = secret(Slot::Token, setting)?;
            let given = match place {
                TokenPlace::Header(name) => incoming.header(name).ok_or_else(|| Refusal::Missing(format!("header {name}")))?.into_owned(),
                TokenPlace::Query(name) => {
                    incoming.parameter(name).ok_or_else(|| Refusal::Missing(format!("query parameter {name}")))?.to_owned()
                }
                TokenPlace::Expression => token_in(incoming, setting)?,
            };
            right(is_same(given.as_bytes(), token.as_bytes()), "the token")
        }
    }
}

fn basic(incoming: &Incoming, setting: &Setting<'_>) -> Result<(), Refusal> {
    let username = text(Slot::Username, &setting.secrets(), setting)?;
    let password = text(Slot::Password, &setting.secrets(), setting)?;
    if username.is_empty() && password.is_empty() {
        return Err(Refusal::NoSecret(Slot::Password.key()));
    }
    let malformed = || Refusal::Malformed("header authorization".to_owned());
    let decoded = BASE64.decode(credentials(incoming, "basic")?).map_err(|_| malformed())?;
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or_else(malformed)?;
    right(is_same(&decoded[..colon], username.as_bytes()) & is_same(&decoded[colon + 1..], password.as_bytes()), "the username or password")
}

fn token_in(incoming: &Incoming, setting: &Setting<'_>) -> Result<String, Refusal> {
    let body = incoming.content().map_err(|_| Refusal::NotJson)?;
    let seen = Value::Object(setting.request(incoming, body));
    let given = (setting.evaluate)(Slot::TokenFrom, &seen).map_err(|_| Refusal::Expression(Slot::TokenFrom.key()))?;
    plain(given).ok_or_else(|| Refusal::Missing("token".to_owned()))
}

/// What stands in `Authorization` after the scheme.
fn credentials(incoming: &Incoming, scheme: &str) -> Result<String, Refusal> {
    let header = incoming.header("authorization").ok_or_else(|| Refusal::Missing("header authorization".to_owned()))?;
    let malformed = || Refusal::Malformed("header authorization".to_owned());
    let (found, rest) = header.trim().split_once(' ').ok_or_else(malformed)?;
    if found.eq_ignore_ascii_case(scheme) { Ok(rest.trim().to_owned()) } else { Err(malformed()) }
}

/// A secret, which must be there: whoever knows nothing would match an empty one.
pub(super) fn secret(slot: Slot, setting: &Setting<'_>) -> Result<String, Refusal> {
    let text = text(slot, &setting.secrets(), setting)?;
    if text.is_empty() { Err(Refusal::NoSecret(slot.key())) } else { Ok(text) }
}

/// A text or number that an expression gives.
pub(super) fn text(slot: Slot, over: &Value, setting: &Setting<'_>) -> Result<String, Refusal> {
    let value = (setting.evaluate)(slot, over).map_err(|_| Refusal::Expression(slot.key()))?;
    plain(value).ok_or(Refusal::NoSecret(slot.key()))
}

pub(super) fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Compares digests, so that not even the lengths show in the time it takes.
fn is_same(one: &[u8], other: &[u8]) -> Choice {
    Sha256::digest(one).as_slice().ct_eq(Sha256::digest(other).as_slice())
}

fn right(same: Choice, what: &'static str) -> Result<(), Refusal> {
    if bool::from(same) { Ok(()) } else { Err(Refusal::Wrong(what)) }
}

impl Setting<'_> {
    /// What expressions that give secrets see.
    pub(super) fn secrets(&self) -> Value {
        json!({ "subscription": self.subscription, "input": self.input })
    }
}

#[cfg(test)]
mod tests;
