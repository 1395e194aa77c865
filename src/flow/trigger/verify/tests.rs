//! The schemes that services document, each said in the manifest's words. The signatures were made with openssl, in the way shown beside
//! each, where `$S` is the secret and `$B` the body:
//!
//! ```sh
//! S='shhh, a secret'; B='{"zen":"Design for failure.","n":"é"}'
//! ```

use serde_json::{Map, Value, json};

use super::super::parse::tests::trigger;
use super::*;
use crate::flow::trigger::{Received, Trigger};

const BODY: &str = r#"{"zen":"Design for failure.","n":"é"}"#;

/// 2026-09-21T14:13:20Z.
const NOW: i64 = 1_790_000_000;

fn hmac(more: Value) -> Value {
    let mut hmac = json!({ "secret": "${ $connection.secret }" });
    hmac.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "hmac": hmac })
}

fn request(headers: &[(&str, &str)]) -> Incoming {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (method, url) = ("POST".to_owned(), "https://hooks.example.com/a".to_owned());
    Incoming { method, url, path: "/a".to_owned(), headers, query: Vec::new(), body: BODY.as_bytes().to_vec() }
}

fn received(trigger: &Trigger, incoming: &Incoming, secret: &str, second: i64) -> Result<(), Refusal> {
    let connection: Map<String, Value> = [("secret".to_owned(), json!(secret))].into_iter().collect();
    let evaluate = trigger.evaluator(&connection);
    let now = jiff::Timestamp::from_second(second).unwrap();
    let subscription = json!({ "token": "of the subscription" });
    match trigger.receive(incoming, &Setting { input: &json!({}), subscription: &subscription, now, evaluate: &evaluate }) {
        Received::Run { .. } => Ok(()),
        Received::Refused { answer, why } => {
            assert!(answer.body.is_empty() && answer.status >= 400, "{answer:?}");
            assert!(!format!("{why} {why:?}").contains("shhh"), "{why}");
            Err(why)
        }
        Received::Answered(answer) => panic!("{answer:?}"),
    }
}

fn verified(verify: &Value, incoming: &Incoming, second: i64) -> Result<(), Refusal> {
    let webhook = trigger(&json!({ "webhook": { "path": "/a", "verify": verify } }));
    received(&webhook, incoming, "shhh, a secret", second)
}

/// The request passes as it is, and in no other way.
fn only_as_it_is(verify: &Value, incoming: &Incoming) {
    assert_eq!(verified(verify, incoming, NOW), Ok(()), "{verify}");
    let webhook = trigger(&json!({ "webhook": { "path": "/a", "verify": verify } }));
    assert!(received(&webhook, incoming, "another secret", NOW).is_err(), "{verify} with another secret");
    assert!(matches!(received(&webhook, incoming, "", NOW), Err(Refusal::NoSecret(_))), "{verify} with no secret");
    let mut other = incoming.clone();
    other.body[0] ^= 1;
    assert!(verified(verify, &other, NOW).is_err(), "{verify} with another body");
    let without = Incoming { headers: Vec::new(), ..incoming.clone() };
    assert!(matches!(verified(verify, &without, NOW), Err(Refusal::Missing(_))), "{verify} without headers");
    let mangled = incoming.headers.iter().map(|(name, value)| (name.clone(), value.replacen(['0', '1', '=', 'v'], "?", 1))).collect();
    assert!(verified(verify, &Incoming { headers: mangled, ..incoming.clone() }, NOW).is_err(), "{verify} with another signature");
}

#[test]
fn the_body_alone_is_signed_as_github_typeform_and_shopify_do() {
    // printf %s "$B" | openssl dgst -sha1 -hmac "$S", also with -sha256 and -sha512, and with `-binary | base64`
    let sha1 = "sha1=18edd15b7ec96e20fb8ee323cccf1728e3b280e1";
    only_as_it_is(
        &hmac(json!({"header": "X-Hub-Signature", "algorithm": "sha1", "prefix": "sha1="})),
        &request(&[("x-hub-signature", sha1)]),
    );
    let github = "sha256=d768f5a9a5b74090359a49b70ccf3fcc39305c1482f95e3b2be72e7cf9f477ea";
    only_as_it_is(&hmac(json!({"header": "X-Hub-Signature-256", "prefix": "sha256="})), &request(&[("X-Hub-Signature-256", github)]));
    let sha512 = "59e3069fc936481e497f3232dff2faa8799a4a015e9a5c11e0d0ed05bef57869\
                  fc3613ac2e34f9c19a44e581e7536a945b7eed01b8a7709bd6f20018bf6c7f05";
    only_as_it_is(&hmac(json!({"header": "x-s", "algorithm": "sha512"})), &request(&[("x-s", sha512)]));
    let shopify = "12j1qaW3QJA1mkm3DM8/zDkwXBSC+V47K+cufPn0d+o=";
    only_as_it_is(&hmac(json!({"header": "X-Shopify-Hmac-Sha256", "encoding": "base64"})), &request(&[("X-Shopify-Hmac-Sha256", shopify)]));
    let typeform = format!("sha256={shopify}");
    let scheme = hmac(json!({"header": "Typeform-Signature", "encoding": "base64", "prefix": "sha256="}));
    only_as_it_is(&scheme, &request(&[("typeform-signature", &typeform)]));
}

#[test]
fn bytes_that_are_no_text_are_signed_as_they_are() {
    // printf '\x00\xff\xfe' | openssl dgst -sha256 -hmac "$S"
    let signature = "64ffa0e8dfab8d257735ae7ac06794692dc4c3bb458a0a22e6390706af16f6ee";
    let incoming = Incoming { body: vec![0, 0xff, 0xfe], ..request(&[("x-s", signature)]) };
    assert_eq!(verified(&hmac(json!({"header": "x-s"})), &incoming, NOW), Ok(()));
    let with_payload = hmac(json!({"header": "x-s", "payload": "${ .body }"}));
    assert_eq!(verified(&with_payload, &incoming, NOW), Err(Refusal::Malformed("the body".to_owned())));
}

#[test]
fn slack_signs_a_version_and_the_time() {
    // printf 'v0:1790000000:%s' "$B" | openssl dgst -sha256 -hmac "$S"
    let signature = "v0=632e68145fe5cfe7bdb39b57d11d63e72ca7af07eda59b6c5e524b87dc280702";
    let scheme = hmac(json!({
        "header": "X-Slack-Signature",
        "prefix": "v0=",
        "timestampHeader": "X-Slack-Request-Timestamp",
        "payload": "v0:${ .timestamp }:${ .body }",
        "tolerance": "PT2M",
    }));
    let incoming = request(&[("X-Slack-Signature", signature), ("X-Slack-Request-Timestamp", "1790000000")]);
    only_as_it_is(&scheme, &incoming);
    assert_eq!(verified(&scheme, &incoming, NOW + 120), Ok(()));
    assert_eq!(verified(&scheme, &incoming, NOW + 121), Err(Refusal::Stale { seconds: 121, tolerance: 120 }));
    assert_eq!(verified(&scheme, &incoming, NOW - 121), Err(Refusal::Stale { seconds: 121, tolerance: 120 }));
    let later = request(&[("X-Slack-Signature", signature), ("X-Slack-Request-Timestamp", "1790000121")]);
    assert_eq!(verified(&scheme, &later, NOW + 121), Err(Refusal::Wrong("the signature")), "the time cannot be written anew");
}

#[test]
fn stripe_signs_in_one_header_with_several_signatures() {
    // printf '1790000000.%s' "$B" | openssl dgst -sha256 -hmac "$S"
    let right = "2f5c94fa6c1c3389b55ff3e77eb6aff978e87ae9201d8c35b6b4fe598c0f3598";
    let scheme = hmac(json!({"header": "Stripe-Signature", "part": "v1", "timestampPart": "t", "payload": "${ .timestamp }.${ .body }"}));
    only_as_it_is(&scheme, &request(&[("Stripe-Signature", &format!("t=1790000000,v1={right},v0=00ff"))]));
    let old = "00".repeat(32);
    assert_eq!(verified(&scheme, &request(&[("Stripe-Signature", &format!("t=1790000000, v1={old}, v1={right}"))]), NOW), Ok(()));
    for wrong in [format!("t=1790000000,v0={right}"), format!("v1={right}"), right.to_owned(), String::new()] {
        let refusal = verified(&scheme, &request(&[("Stripe-Signature", &wrong)]), NOW).unwrap_err();
        assert_eq!(refusal, Refusal::Malformed("header stripe-signature".to_owned()), "{wrong}");
    }
    let many = format!("t=1790000000{}", format!(",v1={old}").repeat(1000) + ",v1=" + right);
    assert_eq!(verified(&scheme, &request(&[("Stripe-Signature", &many)]), NOW), Err(Refusal::Wrong("the signature")), "few are tried");
}

#[test]
fn the_address_is_signed_as_twilio_trello_and_hubspot_do() {
    // printf 'https://hooks.example.com/sms?a=1BodyHello worldFrom+15550100To+15550199' | openssl dgst -sha1 -hmac "$S" -binary | base64
    let form = "application/x-www-form-urlencoded";
    let twilio = Incoming {
        url: "https://hooks.example.com/sms?a=1".to_owned(),
        body: b"To=%2B15550199&Body=Hello+world&From=%2B15550100".to_vec(),
        ..request(&[("X-Twilio-Signature", "7/La6sNzB5qnKtTUjIWX7OYHVqk="), ("Content-Type", form)])
    };
    let payload = r#"${ .url + (.form | to_entries | sort_by(.key) | map(.key + .value) | join("")) }"#;
    let scheme = hmac(json!({"header": "X-Twilio-Signature", "algorithm": "sha1", "encoding": "base64", "payload": payload}));
    only_as_it_is(&scheme, &twilio);

    // printf '%shttps://hooks.example.com/trello' "$B" | openssl dgst -sha1 -hmac "$S" -binary | base64
    let trello = request(&[("X-Trello-Webhook", "ZwhetulYrHsmowOd289fpoM7CsA=")]);
    let trello = Incoming { url: "https://hooks.example.com/trello".to_owned(), ..trello };
    let scheme = hmac(json!({"header": "X-Trello-Webhook", "algorithm": "sha1", "encoding": "base64", "payload": "${ .body }${ .url }"}));
    only_as_it_is(&scheme, &trello);

    // printf 'POSThttps://hooks.example.com/hubspot?a=1%s1790000000123' "$B" | openssl dgst -sha256 -hmac "$S" -binary | base64
    let headers =
        [("X-HubSpot-Signature-v3", "HdyQbRQm9UfVLPU2GdVX8pn4WxdjkgP/ipOxE5SmN3E="), ("X-HubSpot-Request-Timestamp", "1790000000123")];
    let hubspot = Incoming { url: "https://hooks.example.com/hubspot?a=1".to_owned(), ..request(&headers) };
    let scheme = hmac(json!({
        "header": "X-HubSpot-Signature-v3",
        "encoding": "base64",
        "timestampHeader": "X-HubSpot-Request-Timestamp",
        "payload": "${ .method | ascii_upcase }${ .url }${ .body }${ .timestamp }",
    }));
    only_as_it_is(&scheme, &hubspot);
    assert_eq!(verified(&scheme, &hubspot, NOW + 301), Err(Refusal::Stale { seconds: 300, tolerance: 300 }));
}

#[test]
fn standard_webhooks_have_keys_in_base64_and_zendesk_times_in_words() {
    // printf 'msg_1.1790000000.%s' "$B" | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102030405060708090a0b0c0d0e0f -binary | base64
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1790000000"),
        ("webhook-signature", "v1a,AAAA v1,8Flv24jzEGeaONBpf8Gu0HoKMt/rH1qw9EkXssdrnyg="),
    ];
    let webhook = trigger(&json!({ "webhook": { "path": "/a", "verify": { "hmac": {
        "secret": r#"${ $connection.secret | ltrimstr("whsec_") }"#,
        "secretEncoding": "base64",
        "header": "webhook-signature",
        "prefix": "v1,",
        "encoding": "base64",
        "timestampHeader": "webhook-timestamp",
        "payload": r#"${ .headers["webhook-id"] }.${ .timestamp }.${ .body }"#,
    } } } }));
    assert_eq!(received(&webhook, &request(&headers), "whsec_AAECAwQFBgcICQoLDA0ODw==", NOW), Ok(()));
    assert_eq!(received(&webhook, &request(&headers), "whsec_AAECAwQFBgcICQoLDA0OEA==", NOW), Err(Refusal::Wrong("the signature")));
    assert_eq!(received(&webhook, &request(&headers), "whsec_??", NOW), Err(Refusal::NoSecret("verify.hmac.secret")));

    // printf '2026-09-21T14:13:20Z%s' "$B" | openssl dgst -sha256 -hmac "$S" -binary | base64
    let signature = "dnrBbfkUikZ3D7csC3vi/oVZ4zKbdKKJuk9F4ixH0lI=";
    let headers = [("X-Zendesk-Webhook-Signature", signature), ("X-Zendesk-Webhook-Signature-Timestamp", "2026-09-21T14:13:20Z")];
    let scheme = hmac(json!({
        "header": "X-Zendesk-Webhook-Signature",
        "encoding": "base64",
        "timestampHeader": "X-Zendesk-Webhook-Signature-Timestamp",
        "payload": "${ .timestamp }${ .body }",
    }));
    only_as_it_is(&scheme, &request(&headers));
}

#[test]
fn credentials_are_compared_whole() {
    let basic = json!({ "basic": { "username": "hook", "password": "${ $connection.secret }" } });
    // printf 'hook:shhh, a secret' | base64
    assert_eq!(verified(&basic, &request(&[("Authorization", "Basic aG9vazpzaGhoLCBhIHNlY3JldA==")]), NOW), Ok(()));
    // printf 'hook:shhh' | base64; printf 'hock:shhh, a secret' | base64
    for wrong in ["Basic aG9vazpzaGho", "Basic aG9jazpzaGhoLCBhIHNlY3JldA==", "Basic aG9vaw==", "Basic ?", "Bearer aG9vaw==", "Basic", ""] {
        assert!(verified(&basic, &request(&[("Authorization", wrong)]), NOW).is_err(), "{wrong}");
    }
    let bearer = json!({ "bearer": { "token": "${ .subscription.token }" } });
    assert_eq!(verified(&bearer, &request(&[("authorization", "bearer of the subscription")]), NOW), Ok(()));
    assert!(verified(&bearer, &request(&[("authorization", "Bearer of the")]), NOW).is_err());
    assert_eq!(verified(&bearer, &request(&[]), NOW), Err(Refusal::Missing("header authorization".to_owned())));
}

#[test]
fn a_token_may_stand_in_a_header_the_query_or_the_body() {
    let token = |place: &str, at: &str| json!({ "token": { place: at, "value": "${ $connection.secret }" } });
    // As GitLab does.
    let header = token("header", "X-Gitlab-Token");
    assert_eq!(verified(&header, &request(&[("x-gitlab-token", "shhh, a secret")]), NOW), Ok(()));
    assert_eq!(verified(&header, &request(&[("x-gitlab-token", "shhh, a secre")]), NOW), Err(Refusal::Wrong("the token")));
    assert!(verified(&header, &request(&[]), NOW).is_err());
    let query = |value: &str| Incoming { query: vec![("key".to_owned(), value.to_owned())], ..request(&[]) };
    assert_eq!(verified(&token("query", "key"), &query("shhh, a secret"), NOW), Ok(()));
    assert!(verified(&token("query", "key"), &query(""), NOW).is_err());
    // As Microsoft Graph does.
    let body = |text: &str| Incoming { body: text.as_bytes().to_vec(), ..request(&[("content-type", "application/json")]) };
    let from = token("from", ".body.value[0].clientState");
    assert_eq!(verified(&from, &body(r#"{"value":[{"clientState":"shhh, a secret"}]}"#), NOW), Ok(()));
    assert_eq!(verified(&from, &body(r#"{"value":[]}"#), NOW), Err(Refusal::Missing("token".to_owned())));
    assert_eq!(verified(&from, &body(r#"[]"#), NOW), Err(Refusal::Expression("verify.token.from")));
    assert_eq!(verified(&from, &body("{"), NOW), Err(Refusal::NotJson));
}
