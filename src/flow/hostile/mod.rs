//! Whatever a stranger writes: the parser tells what is wrong with it, and what runs keeps within its budget, ends, and shows no secret.
//!
//! `SWITCHBOARD_CASES=20000 cargo nextest run hostile` tries more.

mod documents;
mod expressions;
mod flows;
mod runs;
mod world;

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

/// The stack that flows are generated on: strategies nest deeper than the flows they make.
const LARGE_STACK: usize = 64 << 20;
/// The stack that threads usually have. The parser runs on any thread of any process.
const ORDINARY_STACK: usize = 2 << 20;
/// The stack of a worker's engine.
const ENGINE_STACK: usize = 16 << 20;

/// Tries a property so many times, always with the same flows, unless more is asked for: then by chance.
fn try_all<S>(usual: u32, strategy: impl FnOnce() -> S + Send, property: impl Fn(S::Value) -> Result<(), TestCaseError> + Send)
where
    S: Strategy,
    S::Value: Debug,
{
    let (cases, rng_seed) = asked_for().map_or((usual, RngSeed::Fixed(1)), |cases| (cases, RngSeed::Random));
    let config = Config { failure_persistence: None, max_shrink_iters: 2000, rng_seed, ..Config::with_cases(cases) };
    let failed = on_a_stack_of(LARGE_STACK, || TestRunner::new(config).run(&strategy(), property).map_err(|failure| failure.to_string()));
    if let Err(failure) = failed {
        panic!("{failure}");
    }
}

/// Does something on a stack of its own.
fn on_a_stack_of<T: Send>(size: usize, work: impl FnOnce() -> T + Send) -> T {
    let ended = std::thread::scope(|scope| std::thread::Builder::new().stack_size(size).spawn_scoped(scope, work).unwrap().join());
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[expect(clippy::disallowed_methods, reason = "how much is tried is asked for from outside")]
fn asked_for() -> Option<u32> {
    std::env::var("SWITCHBOARD_CASES").ok()?.parse().ok()
}
