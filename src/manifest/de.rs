//! Where serde and JSON Schema see a value differently: a given null is a value, and `404.0` is a whole number.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A value that is there, even where it is null: an expected output of null is not the same as no expectation.
pub(super) fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A whole number, however it is written.
pub(super) fn whole<'de, D: Deserializer<'de>, N: TryFrom<u64>>(deserializer: D) -> Result<N, D::Error> {
    let value = Value::deserialize(deserializer)?;
    number(&value).ok_or_else(|| D::Error::invalid_value(Unexpected::Other(&value.to_string()), &"a whole number"))
}

/// A whole number that may be left out.
pub(super) fn whole_if_given<'de, D: Deserializer<'de>, N: TryFrom<u64>>(deserializer: D) -> Result<Option<N>, D::Error> {
    whole(deserializer).map(Some)
}

/// A whole number that may be left out, or an expression that gives one: it is as if left out until the case is run.
pub(super) fn whole_or_expression<'de, D: Deserializer<'de>, N: TryFrom<u64>>(deserializer: D) -> Result<Option<N>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(_) => Ok(None),
        value => number(&value).map(Some).ok_or_else(|| D::Error::invalid_value(Unexpected::Other(&value.to_string()), &"a whole number")),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bounds are checked before")]
fn number<N: TryFrom<u64>>(value: &Value) -> Option<N> {
    let whole = value.as_u64().or_else(|| {
        let float = value.as_f64().filter(|float| float.fract() == 0.0 && (0.0..9e15).contains(float))?;
        Some(float as u64)
    })?;
    N::try_from(whole).ok()
}
