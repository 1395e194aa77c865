//! When a request is sent again, and the rate it keeps to.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Parser, kind_of};
use crate::flow::codes;
use crate::flow::finding::{At, Finding};
use crate::flow::model::{Again, Backoff, Choice, Span};
use crate::flow::session::Rate;

/// The statuses that pass: the service is busy, or something before it is.
const PASSING: [u16; 7] = [408, 425, 429, 500, 502, 503, 504];
/// How often a request is sent again, where nothing is said.
const USUAL_COUNT: u32 = 3;
const USUAL_DELAY: Duration = Duration::from_secs(1);
const USUAL_WAIT: Duration = Duration::from_secs(60);
/// The longest time a rate counts over.
const LONGEST_PER: Duration = Duration::from_secs(86_400);
const MOST_REQUESTS: u64 = 1_000_000;

impl Parser<'_> {
    /// A policy that a call may have of its own, or refuse: `false`.
    pub(super) fn choice<T>(
        &mut self,
        value: Option<&Value>,
        at: &At<'_>,
        parse: impl FnOnce(&mut Self, &Value, &At<'_>) -> Option<T>,
    ) -> Choice<T> {
        match value {
            None => Choice::Usual,
            Some(Value::Bool(false)) => Choice::Off,
            Some(value) => parse(self, value, at).map_or(Choice::Off, |own| Choice::Own(Arc::new(own))),
        }
    }

    /// `retry` of a request: the DSL's policy with what is of HTTP; `true` is the usual one.
    pub(super) fn again(&mut self, value: &Value, at: &At<'_>) -> Option<Again> {
        let usual = Value::Object(serde_json::Map::new());
        let value = if value == true { &usual } else { value };
        let map = self.retry_map(value, at)?;
        let known = ["delay", "backoff", "jitter", "limit", "statuses", "when", "maxWait", "nonIdempotent"];
        self.keys(map, at, "`retry`", &known);
        let mut pace = self.pace(map, at)?;
        if !map.contains_key("delay") {
            pace.delay = Some(Span::Fixed(USUAL_DELAY));
            if !map.contains_key("backoff") {
                pace.backoff = Backoff::Exponential;
            }
        }
        if pace.count.is_none() && pace.duration.is_none() {
            pace.count = Some(USUAL_COUNT);
        }
        let when = map.get("when").and_then(|value| self.over_response(value, &at.key("when"), "`when`"));
        let statuses = match map.get("statuses") {
            None => PASSING.map(|status| status..=status).to_vec(),
            Some(value) => self.statuses(value, &at.key("statuses"), when.is_some()),
        };
        let max_wait = map.get("maxWait").map_or(Some(Span::Fixed(USUAL_WAIT)), |value| self.span(value, &at.key("maxWait"), "`maxWait`"));
        let non_idempotent =
            map.get("nonIdempotent").map_or(Some(false), |value| self.truth(value, &at.key("nonIdempotent"), "`nonIdempotent`"));
        Some(Again { pace, statuses, when, max_wait: max_wait?, non_idempotent: non_idempotent? })
    }

    /// A policy as a map; what is written in short is shown at length.
    pub(super) fn retry_map<'v>(&mut self, value: &'v Value, at: &At<'_>) -> Option<&'v Map<String, Value>> {
        let map = self.map(value, at, "`retry`");
        if let (None, Some(finding)) = (map, self.findings.last_mut()) {
            let count = value.as_u64().unwrap_or_else(|| u64::from(USUAL_COUNT));
            finding.hint = Some(format!("Write `retry: {{ limit: {{ attempt: {{ count: {count} }} }} }}`."));
        }
        map
    }

    /// `rateLimit`: so many requests in so much time.
    pub(super) fn rate(&mut self, value: &Value, at: &At<'_>) -> Option<Rate> {
        let map = self.map(value, at, "`rateLimit`")?;
        self.keys(map, at, "`rateLimit`", &["requests", "per", "bucket"]);
        let requests = self.required(map, "requests", at, "`rateLimit`").and_then(|value| {
            let whole =
                value.as_u64().filter(|requests| (1..=MOST_REQUESTS).contains(requests)).and_then(|whole| u32::try_from(whole).ok());
            if whole.is_none() {
                let message = format!("`requests` is a whole number from 1 to {MOST_REQUESTS}");
                self.found(Finding::new(&at.key("requests"), codes::VALUE, message));
            }
            whole
        });
        let per = self.required(map, "per", at, "`rateLimit`").and_then(|value| self.per(value, &at.key("per")));
        let bucket = match map.get("bucket") {
            None => Some(None),
            Some(value) => self.text(value, &at.key("bucket"), "`bucket`").map(|name| Some(name.to_owned())),
        };
        let (requests, per_millis) = (requests?, per?);
        // Calls that keep to the same rate share it, where they do not say otherwise.
        let bucket = bucket?.unwrap_or_else(|| format!("{requests}/{per_millis}"));
        Some(Rate { bucket, requests, per_millis })
    }

    fn per(&mut self, value: &Value, at: &At<'_>) -> Option<u64> {
        match self.span(value, at, "`per`")? {
            Span::Fixed(time) if !time.is_zero() && time <= LONGEST_PER => {
                u64::try_from(time.as_millis()).ok().filter(|millis| *millis > 0)
            }
            Span::Fixed(_) => {
                self.found(Finding::new(at, codes::DURATION, "`per` is longer than nothing and at most a day"));
                None
            }
            Span::Given(_) => {
                self.found(Finding::new(at, codes::VALUE, "`per` is a duration as written, not an expression"));
                None
            }
        }
    }

    /// A whole number that a policy starts from.
    pub(super) fn whole(&mut self, value: &Value, at: &At<'_>, what: &str, most: u64) -> Option<u64> {
        let whole = value.as_u64().filter(|whole| *whole <= most);
        if whole.is_none() {
            let found = if value.is_number() { value.to_string() } else { kind_of(value).to_owned() };
            self.found(Finding::new(at, codes::VALUE, format!("{what} is a whole number up to {most}, not {found}")));
        }
        whole
    }
}
