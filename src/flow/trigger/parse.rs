//! A trigger as the manifest declares it, parsed: what its schema cannot say is found here.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::model::{AnswerShape, Challenge, Hmac, Poll, Rhythm, Slot, Stamp, Start, TokenPlace, Trigger, Verify, Webhook};
use super::schedule::{self, BadCron};
use crate::flow::codes;
use crate::flow::expression::Stage;
use crate::flow::finding::{At, Finding};
use crate::flow::parse::Parser;
use crate::flow::template::Template;
use crate::manifest::{self, Overlap};

/// How many values of `deduplicateBy` are remembered where nothing is said.
const REMEMBERED: usize = 10_000;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const YEAR: SignedDuration = SignedDuration::from_hours(24 * 366);

/// How old a signed request may be where nothing is said.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Parses a trigger at `base`, all but its flow; where something is wrong the parser finds it, and there may be no trigger.
pub(crate) fn parse(parser: &mut Parser<'_>, trigger: &manifest::Trigger, base: &str) -> Option<Trigger> {
    let at = At::base(base);
    let mut walk = Walk { parser, templates: BTreeMap::new() };
    let on = at.key("on");
    let start = match (&trigger.on.webhook, &trigger.on.schedule) {
        (Some(webhook), _) => walk.webhook(webhook, &on.key("webhook")).map(|webhook| Start::Webhook(Box::new(webhook))),
        (None, Some(schedule)) => walk.schedule(schedule, &on.key("schedule")).map(Start::Poll),
        (None, None) => None,
    };
    walk.kept(trigger, &at);
    Some(Trigger {
        start: start?,
        remembers: trigger
            .deduplicate_by
            .as_ref()
            .map(|_| trigger.deduplicate_within.map_or(REMEMBERED, |within| usize::try_from(within).unwrap_or(REMEMBERED))),
        keeps_cursor: trigger.cursor.is_some(),
        templates: walk.templates,
        hidden: Vec::new(),
    })
}

struct Walk<'w, 'f> {
    parser: &'w mut Parser<'f>,
    templates: BTreeMap<Slot, Template>,
}

impl Walk<'_, '_> {
    fn found(&mut self, finding: Finding) {
        self.parser.findings.push(finding);
    }

    /// Text with expressions in it.
    fn text(&mut self, slot: Slot, text: &str, at: &At<'_>) {
        self.value(slot, &Value::String(text.to_owned()), at);
    }

    /// A value with expressions in it.
    fn value(&mut self, slot: Slot, value: &Value, at: &At<'_>) {
        let template = self.parser.at_stage(Stage::Trigger, |parser| parser.template(value, at));
        self.templates.insert(slot, template);
    }

    /// An expression, with or without `${ }`.
    fn expression(&mut self, slot: Slot, text: &str, at: &At<'_>, what: &str) {
        let text = Value::String(text.to_owned());
        if let Some(expression) = self.parser.at_stage(Stage::Trigger, |parser| parser.condition(&text, at, what)) {
            self.templates.insert(slot, Template::Expression(Box::new(expression)));
        }
    }

    /// What is kept between runs.
    fn kept(&mut self, trigger: &manifest::Trigger, at: &At<'_>) {
        if let Some(by) = &trigger.deduplicate_by {
            self.expression(Slot::DeduplicateBy, by, &at.key("deduplicateBy"), "`deduplicateBy`");
        } else if trigger.deduplicate_within.is_some() {
            self.alone("deduplicateWithin", "deduplicateBy", at);
        }
        let Some(cursor) = &trigger.cursor else { return };
        let here = at.key("cursor");
        self.expression(Slot::Cursor, cursor, &here, "`cursor`");
        let why = match (&trigger.on.webhook, &trigger.on.schedule) {
            (Some(_), _) => "a webhook keeps no cursor: its requests come in any order",
            (None, Some(schedule)) if schedule.overlap == Overlap::Allow => {
                "runs that overlap keep no cursor: one would set back the other's"
            }
            (None, None | Some(_)) => return,
        };
        self.found(Finding::of_key(&here, codes::CURSOR, why));
    }

    fn alone(&mut self, key: &str, needs: &str, at: &At<'_>) {
        self.found(Finding::of_key(&at.key(key), codes::ALONE, format!("`{key}` says nothing without `{needs}`")));
    }

    fn schedule(&mut self, schedule: &manifest::Schedule, at: &At<'_>) -> Option<Poll> {
        if let Some(every) = &schedule.every {
            if schedule.time_zone.is_some() {
                self.alone("timeZone", "cron", at);
            }
            let every = self.duration(every, [SECOND, YEAR], &at.key("every"))?;
            return Some(Poll { rhythm: Rhythm::Every(every), overlap: schedule.overlap });
        }
        let zone = schedule.time_zone.as_ref().map_or(Some(TimeZone::UTC), |zone| self.zone(zone, &at.key("timeZone")));
        let cron = self.cron(schedule.cron.as_ref()?, &at.key("cron"))?;
        Some(Poll { rhythm: Rhythm::Cron(Box::new(cron), zone?), overlap: schedule.overlap })
    }

    fn cron(&mut self, line: &str, at: &At<'_>) -> Option<croner::Cron> {
        let bad = match schedule::cron(line) {
            Ok(cron) => return Some(cron),
            Err(bad) => bad,
        };
        let finding = Finding::new(at, if bad == BadCron::Never { codes::CRON_NEVER } else { codes::CRON }, bad.to_string());
        self.found(match bad {
            BadCron::Fields(_) => finding.hint("Write minute, hour, day of month, month and day of week, such as `0 6 * * MON-FRI`."),
            BadCron::Long | BadCron::Field { .. } | BadCron::Never => finding,
        });
        None
    }

    fn zone(&mut self, name: &str, at: &At<'_>) -> Option<TimeZone> {
        let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown());
        if zone.is_none() {
            let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let finding = Finding::new(at, codes::TIME_ZONE, format!("no time zone is called `{}`", excerpt(name)));
            self.found(finding.did_you_mean(name, names.iter().map(String::as_str)));
        }
        zone
    }

    fn duration(&mut self, text: &str, [least, most]: [SignedDuration; 2], at: &At<'_>) -> Option<SignedDuration> {
        let duration = schedule::duration(text).filter(|duration| (least..=most).contains(duration));
        if duration.is_none() {
            let message = format!("`{}` is not between {least:#} and {most:#}", excerpt(text));
            self.found(Finding::new(at, codes::DURATION, message));
        }
        duration
    }

    fn webhook(&mut self, webhook: &manifest::Webhook, at: &At<'_>) -> Option<Webhook> {
        if webhook.subscribe.is_none() {
            for (key, given) in [("unsubscribe", webhook.unsubscribe.is_some()), ("renewEvery", webhook.renew_every.is_some())] {
                if given {
                    self.alone(key, "subscribe", at);
                }
            }
        }
        let renew_every = webhook.renew_every.as_ref().and_then(|every| self.duration(every, [MINUTE, YEAR], &at.key("renewEvery")));
        let verify = webhook.verify.as_ref().map(|verify| self.verify(verify, &at.key("verify")));
        let challenge = webhook.challenge.as_ref().map(|challenge| {
            if challenge.verified && webhook.verify.is_none() {
                self.alone("verified", "verify", &at.key("challenge"));
            }
            self.challenge(challenge, &at.key("challenge"))
        });
        let usual = manifest::Answer { status: Some(202), ..manifest::Answer::default() };
        let respond = webhook.respond.as_ref().unwrap_or(&usual);
        let respond = self.answer(respond, 202, [Slot::AnswerHeaders, Slot::AnswerBody], &at.key("respond"));
        Some(Webhook {
            methods: webhook.method.0.clone(),
            verify: verify.map_or(Some(None), |verify| verify.map(Some))?,
            challenge,
            respond,
            subscribes: webhook.subscribe.is_some(),
            unsubscribes: webhook.unsubscribe.is_some(),
            renew_every,
        })
    }

    fn verify(&mut self, verify: &manifest::Verify, at: &At<'_>) -> Option<Verify> {
        if let Some(hmac) = &verify.hmac {
            return self.hmac(hmac, &at.key("hmac")).map(Verify::Hmac);
        }
        if let Some(basic) = &verify.basic {
            let at = at.key("basic");
            self.text(Slot::Username, &basic.username, &at.key("username"));
            self.text(Slot::Password, &basic.password, &at.key("password"));
            return Some(Verify::Basic);
        }
        if let Some(bearer) = &verify.bearer {
            self.text(Slot::Token, &bearer.token, &at.key("bearer").key("token"));
            return Some(Verify::Bearer);
        }
        let token = verify.token.as_ref()?;
        let at = at.key("token");
        self.text(Slot::Token, &token.value, &at.key("value"));
        Some(Verify::Token(match (&token.header, &token.query, &token.from) {
            (Some(header), _, _) => TokenPlace::Header(header.to_ascii_lowercase()),
            (None, Some(query), _) => TokenPlace::Query(query.clone()),
            (None, None, Some(from)) => {
                self.expression(Slot::TokenFrom, from, &at.key("from"), "`from`");
                TokenPlace::Expression
            }
            (None, None, None) => return None,
        }))
    }

    fn hmac(&mut self, hmac: &manifest::Hmac, at: &At<'_>) -> Option<Hmac> {
        self.text(Slot::Secret, &hmac.secret, &at.key("secret"));
        if let Some(payload) = &hmac.payload {
            self.text(Slot::Payload, payload, &at.key("payload"));
        }
        let says_when = hmac.timestamp_header.as_ref().map(|_| "timestampHeader").or(hmac.timestamp_part.as_ref().map(|_| "timestampPart"));
        if let Some(key) = says_when
            && !hmac.payload.as_ref().is_some_and(|payload| payload.contains("timestamp"))
        {
            let message = format!("`payload` does not contain `.timestamp`, so `{key}` is not signed and anybody can change it");
            self.found(Finding::of_key(&at.key(key), codes::UNSIGNED_TIME, message));
        }
        if hmac.tolerance.is_some() && says_when.is_none() {
            self.alone("tolerance", "timestampHeader", at);
        }
        let tolerance = hmac.tolerance.as_ref().map_or(Some(TOLERANCE), |text| self.duration(text, [SECOND, DAY], &at.key("tolerance")))?;
        let header = hmac.header.to_ascii_lowercase();
        let stamp = says_when.map(|_| Stamp {
            header: hmac.timestamp_header.as_ref().map_or_else(|| header.clone(), |header| header.to_ascii_lowercase()),
            part: hmac.timestamp_part.clone(),
            tolerance,
        });
        Some(Hmac {
            key: hmac.secret_encoding,
            header,
            part: hmac.part.clone(),
            algorithm: hmac.algorithm,
            encoding: hmac.encoding,
            prefix: hmac.prefix.clone().unwrap_or_default(),
            stamp,
            has_payload: hmac.payload.is_some(),
        })
    }

    fn challenge(&mut self, challenge: &manifest::Challenge, at: &At<'_>) -> Challenge {
        self.expression(Slot::ChallengeWhen, &challenge.when, &at.key("when"), "`when`");
        if let Some(sign) = &challenge.sign {
            let at = at.key("sign");
            self.text(Slot::SigningSecret, &sign.secret, &at.key("secret"));
            self.text(Slot::SigningPayload, &sign.payload, &at.key("payload"));
        }
        let slots = [Slot::ChallengeHeaders, Slot::ChallengeBody];
        Challenge {
            verified: challenge.verified,
            sign: challenge.sign.as_ref().map(|sign| (sign.algorithm, sign.encoding)),
            respond: self.answer(&challenge.respond, 200, slots, &at.key("respond")),
        }
    }

    fn answer(&mut self, answer: &manifest::Answer, status: u16, [headers, body]: [Slot; 2], at: &At<'_>) -> AnswerShape {
        if !answer.headers.is_empty() {
            let map: Map<String, Value> = answer.headers.iter().map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).collect();
            self.value(headers, &Value::Object(map), &at.key("headers"));
        }
        if let Some(written) = &answer.body {
            self.value(body, written, &at.key("body"));
        }
        AnswerShape { status: answer.status.unwrap_or(status), has_headers: !answer.headers.is_empty(), has_body: answer.body.is_some() }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
pub(super) mod tests;
