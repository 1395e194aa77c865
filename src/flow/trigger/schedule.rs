//! The moments of a schedule, in time zones whose clocks go forward and back.
//!
//! Where a clock goes forward over the time of a cron line, it is due at the first moment after; where it goes back over it, it is due
//! once. Lines that are due every hour or oftener are due whenever a clock shows their time: never in a gap, twice in a repeated hour.

use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::model::Rhythm;
use crate::flow::model;

/// The longest cron line, in bytes: a list of every minute and every hour has 230.
const LONGEST_CRON: usize = 500;

/// The fields of a cron line.
const FIELDS: [&str; 5] = ["minute", "hour", "day of month", "month", "day of week"];

/// Why a cron line is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadCron {
    #[error("a cron line has five fields, and this one has {0}")]
    Fields(usize),
    #[error("the cron line is longer than {LONGEST_CRON} characters")]
    Long,
    #[error("`{text}` is no {field} of a cron line")]
    Field { field: &'static str, text: String },
    #[error("the cron line is never due: no such day comes")]
    Never,
}

/// Reads a cron line of five fields.
pub(super) fn cron(line: &str) -> Result<Cron, BadCron> {
    if line.len() > LONGEST_CRON {
        return Err(BadCron::Long);
    }
    let fields: Vec<&str> = line.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(BadCron::Fields(fields.len()));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    for (index, text) in fields.iter().enumerate() {
        let mut alone = ["*"; FIELDS.len()];
        alone[index] = text;
        if text.contains('@') || parser.parse(&alone.join(" ")).is_err() {
            return Err(BadCron::Field { field: FIELDS[index], text: (*text).to_owned() });
        }
    }
    let cron = parser.parse(line).map_err(|_| BadCron::Fields(fields.len()))?;
    if is_ever_due(&cron) { Ok(cron) } else { Err(BadCron::Never) }
}

/// Whether a day comes that the line asks for. Any day of any month falls on any day of the week once in 28 years.
fn is_ever_due(cron: &Cron) -> bool {
    let mut day = jiff::civil::date(2000, 1, 1);
    while day.year() < 2028 {
        let (year, month) = (i32::from(day.year()), u32::from(day.month().unsigned_abs()));
        if !cron.pattern.month_match(month).unwrap_or(false) {
            day = day.first_of_month().saturating_add(1.month());
            continue;
        }
        let weekday = Weekday::from_days_from_sunday(u32::from(day.weekday().to_sunday_zero_offset().unsigned_abs()));
        if cron.pattern.day_match(year, month, u32::from(day.day().unsigned_abs()), weekday).unwrap_or(false) {
            return true;
        }
        day = day.saturating_add(1.day());
    }
    false
}

/// An ISO 8601 duration in which weeks and days have their usual length. Years and months have none.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    SignedDuration::try_from(model::duration(text).ok()?).ok()
}

/// A moment without its fraction of a second: schedules have none.
pub(super) fn whole_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

impl Rhythm {
    /// The first moment after another one. `from` is any of its moments.
    pub(super) fn next(&self, from: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(every) => {
                let steps = steps(*every, from, after).checked_add(1)?;
                step(*every, from, steps.max(1))
            }
            Self::Cron(cron, zone) => next_of(cron, zone, after),
        }
    }

    /// The last moment that is after `from`, which is one of them, and not after `until`.
    pub(super) fn latest(&self, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(every) => Some(steps(*every, from, until)).filter(|steps| *steps >= 1).and_then(|steps| step(*every, from, steps)),
            Self::Cron(cron, zone) => latest_of(cron, zone, from, until),
        }
    }
}

/// How many whole intervals lie between two moments.
fn steps(every: SignedDuration, from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs() / every.as_secs().max(1)
}

fn step(every: SignedDuration, from: Timestamp, steps: i64) -> Option<Timestamp> {
    from.checked_add(SignedDuration::from_secs(every.as_secs().checked_mul(steps)?)).ok()
}

fn next_of(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let found = cron.find_next_occurrence(&after.to_zoned(zone.clone()), false).ok()?.timestamp();
    (found > after).then_some(found)
}

/// Looks back over longer and longer stretches, so that a long pause costs no more than a short one.
fn latest_of(cron: &Cron, zone: &TimeZone, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
    let mut stretch = SignedDuration::from_hours(1);
    loop {
        let start = until.checked_sub(stretch).unwrap_or(from).max(from);
        let mut latest = None;
        let mut moment = start;
        while let Some(next) = next_of(cron, zone, moment).filter(|next| *next <= until) {
            latest = Some(next);
            moment = next;
        }
        if latest.is_some() || start == from {
            return latest;
        }
        stretch = stretch.checked_mul(4).unwrap_or(SignedDuration::MAX);
    }
}

#[cfg(test)]
mod tests;
