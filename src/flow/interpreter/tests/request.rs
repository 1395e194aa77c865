//! `call: request`: bodies, errors, repetition, redirections, and what goes along.

use std::collections::BTreeMap;

use serde_json::Map;

use super::*;
use crate::flow::{Outcome, Program};
use crate::manifest::Bundle;
use crate::model::BundleFiles;

const HEAD: &str = "
apiVersion: switchboard/v1
name: sample
title: Sample
description: A sample.
kind: saas
status: editing
owner: alice@example.com
errors:
  gone: { status: 404, title: Gone }
  refused: { status: 422, title: Refused, description: As the service says. }
";
const CONNECTION: &str = "
  hosts: [api.example.com, other.example.com]
  baseUrl: https://api.example.com/v1
  properties: { token: { title: Token, type: string, secret: true } }
";
const BEARER: &str = "  authentication: { bearer: { token: '${ $connection.token }' } }\n";

/// A World with answers in their order.
pub(super) fn answering(answers: Vec<Response>) -> Answers {
    let world = Answers::default();
    world.answers.borrow_mut().extend(answers.into_iter().rev());
    world
}

pub(super) fn with(mut response: Response, headers: &[(&str, &str)]) -> Response {
    response.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    response
}

pub(super) fn json_of(body: &Value) -> Response {
    answer(200, "application/json", &body.to_string())
}

/// A connector with one call, and with what else its connection says.
fn program(connection: &str, call: &str) -> Result<Program, Vec<crate::model::Problem>> {
    let manifest = format!(
        "{HEAD}connection:{CONNECTION}{connection}\nactions: {{ it: {{ do: [ {{ ask: {{ call: request, with: {{ {call} }} }} }} ] }} }}\n"
    );
    let files = BundleFiles::new(BTreeMap::from([("connector.yaml".to_owned(), manifest.into_bytes())]));
    Program::compile(&Bundle::read("sample", &files)?)
}

/// Runs one call of a connector, with what else its connection says.
pub(super) fn call_with(world: &Answers, connection: &str, call: &str, input: &Value) -> Outcome {
    let program = program(connection, call).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let values = Map::from_iter([("token".to_owned(), json!("t0ps3cret"))]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let target = Target::Action("it".to_owned());
    runtime.block_on(world.clock.drive(program.run(&target, input, &values, world, Budget::default())))
}

pub(super) fn call(answers: Vec<Response>, call: &str) -> (Result<Value, Fault>, Vec<Request>) {
    let world = answering(answers);
    let outcome = call_with(&world, BEARER, call, &json!({}));
    (outcome.result, world.sent.take())
}

fn busy(headers: &[(&str, &str)]) -> Response {
    with(answer(503, "text/plain", "busy"), headers)
}

fn seconds(world: &Answers) -> i64 {
    world.clock.now().as_second()
}

#[test]
fn bodies_travel_and_come_back_in_the_forms_that_are_asked_for() {
    let sent = |body: &str| call(vec![json_of(&json!(1))], &format!("method: post, path: /x, {body}")).1.remove(0).body.unwrap();
    assert_eq!(sent("body: { a: 1 }, bodyType: form"), Body::Form(vec![("a".to_owned(), "1".to_owned())]));
    assert_eq!(sent("body: 7, bodyType: text"), Body::Text("7".to_owned()));
    assert_eq!(sent("body: aGk=, bodyType: binary"), Body::Bytes(b"hi".to_vec()));
    assert!(matches!(sent("body: { a: 1 }, bodyType: multipart"), Body::Multipart(_)));
    let read = |kind: &str, body: &str, form: &str| {
        call(vec![answer(200, kind, body)], &format!("method: get, path: /x, responseType: {form}")).0.map_err(|fault| fault.status)
    };
    assert_eq!(read("text/plain", "{\"a\": 1}", "json"), Ok(json!({"a": 1})));
    assert_eq!(read("application/json", "{}", "text"), Ok(json!("{}")));
    assert_eq!(read("text/plain", "<a><b>1</b></a>", "{ xml: { lists: [b] } }"), Ok(json!({"a": {"b": ["1"]}})));
    assert_eq!(read("text/csv", "x;y\n1;2\n", "{ csv: { delimiter: ';' } }"), Ok(json!([{"x": "1", "y": "2"}])));
    assert_eq!(read("text/csv", "1,2\n", "{ csv: { header: false } }"), Ok(json!([["1", "2"]])));
    assert_eq!(read("text/plain", "hi", "binary"), Ok(json!("aGk=")));
    assert_eq!(read("text/plain", "no", "json"), Err(500));
}

#[test]
fn the_first_mapping_that_fits_tells_the_error() {
    let errors = "errors: [
        { status: 404, headers: { X-Kind: repo }, raise: gone, detail: 'no ${ .content.what } (${ .headers[\"x-kind\"] })' },
        { status: 4xx, when: .content.code == 7, raise: refused, detail: '${ .content.message }' },
        { when: '.content.ok == false', raise: refused, detail: '${ .content.nothing }' },
        { status: [500, 5xx], headers: { X-Kind: true }, raise: gone } ]";
    let run = |response: Response| {
        let (result, _) = call(vec![response], &format!("method: get, path: /x, {errors}"));
        result.map_err(|fault| (fault.name.as_deref().map(str::to_owned), fault.status, fault.detail.unwrap_or_default()))
    };
    let kind = |response| with(response, &[("x-KIND", "repo")]);
    let error = |name: &str, status: u16, detail: &str| Err((Some(name.to_owned()), status, detail.to_owned()));
    assert_eq!(run(kind(answer(404, "application/json", "{\"what\": \"repo\"}"))), error("gone", 404, "no repo (repo)"));
    assert_eq!(
        run(answer(400, "application/json", "{\"code\": 7, \"message\": \"t0ps3cret is bad\"}")),
        error("refused", 422, "[redacted] is bad")
    );
    let answered = "GET https://api.example.com/v1/x answered 200";
    assert_eq!(run(json_of(&json!({"ok": false}))), error("refused", 422, answered));
    assert_eq!(run(kind(answer(502, "text/html", "<p>"))), error("gone", 404, "GET https://api.example.com/v1/x answered 502"));
    assert_eq!(run(json_of(&json!({"ok": true}))), Ok(json!({"ok": true})));
    // A body of another form than conditions expect is an answer like any other.
    assert_eq!(run(answer(400, "text/plain", "what?")).unwrap_err().1, 400);
    assert_eq!(run(answer(200, "text/plain", "fine")), Ok(json!("fine")));
}

#[test]
fn an_error_is_read_in_the_form_of_its_call_where_it_has_it() {
    let detail = |reads: &str, kind: &str, body: &str| {
        let errors = "errors: [ { status: 400, raise: refused, detail: '${ .content.why[0] }' } ]";
        let (result, _) = call(vec![answer(400, kind, body)], &format!("method: get, path: /x, responseType: {reads}, {errors}"));
        result.unwrap_err().detail.unwrap()
    };
    let (json, answered) = ("{\"why\": [\"bad\"]}", "GET https://api.example.com/v1/x answered 400");
    assert_eq!(detail("{ xml: { lists: [why] } }", "application/atom+xml", "<why>bad</why>"), "bad");
    assert_eq!(detail("json", "text/html", json), "bad");
    for reads in ["{ xml: { lists: [why] } }", "csv", "text", "binary"] {
        assert_eq!(detail(reads, "application/json", json), "bad", "{reads}");
    }
    assert_eq!(detail("xml", "text/html", "<!DOCTYPE html><p>bad</p>"), answered);
}

#[test]
fn a_detail_shows_no_secret() {
    let errors = "errors: [ { status: 400, raise: refused, detail: 'key ${ $connection.token[:3] } of ${ .content }' } ]";
    let (result, _) = call(vec![answer(400, "text/plain", "x")], &format!("method: get, path: /x, {errors}"));
    let detail = result.unwrap_err().detail.unwrap();
    assert!(!detail.contains("t0p"), "{detail}");
}

#[test]
fn busy_services_are_asked_again_when_they_say() {
    let run = |retry: &str, answers: Vec<Response>| {
        let world = answering(answers);
        let result = call_with(&world, BEARER, &format!("method: get, path: /x, retry: {retry}"), &json!({})).result;
        let retried = world.told.borrow().iter().filter(|told| matches!(told.what, What::Retried { .. })).count();
        (result.map_err(|fault| fault.status), retried, seconds(&world))
    };
    let good = || json_of(&json!(1));
    assert_eq!(run("true", vec![busy(&[]), busy(&[]), good()]), (Ok(json!(1)), 2, 3));
    assert_eq!(run("{}", vec![busy(&[]), busy(&[]), busy(&[]), busy(&[]), good()]), (Err(503), 3, 7));
    assert_eq!(run("{}", vec![busy(&[("Retry-After", "20")]), good()]), (Ok(json!(1)), 1, 20));
    assert_eq!(run("{}", vec![busy(&[("Retry-After", "Thu, 01 Jan 1970 00:00:30 GMT")]), good()]), (Ok(json!(1)), 1, 30));
    let limited = || with(answer(429, "text/plain", ""), &[("X-RateLimit-Reset", "45")]);
    assert_eq!(run("{}", vec![limited(), good()]), (Ok(json!(1)), 1, 45));
    // A wait that is longer than allowed is none.
    assert_eq!(run("{}", vec![busy(&[("Retry-After", "61")]), good()]), (Err(503), 0, 0));
    assert_eq!(run("{ maxWait: PT2M }", vec![busy(&[("Retry-After", "61")]), good()]), (Ok(json!(1)), 1, 61));
    assert_eq!(run("{ maxWait: P1D }", vec![busy(&[("Retry-After", "7200")]), good()]), (Err(503), 0, 0));
    assert_eq!(run("{ delay: PT40S, backoff: { exponential: {} } }", vec![busy(&[]), busy(&[]), good()]), (Ok(json!(1)), 2, 100));
    assert_eq!(run("{ limit: { duration: PT2S } }", vec![busy(&[]), busy(&[]), good()]), (Err(503), 1, 1));
    assert_eq!(run("{ statuses: [500] }", vec![busy(&[]), good()]), (Err(503), 0, 0));
    assert_eq!(run("{ statuses: [403, 5xx] }", vec![busy(&[]), good()]), (Ok(json!(1)), 1, 1));
    let throttled = "{ statuses: [200], when: .content.throttled }";
    assert_eq!(run(throttled, vec![json_of(&json!({"throttled": true})), good()]), (Ok(json!(1)), 1, 1));
    // Nobody is there: that passes too.
    assert_eq!(run("{ limit: { attempt: { count: 2 } } }", Vec::new()), (Err(500), 2, 3));
}

#[test]
fn what_may_have_been_processed_is_not_sent_twice() {
    let run = |rest: &str, first: Vec<Response>| {
        let mut answers = first;
        answers.push(json_of(&json!(1)));
        call(answers, &format!("method: post, path: /x, {rest}")).1.len()
    };
    let limited = || answer(429, "text/plain", "");
    assert_eq!(run("retry: {}", vec![busy(&[])]), 1);
    assert_eq!(run("retry: {}", vec![busy(&[("Retry-After", "1")])]), 2);
    assert_eq!(run("retry: {}", vec![limited()]), 2);
    assert_eq!(run("retry: { nonIdempotent: true }", vec![busy(&[])]), 2);
    assert_eq!(run("retry: {}, headers: { Idempotency-Key: k }", vec![busy(&[])]), 2);
    assert_eq!(call(Vec::new(), "method: post, path: /x, retry: {}").1.len(), 1);
}

#[test]
fn an_attempt_that_takes_too_long_is_broken_off() {
    let world = Answers { slow: true, ..Answers::default() };
    let call = "method: get, path: /x, retry: { limit: { attempt: { count: 1, duration: PT5S } } }";
    let fault = call_with(&world, "", call, &json!({})).result.unwrap_err();
    assert_eq!((fault.status, seconds(&world)), (408, 11));
}

#[test]
fn a_connection_has_policies_for_calls_that_have_none() {
    let connection =
        "  retry: { delay: PT2S, limit: { attempt: { count: 1 } } }\n  rateLimit: { requests: 10, per: { seconds: 1 }, bucket: all }\n";
    let run = |call: &str| {
        let world = answering(vec![busy(&[]), json_of(&json!(1))]);
        let is_good = call_with(&world, connection, call, &json!({})).result.is_ok();
        let rate = world.along.borrow_mut().remove(0).1.map(|rate| (rate.bucket, rate.requests, rate.per_millis));
        (is_good, rate)
    };
    assert_eq!(run("method: get, path: /x"), (true, Some(("all".to_owned(), 10, 1000))));
    assert_eq!(run("method: get, path: /x, retry: false, rateLimit: false"), (false, None));
    let own = "method: get, path: /x, retry: {}, rateLimit: { requests: 1, per: PT1M }";
    assert_eq!(run(own), (true, Some(("1/60000".to_owned(), 1, 60_000))));
}

#[test]
fn mistakes_in_the_policies_of_a_connection_are_found_where_they_are() {
    for (connection, column, word) in [
        ("  retry: { statues: [429] }", 12, "statuses"),
        ("  rateLimit: { requests: 1, per: P1Y }", 34, "no fixed length"),
        ("  authentication: { oauth2: { authority: 'https://evil.example', grant: password } }", 42, "evil.example"),
    ] {
        let problems = program(connection, "method: get, path: /x").unwrap_err();
        let [problem] = problems.as_slice() else { panic!("{problems:#?}") };
        assert_eq!((problem.place.line, problem.place.column), (16, column), "{problem:?}");
        assert!(format!("{problem:?}").contains(word), "{problem:?}");
    }
}

fn to(status: u16, location: &str) -> Response {
    with(answer(status, "text/plain", ""), &[("Location", location)])
}

#[test]
fn redirections_are_followed_as_far_as_they_may_lead() {
    let good = || json_of(&json!("there"));
    let (result, sent) = call(vec![to(302, "/v2/x?y=1#z"), good()], "method: get, path: /x, headers: { X: y }, output: response");
    let output = result.unwrap();
    assert_eq!((&output["content"], &output["request"]["uri"]), (&json!("there"), &json!("https://api.example.com/v2/x?y=1")));
    assert_eq!((sent[1].header("x"), sent[1].header("authorization")), (Some("y"), Some("Bearer t0ps3cret")));
    assert_eq!(sent[1].headers.len(), 2);
    let fault = |answers: Vec<Response>, rest: &str| call(answers, &format!("method: get, path: /x{rest}")).0.unwrap_err();
    assert_eq!(fault(vec![to(302, "https://evil.example/")], "").title.as_deref(), Some("Host not allowed"));
    assert_eq!(fault(vec![to(302, "http://api.example.com/")], "").title.as_deref(), Some("Address refused"));
    assert_eq!(fault((0..9).map(|n| to(301, &format!("/{n}"))).collect(), "").title.as_deref(), Some("Too many redirections"));
    assert_eq!(fault(vec![to(302, "ftp://api.example.com/")], "").status, 302);
    assert_eq!(fault(vec![answer(302, "text/plain", "")], "").status, 302);
    assert_eq!(call(vec![to(302, "/y")], "method: get, path: /x, redirect: true").1.len(), 1);
    assert_eq!(call(vec![to(302, "/y"), good()], "method: post, path: /x, body: { a: 1 }").0.unwrap_err().status, 302);
    let (result, sent) = call(vec![to(307, "/y"), good()], "method: post, path: /x, body: { a: 1 }");
    assert_eq!((result, &sent[1].body), (Ok(json!("there")), &Some(Body::Json(json!({"a": 1})))));
    assert_eq!((sent[1].method.as_str(), sent[1].url.path()), ("POST", "/y"));
}

#[test]
fn credentials_go_to_no_other_host() {
    let elsewhere =
        || vec![to(307, "https://other.example.com/y"), to(307, "/w"), to(307, "https://api.example.com/z"), json_of(&json!(1))];
    let headers = "headers: { X: y, X-Secret: '${ $connection.token }', Cookie: c, Authorization: a }";
    let (result, sent) = call(elsewhere(), &format!("method: get, path: /x, {headers}"));
    assert_eq!(result, Ok(json!(1)));
    for request in &sent[1..] {
        assert_eq!(request.headers, [("X".to_owned(), "y".to_owned())], "{request:?}");
    }
    let (result, _) = call(elsewhere(), "method: post, path: /x, body: { key: '${ $connection.token }' }");
    assert_eq!(result.unwrap_err().title.as_deref(), Some("Address refused"));
    for authentication in [
        "apiKey: { header: X-Key, value: '${ $connection.token }' }",
        "apiKey: { query: key, value: '${ $connection.token }' }",
        "digest: { username: me, password: '${ $connection.token }' }",
        "oauth2: { authority: 'https://other.example.com', grant: client_credentials, client: { id: me, secret: '${ $connection.token }' } }",
    ] {
        let world = answering(elsewhere());
        let connection = format!("  authentication: {{ {authentication} }}\n");
        assert_eq!(call_with(&world, &connection, "method: get, path: /x", &json!({})).result, Ok(json!(1)));
        let sent = world.sent.borrow();
        let along = world.along.borrow();
        let shown = |index: usize| serde_json::to_string(&(&sent[index], &along[index].0)).unwrap();
        assert!(shown(0).contains("t0ps3cret"), "{}", shown(0));
        for index in 1..4 {
            assert!(!shown(index).contains("t0ps3cret"), "{index}: {}", shown(index));
        }
        let told: String = world.told.borrow().iter().map(|told| format!("{told:?}")).collect();
        assert!(!told.contains("t0ps3cret"), "{told}");
    }
}

#[test]
fn credentials_go_only_where_the_text_of_the_flow_leads() {
    let sent_to = |path: &str, input: serde_json::Value| {
        let world = answering(vec![json_of(&json!(1))]);
        call_with(&world, BEARER, &format!("method: get, path: {path}"), &input).result.unwrap();
        let sent = world.sent.borrow();
        sent[0].header("authorization").is_some()
    };
    let path = "'${ .next }'";
    assert!(sent_to(path, json!({"next": "https://api.example.com/y"})) && sent_to(path, json!({"next": "y"})));
    for next in ["http://api.example.com/y", "https://api.example.com:444/y", "https://other.example.com/y"] {
        assert!(!sent_to(path, json!({ "next": next })), "{next}");
    }
    assert!(sent_to("'https://other.example.com/{id}'", json!({"id": 7})), "a host that is written in the flow is meant");
    assert!(sent_to("'https://other.example.com/${ .id }'", json!({"id": 7})));
}

#[test]
fn a_step_of_a_path_that_leads_elsewhere_is_not_sent() {
    let sent = |path: &str, id: serde_json::Value| {
        let world = answering(vec![json_of(&json!(1))]);
        let result = call_with(&world, BEARER, &format!("method: delete, path: '{path}'"), &json!({ "id": id })).result;
        result.map(|_| world.sent.borrow()[0].url.to_string()).map_err(|fault| fault.detail.unwrap())
    };
    assert_eq!(sent("/items/${ .id }.json?q=${ null }", json!("7")), Ok("https://api.example.com/v1/items/7.json?q=null".to_owned()));
    for (id, why) in
        [(json!(null), "gives nothing"), (json!(""), "gives an empty text"), (json!(".."), "another address"), (json!("a/../b"), "another")]
    {
        let told = sent("/items/${ .id }", id).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a_key_in_the_query_comes_once() {
    let world = answering(vec![to(302, "/y?key=t0ps3cret&a=1"), json_of(&json!(1))]);
    let connection = "  authentication: { apiKey: { query: key, value: '${ $connection.token }' } }\n";
    call_with(&world, connection, "method: get, path: /x", &json!({})).result.unwrap();
    let urls: Vec<_> = world.sent.borrow().iter().map(|request| request.url.to_string()).collect();
    assert_eq!(urls, ["https://api.example.com/v1/x?key=t0ps3cret", "https://api.example.com/y?a=1&key=t0ps3cret"]);
}

#[test]
fn credentials_that_take_requests_go_along_with_plain_calls_too() {
    let flow = "do: [ { get: { call: http, with: { method: get, endpoint: { uri: 'https://h.example/', authentication: { digest: { username: u, password: p } } } } } } ]";
    let world = answering(vec![json_of(&json!(1))]);
    run_in(&world, flow, &json!({})).result.unwrap();
    let digest = Credentials::Digest { username: "u".to_owned(), password: "p".to_owned() };
    assert_eq!(world.along.borrow_mut().remove(0), (Some(digest), None));
}
