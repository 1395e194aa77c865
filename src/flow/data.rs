//! Values of a run, each with what may be shown of it.
//!
//! Secrets come in as a pair: the real value, and one that stands for it. Where an expression reads such a pair it is evaluated on both
//! sides (secure multi-execution, Devriese and Piessens 2010), so whatever depends on a secret, however it was cut, encoded or computed,
//! differs between the sides. Requests are sent with the real side; outputs, events, errors and traces show the other. Only where the sides
//! agree is a flow led by a condition; one on which they differ ends it, so that no more can be learnt from a run than that they do.

use jaq_json::Val;
use serde_json::{Map, Value};

use super::expression::value::{text_of, text_to_jq, to_jq};

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "[redacted]";

/// A value with what may be shown of it.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    real: Val,
    /// Nothing where no secret is in the value.
    shown: Option<Val>,
}

impl Data {
    /// A value that no secret is in.
    pub(crate) fn plain(real: Val) -> Self {
        Self { real, shown: None }
    }

    /// A value beside what may be shown of it; where they are equal nothing in it depends on a secret.
    pub(crate) fn new(real: Val, shown: Val) -> Self {
        let shown = (real != shown).then_some(shown);
        Self { real, shown }
    }

    /// A value of which nothing may be shown.
    pub(crate) fn secret(real: Val) -> Self {
        Self { real, shown: Some(redacted()) }
    }

    /// Nothing.
    pub(crate) fn null() -> Self {
        Self::plain(Val::Null)
    }

    pub(crate) fn real(&self) -> &Val {
        &self.real
    }

    /// What stands for it beside secrets. It goes into expressions; [`Data::masked`] is for whatever is shown.
    pub(crate) fn shown(&self) -> &Val {
        self.shown.as_ref().unwrap_or(&self.real)
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.shown.is_some()
    }

    /// The value as it may be shown: whatever depends on a secret is redacted.
    pub(crate) fn masked(&self) -> Val {
        match &self.shown {
            None => self.real.clone(),
            Some(shown) => masked(&self.real, shown),
        }
    }

    /// The text of the value, and of what may be shown of it.
    pub(crate) fn texts(&self) -> (String, Option<String>) {
        (text_of(&self.real), self.shown.as_ref().map(|_| text_of(&self.masked())))
    }

    /// A list of values.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        if !items.iter().any(Self::is_secret) {
            return Self::plain(items.into_iter().map(|item| item.real).collect());
        }
        let shown = items.iter().map(|item| item.shown().clone()).collect();
        Self { real: items.into_iter().map(|item| item.real).collect(), shown: Some(shown) }
    }

    /// A map of values.
    pub(crate) fn map(entries: Vec<(Val, Self)>) -> Self {
        let is_secret = entries.iter().any(|(_, value)| value.is_secret());
        let shown = is_secret.then(|| Val::obj(entries.iter().map(|(key, value)| (key.clone(), value.shown().clone())).collect()));
        Self { real: Val::obj(entries.into_iter().map(|(key, value)| (key, value.real)).collect()), shown }
    }

    /// The items of a list, each a pair of its own; nothing where it is no list.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        let Val::Arr(items) = &self.real else { return None };
        Some(match &self.shown {
            None => items.iter().cloned().map(Self::plain).collect(),
            Some(Val::Arr(shown)) if shown.len() == items.len() => {
                items.iter().zip(shown.iter()).map(|(real, shown)| Self::new(real.clone(), shown.clone())).collect()
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

fn masked(real: &Val, shown: &Val) -> Val {
    match (real, shown) {
        (Val::Arr(reals), Val::Arr(showns)) if reals.len() == showns.len() => {
            reals.iter().zip(showns.iter()).map(|(real, shown)| masked(real, shown)).collect()
        }
        (Val::Obj(reals), Val::Obj(showns)) => {
            // A key that only one side has depends on a secret itself: none of the real side's is shown.
            let entries = showns.iter().map(|(key, shown)| match reals.get(key) {
                Some(real) => (key.clone(), masked(real, shown)),
                None => (key.clone(), redacted()),
            });
            Val::obj(entries.collect())
        }
        _ if real == shown => real.clone(),
        (_, Val::TStr(text) | Val::BStr(text)) if text.windows(REDACTED.len()).any(|window| window == REDACTED.as_bytes()) => shown.clone(),
        _ => redacted(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flow::expression::value::to_json;

    fn shown(real: &serde_json::Value, shown: &serde_json::Value) -> serde_json::Value {
        to_json(&Data::new(to_jq(real), to_jq(shown)).masked(), 1000).unwrap()
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
