//! Values of a run: each secret is a pair of the real value and one that stands in for it.
//!
//! An expression that reads a secret is evaluated twice: with the real values, and with those that stand in for them (secure
//! multi-execution, Devriese and Piessens 2010). Where the two results differ, the result depends on a secret, however that was cut,
//! encoded or computed. Requests are sent with the real values. Outputs, events, errors and traces show [`Data::shown`], in which all that
//! differs is redacted. A condition whose two results differ ends the flow, so that a run tells no more of a secret than that it mattered.

use jaq_json::Val;
use serde_json::{Map, Value};

use super::expression::value::{text_of, text_to_jq, to_jq};

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "[redacted]";

/// A value, with what stands in for it where it depends on a secret. Only [`Data::shown`] may be printed.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    real: Val,
    /// Nothing where the value depends on no secret.
    stand_in: Option<Val>,
}

impl Data {
    /// A value that no secret is in.
    pub(crate) fn plain(real: Val) -> Self {
        Self { real, stand_in: None }
    }

    /// A value and what stands in for it; where they are equal, nothing in it depends on a secret.
    pub(crate) fn new(real: Val, stand_in: Val) -> Self {
        let stand_in = (real != stand_in).then_some(stand_in);
        Self { real, stand_in }
    }

    /// A value of which nothing may be shown.
    pub(crate) fn secret(real: Val) -> Self {
        Self { real, stand_in: Some(redacted()) }
    }

    /// Nothing.
    pub(crate) fn null() -> Self {
        Self::plain(Val::Null)
    }

    /// The real value, secrets included: for requests and for further evaluation, never to be printed.
    pub(crate) fn real(&self) -> &Val {
        &self.real
    }

    /// The value that expressions get where they are evaluated without secrets. Not to be printed: what was computed from it can look like
    /// a real value and mean nothing.
    pub(crate) fn stand_in(&self) -> &Val {
        self.stand_in.as_ref().unwrap_or(&self.real)
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.stand_in.is_some()
    }

    /// The value as it may be printed: whatever depends on a secret is redacted.
    pub(crate) fn shown(&self) -> Val {
        match &self.stand_in {
            None => self.real.clone(),
            Some(stand_in) => shown(&self.real, stand_in),
        }
    }

    /// The text of the value, and of what may be shown of it.
    pub(crate) fn texts(&self) -> (String, Option<String>) {
        (text_of(&self.real), self.stand_in.as_ref().map(|_| text_of(&self.shown())))
    }

    /// A list of values.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        if !items.iter().any(Self::is_secret) {
            return Self::plain(items.into_iter().map(|item| item.real).collect());
        }
        let stand_in = items.iter().map(|item| item.stand_in().clone()).collect();
        Self { real: items.into_iter().map(|item| item.real).collect(), stand_in: Some(stand_in) }
    }

    /// A map of values.
    pub(crate) fn map(entries: Vec<(Val, Self)>) -> Self {
        let is_secret = entries.iter().any(|(_, value)| value.is_secret());
        let stand_in = is_secret.then(|| Val::obj(entries.iter().map(|(key, value)| (key.clone(), value.stand_in().clone())).collect()));
        Self { real: Val::obj(entries.into_iter().map(|(key, value)| (key, value.real)).collect()), stand_in }
    }

    /// The items of a list, each a pair of its own; nothing where it is no list.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        let Val::Arr(items) = &self.real else { return None };
        Some(match &self.stand_in {
            None => items.iter().cloned().map(Self::plain).collect(),
            Some(Val::Arr(stand_ins)) if stand_ins.len() == items.len() => {
                items.iter().zip(stand_ins.iter()).map(|(real, stand_in)| Self::new(real.clone(), stand_in.clone())).collect()
            }
            Some(_) => items.iter().cloned().map(Self::secret).collect(),
        })
    }
}

/// The values of a connection, each secret beside what stands for it.
pub(crate) fn of_connection(values: &Map<String, Value>, secrets: &[String]) -> Data {
    let entries = values.iter().map(|(name, value)| {
        let real = to_jq(value);
        let data = if secrets.contains(name) { Data::new(real, stand_in(value)) } else { Data::plain(real) };
        (text_to_jq(name), data)
    });
    Data::map(entries.collect())
}

/// What stands where a secret stood, as a value.
pub(crate) fn redacted() -> Val {
    text_to_jq(REDACTED)
}

/// What stands for a secret in expressions: a number for a number, with which they end as soon; a map keeps its keys, so that its members
/// can be named.
pub(crate) fn stand_in(secret: &Value) -> Val {
    const NUMBER: i64 = 3;
    match secret {
        Value::Object(members) => Val::obj(members.iter().map(|(key, value)| (text_to_jq(key), stand_in(value))).collect()),
        Value::Number(_) => to_jq(&NUMBER.into()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => redacted(),
    }
}

fn shown(real: &Val, stand_in: &Val) -> Val {
    match (real, stand_in) {
        (Val::Arr(reals), Val::Arr(stand_ins)) if reals.len() == stand_ins.len() => {
            reals.iter().zip(stand_ins.iter()).map(|(real, stand_in)| shown(real, stand_in)).collect()
        }
        (Val::Obj(reals), Val::Obj(stand_ins)) => {
            // A key that only one side has depends on a secret itself: none of the real keys is shown.
            let entries = stand_ins.iter().map(|(key, stand_in)| match reals.get(key) {
                Some(real) => (key.clone(), shown(real, stand_in)),
                None => (key.clone(), redacted()),
            });
            Val::obj(entries.collect())
        }
        _ if real == stand_in => real.clone(),
        (_, Val::TStr(text) | Val::BStr(text)) if text.windows(REDACTED.len()).any(|window| window == REDACTED.as_bytes()) => {
            stand_in.clone()
        }
        _ => redacted(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flow::expression::value::to_json;

    fn shown(real: &serde_json::Value, stand_in: &serde_json::Value) -> serde_json::Value {
        to_json(&Data::new(to_jq(real), to_jq(stand_in)).shown(), 1000).unwrap()
    }

    #[test]
    fn what_differs_is_redacted_and_the_rest_stays() {
        let real = json!({"id": 7, "auth": "Bearer abc", "first": "a", "long": true, "list": [1, "x"]});
        let beside = json!({"id": 7, "auth": "Bearer [redacted]", "first": "[", "long": false, "list": [1, "[redacted]"]});
        let expected =
            json!({"id": 7, "auth": "Bearer [redacted]", "first": "[redacted]", "long": "[redacted]", "list": [1, "[redacted]"]});
        assert_eq!(shown(&real, &beside), expected);
        assert_eq!(shown(&json!(["a", "b"]), &json!(["c"])), json!("[redacted]"));
        assert_eq!(shown(&json!({"abc": 1}), &json!({"[redacted]": 1})), json!({"[redacted]": "[redacted]"}));
    }

    #[test]
    fn parts_of_a_secret_are_secret() {
        let list = Data::new(to_jq(&json!(["x", 1])), to_jq(&json!("[redacted]")));
        assert!(list.items().unwrap().iter().all(Data::is_secret));
        let list = Data::new(to_jq(&json!(["x", 1])), to_jq(&json!(["[redacted]", 1])));
        let items: Vec<_> = list.items().unwrap().iter().map(Data::is_secret).collect();
        assert_eq!(items, [true, false]);
    }
}
