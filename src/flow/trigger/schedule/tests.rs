//! Moments in time zones whose clocks go forward and back: in Berlin on 2026-03-29 from 02:00 to 03:00, on 2026-10-25 from 03:00 to 02:00.

use super::*;

fn rhythm(line: &str, zone: &str) -> Rhythm {
    Rhythm::Cron(Box::new(cron(line).unwrap()), TimeZone::get(zone).unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The moments from one on, as the clock on the wall shows them.
fn moments(line: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let rhythm = rhythm(line, zone);
    let zone = TimeZone::get(zone).unwrap();
    let mut moment = at(after);
    (0..count)
        .map(|_| {
            moment = rhythm.next(moment, moment).unwrap();
            moment.to_zoned(zone.clone()).strftime("%m-%d %H:%M %:z").to_string()
        })
        .collect()
}

#[test]
fn a_time_that_a_clock_leaves_out_is_due_right_after() {
    let found = moments("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3);
    assert_eq!(found, ["03-28 02:30 +01:00", "03-29 03:00 +02:00", "03-30 02:30 +02:00"]);
    let every_half_hour = moments("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3);
    assert_eq!(every_half_hour, ["03-29 01:30 +01:00", "03-29 03:00 +02:00", "03-29 03:30 +02:00"]);
}

#[test]
fn a_time_that_a_clock_repeats_is_due_once() {
    let found = moments("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
    assert_eq!(found, ["10-25 02:30 +02:00", "10-26 02:30 +01:00"]);
    let every_half_hour = moments("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4);
    assert_eq!(every_half_hour, ["10-25 02:30 +02:00", "10-25 02:00 +01:00", "10-25 02:30 +01:00", "10-25 03:00 +01:00"]);
}

#[test]
fn days_and_weekdays_are_those_of_the_zone() {
    assert_eq!(moments("0 9 * * MON", "America/New_York", "2026-09-21T12:59:59Z", 2), ["09-21 09:00 -04:00", "09-28 09:00 -04:00"]);
    assert_eq!(moments("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 1), ["02-29 00:00 +00:00"]);
    // As cron has it: where both a day of the month and one of the week are given, either will do.
    assert_eq!(
        moments("0 0 13 * FRI", "UTC", "2026-09-04T00:00:00Z", 3),
        ["09-11 00:00 +00:00", "09-13 00:00 +00:00", "09-18 00:00 +00:00"]
    );
}

#[test]
fn the_latest_moment_is_the_last_of_those_that_come_one_after_the_other() {
    let lines = ["* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 1 * *", "15 3 29 2 *", "0 9-17/4 * * MON-FRI"];
    for line in lines {
        for (zone, begin) in
            [("Europe/Berlin", "2026-03-28T21:13:00Z"), ("Europe/Berlin", "2026-10-24T20:00:00Z"), ("UTC", "2027-12-31T12:00:00Z")]
        {
            let rhythm = rhythm(line, zone);
            let from = at(begin);
            let mut moment = from;
            for _ in 0..40 {
                let next = rhythm.next(from, moment).unwrap();
                if moment > from {
                    assert_eq!(rhythm.latest(from, moment), Some(moment), "{line} {zone} at {moment}");
                    assert_eq!(rhythm.latest(from, next - SignedDuration::from_secs(1)), Some(moment), "{line} {zone} before {next}");
                }
                moment = next;
            }
            assert_eq!(rhythm.latest(moment, moment), None);
            assert_eq!(rhythm.latest(moment, from), None, "{line} {zone}: a clock that was set back");
        }
    }
}

#[test]
fn an_interval_is_counted_from_where_it_began() {
    let rhythm = Rhythm::Every(duration("PT7M").unwrap());
    let from = at("2026-01-01T00:00:03Z");
    assert_eq!(rhythm.next(from, from), Some(at("2026-01-01T00:07:03Z")));
    assert_eq!(rhythm.next(from, at("2026-01-01T00:07:02Z")), Some(at("2026-01-01T00:07:03Z")));
    assert_eq!(rhythm.next(from, at("2026-01-01T00:07:03Z")), Some(at("2026-01-01T00:14:03Z")));
    assert_eq!(rhythm.latest(from, at("2026-01-01T00:07:02Z")), None);
    assert_eq!(rhythm.latest(from, at("2026-01-01T01:00:00Z")), Some(at("2026-01-01T00:56:03Z")));
    assert_eq!(rhythm.latest(from, at("2025-01-01T00:00:00Z")), None);
    assert_eq!(rhythm.next(Timestamp::MAX, Timestamp::MAX), None);
    assert_eq!(duration("P1W1DT1H1M1S"), Some(SignedDuration::from_secs(8 * 86_400 + 3_661)));
    assert_eq!(duration("P1M"), None);
}
