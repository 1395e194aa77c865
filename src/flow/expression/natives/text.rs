//! What jq does with text: trimming, characters by their numbers, and the encodings in base 32 and 64.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jaq_core::native::v;
use jaq_json::{Num, Val};

use super::super::datum::{Datum, ValR, error, number};
use super::{Given, Native, one};

/// Base 64 as jq reads it: with its padding or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

const BASE_32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn natives() -> Vec<Native> {
    vec![
        ("ltrimstr", v(1), |given| one(Ok(trimmed(given, |text, edge| text.strip_prefix(edge))))),
        ("rtrimstr", v(1), |given| one(Ok(trimmed(given, |text, edge| text.strip_suffix(edge))))),
        ("implode", v(0), |given| one(implode(&given.1))),
        ("@base64d", v(0), |given| one(from_base_64(given.1))),
        ("@base32", v(0), |given| one(Ok(Datum::text(base_32(&text_of(given.1)))))),
        ("@base32d", v(0), |given| one(from_base_32(given.1))),
    ]
}

fn trimmed(mut given: Given<'_>, strip: impl for<'t> FnOnce(&'t [u8], &[u8]) -> Option<&'t [u8]>) -> Datum {
    let edge = given.0.pop_var();
    let (Val::TStr(text), Val::TStr(edge)) = (&given.1.0, &edge.0) else {
        return given.1;
    };
    match strip(text, edge) {
        Some(rest) => Datum(Val::utf8_str(text.slice_ref(rest))),
        None => given.1,
    }
}

fn implode(value: &Datum) -> ValR {
    let Val::Arr(items) = &value.0 else {
        return Err(error("implode input must be an array"));
    };
    let character = |item: &Val| match item {
        Val::Num(number) => Ok(character_of(number)),
        _ => Err(error("Unicode codepoint must be numeric")),
    };
    items.iter().map(character).collect::<Result<String, _>>().map(Datum::text)
}

/// The character with this number; the one that stands for none where there is none.
fn character_of(number: &Num) -> char {
    let point = number::as_place(number).and_then(|point| u32::try_from(point).ok());
    point.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The text of a value, as `tostring` makes it.
fn text_of(value: Datum) -> String {
    match jaq_core::ValT::into_string(value).0 {
        Val::TStr(text) | Val::BStr(text) => String::from_utf8_lossy(&text).into_owned(),
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::Arr(_) | Val::Obj(_) => String::new(),
    }
}

fn text_from(bytes: &[u8]) -> Datum {
    Datum::text(String::from_utf8_lossy(bytes))
}

fn from_base_64(value: Datum) -> ValR {
    let text = text_of(value);
    match LENIENT.decode(text.trim_end_matches('=')) {
        Ok(bytes) => Ok(text_from(&bytes)),
        Err(_) => Err(error(format!("{} is not valid base64 data", Datum::text(text).told()))),
    }
}

fn base_32(text: &str) -> String {
    let mut out = String::with_capacity(text.len().div_ceil(5) * 8);
    for chunk in text.as_bytes().chunks(5) {
        let bits = chunk.iter().chain(std::iter::repeat_n(&0, 5 - chunk.len())).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let digits = (chunk.len() * 8).div_ceil(5);
        for at in 0..8 {
            let digit = usize::try_from(bits >> (35 - 5 * at) & 31).unwrap_or_default();
            out.push(if at < digits { char::from(BASE_32[digit]) } else { '=' });
        }
    }
    out
}

fn from_base_32(value: Datum) -> ValR {
    let text = text_of(value);
    let (mut out, mut bits, mut held) = (Vec::with_capacity(text.len() * 5 / 8), 0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let digit = BASE_32.iter().position(|known| *known == letter).and_then(|digit| u32::try_from(digit).ok());
        let Some(digit) = digit else {
            return Err(error(format!("{} is not valid base32 data", Datum::text(text).told())));
        };
        (bits, held) = ((bits << 5 | digit) & 0xfff, held + 5);
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).unwrap_or_default());
        }
    }
    Ok(text_from(&out))
}
