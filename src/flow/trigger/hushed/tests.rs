//! A trigger's own secret, in all that a run shows and tells.

use std::cell::RefCell;

use serde_json::{Map, json};

use super::*;
use crate::flow::{Budget, Outcome, Program, Target, VirtualClock};
use crate::manifest::Bundle;
use crate::model::BundleFiles;

const SECRET: &str = "whsec-9f8e7d6c";

const MANIFEST: &str = r#"
apiVersion: switchboard/v1
name: demo
title: Demo
description: A webhook whose key comes with its subscription.
kind: saas
status: editing
owner: alice@example.com
connection:
  hosts: [api.example.com]
  baseUrl: https://api.example.com
  properties:
    token: { title: Token, type: string, secret: true }
triggers:
  made:
    on:
      webhook:
        path: /made
        verify: { hmac: { secret: "${ .subscription.secret }", header: X-Signature } }
        respond: { body: "${ {all: ., token: $connection.token, id: .subscription.id} }" }
        subscribe:
          do:
            - make: { call: request, with: { method: post, path: /hooks, query: { key: a }, body: { key: b } }, output: { as: "{id, secret}" } }
        unsubscribe:
          do:
            - end: { raise: { error: { type: about:blank, status: 400, detail: "no ${ .subscription.secret } of ${ .subscription.id }" } } }
    deduplicateBy: .key
    do:
      - tell: { call: request, with: { method: post, path: "/${ .subscription.id }", headers: { X-Key: "${ .subscription.secret }" }, body: "${ . }" } }
      - made:
          input: { from: $workflow.input }
          emit:
            event:
              with:
                type: made
                data: "${ {all: ., start: .subscription.secret[0:9], codes: (.subscription.secret | explode | map(. + 1)), id: .subscription.id} }"
"#;

/// Answers every request with a new subscription.
struct Service {
    sent: RefCell<Vec<Request>>,
    told: RefCell<Vec<Told>>,
    clock: VirtualClock,
}

#[async_trait(?Send)]
impl World for Service {
    async fn send(&self, sending: Sending) -> Result<Response, Unanswered> {
        self.sent.borrow_mut().push(sending.request);
        let body = json!({ "id": "we_1", "secret": SECRET }).to_string().into_bytes();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned()), ("x-key".to_owned(), SECRET.to_owned())];
        Ok(Response { status: 200, headers, body })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    fn random(&self) -> u64 {
        4
    }

    fn id(&self) -> String {
        "an-id".to_owned()
    }

    async fn file(&self, _: &str) -> Result<Vec<u8>, Unanswered> {
        Err(Unanswered::configuration("there are no files"))
    }

    fn hear(&self, tell: &dyn Fn() -> Told) {
        self.told.borrow_mut().push(tell());
    }
}

fn program() -> Program {
    let files = BundleFiles::new([("connector.yaml".to_owned(), MANIFEST.as_bytes().to_vec())].into());
    Program::compile(&Bundle::read("demo", &files).unwrap()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn connection() -> Map<String, Value> {
    Map::from_iter([("token".to_owned(), json!("t0ken"))])
}

fn run(target: fn(String) -> Target, input: &Value) -> (Outcome, Service) {
    let service = Service { sent: RefCell::default(), told: RefCell::default(), clock: VirtualClock::new(Timestamp::UNIX_EPOCH) };
    let (program, target) = (program(), target("made".to_owned()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(service.clock.drive(program.run(&target, input, &connection(), &service, Budget::default())));
    (outcome, service)
}

/// The input of a run for a request that brought the secret along, as some services do.
fn request() -> Value {
    json!({
        "method": "post", "path": "/made", "headers": { "authorization": "Basic d2hzZWMtOWY4ZTdkNmM6" }, "query": { "key": SECRET },
        "body": { "n": 7 }, "input": {}, "subscription": { "id": "we_1", "secret": SECRET },
    })
}

fn told(service: &Service) -> String {
    serde_json::to_string(&*service.told.borrow()).unwrap()
}

#[test]
fn nothing_of_it_is_in_an_event_or_told_of_a_run() {
    let (outcome, service) = run(Target::Trigger, &request());
    let sent = serde_json::to_string(&*service.sent.borrow()).unwrap();
    assert_eq!(sent.matches(SECRET).count(), 3, "requests may have it: {sent}");
    let data = &outcome.events[0]["data"];
    assert_eq!((&data["id"], &data["all"]["body"]["n"]), (&json!("we_1"), &json!(7)));
    for hidden in [&data["start"], &data["codes"], &data["all"]["subscription"]["secret"], &data["all"]["query"]["key"]] {
        assert_eq!(*hidden, json!("[redacted]"));
    }
    assert_eq!(data["all"]["headers"]["authorization"], json!("Basic [redacted]6"));
    let told = told(&service);
    assert!(told.contains("we_1") && told.contains("\"n\":7") && !told.contains(&SECRET[6..]), "{told}");
}

#[test]
fn the_flow_that_makes_a_subscription_returns_it_and_tells_nothing_of_its_messages() {
    let input = json!({ "callbackUrl": "https://hooks.example.com", "subscription": null, "input": {} });
    let (outcome, service) = run(Target::Subscribe, &input);
    assert_eq!(outcome.result.unwrap(), json!({ "id": "we_1", "secret": SECRET }), "it is to be kept");
    let told = told(&service);
    assert!(!told.contains(SECRET) && !told.contains("key=a") && !told.contains("\"key\":\"b\""), "{told}");
    assert!(told.contains("https://api.example.com/hooks") && told.contains("\"status\":200"), "{told}");
}

#[test]
fn nothing_of_it_is_in_an_error() {
    let (outcome, service) = run(Target::Unsubscribe, &request());
    assert_eq!(outcome.result.unwrap_err().detail.as_deref(), Some("no [redacted] of we_1"));
    assert!(!told(&service).contains(SECRET));
}

#[test]
fn nothing_of_it_is_in_an_answer_or_kept_of_an_event() {
    let program = program();
    let trigger = program.trigger("made").unwrap();
    let connection = connection();
    let evaluate = trigger.evaluator(&connection);
    let answer = evaluate(Slot::AnswerBody, &request()).unwrap();
    assert_eq!((&answer["id"], &answer["token"]), (&json!("we_1"), &json!("[redacted]")));
    assert!(!answer.to_string().contains(SECRET), "{answer}");
    assert_eq!(trigger.secrets(&evaluate, &request()), [SECRET]);
    assert_eq!(evaluate(Slot::DeduplicateBy, &json!({ "key": 1 })), Ok(json!(1)));
}
