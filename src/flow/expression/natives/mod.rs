//! Functions that jaq has not, or not as jq has them, in Rust.

mod paths;
mod pattern;
mod regex;
mod text;
mod time;
mod values;

use jaq_core::native::{Fun, run};
use jaq_core::{Cv, ValXs};

use super::datum::{Datum, ValR};
use super::library::Engine;

/// A function's name, its arguments and what it does.
type Native = jaq_core::native::Filter<jaq_core::RunPtr<Engine>>;
/// What a function is given: its arguments, and its input.
type Given<'a> = Cv<'a, Engine>;
type Results<'a> = ValXs<'a, Datum>;

/// All of them.
pub(super) fn all() -> impl Iterator<Item = Fun<Engine>> {
    [values::natives(), paths::natives(), text::natives(), regex::natives(), time::natives()].into_iter().flatten().map(run::<Engine>)
}

/// Many results, or one error.
fn many<'a>(results: Result<Vec<Datum>, jaq_core::Error<Datum>>) -> Results<'a> {
    match results {
        Ok(results) => Box::new(results.into_iter().map(Ok)),
        Err(why) => one(Err(why)),
    }
}

/// One result, or an error.
fn one<'a>(result: ValR) -> Results<'a> {
    jaq_core::native::bome(result)
}
