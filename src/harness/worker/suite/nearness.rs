//! Which of several expected requests was most likely meant by one that is none of them.

use std::cell::Cell;

use serde_json::Value;

use super::exchange::{Aspect, Sent};
use super::script::Member;

/// How many expected requests are looked at, and how many of them closely.
const MOST: usize = 2000;
const MOST_CLOSELY: usize = 20;
/// How much of two values is compared, in values within them; and of two texts, in bytes.
const MOST_VALUES: usize = 2000;
const LONGEST: usize = 300;

/// The nearest; the first of those that are equally near.
pub(super) fn nearest<'m, 'a>(candidates: impl Iterator<Item = &'m Member<'a>>, sent: &Sent<'_>) -> Option<&'m Member<'a>> {
    let mut ranked: Vec<(f64, &Member<'a>)> = candidates.take(MOST).map(|member| (by_address(member, sent), member)).collect();
    // A stable sort: of equals the first stays the first.
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let closely = ranked.into_iter().take(MOST_CLOSELY).map(|(_, member)| (likeness(&sent.aspects(member.request)), member));
    closely.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, member)| member)
}

fn by_address(member: &Member<'_>, sent: &Sent<'_>) -> f64 {
    let expected = member.request;
    let address = match (&expected.path, &expected.url) {
        (Some(path), _) => alike(path, sent.request.url.path()),
        (None, Some(url)) => alike(url, sent.request.url.as_str()),
        (None, None) => 0.5,
    };
    let method = if expected.method.eq_ignore_ascii_case(&sent.request.method) { 1.0 } else { 0.0 };
    2.0 * address + method
}

/// How near a request is, by everything that is said of it: the address first.
fn likeness(aspects: &[Aspect]) -> f64 {
    let left = Cell::new(MOST_VALUES);
    let weighed = aspects.iter().map(|aspect| {
        let weight = if matches!(aspect.key, "path" | "url") { 2.0 } else { 1.0 };
        // What is less alike than not said at all counts against it.
        weight * (of_values(&aspect.wanted, &aspect.seen, &left) - 0.5)
    });
    weighed.sum()
}

/// From 0 to 1.
fn of_values(wanted: &Value, seen: &Value, left: &Cell<usize>) -> f64 {
    let Some(still) = left.get().checked_sub(1) else { return 0.0 };
    left.set(still);
    match (wanted, seen) {
        (Value::Object(wanted), Value::Object(seen)) => {
            let others = seen.keys().filter(|key| !wanted.contains_key(*key)).count();
            let each = wanted.iter().map(|(key, wanted)| seen.get(key).map_or(0.0, |seen| of_values(wanted, seen, left)));
            mean(each.sum(), wanted.len() + others)
        }
        (Value::Array(wanted), Value::Array(seen)) => {
            let each = wanted.iter().zip(seen).map(|(wanted, seen)| of_values(wanted, seen, left));
            mean(each.sum(), wanted.len().max(seen.len()))
        }
        (Value::String(wanted), Value::String(seen)) => alike(wanted, seen),
        (wanted, seen) => f64::from(u8::from(super::difference::same(wanted, seen))),
    }
}

fn mean(sum: f64, count: usize) -> f64 {
    if count == 0 { 1.0 } else { sum / f64::from(u32::try_from(count).unwrap_or(u32::MAX)) }
}

fn alike(wanted: &str, seen: &str) -> f64 {
    if wanted == seen {
        1.0
    } else if wanted.len() > LONGEST || seen.len() > LONGEST {
        0.0
    } else {
        // Two texts that are not the same are not nearly as good as the same, however alike they look.
        strsim::normalized_levenshtein(wanted, seen) * 0.5
    }
}
