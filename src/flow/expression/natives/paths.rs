//! Values changed at paths that are lists of keys.

use jaq_core::Error;
use jaq_core::native::v;
use jaq_core::path::Opt;
use jaq_json::Val;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::super::datum::{Datum, ValR, ValX, error};
use super::{Native, one};

/// How many keys a path may have: every key of it is a call within a call.
const MOST_KEYS: usize = 1000;

pub(super) fn natives() -> Vec<Native> {
    vec![
        ("setpath", v(2), |mut given| {
            let (value, path) = (given.0.pop_var(), given.0.pop_var());
            match &path.0 {
                Val::Arr(keys) if keys.len() > MOST_KEYS => one(Err(too_long())),
                Val::Arr(keys) => Box::new(std::iter::once(set(given.1, keys, &value))),
                _ => one(Err(error("Path must be specified as an array"))),
            }
        }),
        ("delpaths", v(1), |mut given| {
            let paths = given.0.pop_var();
            one(delete(given.1, &paths))
        }),
    ]
}

fn too_long() -> Error<Datum> {
    error(format!("a path has at most {MOST_KEYS} keys"))
}

fn set<'a>(value: Datum, path: &[Val], new: &Datum) -> ValX<'a> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(new.clone());
    };
    jaq_core::ValT::map_index(value, &Datum(key.clone()), Opt::Essential, |member| std::iter::once(set(member, rest, new)))
}

fn delete(value: Datum, paths: &Datum) -> ValR {
    let Val::Arr(paths) = &paths.0 else {
        return Err(error("Paths must be specified as an array"));
    };
    let keys = |path: &'_ Val| match path {
        Val::Arr(keys) if keys.len() > MOST_KEYS => Err(too_long()),
        Val::Arr(keys) => Ok(keys.clone()),
        _ => Err(error("Path must be specified as an array")),
    };
    let paths = paths.iter().map(keys).collect::<Result<Vec<_>, _>>()?;
    let paths: Vec<&[Val]> = paths.iter().map(|path| path.as_slice()).collect();
    if paths.is_empty() { Ok(value) } else { without(value.0, &paths).map(Datum) }
}

/// A value without what stands at these paths, of which there is at least one.
fn without(value: Val, paths: &[&[Val]]) -> Result<Val, Error<Datum>> {
    if paths.iter().any(|path| path.is_empty()) {
        return Ok(Val::Null);
    }
    let (mut gone, mut deeper) = (Vec::new(), BTreeMap::<&Val, Vec<&[Val]>>::new());
    for path in paths {
        match path.split_first() {
            Some((key, [])) => gone.push(key),
            Some((key, rest)) => deeper.entry(key).or_default().push(rest),
            None => {}
        }
    }
    let mut value = Datum(value);
    for (key, rest) in deeper {
        value = within(value, key, &rest)?;
    }
    if gone.is_empty() { Ok(value.0) } else { drop_members(value, &gone) }
}

/// A value without what stands at these paths below a key. What is missing stays missing.
fn within(value: Datum, key: &Val, paths: &[&[Val]]) -> ValR {
    let key = Datum(key.clone());
    let member = jaq_core::ValT::index(value.clone(), &key)?;
    if member.0 == Val::Null {
        return Ok(value);
    }
    let member = Datum(without(member.0, paths)?);
    set(value, &[key.0], &member).map_err(|broken| broken.get_err().unwrap_or_else(|_| error("the change was broken off")))
}

fn drop_members(value: Datum, keys: &[&Val]) -> Result<Val, Error<Datum>> {
    let refuse = |key: &Val| error(format!("Cannot delete field at {} index of {}", Datum(key.clone()).kind(), value.kind()));
    match &value.0 {
        Val::Null => Ok(Val::Null),
        Val::Obj(map) => {
            if let Some(key) = keys.iter().find(|key| !matches!(key, Val::TStr(_) | Val::BStr(_))) {
                return Err(refuse(key));
            }
            let keys: HashSet<&Val> = keys.iter().copied().collect();
            Ok(Val::obj(map.iter().filter(|(key, _)| !keys.contains(key)).map(|(key, value)| (key.clone(), value.clone())).collect()))
        }
        Val::Arr(items) => {
            let mut kept = vec![true; items.len()];
            for key in keys {
                let span = super::super::datum::places_of(key, items.len()).ok_or_else(|| refuse(key))??;
                kept[span].fill(false);
            }
            Ok(Val::Arr(Arc::new(items.iter().zip(kept).filter(|(_, kept)| *kept).map(|(item, _)| item.clone()).collect())))
        }
        _ => Err(refuse(keys.first().unwrap_or(&&Val::Null))),
    }
}
