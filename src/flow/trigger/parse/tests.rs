//! Triggers as people and strangers write them.

use serde_json::json;

use super::*;
use crate::flow::parse::Declared;

fn declared() -> Declared {
    Declared { properties: Some(vec!["secret".to_owned()]), hosts: Some(Vec::new()), ..Declared::default() }
}

fn parsed(written: &Value) -> (Option<Trigger>, Vec<Finding>) {
    let trigger: manifest::Trigger = serde_json::from_value(written.clone()).unwrap();
    let declared = declared();
    let mut parser = Parser::new(&declared);
    let trigger = parse(&mut parser, &trigger, "/triggers/t");
    (trigger, parser.findings)
}

/// The trigger that begins with this `on`.
pub fn trigger(on: &Value) -> Trigger {
    trigger_with(&json!({ "on": on }))
}

/// The trigger as written, which must be good.
pub fn trigger_with(written: &Value) -> Trigger {
    let (trigger, findings) = parsed(written);
    assert!(findings.is_empty(), "{written}: {findings:?}");
    trigger.unwrap()
}

fn only(written: &Value) -> (String, &'static str, String) {
    let (_, mut findings) = parsed(written);
    assert_eq!(findings.len(), 1, "{written}: {findings:?}");
    let finding = findings.remove(0);
    (finding.pointer, finding.code, format!("{} {}", finding.message, finding.hint.unwrap_or_default()))
}

#[test]
fn schedules_that_cannot_be_kept_are_found() {
    for (schedule, key, code, word) in [
        (json!({"cron": "61 * * * *"}), "cron", codes::CRON, "`61` is no minute"),
        (json!({"cron": "* 24 * * *"}), "cron", codes::CRON, "`24` is no hour"),
        (json!({"cron": "* * 0 * *"}), "cron", codes::CRON, "no day of month"),
        (json!({"cron": "* * * FOO *"}), "cron", codes::CRON, "`FOO` is no month"),
        (json!({"cron": "* * * * 8"}), "cron", codes::CRON, "no day of week"),
        (json!({"cron": "*/0 * * * *"}), "cron", codes::CRON, "no minute"),
        (json!({"cron": "5-1 * * * *"}), "cron", codes::CRON, "no minute"),
        (json!({"cron": "* * * *"}), "cron", codes::CRON, "and this one has 4"),
        (json!({"cron": "0 * * * * *"}), "cron", codes::CRON, "0 6 * * MON-FRI"),
        (json!({"cron": "@daily"}), "cron", codes::CRON, "has 1"),
        (json!({"cron": ""}), "cron", codes::CRON, "has 0"),
        (json!({"cron": "1,".repeat(400)}), "cron", codes::CRON, "longer"),
        (json!({"cron": "0 0 30 2 *"}), "cron", codes::CRON_NEVER, "never"),
        (json!({"cron": "0 0 * * *", "timeZone": "Europe/Berln"}), "timeZone", codes::TIME_ZONE, "Did you mean `Europe/Berlin`?"),
        (json!({"cron": "0 0 * * *", "timeZone": "CEST"}), "timeZone", codes::TIME_ZONE, "`CEST`"),
        (json!({"cron": "0 0 * * *", "timeZone": "../../etc/passwd"}), "timeZone", codes::TIME_ZONE, "no time zone"),
        (json!({"cron": "0 0 * * *", "timeZone": ""}), "timeZone", codes::TIME_ZONE, "no time zone"),
        (json!({"every": "PT0S"}), "every", codes::DURATION, "between 1s and"),
        (json!({"every": "P400D"}), "every", codes::DURATION, "P400D"),
        (json!({"every": "P99999999999999999999W"}), "every", codes::DURATION, "not between"),
        (json!({"every": "PT1M", "timeZone": "UTC"}), "timeZone", codes::ALONE, "`cron`"),
    ] {
        let (pointer, found, text) = only(&json!({ "on": { "schedule": schedule } }));
        assert_eq!((pointer.as_str(), found), (&*format!("/triggers/t/on/schedule/{key}"), code), "{schedule}: {text}");
        assert!(text.contains(word), "{schedule}: {text}");
    }
    for good in ["* * * * *", "*/5 0-6,22 1,15 JAN-MAR MON-FRI", "0 0 29 2 *", "0 0 L * *", "0 9 * * 1#1", "30 6 * * 7"] {
        trigger(&json!({ "schedule": { "cron": good, "timeZone": "America/New_York" } }));
    }
    trigger(&json!({ "schedule": { "every": "P1W2DT3H4M5S", "overlap": "allow" } }));
}

#[test]
fn webhooks_that_prove_nothing_are_found() {
    let hmac = |more: Value| {
        let mut hmac = json!({ "secret": "${ $connection.secret }", "header": "X-Signature" });
        hmac.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "verify": { "hmac": hmac } })
    };
    let flow = json!({ "do": [{ "a": { "set": {} } }] });
    for (webhook, key, code, word) in [
        (hmac(json!({"timestampHeader": "X-Time"})), "verify/hmac/timestampHeader", codes::UNSIGNED_TIME, "not signed"),
        (hmac(json!({"timestampPart": "t", "payload": "${ .body }"})), "verify/hmac/timestampPart", codes::UNSIGNED_TIME, "not signed"),
        (hmac(json!({"tolerance": "PT1M"})), "verify/hmac/tolerance", codes::ALONE, "`timestampHeader`"),
        (
            hmac(json!({"timestampPart": "t", "payload": "${ .timestamp }", "tolerance": "P2D"})),
            "verify/hmac/tolerance",
            codes::DURATION,
            "P2D",
        ),
        (hmac(json!({"secret": "${ $connection.secert }"})), "verify/hmac/secret", codes::UNKNOWN_PROPERTY, "`secret`"),
        (hmac(json!({"payload": "${ .a | }"})), "verify/hmac/payload", codes::EXPRESSION_SYNTAX, "ends"),
        (json!({"verify": {"basic": {"username": "a", "password": "${ .b"}}}), "verify/basic/password", codes::EXPRESSION_SYNTAX, "`}`"),
        (json!({"verify": {"bearer": {"token": "${ $x }"}}}), "verify/bearer/token", codes::UNKNOWN_NAME, "$x"),
        (json!({"verify": {"token": {"from": ".a[", "value": "b"}}}), "verify/token/from", codes::EXPRESSION_SYNTAX, ""),
        (json!({"challenge": {"when": "nope(1)", "respond": {}}}), "challenge/when", codes::UNKNOWN_NAME, "nope"),
        (json!({"challenge": {"when": "true", "verified": true, "respond": {}}}), "challenge/verified", codes::ALONE, "`verify`"),
        (
            json!({"challenge": {"when": "true", "respond": {"body": {"a": ["${ ! }"]}}}}),
            "challenge/respond/body/a/0",
            codes::EXPRESSION_SYNTAX,
            "",
        ),
        (json!({"respond": {"headers": {"x-a": "${"}}}), "respond/headers/x-a", codes::EXPRESSION_SYNTAX, ""),
        (json!({"unsubscribe": flow}), "unsubscribe", codes::ALONE, "`subscribe`"),
        (json!({"renewEvery": "P1D"}), "renewEvery", codes::ALONE, "`subscribe`"),
        (json!({"subscribe": flow, "renewEvery": "PT1S"}), "renewEvery", codes::DURATION, "between 1m"),
    ] {
        let mut webhook = webhook;
        webhook["path"] = json!("/a");
        let (pointer, found, text) = only(&json!({ "on": { "webhook": webhook } }));
        assert_eq!((pointer.as_str(), found), (&*format!("/triggers/t/on/webhook/{key}"), code), "{webhook}: {text}");
        assert!(text.contains(word), "{webhook}: {text}");
    }
}

#[test]
fn what_is_kept_must_be_keepable() {
    let poll = json!({ "schedule": { "every": "PT1M" } });
    for (written, key, code) in [
        (json!({"on": poll, "deduplicateWithin": 5}), "deduplicateWithin", codes::ALONE),
        (json!({"on": poll, "deduplicateBy": ".a b"}), "deduplicateBy", codes::EXPRESSION_SYNTAX),
        (json!({"on": {"webhook": {"path": "/a"}}, "cursor": ".a"}), "cursor", codes::CURSOR),
        (json!({"on": {"schedule": {"every": "PT1M", "overlap": "allow"}}, "cursor": ".a"}), "cursor", codes::CURSOR),
    ] {
        let (pointer, found, text) = only(&written);
        assert_eq!((pointer.as_str(), found), (&*format!("/triggers/t/{key}"), code), "{text}");
    }
    let trigger = trigger_with(&json!({ "on": poll, "cursor": ".at", "deduplicateBy": "${ .id }", "deduplicateWithin": 5 }));
    assert_eq!((trigger.keeps_cursor, trigger.remembers), (true, Some(5)));
}
