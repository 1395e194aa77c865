//! Dates from text, as jq reads them: what a text does not say is the beginning of 1900, and a zone is read and left alone.

use jaq_core::native::v;
use jaq_json::Val;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::super::datum::{Datum, ValR, error};
use super::{Native, one};

pub(super) fn natives() -> Vec<Native> {
    vec![("strptime", v(1), |mut given| one(parse(&given.1, &given.0.pop_var())))]
}

fn parse(value: &Datum, format: &Datum) -> ValR {
    let (Val::TStr(text), Val::TStr(format)) = (&value.0, &format.0) else {
        return Err(error(format!("strptime/1 requires string inputs and arguments, and {} is none", value.told())));
    };
    let (text, format) = (String::from_utf8_lossy(text), String::from_utf8_lossy(format));
    let no_match = |why: jiff::Error| error(format!("date \"{text}\" does not match format \"{format}\": {why}"));
    let plain = without_zones(&format, &text);
    let read = BrokenDownTime::parse(&*plain, &*text).map_err(no_match)?;
    broken_down(&read).map_err(no_match)
}

/// A format with the text's own zones where it asks for any (`%Z`, `%z`): `UTC`, `CEST`, `Z`, `+0200`, `+02:00`.
fn without_zones(format: &str, text: &str) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let directive = rest[at..].chars().nth(1);
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if matches!(directive, Some('Z' | 'z'))
            && let Some(zone) = zone_after(&out, text)
        {
            out.push_str(&zone.replace('%', "%%"));
            rest = &rest[2..];
        } else {
            let end = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    out + rest
}

/// The zone in a text after what a format reads of it.
fn zone_after<'t>(format: &str, text: &'t str) -> Option<&'t str> {
    let (_, read) = BrokenDownTime::parse_prefix(format, text).ok()?;
    let rest = text.get(read..)?;
    let signed = rest.starts_with(['+', '-']);
    let of_zone =
        |letter: char| if signed { letter.is_ascii_digit() || matches!(letter, ':' | '+' | '-') } else { letter.is_ascii_alphabetic() };
    let end = rest.find(|letter: char| !of_zone(letter)).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

fn broken_down(read: &BrokenDownTime) -> Result<Datum, jiff::Error> {
    let date = |read: &BrokenDownTime| Date::new(read.year().unwrap_or(1900), read.month().unwrap_or(1), read.day().unwrap_or(1));
    let moment = match read.timestamp() {
        Some(moment) => moment.to_zoned(TimeZone::UTC).datetime(),
        None => DateTime::from_parts(read.to_date().or_else(|_| date(read))?, read.to_time().unwrap_or(Time::midnight())),
    };
    let fields = [
        i64::from(moment.year()),
        i64::from(moment.month()) - 1,
        i64::from(moment.day()),
        i64::from(moment.hour()),
        i64::from(moment.minute()),
        i64::from(moment.second()),
        i64::from(moment.weekday().to_sunday_zero_offset()),
        i64::from(moment.day_of_year()) - 1,
    ];
    Ok(fields.into_iter().map(|field| Datum::from(isize::try_from(field).unwrap_or_default())).collect())
}
