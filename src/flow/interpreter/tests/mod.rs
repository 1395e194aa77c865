//! The data flow of the DSL, on whole workflow documents, with a World that answers from a list.

use std::cell::RefCell;

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::flow::session::{Credentials, Rate};
use crate::flow::{Body, Request, Response, Sending, Told, Unanswered, VirtualClock, What, Workflow};

mod control;
mod paging;
mod request;

/// Answers from a list, on a clock that only sleeping moves.
struct Answers {
    answers: RefCell<Vec<Response>>,
    sent: RefCell<Vec<Request>>,
    /// What went along with each of them.
    along: RefCell<Vec<(Option<Credentials>, Option<Rate>)>>,
    told: RefCell<Vec<Told>>,
    clock: VirtualClock,
    /// Whether answers take longer than anybody waits.
    slow: bool,
}

impl Default for Answers {
    fn default() -> Self {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
        Self {
            answers: RefCell::default(),
            sent: RefCell::default(),
            along: RefCell::default(),
            told: RefCell::default(),
            clock,
            slow: false,
        }
    }
}

#[async_trait(?Send)]
impl World for Answers {
    async fn send(&self, sending: Sending) -> Result<Response, Unanswered> {
        self.along.borrow_mut().push((sending.credentials, sending.rate));
        self.sent.borrow_mut().push(sending.request);
        if self.slow {
            self.clock.sleep(Duration::from_secs(3600)).await;
        }
        self.answers.borrow_mut().pop().ok_or_else(|| Unanswered::communication("nobody is there"))
    }

    async fn file(&self, _: &str) -> Result<Vec<u8>, Unanswered> {
        Err(Unanswered::configuration("there are no files"))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    fn hear(&self, told: &dyn Fn() -> Told) {
        self.told.borrow_mut().push(told());
    }

    fn random(&self) -> u64 {
        4
    }

    fn id(&self) -> String {
        "an-id".to_owned()
    }
}

fn answer(status: u16, kind: &str, body: &str) -> Response {
    Response { status, headers: vec![("Content-Type".to_owned(), kind.to_owned())], body: body.as_bytes().to_vec() }
}

fn workflow(rest: &str) -> Workflow {
    let text = format!("document: {{ dsl: '1.0.3', namespace: test, name: it, version: '1.0.0' }}\n{rest}");
    Workflow::read("it.yaml", text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn run_in(world: &Answers, rest: &str, input: &Value) -> crate::flow::Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(world.clock.drive(workflow(rest).run(input, &serde_json::Map::new(), world, Budget::default())))
}

fn output(rest: &str, input: &Value) -> Value {
    run_in(&Answers::default(), rest, input).result.unwrap()
}

fn fault(rest: &str, input: &Value) -> Value {
    run_in(&Answers::default(), rest, input).result.unwrap_err().to_json()
}

#[test]
fn data_flows_from_task_to_task() {
    let flow = "
input: { from: .order }
do:
  - first:
      input: { from: '.pet' }
      set: { name: '${ .name }', same: '${ $input == . }', raw: '${ $task.input.pet.name }', before: '${ $context }' }
      output: { as: { n: '${ .name }', raw: '${ $task.output.same }', in: '${ $input.name }' } }
      export: { as: '$context + {first: .n, out: $output.n}' }
  - second:
      set: { n: '${ .n }', kept: '${ $context.first }${ $context.out }!', whole: '${ $workflow.input.order.pet.name }', at: '${ $task.reference }' }
output: { as: '. + {pet: $context.pet.name}' }
";
    let expected = json!({"n": "milou", "kept": "miloumilou!", "whole": "milou", "at": "/do/1/second", "pet": "milou"});
    assert_eq!(output(flow, &json!({"order": {"pet": {"name": "milou"}}})), expected);
}

#[test]
fn directives_move_within_their_list() {
    for (kind, expected) in [("a", "A"), ("b", "B, then after"), ("c", "default, then after"), ("end", "ended")] {
        let flow = "
do:
  - choose:
      switch:
        - a: { when: '.kind == \"a\"', then: isA }
        - b: { when: '${ .kind == \"b\" }', then: isB }
        - end: { when: .kind == \"end\", then: inner }
        - otherwise: { then: other }
  - isA: { set: { is: A }, then: exit }
  - isB: { set: { is: B }, then: after }
  - inner: { do: [ { stop: { set: { is: ended }, then: end } }, { never: { set: { is: never } } } ] }
  - other: { do: [ { leave: { set: { is: default }, then: exit } }, { never: { set: { is: never } } } ] }
  - after: { set: { is: '${ .is }, then after' } }
";
        assert_eq!(output(flow, &json!({"kind": kind})), json!({"is": expected}), "{kind}");
    }
}

#[test]
fn a_skipped_task_passes_its_input_on() {
    let flow = "do: [ { no: { if: .x > 1, set: { y: 1 }, input: { from: .x }, then: end } }, { yes: { set: { x: '${ .x }' } } } ]";
    assert_eq!(output(flow, &json!({"x": 1})), json!({"x": 1}));
    assert_eq!(output(flow, &json!({"x": 2})), json!({"y": 1}));
}

#[test]
fn errors_name_the_task_they_come_from() {
    let inner = "do: [ { outer: { do: [ { inner: { set: { a: '${ .a.b }' } } } ] } } ]";
    let fault_of_inner = fault(inner, &json!({"a": 1}));
    assert_eq!(fault_of_inner["instance"], "/do/0/outer/do/0/inner");
    assert_eq!(fault_of_inner["type"], "https://open-workflow-specification.org/spec/1.0.0/errors/expression");
    assert_eq!(fault_of_inner["status"], 400);
    let raised = "do: [ { r: { raise: { error: { type: 'https://e.example/x', status: '${ .s }', title: T, detail: 'x ${ .s }' } } } } ]";
    let expected = json!({"type": "https://e.example/x", "status": 418, "title": "T", "detail": "x 418", "instance": "/do/0/r"});
    assert_eq!(fault(raised, &json!({"s": 418})), expected);
}

#[test]
fn events_are_cloud_events() {
    let flow = "do: [ { e: { emit: { event: { with: { type: t, data: '${ .d }', subject: s } } } } } ]";
    let outcome = run_in(&Answers::default(), flow, &json!({"d": [1]}));
    let expected = json!({
        "specversion": "1.0", "id": "an-id", "source": "/test/it/1.0.0", "time": "1970-01-01T00:00:00Z",
        "type": "t", "subject": "s", "data": [1],
    });
    assert_eq!(outcome.result, Ok(expected.clone()));
    assert_eq!(outcome.events, [expected]);
}

#[test]
fn requests_carry_what_the_task_says() {
    let flow = "
do:
  - send:
      call: http
      with:
        method: post
        endpoint: { uri: 'https://h.example/a/{id}?x=1', authentication: { basic: { username: u, password: '${ .p }' } } }
        query: { list: [1, b], none: null, flag: true }
        headers: { X-One: '${ .id }', X-None: null }
        body: { a: '${ .id }' }
        output: response
";
    let world = Answers::default();
    world.answers.borrow_mut().push(answer(201, "application/vnd.x+json; charset=utf-8", "{\"ok\": 1.5}"));
    let output = run_in(&world, flow, &json!({"id": "7/8", "p": "pw"})).result.unwrap();
    let request = world.sent.borrow_mut().remove(0);
    assert_eq!(request.method, "POST");
    assert_eq!(request.url.as_str(), "https://h.example/a/7%2F8?x=1&list=1&list=b&flag=true");
    assert_eq!(request.body, Some(Body::Json(json!({"a": "7/8"}))));
    let headers = [("X-One", "7/8"), ("content-type", "application/json"), ("authorization", "Basic dTpwdw==")];
    assert_eq!(request.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((&output["statusCode"], &output["content"]), (&json!(201), &json!({"ok": 1.5})));
    assert_eq!(output["request"]["method"], "post");
    assert!(!output.to_string().contains("dTpwdw"), "{output}");
}

#[test]
fn responses_become_content_or_errors() {
    let get = |rest: &str| format!("do: [ {{ g: {{ call: http, with: {{ method: get, endpoint: 'https://h.example/'{rest} }} }} }} ]");
    let answered = |rest: &str, response: Response| {
        let world = Answers::default();
        world.answers.borrow_mut().push(response);
        run_in(&world, &get(rest), &json!({})).result
    };
    assert_eq!(answered("", answer(200, "text/plain", "{}")), Ok(json!("{}")));
    assert_eq!(answered("", answer(200, "image/png", "abc")), Ok(json!("YWJj")));
    assert_eq!(answered("", answer(204, "application/json", "")), Ok(Value::Null));
    assert_eq!(answered(", output: raw", answer(200, "application/json", "{}")), Ok(json!("e30=")));
    assert_eq!(answered(", redirect: true", answer(302, "text/plain", "x")), Ok(json!("x")));
    let redirected = answered("", answer(302, "text/plain", "x")).unwrap_err();
    assert_eq!(redirected.status, 302);
    let fault = run_in(&Answers::default(), &get(""), &json!({})).result.unwrap_err();
    assert!(fault.is("https://serverlessworkflow.io/spec/1.0.0/errors/communication"));
    assert_eq!((fault.status, fault.detail.as_deref()), (500, Some("GET https://h.example/: nobody is there")));
}
