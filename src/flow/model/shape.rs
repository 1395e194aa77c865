//! What data must be and becomes on its way into and out of tasks, and how long things take.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Authentication, Document};
use crate::flow::schema::Judge;
use crate::flow::template::Template;

/// `input`, `output` or `export` of a task or a flow.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// What the data must be.
    pub(crate) schema: Option<Schema>,
    /// What it becomes.
    pub(crate) template: Option<Template>,
}

/// A JSON Schema, compiled when it is first used, once and for all unless where it stands depends on data.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) source: SchemaSource,
    pub(crate) judge: OnceLock<Result<Arc<Judge>, String>>,
}

/// Where a schema is written.
#[derive(Debug)]
pub(crate) enum SchemaSource {
    Inline(Value),
    External(Box<Document>),
}

impl Schema {
    pub(crate) fn new(source: SchemaSource) -> Self {
        Self { source, judge: OnceLock::new() }
    }

    /// What judges by a schema that is written in place, with the types it refers to; nothing where it stands elsewhere.
    pub(crate) fn in_place(&self, types: &Map<String, Value>) -> Option<Result<Arc<Judge>, String>> {
        match &self.source {
            SchemaSource::Inline(written) => Some(self.compiled(|| Judge::new(written, types))),
            SchemaSource::External(_) => None,
        }
    }

    /// What judges by it, made once and for all.
    pub(crate) fn compiled(&self, make: impl FnOnce() -> Result<Judge, String>) -> Result<Arc<Judge>, String> {
        self.judge.get_or_init(|| make().map(Arc::new)).clone()
    }
}

/// A length of time.
#[derive(Debug)]
pub(crate) enum Span {
    Fixed(Duration),
    /// An expression that gives an ISO 8601 duration.
    Given(Template),
}

/// The longest time that a flow can speak of. Nothing lasts longer, and whoever writes more has written something else than they mean.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// A time, unless it is longer than any that a flow can speak of; `None` is one that no number holds.
pub(crate) fn bounded(time: Option<Duration>, text: &str) -> Result<Duration, String> {
    time.filter(|time| *time <= LONGEST).ok_or_else(|| format!("`{}` is longer than 100 years", crate::manifest::cut(text, LONGEST_TEXT)))
}

/// How much of a duration's text a message repeats, in characters.
const LONGEST_TEXT: usize = 60;

/// Reads an ISO 8601 duration. Days have 24 hours; months and years have no fixed length and are refused.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not an ISO 8601 duration, such as `PT5M` or `P1DT2H`");
    let rest = text.strip_prefix(['P', 'p']).ok_or_else(wrong)?;
    let (date, time) = match rest.split_once(['T', 't']) {
        Some((_, "")) => return Err(wrong()),
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return Err(wrong());
    }
    let [years, months, weeks, days] = units(date, ['Y', 'M', 'W', 'D']).ok_or_else(wrong)?;
    let [hours, minutes, seconds] = units(time, ['H', 'M', 'S']).ok_or_else(wrong)?;
    if years + months > 0 {
        return Err(format!("`{text}` has months or years, which have no fixed length"));
    }
    let amounts = [(weeks, 604_800), (days, 86_400), (hours, 3600), (minutes, 60), (seconds, 1)];
    let nanos = amounts.into_iter().try_fold(0u128, |sum, (amount, length)| sum.checked_add(amount.checked_mul(length)?));
    let seconds = nanos.and_then(|nanos| u64::try_from(nanos / BILLION).ok());
    let rest = (nanos.unwrap_or_default() % BILLION) as u32;
    bounded(seconds.map(|seconds| Duration::new(seconds, rest)), text)
}

const BILLION: u128 = 1_000_000_000;

/// The amounts of units that may each come once and in this order, in billionths.
fn units<const N: usize>(text: &str, names: [char; N]) -> Option<[u128; N]> {
    let mut amounts = [0; N];
    let (mut rest, mut next) = (text, 0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let name = rest[end..].chars().next()?.to_ascii_uppercase();
        let at = next + names[next..].iter().position(|known| *known == name)?;
        amounts[at] = amount(&rest[..end])?;
        (rest, next) = (&rest[end + 1..], at + 1);
    }
    Some(amounts)
}

/// A number, with a fraction or without, in billionths; what is smaller is left out.
fn amount(text: &str) -> Option<u128> {
    const DIGITS: usize = 9;
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let digits = |text: &str| (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(());
    digits(whole).and(digits(fraction))?;
    let padded = format!("{fraction:0<DIGITS$}");
    // What has too many digits is a number too, and longer than anything.
    let whole = whole.parse::<u64>().map_or(u128::from(u64::MAX), u128::from);
    whole.checked_mul(BILLION)?.checked_add(padded[..DIGITS].parse().ok()?)
}

impl Document {
    /// A document at an address that nothing proves who asks for.
    pub(crate) fn at(endpoint: crate::flow::uri::Address, authentication: Option<std::sync::Arc<Authentication>>) -> Self {
        Self { endpoint, authentication, contents: tokio::sync::OnceCell::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_iso_8601_of_fixed_length() {
        assert_eq!(duration("PT2H15M30S"), Ok(Duration::from_secs(8130)));
        assert_eq!(duration("P1D"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("PT0.25S"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("P2W"), Ok(Duration::from_secs(1_209_600)));
        assert_eq!(duration("P0Y0M0.5DT1,5H"), Ok(Duration::from_secs(48_600)));
        assert_eq!(duration("PT0.0000000019S"), Ok(Duration::from_nanos(1)));
        let endless = "9".repeat(30);
        let wrong =
            ["5m", "", "P", "P1M", "P1Y", "-PT1S", "PT", "P1DT", "10", "PT1S x", "PT1", "PTS", "PT1S1M", "P1H", "PT1.S", "PT.5S", "PTéS"];
        for wrong in wrong.into_iter().chain([&*format!("PT{endless}S"), "PT18446744073709551616S"]) {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("P36600D"), Ok(LONGEST));
        for long in ["P36600DT1S", "P1000000000000D", &format!("PT{endless}S"), "P18446744073709551615W"] {
            assert!(duration(long).unwrap_err().ends_with("is longer than 100 years"), "{long}");
        }
    }
}
