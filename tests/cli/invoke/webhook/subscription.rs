//! Subscriptions: made before, kept between, ended after; and what they return verifies the requests.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use switchboard::model::{Clock as _, SystemClock};
use switchboard::store::{Leased, TriggerStates as _};

use super::super::bell;
use super::{Hook, LISTEN};
use crate::support::client::Client;
use crate::support::command::Team;
use crate::support::http::{Answer, Service};

const PUBLIC: [&str; 2] = ["--public-url", "https://hooks.example.com/bell"];

/// A service that makes subscriptions, each with a token of its own.
fn service() -> Service {
    Service::start(|request| match request.method.as_str() {
        "POST" => Answer::status(201).with_json(json!({ "id": request.number, "token": format!("token-{}", request.number) })),
        "DELETE" => Answer::status(204),
        _ => Answer::status(404),
    })
}

fn ask(hook: &Hook, token: &str, body: &str) -> u16 {
    hook.client.send("POST /asked", &[("x-token", token), ("content-type", "application/json")], body).status
}

fn lines(service: &Service) -> Vec<String> {
    service.requests().iter().map(|request| format!("{} {}", request.method, request.target)).collect()
}

#[test]
fn a_service_is_asked_before_and_told_to_stop_after() {
    let (team, service) = (bell::team(), service());
    let mut hook = Hook::start(&team, &service, "asked", &PUBLIC);
    let note = hook.daemon.note_with("Subscribed");
    assert_eq!(note, "Subscribed: the service sends its requests to https://hooks.example.com/bell/asked.");
    assert_eq!(service.request().json(), json!({ "to": "https://hooks.example.com/bell/asked", "known": null }));
    assert_eq!((ask(&hook, "token-1", r#"{"n":1}"#), ask(&hook, "token-2", "{}"), ask(&hook, "", "{}")), (202, 401, 401));
    assert_eq!(
        hook.client.send("POST /bell/asked", &[("x-token", "token-1")], "2").status,
        202,
        "something on the way may keep the whole path"
    );
    assert_eq!((hook.data(), hook.data()), (json!({ "n": 1 }), json!(2)));
    assert!(hook.end().is_empty());
    assert_eq!(lines(&service), ["POST /subscriptions", "DELETE /subscriptions/1"]);
}

#[test]
fn a_subscription_may_stand_while_nobody_listens() {
    let (team, service) = (bell::team(), service());
    let keep = [&PUBLIC[..], &["--keep-subscription"]].concat();
    let start = |more: &[&str]| {
        let mut hook = Hook::start(&team, &service, "asked", more);
        // What the handshake answers is proof that it serves; a subscription that stands is not made again.
        assert_eq!(hook.client.send("GET /asked?challenge=abc", &[], "").body, "abc");
        hook.daemon.note_with("Answered a handshake.");
        hook
    };
    let mut first = Hook::start(&team, &service, "asked", &keep);
    first.daemon.note_with("Subscribed");
    first.end();
    let mut second = start(&[&keep[..], &["--reset"]].concat());
    assert_eq!(ask(&second, "token-1", "1"), 202, "to begin anew is not to forget what the service does");
    assert_eq!(second.data(), json!(1));
    second.end();
    assert_eq!(lines(&service), ["POST /subscriptions"]);

    let elsewhere = ["--public-url", "https://other.example.com"];
    let mut third = Hook::start(&team, &service, "asked", &elsewhere);
    third.daemon.note_with("Unsubscribed.");
    third.daemon.note_with("Subscribed: the service sends its requests to https://other.example.com/asked.");
    assert_eq!((ask(&third, "token-1", "1"), ask(&third, "token-3", "3")), (401, 202));
    third.end();
    assert_eq!(lines(&service)[1..], ["DELETE /subscriptions/1", "POST /subscriptions", "DELETE /subscriptions/3"]);
}

#[tokio::test]
async fn a_subscription_that_expires_is_renewed_with_what_is_known_of_it() {
    let (team, service) = (bell::team(), service());
    team.replace("connectors/bell/connector.yaml", "        subscribe:\n", "        renewEvery: P1D\n        subscribe:\n");
    let keep = [&PUBLIC[..], &["--keep-subscription"]].concat();
    let start = || {
        let mut hook = Hook::start(&team, &service, "asked", &keep);
        hook.daemon.note_with("Subscribed");
        hook
    };
    start().end();
    let (store, key) = (bell::store(&team).await, bell::key("asked"));
    let mut state: Value = serde_json::from_str(&store.trigger_state(&key).await.unwrap().unwrap()).unwrap();
    assert_eq!(state["subscription"]["data"], json!({ "id": 1, "token": "token-1" }));
    state["subscription"]["since"] = json!("2026-01-01T00:00:00Z");
    let now = SystemClock.now();
    let Leased::Mine(lease) = store.lease_trigger(&key, "me", now, now).await.unwrap() else { panic!("it was given back") };
    store.put_trigger_state(&key, &lease, &state.to_string()).await.unwrap();
    let hook = start();
    assert_eq!(service.requests()[1].json()["known"], json!({ "id": 1, "token": "token-1" }));
    assert_eq!((ask(&hook, "token-2", "1"), ask(&hook, "token-1", "1")), (202, 401));
    drop(hook);
}

#[test]
fn a_service_may_call_back_while_it_is_asked() {
    let client: Arc<OnceLock<Client>> = Arc::default();
    let known = Arc::clone(&client);
    let service = Service::start(move |request| {
        if request.method != "POST" {
            return Answer::status(204);
        }
        let reply = known.wait().send("GET /asked?challenge=prove%20it", &[], "");
        Answer::status(if reply.body == "prove it" { 201 } else { 400 }).with_json(json!({ "id": 1, "token": "t0ken-42" }))
    });
    let team = bell::team();
    let mut hook = Hook::start(&team, &service, "asked", &PUBLIC);
    client.set(hook.client.clone()).unwrap();
    hook.daemon.note_with("Answered a handshake.");
    hook.daemon.note_with("Subscribed");
    hook.end();
}

#[test]
fn a_service_that_refuses_ends_it_and_one_that_is_not_told_is_remembered() {
    let refusing = Service::always(Answer::status(403));
    let team = bell::team();
    let run = |service: &Service| {
        let arguments = bell::arguments(service, "asked", &[&LISTEN[..], &PUBLIC].concat());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        team.run_with(&team.root(), &arguments, &[("CONNECTION_BELL_SECRET", bell::SECRET)])
    };
    let ran = run(&refusing).failed();
    assert_eq!(serde_json::from_str::<Value>(ran.err.lines().last().unwrap()).unwrap()["status"], 403, "{}", ran.err);

    let stubborn = Service::start(|request| match request.method.as_str() {
        "POST" => Answer::status(201).with_json(json!({ "id": 1, "token": "t0ken-42" })),
        _ => Answer::status(409),
    });
    let mut hook = Hook::start(&team, &stubborn, "asked", &PUBLIC);
    hook.daemon.note_with("Subscribed");
    assert_eq!(hook.daemon.end_with("TERM").code(), Some(1));
    let told = hook.daemon.note_with(r#""status":409"#);
    assert!(told.contains("/subscriptions/1"), "{told}");
    drop(hook);
    let willing = service();
    let mut hook = Hook::start(&team, &willing, "asked", &PUBLIC);
    assert_eq!(ask(&hook, "t0ken-42", "1"), 202);
    assert_eq!(hook.data(), json!(1));
    hook.end();
}

#[test]
fn stripe_is_verified_by_the_secret_that_it_gave() {
    let team = Team::new();
    let manifest = format!("{}/examples/gallery/connectors/stripe-customers/connector.yaml", env!("CARGO_MANIFEST_DIR"));
    team.write("connectors/stripe-customers/connector.yaml", std::fs::read(manifest).unwrap());
    team.write("connections/test/stripe-customers.yaml", "apiKey: { env: CONNECTION_STRIPE__CUSTOMERS_SECRET }\n");
    let service = Service::start(|request| match request.method.as_str() {
        "POST" => Answer::json(json!({ "id": "we_1", "secret": "whsec_7", "url": request.form()[0].1 })),
        _ => Answer::json(json!({ "id": "we_1", "deleted": true })),
    });
    let mapping = format!("api.stripe.com={}", service.url(""));
    let arguments = ["invoke", "stripe-customers", "--trigger", "customer-changed", "--environment", "test", "--map-host", &mapping];
    let arguments = [&arguments[..], &LISTEN, &["--public-url", "https://hooks.example.com"]].concat();
    let daemon = crate::support::daemon::Daemon::start_with(
        &team,
        &arguments,
        &[("CONNECTION_STRIPE__CUSTOMERS_SECRET", bell::SECRET)],
        "Listening at ",
    );
    let mut hook = Hook::of(daemon);
    hook.daemon.note_with("Subscribed");
    let send = |hook: &Hook, secret: &str| {
        let body = json!({ "id": "evt_1", "type": "customer.created", "created": 1_767_225_600,
            "data": { "object": { "id": "cus_1", "name": "Ann", "email": null, "description": null, "metadata": {}, "created": 1_767_225_600 } } });
        let (body, stamp) = (body.to_string(), super::now());
        let signed = format!("t={stamp},v1={}", super::signature(secret, &format!("{stamp}.{body}")));
        hook.client.send("POST /customers", &[("stripe-signature", &signed), ("content-type", "application/json")], &body).status
    };
    assert_eq!((send(&hook, "whsec_8"), send(&hook, "whsec_7"), send(&hook, "whsec_7")), (401, 200, 200));
    assert_eq!(hook.data()["customer"]["name"], "Ann");
    assert!(hook.end().is_empty());
    let last = service.requests().pop().unwrap();
    assert_eq!((last.method.as_str(), last.path()), ("DELETE", "/v1/webhook_endpoints/we_1"));
}
