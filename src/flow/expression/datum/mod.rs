//! The values of expressions: jaq's, with the rules of jq where jaq has its own, for null, numbers, places in lists and errors.

mod arithmetic;
pub(crate) mod number;
mod text;
mod update;

use std::fmt;
use std::sync::Arc;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Error, ValT};
use jaq_json::{Map, Num, Val};

pub(crate) use text::json;

/// A value of jq.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Datum(pub(crate) Val);

/// A value, or why there is none.
pub(crate) type ValR = jaq_core::ValR<Datum>;
/// A value, or what breaks its computation off.
pub(crate) type ValX<'a> = jaq_core::ValX<'a, Datum>;

impl Datum {
    /// Text as a value.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self(Val::utf8_str(text.into().into_bytes()))
    }

    /// What jq calls the kind of value this is.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.0 {
            Val::Null => "null",
            Val::Bool(_) => "boolean",
            Val::Num(_) => "number",
            Val::TStr(_) | Val::BStr(_) => "string",
            Val::Arr(_) => "array",
            Val::Obj(_) => "object",
        }
    }

    /// The value in a message: its kind, and how it begins.
    pub(crate) fn told(&self) -> String {
        let json = json(&self.0);
        match json.char_indices().nth(14) {
            None => format!("{} ({json})", self.kind()),
            Some(_) => format!("{} ({}...)", self.kind(), json.chars().take(11).collect::<String>()),
        }
    }

    fn is_text(&self) -> bool {
        matches!(self.0, Val::TStr(_) | Val::BStr(_))
    }
}

/// An error with a message.
pub(crate) fn error(message: impl Into<String>) -> Error<Datum> {
    Error::new(Datum::text(message))
}

fn cannot_index(value: &Datum, key: &Datum) -> Error<Datum> {
    match &key.0 {
        Val::TStr(text) | Val::BStr(text) if text.len() < 30 => {
            error(format!("Cannot index {} with string \"{}\"", value.kind(), String::from_utf8_lossy(text)))
        }
        _ => error(format!("Cannot index {} with {}", value.kind(), key.kind())),
    }
}

fn cannot_iterate(value: &Datum) -> Error<Datum> {
    error(format!("Cannot iterate over {}", value.told()))
}

/// Where a number points in a list of so many items.
pub(super) fn place(number: &Num, length: usize) -> Option<usize> {
    let place = number::as_place(number)?;
    let from_the_end = i64::try_from(length).ok()?;
    usize::try_from(if place < 0 { place + from_the_end } else { place }).ok().filter(|place| *place < length)
}

/// The items from one bound to another, within so many.
fn span(range: Range<&Val>, length: usize) -> Result<std::ops::Range<usize>, Error<Datum>> {
    let bound =
        |bound: Option<&Val>, otherwise: usize, round: fn(f64) -> f64| match bound {
            None | Some(Val::Null) => Ok(otherwise),
            Some(Val::Num(Num::Int(place))) => Ok(clamped(*place, length)),
            Some(Val::Num(number)) => Ok(number::whole(&Val::Num(number::of_float(round(number::as_float(number)))))
                .map_or(otherwise, |place| clamped(place, length))),
            Some(_) => Err(error("Start and end indices of an array slice must be numbers")),
        };
    let (from, to) = (bound(range.start, 0, f64::floor)?, bound(range.end, length, f64::ceil)?);
    Ok(from..to.max(from))
}

fn clamped(place: isize, length: usize) -> usize {
    if place < 0 { length.saturating_sub(place.unsigned_abs()) } else { place.unsigned_abs().min(length) }
}

/// Which items of so many a key or slice of a path stands for; nothing where it can stand for none.
pub(super) fn places_of(key: &Val, length: usize) -> Option<Result<std::ops::Range<usize>, Error<Datum>>> {
    match key {
        Val::Num(number) => Some(Ok(place(number, length).map_or(0..0, |at| at..at + 1))),
        Val::Obj(map) => Some(span(bounds(map), length)),
        _ => None,
    }
}

/// A slice of characters as the bytes they take.
fn span_of_text(range: Range<&Val>, text: &[u8]) -> Result<std::ops::Range<usize>, Error<Datum>> {
    if text.is_ascii() {
        return span(range, text.len());
    }
    let text = std::str::from_utf8(text).map_err(|_| error("the text is not valid UTF-8"))?;
    let chars = span(range, text.chars().count())?;
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    Ok(byte(chars.start)..byte(chars.end))
}

fn bounds(map: &Map) -> Range<&Val> {
    map.get(&Val::utf8_str("start"))..map.get(&Val::utf8_str("end"))
}

/// Where one list stands within another.
pub(super) fn runs(list: &[Val], wanted: &[Val]) -> Datum {
    if wanted.is_empty() {
        return Datum(Val::Arr(Arc::default()));
    }
    Datum(list.windows(wanted.len()).enumerate().filter(|(_, window)| *window == wanted).map(|(at, _)| Val::from(at)).collect())
}

impl ValT for Datum {
    fn from_num(text: &str) -> ValR {
        number::of_literal(text).map(|number| Self(Val::Num(number))).ok_or_else(|| error(format!("{text} is no number")))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(entries: I) -> ValR {
        let entry = |(key, value): (Self, Self)| match key.is_text() {
            true => Ok((key.0, value.0)),
            false => Err(error(format!("Cannot use {} as object key", key.told()))),
        };
        entries.into_iter().map(entry).collect::<Result<Map, _>>().map(|map| Self(Val::obj(map)))
    }

    fn key_values(self) -> BoxIter<'static, jaq_core::ValR<(Self, Self), Self>> {
        match self.0 {
            Val::Arr(_) => Box::new(self.values().enumerate().map(|(at, value)| Ok((Self::from(at), value?)))),
            Val::Obj(map) => Box::new(Arc::unwrap_or_clone(map).into_iter().map(|(key, value)| Ok((Self(key), Self(value))))),
            _ => box_once(Err(cannot_iterate(&self))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR>> {
        match self.0 {
            Val::Arr(items) => match Arc::try_unwrap(items) {
                Ok(items) => Box::new(items.into_iter().map(|item| Ok(Self(item)))),
                Err(items) => Box::new((0..items.len()).map(move |at| Ok(Self(items[at].clone())))),
            },
            Val::Obj(map) => Box::new(Arc::unwrap_or_clone(map).into_values().map(|value| Ok(Self(value)))),
            _ => box_once(Err(cannot_iterate(&self))),
        }
    }

    fn index(self, index: &Self) -> ValR {
        Ok(Self(match (&self.0, &index.0) {
            (Val::Obj(map), Val::TStr(_) | Val::BStr(_)) => map.get(&index.0).cloned().unwrap_or_default(),
            (Val::Arr(items), Val::Num(number)) => place(number, items.len()).map(|at| items[at].clone()).unwrap_or_default(),
            (Val::Null, Val::TStr(_) | Val::BStr(_) | Val::Num(_) | Val::Obj(_)) => Val::Null,
            (Val::Arr(items), Val::Arr(wanted)) => return Ok(runs(items, wanted)),
            (Val::Arr(_) | Val::TStr(_), Val::Obj(map)) => return self.slice(bounds(map)),
            _ => return Err(cannot_index(&self, index)),
        }))
    }

    fn range(self, range: Range<&Self>) -> ValR {
        self.slice(range.start.map(|bound| &bound.0)..range.end.map(|bound| &bound.0))
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a>>>(self, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a> {
        update::every(self, opt, f)
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a>>>(self, index: &Self, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a> {
        update::at(self, index, opt, f)
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a>>>(self, range: Range<&Self>, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a> {
        update::between(self, range.start.map(|bound| &bound.0)..range.end.map(|bound| &bound.0), opt, f)
    }

    fn as_bool(&self) -> bool {
        !matches!(self.0, Val::Null | Val::Bool(false))
    }

    fn into_string(self) -> Self {
        if self.is_text() { self } else { Self::text(json(&self.0)) }
    }
}

impl Datum {
    fn slice(self, range: Range<&Val>) -> ValR {
        Ok(Self(match &self.0 {
            Val::Null => Val::Null,
            Val::Arr(items) => items[span(range, items.len())?].iter().cloned().collect(),
            Val::TStr(text) => Val::utf8_str(text.slice(span_of_text(range, text)?)),
            _ => return Err(error(format!("Cannot index {} with object", self.kind()))),
        }))
    }
}

impl jaq_std::ValT for Datum {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self.0 {
            Val::Arr(items) => Ok(Arc::unwrap_or_clone(items).into_iter().map(Self).collect()),
            _ => Err(self),
        }
    }

    fn is_int(&self) -> bool {
        self.as_isize().is_some() || matches!(self.0, Val::Num(Num::BigInt(_)))
    }

    fn as_isize(&self) -> Option<isize> {
        number::whole(&self.0)
    }

    fn as_f64(&self) -> Option<f64> {
        match &self.0 {
            Val::Num(number) => Some(number::as_float(number)),
            _ => None,
        }
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self.0, Val::TStr(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Val::TStr(text) | Val::BStr(text) => Some(text),
            _ => None,
        }
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        match &self.0 {
            Val::TStr(text) | Val::BStr(text) => Self(Val::utf8_str(text.slice_ref(part))),
            _ => self.clone(),
        }
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::text(String::from_utf8_lossy(bytes.as_ref()))
    }
}

impl From<bool> for Datum {
    fn from(truth: bool) -> Self {
        Self(Val::Bool(truth))
    }
}

impl From<isize> for Datum {
    fn from(integer: isize) -> Self {
        Self(Val::Num(Num::Int(integer)))
    }
}

impl From<usize> for Datum {
    fn from(integer: usize) -> Self {
        Self(Val::from(integer))
    }
}

impl From<f64> for Datum {
    fn from(float: f64) -> Self {
        Self(Val::Num(number::of_float(float)))
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Range<Self>> for Datum {
    fn from(range: Range<Self>) -> Self {
        let entry = |name: &'static str, bound: Option<Self>| (Val::utf8_str(name), bound.unwrap_or_default().0);
        Self(Val::obj([entry("start", range.start), entry("end", range.end)].into_iter().collect()))
    }
}

impl FromIterator<Self> for Datum {
    fn from_iter<T: IntoIterator<Item = Self>>(items: T) -> Self {
        Self(items.into_iter().map(|item| item.0).collect())
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json(&self.0))
    }
}
