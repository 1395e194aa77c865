//! Requests that a service, or a stranger, may send.

use serde_json::json;

use super::super::parse::tests::trigger;
use super::*;

fn pair((name, value): &(&str, &str)) -> (String, String) {
    ((*name).to_owned(), (*value).to_owned())
}

fn request(method: &str, query: &[(&str, &str)], body: &str) -> Incoming {
    Incoming {
        method: method.to_owned(),
        path: "/a".to_owned(),
        headers: vec![pair(&("Content-Type", "application/json"))],
        query: query.iter().map(pair).collect(),
        body: body.as_bytes().to_vec(),
        ..Incoming::default()
    }
}

fn received(webhook: Value, incoming: &Incoming) -> Received {
    let mut webhook = webhook;
    webhook["path"] = json!("/a");
    let trigger = trigger(&json!({ "webhook": webhook }));
    let connection = json!({ "secret": "shhh, a secret" });
    let evaluate = trigger.evaluator(connection.as_object().unwrap());
    let setting = Setting { input: &json!({"repo": "x"}), subscription: &json!(7), now: Timestamp::UNIX_EPOCH, evaluate: &evaluate };
    trigger.receive(incoming, &setting)
}

fn answer(webhook: Value, incoming: &Incoming) -> (u16, Vec<(String, String)>, String) {
    let answer = match received(webhook, incoming) {
        Received::Refused { answer, .. } | Received::Answered(answer) | Received::Run { answer, .. } => answer,
    };
    (answer.status, answer.headers, String::from_utf8(answer.body).unwrap())
}

#[test]
fn a_request_becomes_the_flows_input() {
    let incoming = request("POST", &[("q", "1")], r#"{"n":1}"#);
    let Received::Run { input, answer } = received(json!({}), &incoming) else { panic!("it must run") };
    assert_eq!(
        input,
        json!({
            "method": "post", "path": "/a", "headers": {"content-type": "application/json"}, "query": {"q": "1"}, "body": {"n": 1},
            "input": {"repo": "x"}, "subscription": 7,
        })
    );
    assert_eq!(answer, Answer { status: 202, ..Answer::default() });
}

#[test]
fn an_answer_may_be_given() {
    let respond = json!({ "status": 200, "headers": { "X-Seen": "${ .body.n }" }, "body": { "got": "${ .body.n }" } });
    let (status, headers, body) = answer(json!({ "respond": respond }), &request("post", &[], r#"{"n":1}"#));
    let expected = [("x-seen", "1"), ("content-type", "application/json"), ("x-content-type-options", "nosniff")];
    assert_eq!((status, headers, body), (200, expected.iter().map(pair).collect(), r#"{"got":1}"#.to_owned()));
    let broken = json!({ "respond": { "headers": { "x-a": "${ .body }" } } });
    for body in [r#""a\r\nset-cookie: b""#, "null", "{}"] {
        assert_eq!(answer(broken.clone(), &request("post", &[], body)), (500, vec![], String::new()), "{body}");
    }
    let big = json!({ "respond": { "body": "${ .body * 70000 }" } });
    assert_eq!(answer(big, &request("post", &[], r#""a""#)).0, 500);
    assert_eq!(answer(json!({ "respond": { "headers": { "Content-Length": "7" } } }), &request("post", &[], "1")).0, 500);
}

#[test]
fn other_methods_broken_bodies_and_huge_ones_are_refused() {
    let allow = vec![pair(&("allow", "PUT, POST"))];
    assert_eq!(answer(json!({ "method": ["put", "post"] }), &request("GET", &[], "")), (405, allow, String::new()));
    assert_eq!(answer(json!({}), &request("POST", &[], "{")).0, 400);
    let huge = Incoming { body: vec![b' '; MOST_BODY + 1], ..request("POST", &[], "") };
    assert_eq!(answer(json!({}), &huge).0, 413);
    let poll = super::super::parse::tests::trigger(&json!({ "schedule": { "every": "PT1M" } }));
    let setting =
        Setting { input: &Value::Null, subscription: &Value::Null, now: Timestamp::UNIX_EPOCH, evaluate: &|_, _| Ok(Value::Null) };
    assert!(matches!(poll.receive(&request("POST", &[], ""), &setting), Received::Refused { .. }));
}

#[test]
fn a_service_learns_how_to_prove_itself_and_nothing_else() {
    let basic = json!({ "verify": { "basic": { "username": "a", "password": "${ $connection.secret }" } } });
    let realm = vec![pair(&("www-authenticate", "Basic realm=\"webhook\""))];
    assert_eq!(answer(basic, &request("POST", &[], "{")), (401, realm, String::new()));
    let hmac = json!({ "verify": { "hmac": { "header": "x-s", "secret": "${ $connection.secret }" } } });
    assert_eq!(answer(hmac, &request("POST", &[], "{")), (401, vec![], String::new()));
    let none = json!({ "verify": { "bearer": { "token": "${ .subscription.token? }" } } });
    assert_eq!(answer(none, &request("POST", &[], "{")).0, 500, "without a secret nobody passes");
}

#[test]
fn a_handshake_with_get_echoes_what_it_is_given() {
    // As Meta does: GET with hub.mode, hub.verify_token and hub.challenge.
    let webhook = json!({
        "verify": { "hmac": { "header": "x-s", "secret": "${ $connection.secret }" } },
        "challenge": {
            "when": r#".method == "get" and .query["hub.mode"] == "subscribe" and .query["hub.verify_token"] == $connection.secret"#,
            "respond": { "body": r#"${ .query["hub.challenge"] }"# },
        },
    });
    let query = |token| [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "<b>115</b>")];
    let (status, headers, body) = answer(webhook.clone(), &request("GET", &query("shhh, a secret"), ""));
    let text = [("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff")];
    assert_eq!((status, headers, body), (200, text.iter().map(pair).collect(), "<b>115</b>".to_owned()));
    assert_eq!(answer(webhook.clone(), &request("GET", &query("another"), "")).0, 405);
    assert_eq!(answer(webhook, &request("POST", &[], "{}")).0, 401, "any other request has to be signed");
}

#[test]
fn a_handshake_in_the_body_is_answered_as_slack_and_graph_want() {
    let slack = json!({ "challenge": { "when": r#".body.type == "url_verification""#, "respond": { "body": { "challenge": "${ .body.challenge }" } } } });
    let (status, _, body) = answer(slack.clone(), &request("POST", &[], r#"{"type":"url_verification","challenge":"3eZb"}"#));
    assert_eq!((status, body.as_str()), (200, r#"{"challenge":"3eZb"}"#));
    for other in [r#"{"type":"event_callback"}"#, r#""text""#, "[1]"] {
        assert_eq!(answer(slack.clone(), &request("POST", &[], other)).0, 202, "{other}");
    }
    let graph = json!({ "challenge": { "when": ".query.validationToken", "respond": { "body": "${ .query.validationToken }" } } });
    let (status, _, body) = answer(graph, &request("POST", &[("validationToken", "Validation: a b")], ""));
    assert_eq!((status, body.as_str()), (200, "Validation: a b"));
}

#[test]
fn a_handshake_may_want_a_signature_and_may_have_to_be_signed() {
    // As Zoom does. printf qgg8vlvZRS6UYooatFL8Aw | openssl dgst -sha256 -hmac 'shhh, a secret'
    let zoom = json!({
        "verify": { "token": { "query": "key", "value": "${ $connection.secret }" } },
        "challenge": {
            "when": r#".body.event == "endpoint.url_validation""#,
            "verified": true,
            "sign": { "secret": "${ $connection.secret }", "payload": "${ .body.payload.plainToken }" },
            "respond": { "body": { "plainToken": "${ .body.payload.plainToken }", "encryptedToken": "${ .signature }" } },
        },
    });
    let body = r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;
    let (status, _, answered) = answer(zoom.clone(), &request("POST", &[("key", "shhh, a secret")], body));
    let signed =
        r#"{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"9b145e0c86daa3d015673afa1ded5272937ebdd7134a681775dbf5e5bb39d718"}"#;
    assert_eq!((status, answered.as_str()), (200, signed));
    assert_eq!(answer(zoom, &request("POST", &[], body)).0, 401);
}
