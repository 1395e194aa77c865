//! How long a service asks to wait: `Retry-After`, and the headers of rate limits.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::fmt::strtime::BrokenDownTime;

use crate::flow::exchange::Response;

/// Headers that tell when the rate is restored: seconds from now, or a moment in seconds or milliseconds since 1970.
const RESETS: [&str; 5] = ["x-ratelimit-reset-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset", "ratelimit"];
/// Headers that tell how many requests are left.
const REMAINING: [&str; 3] = ["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"];

/// How long a response asks to wait; nothing where it does not.
pub(super) fn asked(response: &Response, now: Timestamp) -> Option<Duration> {
    if let Some(after) = response.header("retry-after").and_then(|after| retry_after(after, now)) {
        return Some(after);
    }
    let left = REMAINING.iter().filter_map(|name| response.header(name)?.trim().parse().ok());
    let mut left = left.chain(response.header("ratelimit").and_then(|text| parameter(text, ["r", "remaining"])));
    let is_used_up = left.any(|left: f64| left <= 0.0);
    // Many services send these with every response.
    if response.status != 429 && !is_used_up {
        return None;
    }
    RESETS.iter().find_map(|name| reset(response.header(name)?, now))
}

/// Seconds or an HTTP date, RFC 9110, section 10.2.3.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    match text.trim().parse::<f64>() {
        Ok(seconds) => span(seconds),
        Err(_) => date(text.trim()).map(|then| until(then, now)),
    }
}

/// The three forms of an HTTP date, RFC 9110, section 5.6.7.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(zoned) = rfc2822::parse(text) {
        return Some(zoned.timestamp());
    }
    let obsolete = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let parsed = obsolete.iter().find_map(|format| BrokenDownTime::parse(format, text).ok())?;
    parsed.to_datetime().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn reset(text: &str, now: Timestamp) -> Option<Duration> {
    const EPOCH_SECONDS: f64 = 1e9;
    const EPOCH_MILLIS: f64 = 1e12;
    let number = text.trim().parse::<f64>().ok().or_else(|| parameter(text, ["t", "reset"]))?;
    if number < EPOCH_SECONDS {
        return span(number);
    }
    let seconds = if number < EPOCH_MILLIS { number } else { number / 1000.0 };
    let since = now.as_duration().as_secs_f64();
    span((seconds - since).max(0.0))
}

/// A number in the drafts' `RateLimit` header: `limit=10, remaining=0, reset=5`, or `"default";r=0;t=5`.
fn parameter(text: &str, names: [&str; 2]) -> Option<f64> {
    text.split([',', ';']).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        names.contains(&name.trim()).then(|| value.trim().parse().ok()).flatten()
    })
}

fn span(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

fn until(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(status: u16, headers: &[(&str, &str)]) -> Option<f64> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        asked(&Response { status, headers, body: Vec::new() }, now).map(|asked| asked.as_secs_f64())
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_in_any_form() {
        for (text, expected) in [
            ("120", Some(120.0)),
            (" 0 ", Some(0.0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37.0)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(37.0)),
            ("Sun Nov  6 08:49:37 1994", Some(37.0)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0.0)),
            ("-5", None),
            ("inf", None),
            ("1e300", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(seconds(503, &[("Retry-After", text)]), expected, "{text}");
        }
    }

    #[test]
    fn resets_count_where_the_rate_is_used_up() {
        assert_eq!(seconds(429, &[("X-RateLimit-Reset", "784111790")]), Some(784_111_790.0));
        assert_eq!(seconds(429, &[("RateLimit-Reset", "7")]), Some(7.0));
        assert_eq!(seconds(429, &[("RateLimit", "limit=10, remaining=0, reset=5")]), Some(5.0));
        assert_eq!(seconds(429, &[("RateLimit", "\"default\";r=0;t=9")]), Some(9.0));
        assert_eq!(seconds(500, &[("X-RateLimit-Reset", "7")]), None);
        assert_eq!(seconds(403, &[("X-RateLimit-Reset", "7"), ("X-RateLimit-Remaining", "0")]), Some(7.0));
        assert_eq!(seconds(429, &[("Retry-After", "3"), ("RateLimit-Reset", "7")]), Some(3.0));
        assert_eq!(seconds(429, &[]), None);
    }

    #[test]
    fn moments_are_told_from_spans_by_their_size() {
        let now: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
        let at = |text: &str| reset(text, now).map(|span| span.as_secs());
        assert_eq!(at("1735689610"), Some(10));
        assert_eq!(at("1735689610000"), Some(10));
        assert_eq!(at("1735689000"), Some(0));
        assert_eq!(at("60"), Some(60));
        assert_eq!(at("x"), None);
    }
}
