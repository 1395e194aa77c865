//! Functions of jq that take more than definitions: how values are written as text, and base 32.

use jaq_core::box_iter::box_once;
use jaq_core::native::{Filter, bome, run, v};
use jaq_core::path::Opt;
use jaq_core::{Exn, Native, RunPtr, ValT as _};
use jaq_json::{Error, Map, Num, Rc, Val, ValR};
use jaq_std::ValT as _;

use super::library::Engine;
use super::value::plain_float;

/// How many keys a path may have that something is put at.
const MOST_KEYS: usize = 1000;
/// How long a list may become by putting something behind its end.
const LONGEST: usize = 1 << 22;
/// The digits of base 32, RFC 4648, section 6.
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn natives() -> impl Iterator<Item = Filter<Native<Engine>>> {
    own().into_iter().map(run::<Engine>)
}

fn own() -> [Filter<RunPtr<Engine>>; 5] {
    [
        ("setpath", v(2), |mut cv| {
            let (new, path) = (cv.0.pop_var(), cv.0.pop_var());
            bome(match &path {
                Val::Arr(keys) if keys.len() > MOST_KEYS => Err(Error::str(format_args!("a path has at most {MOST_KEYS} keys"))),
                Val::Arr(keys) => set(cv.1, keys, new),
                other => Err(Error::str(format_args!("{other} is not a path, which is a list"))),
            })
        }),
        ("tojson", v(0), |cv| bome(Ok(text(as_json(cv.1))))),
        ("tostring", v(0), |cv| bome(Ok(as_text(cv.1)))),
        ("encode_base32", v(0), |cv| bome(Ok(text(encode(&bytes_of(&cv.1)))))),
        ("decode_base32", v(0), |cv| {
            let decoded = decode(&bytes_of(&cv.1)).map(|bytes| text(String::from_utf8_lossy(&bytes).into_owned()));
            bome(decoded.ok_or_else(|| Error::str(format_args!("{} is not valid base32 data", cv.1))))
        }),
    ]
}

/// Puts a value where a path leads. Null is an empty map or list there, and a list grows.
fn set(value: Val, path: &[Val], new: Val) -> ValR {
    let Some((key, rest)) = path.split_first() else { return Ok(new) };
    match (value, key) {
        (Val::Null, Val::TStr(_)) => set(Val::obj(Map::default()), path, new),
        (Val::Null, Val::Num(_)) => set(Val::Arr(Rc::default()), path, new),
        (Val::Obj(mut entries), Val::TStr(_)) => {
            let place = Rc::make_mut(&mut entries).entry(key.clone()).or_insert(Val::Null);
            *place = set(std::mem::take(place), rest, new)?;
            Ok(Val::Obj(entries))
        }
        (Val::Arr(mut items), Val::Num(number)) => {
            let at = place_of(number, items.len())?;
            let list = Rc::make_mut(&mut items);
            if at >= list.len() {
                list.resize(at + 1, Val::Null);
            }
            list[at] = set(std::mem::take(&mut list[at]), rest, new)?;
            Ok(Val::Arr(items))
        }
        (value, key) => value
            .map_index(key, Opt::Essential, |inner| box_once(set(inner, rest, new.clone()).map_err(Exn::from)))
            .map_err(|_| Error::str(format_args!("{key} leads nowhere that a value can be put"))),
    }
}

/// Where in a list of this length an index leads.
fn place_of(index: &Num, length: usize) -> Result<usize, Error> {
    let signed = index.as_isize();
    let at = signed.and_then(|at| if at < 0 { length.checked_sub(at.unsigned_abs()) } else { usize::try_from(at).ok() });
    at.filter(|at| *at < LONGEST).ok_or_else(|| Error::str(format_args!("{index} is no index of a list of {length}")))
}

fn text(text: String) -> Val {
    Val::utf8_str(text.into_bytes())
}

fn bytes_of(value: &Val) -> Vec<u8> {
    value.as_bytes().map(<[u8]>::to_vec).unwrap_or_default()
}

/// A text as it is, anything else as JSON.
fn as_text(value: Val) -> Val {
    match value {
        Val::TStr(_) | Val::BStr(_) => value,
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::Arr(_) | Val::Obj(_) => text(as_json(value)),
    }
}

fn as_json(value: Val) -> String {
    plain(value).to_string()
}

/// The same with numbers as jq writes them, to which 3.0 is 3 and 1e3 is 1000.
fn plain(value: Val) -> Val {
    match value {
        Val::Num(Num::Float(float)) => Val::Num(plain_float(float)),
        Val::Num(Num::Dec(ref decimal)) if decimal.contains(['e', 'E']) => {
            decimal.parse().map_or(value.clone(), |float| Val::Num(plain_float(float)))
        }
        Val::Arr(ref items) if !items.iter().all(is_plain) => items.iter().cloned().map(plain).collect(),
        Val::Obj(ref entries) if !entries.values().all(is_plain) => {
            Val::obj(entries.iter().map(|(key, value)| (key.clone(), plain(value.clone()))).collect())
        }
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) | Val::Arr(_) | Val::Obj(_) => value,
    }
}

fn is_plain(value: &Val) -> bool {
    matches!(value, Val::Null | Val::Bool(_) | Val::TStr(_) | Val::BStr(_) | Val::Num(Num::Int(_) | Num::BigInt(_)))
}

fn encode(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - chunk.len()));
        let digits = (chunk.len() * 8).div_ceil(5);
        encoded.extend((0..digits).map(|at| char::from(DIGITS[(bits >> (35 - 5 * at)) as usize & 31])));
        encoded.extend(std::iter::repeat_n('=', 8 - digits));
    }
    encoded
}

/// The bytes that are encoded; nothing where it is no base 32. What is missing in the end may be missing.
fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let end = encoded.iter().rposition(|digit| *digit != b'=').map_or(0, |last| last + 1);
    let mut decoded = Vec::with_capacity(end * 5 / 8);
    let (mut bits, mut count) = (0u16, 0);
    for digit in &encoded[..end] {
        let value = DIGITS.iter().position(|known| known == digit)?;
        bits = bits << 5 | u16::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(decoded)
}
