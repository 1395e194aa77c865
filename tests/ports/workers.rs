//! Suites run in real worker processes: what passes, what fails, and what hostile bundles do to their workers, and to nobody else.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::json;
use switchboard::harness::{FlowOutcome, Harness, Job, Workers, WorkersConfig, run_flow};
use switchboard::manifest::Bundle;
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
    Job { connector: "issues".parse().unwrap(), digest, files }
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
    Workers::new(config()).run(job).await
}

fn failures(case: &CaseReport) -> String {
    assert_eq!(case.outcome, CaseOutcome::Failed, "{case:?}");
    case.failures.join("\n")
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
        "request 1 is not expected, only 0 are:\n{\n  \"headers\": {\n    \"authorization\": \"Bearer [redacted]\"\n  },\n  \"method\": \"get\",\n  \"path\": \"/v1/user\"",
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

#[tokio::test]
async fn a_flow_with_problems_fails_as_a_whole() {
    for (expression, word) in
        [("halt", "`halt` is not available"), ("env", "`env` is not available"), ("$ENV.PATH", "no variable `$ENV`"), (".a |", "SB310")]
    {
        let evidence = run(hostile(&[expression])).await;
        let failure = evidence.failure.as_deref().unwrap_or_default();
        assert!(failure.contains(word) && failure.contains("connector.yaml:"), "{failure}");
        assert!(!evidence.verdict().is_good());
    }
}

#[tokio::test]
async fn what_ends_a_worker_fails_its_own_case_and_no_other() {
    // Little memory, so that a debug build soon has used it up.
    let config = WorkersConfig { memory: 160 << 20, case_deadline: Duration::from_secs(60), ..config() };
    let evidence = Workers::new(config)
        .run(hostile(&[
            "1 + 1",
            "\"x\" * 1000000000 | length",
            "2",
            "[range(1000000000)] | length",
            "\"0123456789\" * 900000",
            "reduce range(200) as $i (2; [.])",
            "last(range(1; 3))",
        ]))
        .await;
    assert_eq!(evidence.failure, None);
    let outcomes: Vec<_> = evidence.cases.iter().map(|case| case.failures.join(" ")).collect();
    let memory = "the worker ran out of memory (limit 160 MiB)";
    assert_eq!(outcomes[..4], ["", memory, "", memory]);
    assert!(outcomes[4].contains("the value is bigger than"), "{outcomes:?}");
    assert!(outcomes[5].contains("nests deeper than"), "{outcomes:?}");
    assert_eq!(outcomes[6..], [""]);
}

#[tokio::test]
async fn an_endless_case_is_stopped() {
    let config = WorkersConfig { case_deadline: Duration::from_secs(1), ..config() };
    let evidence = Workers::new(config).run(hostile(&["def f: f; f", "2"])).await;
    assert_eq!(failures(&evidence.cases[0]), "it did not end within 1 s and was stopped");
    assert_eq!(evidence.cases[1].outcome, CaseOutcome::Passed);
}

#[tokio::test]
async fn deep_recursion_ends_its_worker_only() {
    let deep = "(\"[\" * 200000) + (\"]\" * 200000) | fromjson | 2";
    let evidence = run(hostile(&[deep, "2", "def f: 1 + f; f", "1 + 1"])).await;
    assert_eq!(failures(&evidence.cases[0]), "the stack overflowed");
    assert_eq!(evidence.cases[1].outcome, CaseOutcome::Passed);
    assert_eq!(failures(&evidence.cases[2]), "the stack overflowed");
    assert_eq!(evidence.cases[3].outcome, CaseOutcome::Passed);
}

#[tokio::test]
async fn a_bundle_that_ends_every_worker_is_given_up() {
    let evidence = run(hostile(&["\"x\" * 1000000000"; 10])).await;
    assert_eq!(evidence.cases.len(), 8);
    assert!(evidence.failure.unwrap().contains("were not run"));
}

#[tokio::test]
async fn a_flow_that_goes_round_runs_out_of_steps() {
    let actions = "actions:\n  a: { do: [ { one: { set: { x: 1 } } }, { two: { set: { x: 2 }, then: one } } ] }\n";
    let suite = "  - { title: round, action: a, expect: { error: { type: \"https://open-workflow-specification.org/spec/1.0.0/errors/runtime\" } } }\n";
    all_passed(&run(job(actions, suite)).await, 1);
}

#[tokio::test]
async fn a_hostile_neighbour_is_not_noticed() {
    let workers = Workers::new(impatient());
    let endless = hostile(&["def f: f; f"]);
    let good = hostile(&["1 + 1", "3 - 1"]);
    let (endless_digest, good_digest) = (endless.digest, good.digest);
    workers.start(endless.clone()).await.unwrap();
    workers.start(endless).await.unwrap();
    workers.start(good).await.unwrap();
    workers.finished().await;
    let progress = workers.progress().await.unwrap();
    assert_eq!(progress.running, [endless_digest]);
    all_passed(&progress.finished[0], 2);
    workers.acknowledge(&good_digest).await.unwrap();
    workers.finished().await;
    let progress = workers.progress().await.unwrap();
    assert_eq!((progress.running.len(), progress.finished.len()), (0, 1));
    assert!(failures(&progress.finished[0].cases[0]).contains("did not end"));
}

#[tokio::test]
async fn a_cancelled_run_leaves_nothing_behind() {
    let workers = Workers::new(WorkersConfig { concurrency: 1, ..config() });
    let (endless, good) = (hostile(&["def f: f; f"]), hostile(&["2"]));
    workers.start(endless.clone()).await.unwrap();
    workers.start(good.clone()).await.unwrap();
    assert_eq!(workers.progress().await.unwrap().running.len(), 2);
    // The only worker is free for the second run because the first one is gone.
    workers.cancel(&endless.digest).await.unwrap();
    workers.finished().await;
    let progress = workers.progress().await.unwrap();
    assert_eq!(progress.running, []);
    assert_eq!(progress.finished.iter().map(|evidence| evidence.digest).collect::<Vec<_>>(), [good.digest]);
}

/// The processes that this test has started: its children by `/proc`.
fn children() -> Vec<u32> {
    let own = std::process::id();
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{own}/task")).unwrap() {
        let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(|id| id.parse::<u32>().unwrap()));
    }
    found
}

fn kill(process: u32) {
    assert!(std::process::Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn a_worker_killed_from_outside_is_replaced() {
    let workers = Workers::new(config());
    all_passed(&workers.run(hostile(&["2"])).await, 1);
    let idle = children();
    assert_eq!(idle.len(), 1);
    kill(idle[0]);
    all_passed(&workers.run(hostile(&["1 + 1"])).await, 1);

    let endless = hostile(&["def f: f; f", "2"]);
    workers.start(endless).await.unwrap();
    let victim = loop {
        // Busy once it has used the processor for something, which an idle worker does not do.
        if let Some(busy) = children().into_iter().find(|child| ticks(*child) > 20) {
            break busy;
        }
        tokio::task::yield_now().await;
    };
    kill(victim);
    workers.finished().await;
    let evidence = workers.progress().await.unwrap().finished.remove(0);
    assert_eq!(failures(&evidence.cases[0]), "it was killed from outside");
    assert_eq!(evidence.cases[1].outcome, CaseOutcome::Passed);
}

fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')').next().unwrap().split_whitespace().nth(11).map_or(0, |ticks| ticks.parse().unwrap())
}

#[tokio::test]
async fn workers_are_warm_and_end_with_their_owner() {
    let workers = Workers::new(config());
    all_passed(&workers.run(hostile(&["2"])).await, 1);
    let first = children();
    all_passed(&workers.run(hostile(&["1 + 1"])).await, 1);
    assert_eq!(children(), first);
    let status = fs::read_to_string(format!("/proc/{}/limits", first[0])).unwrap();
    for line in [
        "Max address space         536870912            536870912",
        "Max core file size        0                    0",
        "Max file size             0                    0",
    ] {
        assert!(status.contains(line), "{status}");
    }
    assert_eq!(fs::read(format!("/proc/{}/environ", first[0])).unwrap(), b"");
    assert_eq!(fs::read_link(format!("/proc/{}/cwd", first[0])).unwrap().as_os_str(), "/");
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_a_failed_run() {
    for program in ["/bin/true", "/does/not/exist", "/bin/cat"] {
        let config = WorkersConfig { program: program.into(), ..impatient() };
        let evidence = Workers::new(config).run(hostile(&["2"])).await;
        assert!(evidence.failure.is_some() && evidence.cases.is_empty(), "{program}: {evidence:?}");
    }
}

async fn flow(text: &str) -> FlowOutcome {
    run_flow(&impatient(), "flow.yaml", text.as_bytes(), json!({"n": 2})).await.unwrap()
}

#[tokio::test]
async fn a_stand_alone_workflow_runs() {
    let head = "document: { dsl: '1.0.3', namespace: test, name: it, version: '0.1.0' }\n";
    let text = format!(
        "{head}input: {{ from: '.n' }}\ndo:\n  - a: {{ set: {{ m: '${{ $input + 1 }}', who: '${{ $workflow.definition.document.name }}/${{ $task.reference }}' }} }}\noutput: {{ as: '{{m, who}}' }}\n"
    );
    assert_eq!(flow(&text).await, FlowOutcome::Output(json!({"m": 3, "who": "it//do/0/a"})));

    let text = format!(
        "{head}use: {{ errors: {{ bad: {{ type: 'https://e.example/bad', status: 400 }} }} }}\ndo: [ {{ a: {{ raise: {{ error: bad }} }} }} ]\n"
    );
    let fault = json!({"type": "https://e.example/bad", "status": 400, "instance": "/do/0/a"});
    assert_eq!(flow(&text).await, FlowOutcome::Fault(fault));

    let text = format!("{head}do: [ {{ a: {{ call: http, with: {{ method: get, endpoint: 'https://example.com' }} }} }} ]\n");
    let FlowOutcome::Fault(fault) = flow(&text).await else { panic!() };
    assert!(fault["detail"].as_str().unwrap().contains("later version"), "{fault}");

    let text = format!("{head}do: [ {{ a: {{ set: {{ x: '${{ def f: 1 + f; f }}' }} }} }} ]\n");
    let FlowOutcome::Fault(fault) = flow(&text).await else { panic!() };
    assert_eq!(fault["detail"], "the stack overflowed");

    let FlowOutcome::Invalid(problems) = flow("document: {}\ndoo: []\n").await else { panic!() };
    assert!(problems.len() >= 6 && problems.iter().all(|problem| problem.place.file == "flow.yaml"), "{problems:?}");
}

#[test]
fn checking_finds_problems_at_their_places() {
    let manifest = format!("{HEAD}actions:\n  a:\n    do:\n      - t: {{ set: {{ x: \"${{ .a | }}\" }}, thn: end }}\n");
    let bundle = Bundle::read("issues", &files(&manifest, "  - { title: x, action: a, expect: { output: 1 } }\n")).unwrap();
    let problems = switchboard::flow::check(&bundle);
    let shown: Vec<_> = problems.iter().map(|problem| (problem.code.as_str(), problem.place.line, problem.place.column)).collect();
    let line = u32::try_from(manifest.lines().count()).unwrap();
    assert_eq!(shown, [("SB310", line, 24), ("SB302", line, 39)], "{problems:?}");
}
