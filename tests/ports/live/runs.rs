//! Whole runs: what flows reach through the pipe, and how those end that would not by themselves.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use switchboard::flow::{Budget, Target};
use switchboard::harness::WorkersConfig;
use switchboard::harness::live::{
    Addresses, Ending, ExchangeLimits, Files, HostMapping, Live, LiveOutcome, LiveRun, Network, Policy, RunLimits, Subject,
};
use switchboard::manifest::Validation;
use switchboard::model::BundleFiles;

use crate::support::http::{Answer, Service};
use crate::support::processes::{children, is_alive, kill};

const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: it, version: '0.1.0' }\n";
const TIMEOUT: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/timeout";

fn live() -> Live {
    Live::new(WorkersConfig { concurrency: 2, ..WorkersConfig::new(env!("CARGO_BIN_EXE_switchboard")) }, Network::default())
}

fn run_of(live: &Live, subject: Subject) -> LiveRun<'static> {
    LiveRun {
        subject,
        input: json!({ "n": 2 }),
        policy: Policy { addresses: Addresses::Any, ..Policy::default() },
        session: live.session("test"),
        files: Files::None,
        listener: None,
        limits: RunLimits::default(),
    }
}

fn workflow(tasks: &str) -> Subject {
    Subject::Workflow { file: "flow.yaml".to_owned(), content: format!("{HEAD}{tasks}").into_bytes(), secrets: Map::new() }
}

fn call(endpoint: &str) -> Subject {
    workflow(&format!("do: [ {{ a: {{ call: http, with: {{ method: get, endpoint: '{endpoint}' }} }} }} ]\n"))
}

async fn ending(subject: Subject) -> Ending {
    let live = live();
    live.run(run_of(&live, subject)).await.unwrap().ending
}

#[track_caller]
fn fault(outcome: LiveOutcome) -> Value {
    let Ending::Fault(fault) = outcome.ending else { panic!("{outcome:?}") };
    fault
}

#[tokio::test]
async fn a_stand_alone_workflow_runs() {
    let text = "input: { from: '.n' }\ndo:\n  - a: { set: { m: '${ $input + 1 }', who: '${ $workflow.definition.document.name }/${ $task.reference }' } }\noutput: { as: '{m, who}' }\n";
    assert_eq!(ending(workflow(text)).await, Ending::Output(json!({"m": 3, "who": "it//do/0/a"})));

    let text = "use: { errors: { bad: { type: 'https://e.example/bad', status: 400 } } }\ndo: [ { a: { raise: { error: bad } } } ]\n";
    assert_eq!(ending(workflow(text)).await, Ending::Fault(json!({"type": "https://e.example/bad", "status": 400, "instance": "/do/0/a"})));

    let Ending::Fault(fault) = ending(workflow("do: [ { a: { set: { x: '${ def f: 1 + f; f }' } } } ]\n")).await else { panic!() };
    assert_eq!((&fault["status"], &fault["detail"]), (&json!(500), &json!("the stack overflowed")));

    let invalid = Subject::Workflow { file: "flow.yaml".to_owned(), content: b"document: {}\ndoo: []\n".to_vec(), secrets: Map::new() };
    let Ending::Invalid(problems) = ending(invalid).await else { panic!() };
    assert!(problems.len() >= 6 && problems.iter().all(|problem| problem.place.file == "flow.yaml"), "{problems:?}");
}

#[tokio::test]
async fn requests_cross_the_pipe_and_their_answers_come_back() {
    let service = Service::start(|request| Answer::json(json!({ "seen": request.parameter("n"), "blob": "x".repeat(300_000) })));
    let text = format!(
        "do:\n  - a: {{ call: http, with: {{ method: get, endpoint: '{}', query: {{ n: '${{ .n }}' }} }} }}\n  - b: {{ set: {{ seen: '${{ .seen }}', size: '${{ .blob | length }}' }} }}\n",
        service.url("/a")
    );
    assert_eq!(ending(workflow(&text)).await, Ending::Output(json!({ "seen": "2", "size": 300_000 })));
}

#[tokio::test]
async fn a_connectors_action_runs_within_its_hosts() {
    let manifest = r#"
apiVersion: switchboard/v1
name: issues
title: Issues
description: Follows issues.
kind: saas
status: editing
owner: alice@example.com
connection:
  hosts: [api.example.com, 127.0.0.1]
  baseUrl: "https://api.example.com/v1"
  properties: { token: { title: Token, type: string, secret: true } }
  authentication: { bearer: { token: "${ $connection.token }" } }
actions:
  get-issue: { do: [ { get: { call: request, with: { method: get, path: "/issues/{n}" } } } ] }
  get-metadata: { do: [ { get: { call: http, with: { method: get, endpoint: "http://127.0.0.1:1/" } } } ] }
"#;
    let service = Service::scripted([Answer::json(json!({ "number": 2, "token": "t0ps3cret" }))]);
    let files = BundleFiles::new([("connector.yaml".to_owned(), manifest.as_bytes().to_vec())].into());
    let live = live();
    let subject = |action: &str| Subject::Connector {
        connector: "issues".to_owned(),
        files: files.clone(),
        target: Target::Action(action.to_owned()),
        connection: json!({ "token": "t0ps3cret" }).as_object().unwrap().clone(),
        validation: Validation::Strict,
    };
    let policy = Policy {
        hosts: Some(vec!["api.example.com".to_owned(), "127.0.0.1".to_owned()]),
        addresses: Addresses::Public,
        mappings: vec![HostMapping::parse(&format!("api.example.com={}", service.url(""))).unwrap()],
    };
    let got = live.run(LiveRun { policy: policy.clone(), ..run_of(&live, subject("get-issue")) }).await.unwrap();
    assert_eq!(got.ending, Ending::Output(json!({ "number": 2, "token": "[redacted]" })));
    let received = service.request();
    assert_eq!((received.path(), received.header("authorization")), ("/v1/issues/2", Some("Bearer t0ps3cret")));

    let refused = fault(live.run(LiveRun { policy, ..run_of(&live, subject("get-metadata")) }).await.unwrap());
    assert!(refused["detail"].as_str().unwrap().contains("a loopback address, which is not allowed"), "{refused}");
}

#[tokio::test]
async fn the_parent_trusts_no_worker_about_hosts() {
    let service = Service::always(Answer::status(200));
    let live = live();
    let policy = Policy { hosts: Some(vec!["api.example.com".to_owned()]), addresses: Addresses::Any, ..Policy::default() };
    // The document says nothing of hosts, so its worker asks, as one would that a bundle has taken over.
    let refused = fault(live.run(LiveRun { policy, ..run_of(&live, call(&service.url("/"))) }).await.unwrap());
    assert!(refused["detail"].as_str().unwrap().contains("does not allow the host `127.0.0.1`"), "{refused}");
    assert_eq!(service.requests().len(), 0);
}

#[tokio::test]
async fn a_response_that_is_too_big_is_an_error_of_the_flow() {
    let service = Service::always(Answer::endless(vec![b'x'; 10_000]));
    let live = live();
    let exchange = ExchangeLimits { response: 50_000, ..ExchangeLimits::default() };
    let limits = RunLimits { exchange, ..RunLimits::default() };
    let refused = fault(live.run(LiveRun { limits, ..run_of(&live, call(&service.url("/"))) }).await.unwrap());
    assert!(refused["detail"].as_str().unwrap().contains("bigger than 50000 bytes"), "{refused}");
    assert_eq!(refused["instance"], "/do/0/a");
}

#[tokio::test]
async fn runs_go_on_at_once_and_connections_are_shared() {
    let both = Arc::new(Barrier::new(2));
    let service = Service::start(move |request| {
        if request.path() == "/both" {
            both.wait();
        }
        Answer::json(json!(request.connection))
    });
    let live = live();
    let (one, other) =
        tokio::join!(live.run(run_of(&live, call(&service.url("/both")))), live.run(run_of(&live, call(&service.url("/both")))),);
    let connections = [one, other].map(|outcome| outcome.unwrap().ending);
    let third = live.run(run_of(&live, call(&service.url("/")))).await.unwrap().ending;
    assert!(connections.contains(&third), "{connections:?} {third:?}");
}

fn limits(time: Duration, evaluation: Duration) -> RunLimits {
    RunLimits { budget: Budget { time, ..Budget::default() }, evaluation, ..RunLimits::default() }
}

/// Limits that are met soon.
fn short() -> RunLimits {
    limits(Duration::from_secs(2), Duration::from_millis(500))
}

#[tokio::test]
async fn a_slow_answer_is_cut_off_by_the_runs_end() {
    let service = Service::always(Answer::never());
    let live = live();
    let began = Instant::now();
    let late = fault(live.run(LiveRun { limits: short(), ..run_of(&live, call(&service.url("/"))) }).await.unwrap());
    assert_eq!((&late["type"], &late["status"]), (&json!(TIMEOUT), &json!(408)), "{late}");
    assert!((2.0..2.4).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_endless_expression_ends_in_a_timeout_and_its_worker_is_gone() {
    let live = live();
    let endless = || workflow("do: [ { a: { set: { x: '${ def f: f; f }' } } } ]\n");
    for _ in 0..2 {
        let began = Instant::now();
        let late = fault(live.run(LiveRun { limits: short(), ..run_of(&live, endless()) }).await.unwrap());
        let took = began.elapsed().as_secs_f64();
        assert_eq!((&late["type"], &late["status"]), (&json!(TIMEOUT), &json!(408)), "{late}");
        assert_eq!(late["detail"], "an expression was evaluated for longer than 500 ms");
        // Beside the limit, the worker's start.
        assert!((0.5..1.5).contains(&took), "{took}");
    }
    // A killed process takes a moment to go.
    while !alive().is_empty() {
        tokio::task::yield_now().await;
    }
    let limits = limits(Duration::from_millis(600), Duration::from_secs(60));
    let late = fault(live.run(LiveRun { limits, ..run_of(&live, endless()) }).await.unwrap());
    assert_eq!(late["detail"], "the flow ran longer than 600 ms");
}

#[tokio::test]
async fn a_worker_killed_from_outside_is_an_error_with_its_reason() {
    let service = Arc::new(Service::always(Answer::never()));
    let (live, waiting) = (live(), Arc::clone(&service));
    let kill = async {
        tokio::task::spawn_blocking(move || waiting.wait_for(1)).await.unwrap();
        let victim = alive()[0];
        kill(victim);
    };
    let (outcome, ()) = tokio::join!(live.run(run_of(&live, call(&service.url("/")))), kill);
    let dead = fault(outcome.unwrap());
    assert_eq!((&dead["status"], &dead["detail"]), (&json!(500), &json!("it was killed from outside")), "{dead}");
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_ends_its_worker() {
    let service = Arc::new(Service::always(Answer::never()));
    let (live, waiting) = (Arc::new(live()), Arc::clone(&service));
    let running = tokio::spawn({
        let (live, subject) = (Arc::clone(&live), call(&service.url("/")));
        async move { live.run(run_of(&live, subject)).await }
    });
    tokio::task::spawn_blocking(move || waiting.wait_for(1)).await.unwrap();
    let worker = alive()[0];
    running.abort();
    assert!(running.await.is_err());
    while is_alive(worker) {
        tokio::task::yield_now().await;
    }
}

/// The processes that this test has started and that have not ended.
fn alive() -> Vec<u32> {
    children().into_iter().filter(|child| is_alive(*child)).collect()
}
