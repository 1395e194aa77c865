//! Calculations with values, and what jq says where they cannot be made.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use jaq_core::Error;
use jaq_json::{Num, Val};

use super::{Datum, ValR, error, number};

/// The longest text that repeating another one makes, in bytes.
const LONGEST_REPETITION: usize = 1 << 26;

fn refused(left: &Datum, right: &Datum, why: &str) -> Error<Datum> {
    error(format!("{} and {} {why}", left.told(), right.told()))
}

fn computed(number: Num) -> ValR {
    Ok(Datum(Val::Num(number::normal(number))))
}

/// What jaq computes where it surely can.
fn by_jaq(result: jaq_core::ValR<Val>) -> ValR {
    result.map(Datum).map_err(|why| Error::new(Datum(why.into_val())))
}

impl Add for Datum {
    type Output = ValR;

    fn add(self, other: Self) -> ValR {
        match (self.0, other.0) {
            (Val::Num(left), Val::Num(right)) => computed(left + right),
            (left @ Val::Null, right) | (left, right @ Val::Null) => by_jaq(left + right),
            (left @ Val::TStr(_), right @ Val::TStr(_)) => by_jaq(left + right),
            (left @ Val::Arr(_), right @ Val::Arr(_)) => by_jaq(left + right),
            (left @ Val::Obj(_), right @ Val::Obj(_)) => by_jaq(left + right),
            (left, right) => Err(refused(&Self(left), &Self(right), "cannot be added")),
        }
    }
}

impl Sub for Datum {
    type Output = ValR;

    fn sub(self, other: Self) -> ValR {
        match (self.0, other.0) {
            (Val::Num(left), Val::Num(right)) => computed(left - right),
            (left @ Val::Arr(_), right @ Val::Arr(_)) => by_jaq(left - right),
            (left, right) => Err(refused(&Self(left), &Self(right), "cannot be subtracted")),
        }
    }
}

impl Mul for Datum {
    type Output = ValR;

    fn mul(self, other: Self) -> ValR {
        match (self.0, other.0) {
            (Val::Num(left), Val::Num(right)) => computed(left * right),
            (Val::TStr(text), Val::Num(times)) | (Val::Num(times), Val::TStr(text)) => repeated(&text, &times),
            (left @ Val::Obj(_), right @ Val::Obj(_)) => by_jaq(left * right),
            (left, right) => Err(refused(&Self(left), &Self(right), "cannot be multiplied")),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the sign is known, and more than fits is refused")]
fn repeated(text: &[u8], times: &Num) -> ValR {
    let times = number::as_float(times);
    if times.is_nan() || times < 0.0 {
        return Ok(Datum::default());
    }
    let times = times as usize;
    match text.len().checked_mul(times) {
        Some(length) if length <= LONGEST_REPETITION => Ok(Datum(Val::utf8_str(text.repeat(times)))),
        Some(_) | None => Err(error("Repeat string result too long")),
    }
}

impl Div for Datum {
    type Output = ValR;

    fn div(self, other: Self) -> ValR {
        match (self.0, other.0) {
            (Val::Num(left), Val::Num(right)) if right == Num::Int(0) => {
                let (left, right) = (Self(Val::Num(left)), Self(Val::Num(right)));
                Err(refused(&left, &right, "cannot be divided because the divisor is zero"))
            }
            (Val::Num(left), Val::Num(right)) => match (&left, &right) {
                (Num::Int(whole), Num::Int(by)) if whole.checked_rem(*by) == Some(0) => Ok(Self::from(whole / by)),
                _ => computed(left / right),
            },
            (left @ Val::TStr(_), right @ Val::TStr(_)) => by_jaq(left / right),
            (left, right) => Err(refused(&Self(left), &Self(right), "cannot be divided")),
        }
    }
}

impl Rem for Datum {
    type Output = ValR;

    fn rem(self, other: Self) -> ValR {
        let (Val::Num(left), Val::Num(right)) = (&self.0, &other.0) else {
            return Err(refused(&self, &other, "cannot be divided"));
        };
        if number::as_float(left).is_nan() || number::as_float(right).is_nan() {
            return Ok(Self::from(f64::NAN));
        }
        let (left, right) = (cut_off(left), cut_off(right));
        if right == Num::Int(0) {
            return Err(refused(&self, &other, "cannot be divided (remainder) because the divisor is zero"));
        }
        computed(left % right)
    }
}

/// A number without its fraction.
#[expect(clippy::cast_possible_truncation, reason = "jq takes the largest number where it is larger")]
fn cut_off(number: &Num) -> Num {
    match number {
        Num::Int(_) | Num::BigInt(_) => number.clone(),
        Num::Float(_) | Num::Dec(_) => Num::Int(number::as_float(number) as isize),
    }
}

impl Neg for Datum {
    type Output = ValR;

    fn neg(self) -> ValR {
        match self.0 {
            Val::Num(number) => Ok(Self(Val::Num(-number))),
            _ => Err(error(format!("{} cannot be negated", self.told()))),
        }
    }
}
