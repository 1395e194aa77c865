//! What values are made of: their length, their members, their JSON, the numbers between two.

use jaq_core::Exn;
use jaq_core::native::v;
use jaq_json::{Num, Val};

use super::super::datum::number::of_text;
use super::super::datum::{Datum, ValR, error, json};
use super::{Given, Native, Results, one};
use crate::manifest::cut;

/// How much of a text that is no JSON a message repeats, in characters.
const LONGEST_SLICE: usize = 40;

pub(super) fn natives() -> Vec<Native> {
    vec![
        ("length", v(0), |given| one(length(&given.1))),
        ("tojson", v(0), |given| one(Ok(Datum::text(json(&given.1.0))))),
        ("fromjson", v(0), |given| one(from_json(&given.1))),
        ("tonumber", v(0), |given| one(to_number(given.1))),
        ("nan", v(0), |_| one(Ok(Datum::from(f64::NAN)))),
        ("infinite", v(0), |_| one(Ok(Datum::from(f64::INFINITY)))),
        ("has", v(1), |mut given| one(has(&given.1, &given.0.pop_var()))),
        ("contains", v(1), |mut given| one(contains(&given.1, &given.0.pop_var()))),
        ("indices", v(1), |mut given| one(indices(given.1, &given.0.pop_var()))),
        ("bsearch", v(1), |mut given| one(search(&given.1, &given.0.pop_var()))),
        ("range", v(3), range),
    ]
}

fn length(value: &Datum) -> ValR {
    match &value.0 {
        Val::Null => Ok(Datum::from(0_usize)),
        Val::Bool(_) => Err(error(format!("{} has no length", value.told()))),
        Val::Num(number) if *number < Num::Int(0) => -value.clone(),
        Val::Num(_) => Ok(value.clone()),
        Val::TStr(text) | Val::BStr(text) => Ok(Datum::from(String::from_utf8_lossy(text).chars().count())),
        Val::Arr(items) => Ok(Datum::from(items.len())),
        Val::Obj(map) => Ok(Datum::from(map.len())),
    }
}

fn from_json(value: &Datum) -> ValR {
    let (Val::TStr(text) | Val::BStr(text)) = &value.0 else {
        return Err(error(format!("{} cannot be parsed", value.told())));
    };
    match serde_json::from_slice::<Val>(text) {
        Ok(value) => Ok(Datum(value)),
        Err(_) if text.as_ref() == b"nan".as_slice() => Ok(Datum::from(f64::NAN)),
        Err(why) => Err(error(format!("{why} (while parsing '{}')", cut(&String::from_utf8_lossy(text), LONGEST_SLICE)))),
    }
}

fn to_number(value: Datum) -> ValR {
    match &value.0 {
        Val::Num(_) => Ok(value),
        Val::TStr(text) => match of_text(&String::from_utf8_lossy(text)) {
            Some(number) => Ok(Datum(Val::Num(number))),
            None => Err(error(format!("Cannot parse '{}' as a number", cut(&String::from_utf8_lossy(text), LONGEST_SLICE)))),
        },
        _ => Err(error(format!("{} cannot be parsed as a number", value.told()))),
    }
}

fn has(value: &Datum, key: &Datum) -> ValR {
    match (&value.0, &key.0) {
        (Val::Obj(map), Val::TStr(_) | Val::BStr(_)) => Ok(Datum::from(map.contains_key(&key.0))),
        (Val::Arr(items), Val::Num(number)) => {
            let negative = *number < Num::Int(0);
            Ok(Datum::from(!negative && super::super::datum::place(number, items.len()).is_some()))
        }
        _ => Err(error(format!("Cannot check whether {} has a {} key", value.kind(), key.kind()))),
    }
}

fn contains(value: &Datum, other: &Datum) -> ValR {
    if value.kind() != other.kind() {
        return Err(error(format!("{} and {} cannot have their containment checked", value.told(), other.told())));
    }
    Ok(Datum::from(within(&value.0, &other.0)))
}

fn within(value: &Val, other: &Val) -> bool {
    match (value, other) {
        (Val::TStr(value) | Val::BStr(value), Val::TStr(other) | Val::BStr(other)) => {
            String::from_utf8_lossy(value).contains(&*String::from_utf8_lossy(other))
        }
        (Val::Arr(items), Val::Arr(others)) => others.iter().all(|other| items.iter().any(|item| within(item, other))),
        (Val::Obj(map), Val::Obj(others)) => others.iter().all(|(key, other)| map.get(key).is_some_and(|value| within(value, other))),
        _ => value == other,
    }
}

fn indices(value: Datum, wanted: &Datum) -> ValR {
    match (&value.0, &wanted.0) {
        (Val::Null, _) => Ok(value),
        (Val::TStr(text), Val::TStr(wanted)) => Ok(places(&String::from_utf8_lossy(text), &String::from_utf8_lossy(wanted))),
        (Val::Arr(items), Val::Arr(wanted)) => Ok(super::super::datum::runs(items, wanted)),
        (Val::Arr(items), _) => Ok(super::super::datum::runs(items, std::slice::from_ref(&wanted.0))),
        _ => jaq_core::ValT::index(value, wanted),
    }
}

/// Where a text stands in another, in characters.
fn places(text: &str, wanted: &str) -> Datum {
    if wanted.is_empty() {
        return std::iter::empty().collect();
    }
    let starts = text.char_indices().enumerate().filter(|(_, (byte, _))| text[*byte..].starts_with(wanted));
    starts.map(|(at, _)| Datum::from(at)).collect()
}

fn search(value: &Datum, wanted: &Datum) -> ValR {
    let Val::Arr(items) = &value.0 else {
        return Err(error(format!("{} cannot be searched from", value.told())));
    };
    let place = |at: usize| isize::try_from(at).unwrap_or(isize::MAX);
    Ok(Datum::from(items.binary_search(&wanted.0).map_or_else(|at| -1 - place(at), place)))
}

fn range<'a>(mut given: Given<'a>) -> Results<'a> {
    let (by, to, mut next) = (given.0.pop_var(), given.0.pop_var(), given.0.pop_var());
    if let Some(wrong) = [&next, &to, &by].into_iter().find(|bound| !matches!(bound.0, Val::Num(_))) {
        return one(Err(error(format!("Range bounds must be numeric, and {} is not", wrong.told()))));
    }
    let zero = Datum::from(0_usize);
    Box::new(std::iter::from_fn(move || {
        let more = if by > zero { next < to } else { by < zero && next > to };
        more.then(|| {
            let following = next.clone() + by.clone();
            following.map(|following| std::mem::replace(&mut next, following)).map_err(Exn::from)
        })
    }))
}
