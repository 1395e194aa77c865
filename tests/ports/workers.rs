//! Suites run in real worker processes: what passes, and how what fails is told.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod hooks;
mod hostile;
mod matching;
mod parallel;
mod requests;
mod told;
mod turns;
mod workflows;

use std::collections::BTreeMap;
use std::time::Duration;

use switchboard::harness::{Chosen, Job, Workers, WorkersConfig};
use switchboard::model::{BundleFiles, CaseOutcome, CaseReport, Digest, Evidence};

fn config() -> WorkersConfig {
    WorkersConfig { concurrency: 2, ..WorkersConfig::new(env!("CARGO_BIN_EXE_switchboard")) }
}

/// A deadline that an endless case meets soon, and an honest one never.
fn impatient() -> WorkersConfig {
    WorkersConfig { case_deadline: Duration::from_secs(2), ..config() }
}

const HEAD: &str = r#"
apiVersion: switchboard/v1
name: issues
title: Issues
description: Follows issues.
kind: saas
status: editing
owner: alice@example.com
connection:
  hosts: [api.example.com]
  baseUrl: "${ $connection.baseUrl }"
  properties:
    baseUrl: { title: Address, type: string, default: "https://api.example.com/v1" }
    token: { title: Token, type: string, secret: true }
  authentication: { bearer: { token: "${ $connection.token }" } }
  test: { do: [ { whoAmI: { call: request, with: { method: get, path: /user } } } ] }
errors:
  not-found: { status: 404, title: No such issue }
types:
  Issue: { type: object, required: [number], properties: { number: { type: integer } } }
"#;

const GOOD: &str = r##"
actions:
  get-issue:
    input: { type: object, required: [owner, number], properties: { owner: { type: string } } }
    output: { $ref: "#/types/Issue" }
    errors: [not-found]
    do:
      - get:
          call: request
          with:
            method: get
            path: /repos/{owner}/issues/{number}
            query: { state: "${ .state }" }
            errors: [ { status: 404, raise: not-found } ]
          output: { as: "{number, title: (.title | ascii_upcase)}" }
  create-issue:
    do:
      - create: { call: request, with: { method: post, path: /issues, headers: { X-Trace: "t-${ .n }" }, body: { title: "${ .title }" }, output: response } }
      - shape: { set: { status: "${ .statusCode }", seen: "${ $connection.token }", id: "${ .content.id }" } }
triggers:
  opened:
    on: { webhook: { path: /opened } }
    output: { $ref: "#/types/Issue" }
    do:
      - choose: { switch: [ { opened: { when: '.body.action == "opened"', then: emit } }, { other: { then: end } } ] }
      - emit: { emit: { event: { with: { type: issue.opened, data: "${ .body.issue }" } } } }
  polled:
    on: { schedule: { every: PT5M } }
    do:
      - list: { call: request, with: { method: get, path: /issues } }
      - first: { emit: { event: { with: { type: issue.seen, data: "${ .[0] }" } } } }
"##;

fn files(manifest: &str, suite: &str) -> BundleFiles {
    let text = |text: &str| text.as_bytes().to_vec();
    BundleFiles::new(BTreeMap::from([
        ("connector.yaml".to_owned(), text(manifest)),
        ("tests/suite.yaml".to_owned(), format!("title: Suite\nconnection: {{ token: t0ps3cret }}\ncases:\n{suite}").into_bytes()),
    ]))
}

fn job(manifest: &str, suite: &str) -> Job {
    let files = files(&format!("{HEAD}{manifest}"), suite);
    let digest = Digest::of(&files.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect::<Vec<_>>());
    Job { connector: "issues".parse().unwrap(), digest, files, chosen: Chosen::All }
}

/// A job with an action for each expression, and a case for each action.
fn hostile(expressions: &[&str]) -> Job {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let actions = expressions.iter().enumerate().map(|(at, expression)| {
        format!("  a{at}: {{ do: [ {{ t: {{ set: {{ x: {} }} }} }} ] }}\n", quoted(&format!("${{ {expression} }}")))
    });
    let cases = (0..expressions.len()).map(|at| format!("  - {{ title: c{at}, action: a{at}, expect: {{ output: {{ x: 2 }} }} }}\n"));
    job(&format!("actions:\n{}", actions.collect::<String>()), &cases.collect::<String>())
}

async fn run(job: Job) -> Evidence {
    Workers::new(config()).run(job).await.unwrap()
}

fn failures(case: &CaseReport) -> String {
    assert_eq!(case.outcome, CaseOutcome::Failed, "{case:?}");
    case.failures.iter().map(|failure| failure.message.as_str()).collect::<Vec<_>>().join("\n")
}

fn all_passed(evidence: &Evidence, cases: usize) {
    assert_eq!(evidence.failure, None);
    assert_eq!(evidence.cases.iter().filter(|case| case.outcome == CaseOutcome::Passed).count(), cases, "{:#?}", evidence.cases);
    assert_eq!(evidence.cases.len(), cases);
}

#[tokio::test]
async fn a_good_suite_passes() {
    let suite = r##"
  - title: gets an issue
    action: get-issue
    input: { owner: a/b, number: 7, state: open }
    exchanges:
      - request: { method: get, path: /v1/repos/a%2Fb/issues/7, query: { state: open }, headers: { Authorization: Bearer t0ps3cret } }
        response: { status: 200, body: { number: 7, title: hello, more: [1] } }
    expect: { output: { title: HELLO, number: 7.0 } }
  - title: a missing issue
    action: get-issue
    input: { owner: a, number: 8 }
    exchanges:
      - { request: { method: get, path: /v1/repos/a/issues/8, query: {} }, response: { status: 404 } }
    expect: { error: { name: not-found, status: 404, type: "#/errors/not-found" } }
  - title: a failing service
    action: get-issue
    input: { owner: a, number: 8 }
    exchanges:
      - { request: { method: GET }, response: { status: 503, body: down } }
    expect: { error: { type: "https://serverlessworkflow.io/spec/1.0.0/errors/communication", status: 503 } }
  - title: creates an issue, and its output holds no secret
    action: create-issue
    input: { title: x, n: 5 }
    exchanges:
      - request: { method: post, url: "https://api.example.com/v1/issues", headers: { x-trace: t-5, content-type: application/json }, body: { title: x } }
        response: { status: 201, body: { id: 9 } }
    expect: { output: { status: 201, seen: "[redacted]", id: 9 } }
  - title: a webhook emits
    trigger: opened
    request: { body: { action: opened, issue: { number: 1 } } }
    expect: { events: [ { type: issue.opened, data: { number: 1 } } ] }
  - title: a webhook of another kind does not
    trigger: opened
    request: { body: { action: closed } }
    expect: { events: [] }
  - title: a poll emits
    trigger: polled
    exchanges: [ { request: { method: get, path: /v1/issues }, response: { status: 200, body: [ { a: 1 } ] } } ]
    expect: { events: [ { data: { a: 1 } } ] }
  - title: the test connection works
    testConnection: true
    exchanges: [ { request: { method: get, path: /v1/user }, response: { status: 200, body: { login: me } } } ]
    expect: { output: { login: me } }
"##;
    let evidence = run(job(GOOD, suite)).await;
    all_passed(&evidence, 8);
    assert_eq!(evidence.cases[0].target, "actions/get-issue");
    assert_eq!(evidence.cases[7].target, "connection/test");
    assert_eq!((evidence.cases[0].place.file.as_str(), evidence.cases[0].place.line), ("tests/suite.yaml", 5));
}

#[tokio::test]
async fn what_is_not_as_expected_is_shown() {
    let suite = r#"
  - { title: other output, action: create-issue, input: { title: x }, exchanges: [ { request: { method: post }, response: { status: 200 } } ], expect: { output: { status: 201 } } }
  - { title: other request, action: get-issue, input: { owner: a, number: 1 }, exchanges: [ { request: { method: get, path: /v1/x, headers: { authorization: Bearer other } }, response: { status: 200 } } ], expect: { output: 1 } }
  - { title: unexpected request, testConnection: true, expect: { output: 1 } }
  - { title: unsent request, trigger: opened, request: { body: {} }, exchanges: [ { request: { method: get, path: /never }, response: { status: 200 } } ], expect: { events: [] } }
  - { title: wrong input, action: get-issue, input: { owner: 1 }, expect: { output: 1 } }
  - { title: wrong output, action: get-issue, input: { owner: a, number: 1 }, exchanges: [ { request: { method: get }, response: { status: 200, body: { number: x, title: t } } } ], expect: { output: { number: x, title: T } } }
  - { title: unexpected error, testConnection: true, exchanges: [ { request: { method: get }, response: { status: 401, body: "no t0ps3cret" } } ], expect: { output: {} } }
  - { title: no error, testConnection: true, exchanges: [ { request: { method: get }, response: { status: 200 } } ], expect: { error: { status: 401 } } }
  - { title: other events, trigger: opened, request: { body: { action: opened, issue: { number: 2 } } }, expect: { events: [ { data: { number: 1 } }, { data: { number: 2 } } ] } }
  - { title: unknown action, action: get-isue, expect: { output: 1 } }
  - { title: unknown property, testConnection: true, connection: { tokn: x }, expect: { output: 1 } }
  - { title: no request, trigger: opened, expect: { events: [] } }
"#;
    let evidence = run(job(GOOD, suite)).await;
    let expected = [
        "the output is not as expected:\n--- expected\n+++ actual\n@@ -1,3 +1,5 @@\n {\n-  \"status\": 201\n+  \"id\": null,\n+  \"seen\": \"[redacted]\",\n+  \"status\": 200\n }",
        "-    \"authorization\": \"Bearer other\"\n+    \"authorization\": \"Bearer [redacted]\"\n   },\n   \"method\": \"get\",\n-  \"path\": \"/v1/x\"\n+  \"path\": \"/v1/repos/a/issues/1\"",
        "request 1 is not expected, none is:\n{\n  \"headers\": {\n    \"authorization\": \"Bearer [redacted]\"\n  },\n  \"method\": \"get\",\n  \"path\": \"/v1/user\"",
        "request 1 was never sent: GET /never",
        "the input does not fit its schema: /owner: 1 is not of type \"string\"",
        "the output does not fit its schema: /number: \"x\" is not of type \"integer\"",
        "\"status\": 401",
        "an error is expected, but the flow ended with the output\nnull",
        "the events are not as expected:",
        "the connector has no action `get-isue`; did you mean `get-issue`?",
        "the connection has no property `tokn`; did you mean `token`?",
        "the trigger `opened` is a webhook: the case needs a `request`",
    ];
    assert_eq!(evidence.cases.len(), expected.len(), "{:?}", evidence.failure);
    for (case, expected) in evidence.cases.iter().zip(expected) {
        let shown = failures(case);
        assert!(shown.contains(expected), "{}: {shown}", case.case);
        assert!(!shown.contains("t0ps3cret"), "{shown}");
    }
}

#[tokio::test]
async fn a_missing_connection_property_fails_the_case() {
    let mut job = job(GOOD, "  - { title: x, testConnection: true, expect: { output: 1 } }\n");
    let suite = "title: S\ncases: [ { title: x, testConnection: true, expect: { output: 1 } } ]\n";
    let text = format!("{HEAD}{GOOD}");
    job.files = BundleFiles::new(BTreeMap::from([
        ("connector.yaml".to_owned(), text.into_bytes()),
        ("tests/s.yaml".to_owned(), suite.as_bytes().to_vec()),
    ]));
    let evidence = run(job).await;
    assert!(failures(&evidence.cases[0]).contains("`token` has no default"), "{evidence:?}");
}

#[tokio::test]
async fn only_the_hosts_of_the_connection_are_reached() {
    let actions = "actions:\n  a: { do: [ { t: { call: http, with: { method: get, endpoint: \"${ .to }\" } } } ] }\n";
    let suite = r#"
  - { title: elsewhere, action: a, input: { to: "http://169.254.169.254/" }, expect: { error: { type: "https://open-workflow-specification.org/spec/1.0.0/errors/configuration" } } }
  - { title: here, action: a, input: { to: "https://api.example.com/x" }, exchanges: [ { request: { method: get, path: /x }, response: { status: 200 } } ], expect: { output: null } }
  - { title: a file, action: a, input: { to: "file:///etc/passwd" }, expect: { error: { status: 400 } } }
"#;
    all_passed(&run(job(actions, suite)).await, 3);
}
