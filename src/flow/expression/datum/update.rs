//! Changes within a value: to jq null is an empty map or list where something is put into it, and lists grow.

use std::sync::Arc;

use jaq_core::Exn;
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_json::{Map, Num, Val};

use super::{Datum, ValX, bounds, cannot_index, cannot_iterate, error, number, span};

/// How many nulls a list may get at once before an item that is put behind its end.
const LONGEST_GAP: usize = 1 << 20;

/// Changes every member; those that become nothing are gone.
pub(super) fn every<'a, I: Iterator<Item = ValX<'a>>>(value: Datum, opt: Opt, f: impl Fn(Datum) -> I) -> ValX<'a> {
    let change = |value: Val| f(Datum(value)).next().map(|value| value.map(|value| value.0));
    match value.0 {
        Val::Arr(items) => {
            Ok(Datum(Val::Arr(Arc::new(Arc::unwrap_or_clone(items).into_iter().filter_map(change).collect::<Result<_, _>>()?))))
        }
        Val::Obj(map) => {
            let entries = Arc::unwrap_or_clone(map).into_iter();
            let changed = entries.filter_map(|(key, value)| Some(change(value)?.map(|value| (key, value))));
            Ok(Datum(Val::obj(changed.collect::<Result<_, Exn<'a, Datum>>>()?)))
        }
        _ => opt.fail(value, |value| Exn::from(cannot_iterate(&value))),
    }
}

/// Changes the member at a key, an index or a slice.
pub(super) fn at<'a, I: Iterator<Item = ValX<'a>>>(value: Datum, index: &Datum, opt: Opt, f: impl Fn(Datum) -> I) -> ValX<'a> {
    match (value.0, &index.0) {
        (Val::Obj(mut map), Val::TStr(_) | Val::BStr(_)) => {
            change_entry(Arc::make_mut(&mut map), &index.0, f)?;
            Ok(Datum(Val::Obj(map)))
        }
        (Val::Null, Val::TStr(_) | Val::BStr(_)) => {
            let mut map = Map::default();
            change_entry(&mut map, &index.0, f)?;
            Ok(Datum(if map.is_empty() { Val::Null } else { Val::obj(map) }))
        }
        (Val::Arr(items), Val::Num(number)) => change_item(items, number, f),
        (Val::Null, Val::Num(number)) => match change_item(Arc::default(), number, f)? {
            Datum(Val::Arr(items)) if items.is_empty() => Ok(Datum(Val::Null)),
            changed => Ok(changed),
        },
        (value @ (Val::Null | Val::Arr(_) | Val::TStr(_)), Val::Obj(map)) => between(Datum(value), bounds(map), opt, f),
        (value, _) => opt.fail(Datum(value), |value| Exn::from(cannot_index(&value, index))),
    }
}

fn change_entry<'a, I: Iterator<Item = ValX<'a>>>(map: &mut Map, key: &Val, f: impl Fn(Datum) -> I) -> Result<(), Exn<'a, Datum>> {
    let Some(value) = map.get_mut(key) else {
        if let Some(changed) = f(Datum::default()).next().transpose()? {
            map.insert(key.clone(), changed.0);
        }
        return Ok(());
    };
    match f(Datum(std::mem::take(value))).next().transpose()? {
        Some(changed) => *value = changed.0,
        None => drop(map.shift_remove(key)),
    }
    Ok(())
}

fn change_item<'a, I: Iterator<Item = ValX<'a>>>(mut items: Arc<Vec<Val>>, number: &Num, f: impl Fn(Datum) -> I) -> ValX<'a> {
    let at = target(number, items.len())?;
    let list = Arc::make_mut(&mut items);
    let before = list.get_mut(at).map(std::mem::take).unwrap_or_default();
    match f(Datum(before)).next().transpose()? {
        Some(changed) => {
            if at >= list.len() {
                list.resize(at + 1, Val::Null);
            }
            list[at] = changed.0;
        }
        None if at < list.len() => drop(list.remove(at)),
        None => {}
    }
    Ok(Datum(Val::Arr(items)))
}

/// Where an item goes; behind the end too.
fn target<'a>(number: &Num, length: usize) -> Result<usize, Exn<'a, Datum>> {
    let place = number::as_place(number).ok_or_else(|| error("Cannot set array element at NaN index"))?;
    let from_the_end = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if place < 0 { place.saturating_add(from_the_end) } else { place };
    let at = usize::try_from(at).map_err(|_| error("Out of bounds negative array index"))?;
    if at > length.saturating_add(LONGEST_GAP) { Err(error("Array index too large").into()) } else { Ok(at) }
}

/// Changes the items between two bounds.
pub(super) fn between<'a, I: Iterator<Item = ValX<'a>>>(value: Datum, range: Range<&Val>, opt: Opt, f: impl Fn(Datum) -> I) -> ValX<'a> {
    let (was_null, mut items) = match value.0 {
        Val::Null => (true, Arc::default()),
        Val::Arr(items) => (false, items),
        Val::TStr(_) => return opt.fail(value, |_| Exn::from(error("Cannot update string slices"))),
        _ => return opt.fail(value, |value| Exn::from(error(format!("Cannot update field at object index of {}", value.kind())))),
    };
    let span = match span(range, items.len()) {
        Ok(span) => span,
        Err(why) => return opt.fail(Datum(Val::Arr(items)), |_| Exn::from(why)),
    };
    let before = if was_null { Val::Null } else { items[span.clone()].iter().cloned().collect() };
    let after = match f(Datum(before)).next().transpose()? {
        None if was_null => return Ok(Datum::default()),
        None => Arc::default(),
        Some(Datum(Val::Arr(after))) => after,
        Some(_) => return Err(error("A slice of an array can only be assigned another array").into()),
    };
    Arc::make_mut(&mut items).splice(span, Arc::unwrap_or_clone(after));
    Ok(Datum(Val::Arr(items)))
}
