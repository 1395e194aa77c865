//! Numbers as jq has them: of one kind, whole wherever they are whole, and written the way jq writes them.

use std::sync::Arc;

use jaq_json::{Num, Val};

/// From here on not every whole number is a float.
const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;

/// A float, as a whole number where it is one.
#[expect(clippy::cast_possible_truncation, reason = "it is whole, and smaller than the largest number of the type")]
pub(super) fn of_float(float: f64) -> Num {
    if float.fract() == 0.0 && float.abs() < FIRST_INEXACT { Num::Int(float as isize) } else { Num::Float(float) }
}

/// A computed number, whole where it is whole.
pub(super) fn normal(number: Num) -> Num {
    match number {
        Num::Float(float) => of_float(float),
        other => other,
    }
}

/// A number's value as a float.
#[expect(clippy::cast_precision_loss, reason = "jq computes with floats")]
pub(super) fn as_float(number: &Num) -> f64 {
    match number {
        Num::Int(integer) => *integer as f64,
        Num::Float(float) => *float,
        Num::Dec(literal) => literal.parse().unwrap_or(f64::NAN),
        Num::BigInt(integer) => integer.to_string().parse().unwrap_or(f64::NAN),
    }
}

/// A number that is a place in a list: rounded down, and nothing where it is none (NaN).
#[expect(clippy::cast_possible_truncation, reason = "no list is as long as the bounds of the type")]
pub(crate) fn as_place(number: &Num) -> Option<i64> {
    match number {
        Num::Int(integer) => i64::try_from(*integer).ok(),
        other => Some(as_float(other)).filter(|float| !float.is_nan()).map(|float| float.floor() as i64),
    }
}

/// A number from an expression's text or from JSON. A literal keeps its digits until something is computed from it.
pub(super) fn of_literal(text: &str) -> Option<Num> {
    if text.contains(['e', 'E']) {
        return text.parse().ok().map(of_float);
    }
    if text.contains('.') {
        return text.parse::<f64>().ok().map(|_| Num::Dec(Arc::new(text.to_owned())));
    }
    Num::from_str_radix(text, 10)
}

/// A number from text as `tonumber` takes it; nothing where it is none.
pub(crate) fn of_text(text: &str) -> Option<Num> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let (negative, digits) = text.strip_prefix('-').map_or((false, text.strip_prefix('+').unwrap_or(text)), |digits| (true, digits));
    if digits.eq_ignore_ascii_case("nan") {
        return Some(Num::Float(f64::NAN));
    }
    if digits.eq_ignore_ascii_case("infinity") {
        return Some(Num::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    if !digits.starts_with(|sign: char| sign.is_ascii_digit() || sign == '.') || !digits.bytes().all(of_number) {
        return None;
    }
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { Num::from_str_radix(text.trim_start_matches('+'), 10) } else { text.parse().ok().map(of_float) }
}

fn of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
}

/// Appends a number as JSON: what JSON cannot say is null, or the largest number.
pub(super) fn write(number: &Num, out: &mut String) {
    use std::fmt::Write as _;
    let written = match number {
        Num::Int(integer) => write!(out, "{integer}"),
        Num::BigInt(integer) => write!(out, "{integer}"),
        Num::Dec(literal) if !literal.contains(['e', 'E']) => out.write_str(literal),
        Num::Dec(_) | Num::Float(_) => {
            write_float(as_float(number), out);
            Ok(())
        }
    };
    debug_assert!(written.is_ok(), "text grows");
}

fn write_float(float: f64, out: &mut String) {
    if float.is_nan() {
        out.push_str("null");
        return;
    }
    // The shortest digits that stand for it, as `d.ddde-5`.
    let shortest = format!("{:e}", float.clamp(f64::MIN, f64::MAX));
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let digits = digits.replace('.', "");
    out.push_str(sign);
    place_point(&digits, exponent.parse::<i32>().unwrap_or_default() + 1, out);
}

/// Digits with their decimal point `point` digits from the left: plain where that is short, else with an exponent.
fn place_point(digits: &str, point: i32, out: &mut String) {
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if point <= -4 || point > length + 15 {
        let (first, rest) = digits.split_at(1);
        let (fraction, sign) = (if rest.is_empty() { "" } else { "." }, if point < 1 { '-' } else { '+' });
        out.push_str(&format!("{first}{fraction}{rest}e{sign}{:02}", (point - 1).abs()));
    } else if let Ok(before) = usize::try_from(point)
        && before > 0
    {
        let padded = format!("{digits:0<before$}");
        let (whole, fraction) = padded.split_at(before);
        out.push_str(whole);
        if !fraction.is_empty() {
            out.push('.');
            out.push_str(fraction);
        }
    } else {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
        out.push_str(digits);
    }
}

/// Whether a value is a whole number, and which.
pub(super) fn whole(value: &Val) -> Option<isize> {
    let Val::Num(number) = value else { return None };
    match number {
        Num::Int(integer) => Some(*integer),
        other => match of_float(as_float(other)) {
            Num::Int(integer) => Some(integer),
            Num::Float(_) | Num::Dec(_) | Num::BigInt(_) => None,
        },
    }
}
