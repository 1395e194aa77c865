//! Sessions on a stage: how many requests are sent, when, and with what; also where many are sent at once and some are given up.

use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use serde_json::json;

use super::stage::{Stage, answer, field, get};
use super::{ClientAuthentication, Credentials, Grant, OAuth2, Rate, Sending, Session};
use crate::flow::exchange::{Body, Request, Response};
use crate::flow::world::{Transport, Unanswered, UnansweredKind};

const API: &str = "https://api.example.com/things";

fn oauth2() -> OAuth2 {
    OAuth2 {
        token_url: "https://auth.example.com/token".to_owned(),
        discovery_url: None,
        grant: Grant::ClientCredentials,
        client_id: Some("me".to_owned()),
        client_secret: Some("s3cr&t".to_owned()),
        client_assertion: None,
        client_authentication: ClientAuthentication::ClientSecretPost,
        json: false,
        scopes: vec!["read".to_owned(), "write".to_owned()],
        audiences: Vec::new(),
        issuers: Vec::new(),
        username: Some("ann".to_owned()),
        password: Some("pa55".to_owned()),
        refresh_token: Some("given-refresh".to_owned()),
        subject: Some(("subject-jwt".to_owned(), "urn:ietf:params:oauth:token-type:jwt".to_owned())),
        actor: None,
    }
}

fn with(oauth2: &OAuth2, rate: Option<Rate>) -> Sending {
    Sending { request: get(API), credentials: Some(Credentials::OAuth2(Box::new(oauth2.clone()))), rate }
}

fn rate(requests: u32, per_millis: u64) -> Rate {
    Rate { bucket: "b".to_owned(), requests, per_millis }
}

fn plain(rate: &Rate) -> Sending {
    Sending { request: get(API), credentials: None, rate: Some(rate.clone()) }
}

/// Gives `t0`, `t1` … (by the count of all requests) for a minute each, and accepts every token.
fn generous(request: &Request, before: usize) -> Result<Response, Unanswered> {
    match request.url.path() {
        "/token" => answer(200, &[], &format!(r#"{{"access_token": "t{before}", "token_type": "Bearer", "expires_in": 60}}"#)),
        _ => answer(200, &[], request.header("authorization").unwrap_or("none")),
    }
}

fn body(response: Result<Response, Unanswered>) -> String {
    String::from_utf8(response.unwrap().body).unwrap()
}

/// Polls for some time and then drops.
async fn give_up<F: Future>(stage: &Stage, after_millis: u64, future: F) -> Option<F::Output> {
    let sleep = stage.sleep(Duration::from_millis(after_millis));
    match select(Box::pin(future), sleep).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

#[test]
fn many_ask_for_one_token_and_again_when_it_runs_out() {
    let (stage, session, oauth2) = (Stage::new(generous), Session::default(), oauth2());
    let many = || async { join_all((0..50).map(|_| session.send(&stage, with(&oauth2, None)))).await };
    assert!(stage.run(many()).into_iter().all(|response| body(response) == "Bearer t0"));
    stage.run(stage.sleep(Duration::from_millis(53_979)));
    assert!(stage.run(many()).into_iter().all(|response| body(response) == "Bearer t0"));
    assert!(stage.run(many()).into_iter().all(|response| body(response) == "Bearer t101"));
    assert_eq!(stage.times("/token"), [0, 54_009]);
}

#[test]
fn those_who_wait_share_a_failure_and_the_next_asks_anew() {
    let stage = Stage::new(|request, before| match before {
        0 => answer(400, &[], r#"{"error": "invalid_client", "error_description": "pa55 s3cr&t\u001b[2J s3cr%26t czNjciZ0"}"#),
        _ => generous(request, before),
    });
    let (session, oauth2) = (Session::default(), oauth2());
    let all = stage.run(join_all((0..20).map(|_| session.send(&stage, with(&oauth2, None)))));
    let reason = "no token from auth.example.com: invalid_client: [redacted] [redacted]\u{fffd}[2J [redacted] [redacted]";
    let denial = |said: &Unanswered| said.denial.as_deref().map(|denial| (denial.status, denial.error.clone(), denial.description.clone()));
    for failed in all.into_iter().map(Result::unwrap_err) {
        assert_eq!((failed.kind, failed.reason.as_str()), (UnansweredKind::Authentication, reason));
        let (error, description) = (reason["no token from auth.example.com: ".len()..]).split_once(": ").unwrap();
        assert_eq!(denial(&failed), Some((401, Some(error.to_owned()), Some(description.to_owned()))));
    }
    assert_eq!(body(stage.run(session.send(&stage, with(&oauth2, None)))), "Bearer t1");
}

#[test]
fn who_waits_for_one_that_gave_up_takes_over() {
    let (stage, session, oauth2) = (Stage::new(generous), Session::default(), oauth2());
    let others = join_all((0..5).map(|_| session.send(&stage, with(&oauth2, None))));
    let (first, others) = stage.run(join(give_up(&stage, 5, session.send(&stage, with(&oauth2, None))), others));
    assert!(first.is_none() && others.into_iter().all(|response| body(response) == "Bearer t1"));
    assert_eq!(stage.times("/token"), [0, 5]);
}

#[test]
fn a_token_at_hand_that_is_not_accepted_is_renewed_once() {
    let stage = Stage::new(|request, before| match (request.url.path(), request.header("authorization")) {
        ("/token", _) => generous(request, before),
        (_, Some("Bearer t0")) if before < 2 => answer(200, &[], "early"),
        (_, Some("Bearer t0")) => answer(401, &[], "revoked"),
        _ => answer(401, &[], "never"),
    });
    let (session, oauth2) = (Session::default(), oauth2());
    assert_eq!(body(stage.run(session.send(&stage, with(&oauth2, None)))), "early");
    // The slow one hears of it only when the others have a new token already.
    let slow = Sending { request: get("https://api.example.com/slow"), ..with(&oauth2, None) };
    let all = join_all((0..10).map(|_| session.send(&stage, with(&oauth2, None))));
    let (all, slow) = stage.run(join(all, session.send(&stage, slow)));
    assert!(all.into_iter().chain([slow]).all(|response| body(response) == "never"));
    assert_eq!(stage.times("/token"), [0, 30]);
    assert_eq!((stage.times("/things").len(), stage.times("/slow")), (1 + 10 + 10, vec![20, 70]));
}

#[test]
fn a_token_that_was_waited_for_is_not_renewed() {
    let stage = Stage::new(|request, before| match request.url.path() {
        "/token" => generous(request, before),
        _ => answer(401, &[], ""),
    });
    for rate in [None, Some(rate(1, 1000))] {
        let session = Session::default();
        assert_eq!(stage.run(session.send(&stage, with(&oauth2(), rate))).unwrap().status, 401);
    }
    assert_eq!(stage.sent().len(), 4);
}

#[test]
fn a_refresh_token_is_used_until_it_is_spent() {
    let stage = Stage::new(|request, before| match field(request, "refresh_token").as_deref() {
        Some("r0") if before < 4 => answer(200, &[], r#"{"access_token": "a", "expires_in": "20"}"#),
        Some("r0") => answer(200, &[], r#"{"access_token": "c", "expires_in": "20", "refresh_token": "r1"}"#),
        Some("r1") => answer(400, &[], r#"{"error": "invalid_grant"}"#),
        Some(_) => answer(500, &[], ""),
        None if request.url.path() == "/token" => {
            answer(200, &[], r#"{"access_token": "b", "token_type": "BEARER", "expires_in": 20, "refresh_token": "r0"}"#)
        }
        None => generous(request, before),
    });
    let session = Session::default();
    let oauth2 = OAuth2 { grant: Grant::Password, ..oauth2() };
    for expected in ["Bearer b", "Bearer a", "Bearer c", "Bearer b"] {
        assert_eq!(body(stage.run(session.send(&stage, with(&oauth2, None)))), expected);
        stage.run(stage.sleep(Duration::from_secs(18)));
    }
    let asked: Vec<_> = stage.sent().into_iter().filter_map(|(_, request)| field(&request, "grant_type")).collect();
    assert_eq!(asked, ["password", "refresh_token", "refresh_token", "refresh_token", "password"]);
}

#[test]
fn grants_and_clients_ask_in_their_ways() {
    let cases = [
        (Grant::ClientCredentials, ClientAuthentication::ClientSecretPost, "client_secret=s3cr&t client_id=me", None),
        (Grant::Password, ClientAuthentication::ClientSecretBasic, "username=ann password=pa55", Some("Basic bWU6czNjciUyNnQ=")),
        (Grant::RefreshToken, ClientAuthentication::None, "refresh_token=given-refresh client_id=me", None),
        (Grant::TokenExchange, ClientAuthentication::PrivateKeyJwt, "subject_token=subject-jwt client_assertion=signed", None),
    ];
    for (grant, client_authentication, expected, authorization) in cases {
        let stage = Stage::new(generous);
        let client_assertion = Some("signed".to_owned());
        let audiences = vec!["x".to_owned(), "y".to_owned()];
        let oauth2 = OAuth2 { grant, client_authentication, client_assertion, audiences, ..oauth2() };
        stage.run(Session::default().send(&stage, with(&oauth2, None))).unwrap();
        let (_, asked) = stage.sent().remove(0);
        let Some(Body::Form(fields)) = &asked.body else { panic!("no form") };
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for field in expected.split(' ').chain(["audience=x", "audience=y"]) {
            assert!(fields.iter().any(|known| known == field), "{field}: {fields:?}");
        }
        assert!(fields.contains(&"scope=read write".to_owned()));
        assert_eq!(asked.header("authorization"), authorization);
    }
}

#[test]
fn a_json_request_carries_an_assertion_signed_with_the_secret() {
    let stage = Stage::new(generous);
    let client_authentication = ClientAuthentication::ClientSecretJwt;
    let oauth2 = OAuth2 { client_authentication, json: true, audiences: vec!["x".to_owned(), "y".to_owned()], ..oauth2() };
    stage.run(Session::default().send(&stage, with(&oauth2, None))).unwrap();
    let Some(Body::Json(sent)) = stage.sent().remove(0).1.body else { panic!("no json") };
    assert_eq!((&sent["audience"], &sent["scope"]), (&json!(["x", "y"]), &json!("read write")));
    assert_eq!(
        sent["client_assertion"],
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJtZSIsInN1YiI6Im1lIiwiYXVkIjoiaHR0cHM6Ly9hdXRoLmV4YW1wbGUuY29tL3Rva2VuIiwianRpIjoiMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDEiLCJpYXQiOjAsImV4cCI6NjB9.DHrFqBLlNgo7KWrcgfsHY1VJXIC9ySjFQzKid1GRouU"
    );
}

#[test]
fn an_authority_is_discovered_once_and_its_issuer_checked() {
    let document = r#"{"issuer": "https://auth.example.com", "token_endpoint": "https://login.example.com/token"}"#;
    let stage = Stage::new(move |request, before| match request.url.path() {
        "/.well-known/openid-configuration" => answer(200, &[], document),
        // {"iss":"https://evil.example"}
        "/token" if before > 3 => answer(200, &[], r#"{"access_token": "e30.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.c2ln"}"#),
        _ => generous(request, before),
    });
    let discovery_url = Some("https://auth.example.com/.well-known/openid-configuration".to_owned());
    let oauth2 = OAuth2 { discovery_url, issuers: vec!["https://auth.example.com".to_owned()], ..oauth2() };
    let session = Session::default();
    stage.run(session.send(&stage, with(&oauth2, None))).unwrap();
    stage.run(stage.sleep(Duration::from_secs(60)));
    stage.run(session.send(&stage, with(&oauth2, None))).unwrap();
    stage.run(stage.sleep(Duration::from_secs(60)));
    let failed = stage.run(session.send(&stage, with(&oauth2, None))).unwrap_err();
    assert_eq!(failed.reason, "no token from login.example.com: its issuer `https://evil.example` is not among those that are accepted");
    let hosts: Vec<_> = stage.sent().iter().filter_map(|(_, request)| request.url.host_str().map(str::to_owned)).collect();
    assert_eq!(hosts.iter().map(|host| &host[..3]).collect::<Vec<_>>().join(" "), "aut log api log api log");
    let other = OAuth2 { issuers: vec!["https://other.example".to_owned()], ..oauth2 };
    assert_eq!(stage.run(session.send(&stage, with(&other, None))).unwrap_err().kind, UnansweredKind::Authentication);
}

#[test]
fn an_answer_that_is_no_token_is_an_authentication_error_without_secrets() {
    let long = "x".repeat(1000);
    for (status, text, denied, expected) in [
        (503, "", Some(503), "it answered 503".to_owned()),
        (429, "", Some(429), "it answered 429".to_owned()),
        (302, r#"{"access_token": "a"}"#, Some(401), "it answered 302".to_owned()),
        (200, r#"{"error": "slow_down"}"#, Some(401), "slow_down".to_owned()),
        (200, "[]", None, "its answer has no `access_token`".to_owned()),
        (200, r#"{"access_token": "a\nb"}"#, None, "its token is none that a header can carry".to_owned()),
        (200, r#"{"access_token": "a", "token_type": "mac"}"#, None, "its token is not a bearer token, but of type \"mac\"".to_owned()),
        (400, &format!(r#"{{"error": "e", "error_description": "{long}"}}"#), Some(401), format!("e: {}", &long[..297])),
    ] {
        let text = text.to_owned();
        let stage = Stage::new(move |_, _| answer(status, &[], &text));
        let failed = stage.run(Session::default().send(&stage, with(&oauth2(), None))).unwrap_err();
        assert_eq!(failed.denial.as_ref().map(|denial| denial.status), denied);
        let expected = Unanswered::authentication(format!("no token from auth.example.com: {expected}"));
        assert_eq!(Unanswered { denial: None, ..failed }, expected);
    }
    let stage = Stage::new(|_, _| Err(Unanswered::timeout("after 30 s with s3cr&t")));
    let failed = stage.run(Session::default().send(&stage, with(&oauth2(), None))).unwrap_err();
    assert_eq!(failed, Unanswered::timeout("no token from auth.example.com: after 30 s with [redacted]"));
}

#[test]
fn nothing_shows_secrets_for_debugging() {
    let shown =
        format!("{:?} {:?}", with(&oauth2(), None), Credentials::Digest { username: "ann".to_owned(), password: "pa55".to_owned() });
    for secret in oauth2().secrets() {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn requests_go_in_turn_and_those_that_give_up_leave_their_place() {
    let (stage, session, rate) = (Stage::new(generous), Session::default(), rate(2, 1000));
    let mut order = Vec::new();
    let patience = [9999, 9999, 100, 9999, 700, 9999, 9999];
    let all = patience.iter().map(|patience| give_up(&stage, *patience, session.send(&stage, plain(&rate))));
    order.extend(stage.run(join_all(all)).into_iter().map(|outcome| outcome.is_some()));
    assert_eq!(order, [true, true, false, true, false, true, true]);
    assert_eq!(stage.times("/things"), [0, 0, 500, 1000, 1500]);
}

#[test]
fn the_rate_holds_for_requests_and_not_for_tokens() {
    let stage = Stage::new(|request, before| match before {
        2 => answer(401, &[], ""),
        _ => generous(request, before),
    });
    let session = Session::default();
    for _ in 0..2 {
        stage.run(session.send(&stage, with(&oauth2(), Some(rate(1, 1000))))).unwrap();
    }
    assert_eq!(stage.times("/token"), [0, 1020]);
    assert_eq!(stage.times("/things"), [10, 1010, 2010]);
    let failed = stage.run(session.send(&stage, plain(&rate(0, 1)))).unwrap_err();
    assert_eq!(failed.kind, UnansweredKind::Configuration);
}

fn digest(request: Request, rate: Option<Rate>) -> Sending {
    Sending { request, credentials: Some(Credentials::Digest { username: "ann".to_owned(), password: "pa55".to_owned() }), rate }
}

/// What a request's `Authorization` says under a name.
fn said(request: &Request, name: &str) -> String {
    let header = request.header("authorization").unwrap_or_default();
    let found = header.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_default().trim_matches('"').to_owned()
}

#[test]
fn a_challenge_is_learned_once_counted_on_and_renewed_when_stale() {
    let stage = Stage::new(|request, before| match (before, said(request, "nonce").as_str()) {
        (0, "") => answer(
            401,
            &[("WWW-Authenticate", "Basic realm=\"x\", Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=MD5-sess")],
            "",
        ),
        (1 | 2, "n1") => answer(200, &[], ""),
        (3, "n1") => answer(401, &[("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n2\", stale=true, domain=\"/things\"")], ""),
        (4, "n2") => answer(200, &[("Authentication-Info", "nextnonce=\"n3\"")], ""),
        (5, "n3") | (6, "") => answer(200, &[], ""),
        other => panic!("{other:?}"),
    });
    let session = Session::default();
    for url in [API, "https://api.example.com/things/1?q=2", API, API, "https://api.example.com/elsewhere"] {
        assert_eq!(stage.run(session.send(&stage, digest(get(url), None))).unwrap().status, 200);
    }
    let sent = stage.sent();
    assert_eq!((said(&sent[1].1, "nc"), said(&sent[2].1, "nc")), ("00000001".to_owned(), "00000002".to_owned()));
    assert_eq!(said(&sent[2].1, "uri"), "/things/1?q=2");
    assert_eq!(said(&sent[1].1, "cnonce"), said(&sent[2].1, "cnonce"));
}

#[test]
fn a_wrong_password_is_an_answer_and_each_request_keeps_to_the_rate() {
    let challenge =
        |_: &Request, before: usize| answer(401, &[("www-authenticate", &format!("Digest realm=\"r\", nonce=\"n{before}\""))], "");
    let (stage, session) = (Stage::new(challenge), Session::default());
    for _ in 0..2 {
        assert_eq!(stage.run(session.send(&stage, digest(get(API), Some(rate(1, 1000))))).unwrap().status, 401);
    }
    assert_eq!(stage.times("/things"), [0, 1000, 2000, 3000]);
    let always_stale =
        |_: &Request, before: usize| answer(401, &[("www-authenticate", &format!("Digest realm=r, nonce=n{before}, stale=true"))], "");
    let stage = Stage::new(always_stale);
    stage.run(Session::default().send(&stage, digest(get(API), None))).unwrap();
    assert_eq!(stage.sent().len(), 3);
}

#[test]
fn an_answer_to_a_known_challenge_is_not_repeated_where_the_server_repeats_the_challenge() {
    let stage = Stage::new(|_, _| answer(401, &[("www-authenticate", "Digest realm=\"r\", nonce=\"n\"")], ""));
    let session = Session::default();
    for sent in [2, 3] {
        stage.run(session.send(&stage, digest(get(API), None))).unwrap();
        assert_eq!(stage.sent().len(), sent);
    }
}

#[test]
fn a_protected_body_is_sent_as_it_was_hashed() {
    let stage = Stage::new(|_, before| match before % 2 {
        0 => answer(401, &[("www-authenticate", "Digest realm=\"r\", nonce=\"n\", qop=auth-int")], ""),
        _ => answer(200, &[], ""),
    });
    let request = Request { body: Some(Body::Form(vec![("a".to_owned(), "b c".to_owned())])), ..get(API) };
    stage.run(Session::default().send(&stage, digest(request, None))).unwrap();
    assert_eq!(stage.sent()[1].1.body, Some(Body::Bytes(b"a=b+c".to_vec())));
    let request = Request { body: Some(Body::Multipart(Vec::new())), ..get(API) };
    assert_eq!(stage.run(Session::default().send(&stage, digest(request, None))).unwrap_err().kind, UnansweredKind::Configuration);
}

#[test]
fn sessions_can_be_shared_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let (stage, session) = (Stage::new(generous), Session::default());
    is_send(session.send(&stage, with(&oauth2(), Some(rate(1, 1)))));
}
