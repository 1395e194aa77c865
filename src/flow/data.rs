//! Values of a run: each secret is kept with two values that stand in for it.
//!
//! An expression that reads a secret is evaluated three times: with the real values, and with those that stand in for them (secure
//! multi-execution, Devriese and Piessens 2010). Requests are sent with the real values. What outputs, events, errors and traces show
//! ([`Data::shown`]) depends on the stand-ins alone: where the two differ, the value depends on a secret, however that was cut, encoded or
//! computed, and is redacted. Where they agree and the real value does not, an expression can tell a secret from what stands in for it;
//! such a value, or a condition, ends the flow, so that a run tells no more of a secret than whether it ended so.

use jaq_json::Val;
use serde_json::{Map, Value};

use super::expression::value::{text_of, text_to_jq, to_jq};

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "[redacted]";

/// What stands in for a secret besides. It has no character and no length that the other one has, so that little comes out the same of both.
const OTHER: &str = "\u{27e8}\u{27e8}\u{27e8}\u{27e8}\u{27e8}\u{27e8}\u{27e8}\u{27e9}\u{27e9}\u{27e9}\u{27e9}\u{27e9}\u{27e9}";

/// A value, with what stands in for it where it depends on a secret. Only [`Data::shown`] may be printed.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    real: Val,
    /// Nothing where the value depends on no secret.
    stand_ins: Option<Box<[Val; 2]>>,
}

/// A value that cannot be shown, nor redacted without telling of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value depends on a secret in a way that can neither be shown nor redacted, such as a choice by its letters; leave it out")]
pub(crate) struct Telling;

impl Data {
    /// A value that no secret is in.
    pub(crate) fn plain(real: Val) -> Self {
        Self { real, stand_ins: None }
    }

    /// A value and what stands in for it; where all are equal, nothing in it depends on a secret.
    pub(crate) fn new(real: Val, stand_ins: [Val; 2]) -> Self {
        let is_secret = stand_ins.iter().any(|stand_in| *stand_in != real);
        Self { real, stand_ins: is_secret.then(|| Box::new(stand_ins)) }
    }

    /// A value of which nothing may be shown.
    pub(crate) fn secret(real: Val) -> Self {
        Self { real, stand_ins: Some(Box::new(redacted())) }
    }

    /// Nothing.
    pub(crate) fn null() -> Self {
        Self::plain(Val::Null)
    }

    /// The real value, secrets included: for requests and for further evaluation, never to be printed.
    pub(crate) fn real(&self) -> &Val {
        &self.real
    }

    /// The values that expressions get where they are evaluated without secrets. Not to be printed: what was computed from them can look
    /// like a real value and mean nothing.
    pub(crate) fn stand_ins(&self) -> [&Val; 2] {
        match &self.stand_ins {
            None => [&self.real, &self.real],
            Some(stand_ins) => [&stand_ins[0], &stand_ins[1]],
        }
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.stand_ins.is_some()
    }

    /// What a decision by the value is; nothing where another secret would decide otherwise.
    pub(crate) fn decides<T: PartialEq>(&self, decide: impl Fn(&Val) -> T) -> Option<T> {
        let real = decide(&self.real);
        self.stand_ins().into_iter().all(|stand_in| decide(stand_in) == real).then_some(real)
    }

    /// The value as it may be printed: whatever depends on a secret is redacted.
    pub(crate) fn shown(&self) -> Result<Val, Telling> {
        match &self.stand_ins {
            None => Ok(self.real.clone()),
            Some(stand_ins) if agrees(&self.real, &stand_ins[0], &stand_ins[1]) => Ok(self.public()),
            Some(_) => Err(Telling),
        }
    }

    /// What may be known of the value, whatever the secrets are: it is [`Data::shown`], or else not the value at all.
    pub(crate) fn public(&self) -> Val {
        let [one, other] = self.stand_ins();
        if self.is_secret() { common(one, other) } else { one.clone() }
    }

    /// The text of the value, and of what may be shown of it.
    pub(crate) fn texts(&self) -> (String, Option<String>) {
        (text_of(&self.real), self.stand_ins.as_ref().map(|_| text_of(&self.public())))
    }

    /// A list of values.
    pub(crate) fn list(items: Vec<Self>) -> Self {
        let is_secret = items.iter().any(Self::is_secret);
        let stand_ins = is_secret.then(|| [0, 1].map(|side| items.iter().map(|item| item.stand_ins()[side].clone()).collect()));
        Self { real: items.into_iter().map(|item| item.real).collect(), stand_ins: stand_ins.map(Box::new) }
    }

    /// A map of values.
    pub(crate) fn map(entries: Vec<(Val, Self)>) -> Self {
        let is_secret = entries.iter().any(|(_, value)| value.is_secret());
        let stand_in = |side: usize| Val::obj(entries.iter().map(|(key, value)| (key.clone(), value.stand_ins()[side].clone())).collect());
        let stand_ins = is_secret.then(|| Box::new([0, 1].map(stand_in)));
        Self { real: Val::obj(entries.into_iter().map(|(key, value)| (key, value.real)).collect()), stand_ins }
    }

    /// The items of a list, each with what stands in for it; nothing where it is no list.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        let Val::Arr(items) = &self.real else { return None };
        let stand_ins = match self.stand_ins() {
            [Val::Arr(one), Val::Arr(other)] if one.len() == items.len() && other.len() == items.len() => Some((one, other)),
            _ => None,
        };
        Some(match stand_ins {
            None => items.iter().cloned().map(Self::secret).collect(),
            Some((one, other)) => {
                let stand_ins = one.iter().zip(other.iter()).map(|(one, other)| [one.clone(), other.clone()]);
                items.iter().zip(stand_ins).map(|(real, stand_ins)| Self::new(real.clone(), stand_ins)).collect()
            }
        })
    }
}

/// The values of a connection, each secret beside what stands for it.
pub(crate) fn of_connection(values: &Map<String, Value>, secrets: &[String]) -> Data {
    let entries = values.iter().map(|(name, value)| {
        let real = to_jq(value);
        let data = if secrets.contains(name) { Data::new(real, stand_ins(value)) } else { Data::plain(real) };
        (text_to_jq(name), data)
    });
    Data::map(entries.collect())
}

/// What stands in for a text of which nothing may be shown.
fn redacted() -> [Val; 2] {
    [REDACTED, OTHER].map(text_to_jq)
}

/// What stands in for a secret in expressions: numbers for a number, with which they end as soon; maps keep their keys, so that their
/// members can be named.
pub(crate) fn stand_ins(secret: &Value) -> [Val; 2] {
    const NUMBERS: [i64; 2] = [3, 5];
    match secret {
        Value::Object(members) => {
            [0, 1].map(|side| Val::obj(members.iter().map(|(key, value)| (text_to_jq(key), stand_ins(value)[side].clone())).collect()))
        }
        Value::Number(_) => NUMBERS.map(|number| to_jq(&number.into())),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => redacted(),
    }
}

/// What stands in for a value in which secrets were redacted.
pub(crate) fn marked(shown: &Value) -> [Val; 2] {
    [to_jq(shown), to_jq(&with_other(shown))]
}

fn with_other(shown: &Value) -> Value {
    let text = |text: &str| text.replace(REDACTED, OTHER).replace("%5Bredacted%5D", OTHER);
    match shown {
        Value::String(string) => Value::String(text(string)),
        Value::Array(items) => items.iter().map(with_other).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (text(key), with_other(value))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => shown.clone(),
    }
}

/// What two values that stand in for another have in common: where they differ, a secret is redacted.
fn common(one: &Val, other: &Val) -> Val {
    match alike(one, other) {
        Alike::Items(items) => items.into_iter().map(|(one, other)| common(one, other)).collect(),
        Alike::Members(members) => Val::obj(members.into_iter().map(|(key, (one, other))| (key.clone(), common(one, other))).collect()),
        Alike::Nothing if one == other => one.clone(),
        Alike::Nothing => match one {
            Val::TStr(text) | Val::BStr(text) if text.windows(REDACTED.len()).any(|window| window == REDACTED.as_bytes()) => one.clone(),
            _ => text_to_jq(REDACTED),
        },
    }
}

/// Whether a value is as its stand-ins are, wherever these agree.
fn agrees(real: &Val, one: &Val, other: &Val) -> bool {
    if one == other {
        return real == one;
    }
    match alike(one, other) {
        Alike::Items(items) => matches!(real, Val::Arr(reals) if reals.len() == items.len()
            && reals.iter().zip(items).all(|(real, (one, other))| agrees(real, one, other))),
        Alike::Members(members) => matches!(real, Val::Obj(reals) if reals.len() == members.len()
            && members.into_iter().all(|(key, (one, other))| reals.get(key).is_some_and(|real| agrees(real, one, other)))),
        Alike::Nothing => true,
    }
}

/// What two values have beside each other.
enum Alike<'v> {
    /// Lists of one length.
    Items(Vec<(&'v Val, &'v Val)>),
    /// Maps with the same keys.
    Members(Vec<(&'v Val, (&'v Val, &'v Val))>),
    Nothing,
}

fn alike<'v>(one: &'v Val, other: &'v Val) -> Alike<'v> {
    match (one, other) {
        (Val::Arr(ones), Val::Arr(others)) if ones.len() == others.len() => Alike::Items(ones.iter().zip(others.iter()).collect()),
        (Val::Obj(ones), Val::Obj(others)) if ones.len() == others.len() => {
            let members = ones.iter().map(|(key, one)| Some((key, (one, others.get(key)?))));
            members.collect::<Option<_>>().map_or(Alike::Nothing, Alike::Members)
        }
        _ => Alike::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flow::expression::value::to_json;

    fn shown(real: &Value, stand_ins: [&Value; 2]) -> Result<Value, Telling> {
        Data::new(to_jq(real), stand_ins.map(to_jq)).shown().map(|shown| to_json(&shown, 1000).unwrap())
    }

    #[test]
    fn what_depends_on_a_secret_is_redacted_and_the_rest_stays() {
        let real = json!({"id": 7, "auth": "Bearer abc", "first": "a", "long": 3, "list": [1, "x"]});
        let one = json!({"id": 7, "auth": "Bearer [redacted]", "first": "[", "long": 10, "list": [1, "[redacted]"]});
        let other = json!({"id": 7, "auth": "Bearer <other>", "first": "<", "long": 7, "list": [1, "<other>"]});
        let expected =
            json!({"id": 7, "auth": "Bearer [redacted]", "first": "[redacted]", "long": "[redacted]", "list": [1, "[redacted]"]});
        assert_eq!(shown(&real, [&one, &other]), Ok(expected));
        assert_eq!(shown(&json!(["a", "b"]), [&json!(["c"]), &json!([])]), Ok(json!("[redacted]")));
        assert_eq!(shown(&json!({"abc": 1}), [&json!({"[redacted]": 1}), &json!({"<other>": 1})]), Ok(json!("[redacted]")));
    }

    #[test]
    fn what_is_shown_does_not_depend_on_the_real_value() {
        for (one, other) in [("[", "<"), ("x[redacted]", "x<other>"), ("a", "b")] {
            let of = |real: &str| shown(&json!(real), [&json!(one), &json!(other)]);
            assert_eq!(of("s"), of(one), "a guess that is right looks like one that is wrong");
            assert_eq!(of("s"), of(other));
        }
    }

    #[test]
    fn what_tells_a_secret_from_its_stand_ins_is_not_shown_at_all() {
        let guess = json!(["g", "g"]);
        assert_eq!(shown(&json!(["g", "h"]), [&guess, &guess]), Err(Telling));
        assert_eq!(shown(&json!(["g"]), [&guess, &guess]), Err(Telling));
        assert_eq!(shown(&json!(7), [&guess, &guess]), Err(Telling));
    }

    #[test]
    fn parts_of_a_secret_are_secret() {
        let list = Data::new(to_jq(&json!(["x", 1])), [json!("[redacted]"), json!("<other>")].map(|text| to_jq(&text)));
        assert!(list.items().unwrap().iter().all(Data::is_secret));
        let list = Data::new(to_jq(&json!(["x", 1])), [json!(["[redacted]", 1]), json!(["<other>", 1])].map(|list| to_jq(&list)));
        let items: Vec<_> = list.items().unwrap().iter().map(Data::is_secret).collect();
        assert_eq!(items, [true, false]);
    }
}
