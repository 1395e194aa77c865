//! JSON into jq's values and back, with bounds on the way back: what an expression makes can be endless.

use jaq_json::{Num, Val};
use serde_json::{Map, Number, Value};

/// How deep a value may nest. The readers of JSON on the other side of a pipe allow 128.
pub(crate) const DEEPEST: usize = 100;

/// Why a value of an expression cannot leave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// It nests too deep.
    #[error("the value nests deeper than {DEEPEST} levels")]
    Deep,
    /// It is too big.
    #[error("the value is bigger than {0} bytes")]
    Big(usize),
}

/// JSON as a jq value.
pub(crate) fn to_jq(value: &Value) -> Val {
    match value {
        Value::Null => Val::Null,
        Value::Bool(truth) => Val::Bool(*truth),
        Value::Number(number) => Val::Num(number_to_jq(number)),
        Value::String(text) => text_to_jq(text),
        Value::Array(items) => items.iter().map(to_jq).collect(),
        Value::Object(entries) => Val::obj(entries.iter().map(|(key, value)| (text_to_jq(key), to_jq(value))).collect()),
    }
}

/// Text as a jq value.
pub(crate) fn text_to_jq(text: &str) -> Val {
    Val::utf8_str(text.as_bytes().to_vec())
}

fn number_to_jq(number: &Number) -> Num {
    match (number.as_i64(), number.as_u64()) {
        (Some(signed), _) => Num::from_integral(signed),
        (None, Some(unsigned)) => Num::from_integral(unsigned),
        (None, None) => Num::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// A jq value as JSON of at most so many bytes. What JSON does not know (NaN) becomes null, infinities the largest numbers.
pub(crate) fn to_json(value: &Val, most: usize) -> Result<Value, Unfit> {
    let mut left = most;
    convert(value, 0, &mut left).map_err(|unfit| match unfit {
        Unfit::Deep => Unfit::Deep,
        Unfit::Big(_) => Unfit::Big(most),
    })
}

fn convert(value: &Val, depth: usize, left: &mut usize) -> Result<Value, Unfit> {
    if depth > DEEPEST {
        return Err(Unfit::Deep);
    }
    spend(left, 4)?;
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(truth) => Value::Bool(*truth),
        Val::Num(number) => number_to_json(number),
        Val::TStr(text) | Val::BStr(text) => {
            spend(left, text.len())?;
            Value::String(String::from_utf8_lossy(text).into_owned())
        }
        Val::Arr(items) => Value::Array(items.iter().map(|item| convert(item, depth + 1, left)).collect::<Result<_, _>>()?),
        Val::Obj(entries) => {
            let mut map = Map::with_capacity(entries.len());
            for (key, value) in entries.iter() {
                let key = text_of(key);
                spend(left, key.len())?;
                map.insert(key, convert(value, depth + 1, left)?);
            }
            Value::Object(map)
        }
    })
}

/// How many bytes a value takes as JSON, about; an error where that is more than so many.
pub(crate) fn measure(value: &Val, most: usize) -> Result<usize, Unfit> {
    fn take(value: &Val, depth: usize, left: &mut usize) -> Result<(), Unfit> {
        if depth > DEEPEST {
            return Err(Unfit::Deep);
        }
        spend(left, 4)?;
        match value {
            Val::Null | Val::Bool(_) | Val::Num(_) => Ok(()),
            Val::TStr(text) | Val::BStr(text) => spend(left, text.len()),
            Val::Arr(items) => items.iter().try_for_each(|item| take(item, depth + 1, left)),
            Val::Obj(entries) => entries.iter().try_for_each(|(key, value)| {
                take(key, depth + 1, left)?;
                take(value, depth + 1, left)
            }),
        }
    }
    let mut left = most;
    take(value, 0, &mut left).map_err(|unfit| match unfit {
        Unfit::Deep => Unfit::Deep,
        Unfit::Big(_) => Unfit::Big(most),
    })?;
    Ok(most - left)
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), Unfit> {
    *left = left.checked_sub(bytes).ok_or(Unfit::Big(0))?;
    Ok(())
}

/// A value as text: a text as it is, anything else as JSON.
pub(crate) fn text_of(value: &Val) -> String {
    match value {
        Val::TStr(text) | Val::BStr(text) => String::from_utf8_lossy(text).into_owned(),
        other => super::datum::json(other),
    }
}

fn number_to_json(number: &Num) -> Value {
    match number {
        Num::Int(integer) => Value::from(*integer),
        Num::Float(float) => float_to_json(*float),
        Num::BigInt(_) | Num::Dec(_) => {
            let text = number.to_string();
            match (text.parse::<i64>(), text.parse::<u64>()) {
                (Ok(signed), _) => Value::from(signed),
                (Err(_), Ok(unsigned)) => Value::from(unsigned),
                (Err(_), Err(_)) => float_to_json(text.parse().unwrap_or(f64::NAN)),
            }
        }
    }
}

/// From here on not every whole number is a float.
const SMALLEST_UNSAFE: f64 = 9_007_199_254_740_992.0;

/// To jq there is one kind of numbers, and 3.0 is 3.
fn float_to_json(float: f64) -> Value {
    if float.is_nan() {
        return Value::Null;
    }
    if float.fract() == 0.0 && float.abs() < SMALLEST_UNSAFE {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and smaller than the largest number of the type")]
        return Value::from(float as i64);
    }
    Number::from_f64(float.clamp(f64::MIN, f64::MAX)).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_comes_back_as_it_went() {
        let value = json!({"a": [1, -2, 1.5, u64::MAX, null, true, "ü"], "b": {"c": []}});
        assert_eq!(to_json(&to_jq(&value), 1000), Ok(value));
    }

    #[test]
    fn text_has_numbers_as_jq_writes_them() {
        let value: Val = [Val::from(3.0), Val::from(0.5), Val::from(f64::NAN)].into_iter().collect();
        assert_eq!((text_of(&value), text_of(&Val::from(3.0))), ("[3,0.5,null]".to_owned(), "3".to_owned()));
    }

    #[test]
    fn what_is_too_big_or_too_deep_stays() {
        let deep = (0..200).fold(Val::Null, |inner, _| [inner].into_iter().collect());
        assert_eq!(to_json(&deep, 10_000), Err(Unfit::Deep));
        assert_eq!(to_json(&text_to_jq(&"x".repeat(100)), 50), Err(Unfit::Big(50)));
        assert_eq!(to_json(&Val::Num(Num::Float(f64::NAN)), 50), Ok(Value::Null));
    }
}
