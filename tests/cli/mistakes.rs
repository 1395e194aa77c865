//! Mistakes that are easily made, and what is said of them, wherever they are noticed.

use serde_json::{Value, json};

use crate::support::command::{Ran, Team};
use crate::support::http::{Answer, Service};

const MANIFEST: &str = "connectors/crm/connector.yaml";
const HEAD: &str = "document: { dsl: 1.0.0, namespace: test, name: it, version: 1.0.0 }\n";
const CALL: &str = "method: get\n            path: /items/{id}\n";

/// What `validate` says of the connector with something else in place of its call's method and path.
fn validated(call: &str) -> Ran {
    let team = Team::with_crm();
    team.replace(MANIFEST, CALL, call);
    team.run(&["validate", "crm"])
}

fn flow(team: &Team, tasks: &str, flags: &[&str]) -> Ran {
    team.write("flow.yaml", format!("{HEAD}do:\n{tasks}"));
    team.run(&[&["flow", "run", "flow.yaml"][..], flags].concat())
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn problems_of_a_document_are_shown_with_their_lines_and_hints() {
    let team = Team::new();
    let tasks = "  - wiat: { wait: { secnods: 1 } }\n";
    let ran = flow(&team, tasks, &[]).failed();
    says(
        &ran.err,
        &[
            "flow.yaml:3:21: error[SB302]",
            "    3 |   - wiat: { wait: { secnods: 1 } }\n      |                     ^",
            "hint: Did you mean `seconds`?",
        ],
    );
    says(&ran.err, &["cannot run flow.yaml: the files have 1 error"]);
    let ran = flow(&team, tasks, &["--output", "json"]).failed();
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    says(error["error"]["reason"].as_str().unwrap(), &["flow.yaml:3:21: error[SB302]: unknown key `secnods`", "Did you mean `seconds`?"]);
}

#[test]
fn durations_that_nobody_waits_for_are_refused() {
    let team = Team::new();
    for span in ["{ days: 1000000000000 }", "{ days: 18446744073709551615 }", "P1000000000000D", "P99999999999999999999D"] {
        for tasks in [
            format!("  - a: {{ wait: {span} }}\n"),
            format!("  - a: {{ try: [ {{ b: {{ set: {{}} }} }} ], catch: {{ retry: {{ delay: {span} }} }} }}\n"),
            format!("  - a: {{ set: {{}}, timeout: {{ after: {span} }} }}\n"),
        ] {
            let ran = flow(&team, &tasks, &[]).failed();
            says(&ran.err, &["flow.yaml:3:", "error[SB306]", "longer than 100 years"]);
        }
    }
    let ran = flow(&team, "  - a: { wait: '${ \"P1000000000000D\" }' }\n", &[]).failed();
    says(&ran.err, &["errors/expression", "`P1000000000000D` is longer than 100 years", "/do/0/a"]);
}

#[test]
fn a_refused_address_says_how_to_allow_it() {
    let team = Team::new();
    for host in ["127.0.0.1", "localhost"] {
        let ran = flow(&team, &format!("  - a: {{ call: http, with: {{ method: get, endpoint: 'http://{host}:1/' }} }}\n"), &[]).failed();
        says(&ran.err, &["--allow-private", "allowPrivateAddresses"]);
    }
}

#[test]
fn keys_of_the_other_call_are_told_as_such() {
    let team = Team::new();
    let ran = flow(&team, "  - a: { call: http, with: { method: get, path: /x, errors: [], endpoint: 'http://h/' } }\n", &[]).failed();
    says(&ran.err, &["unknown key `path`", "`path` belongs to `call: request`", "`errors` belongs to `call: request`"]);
    let ran = validated("method: get\n            endpoint: https://api.example.com/items\n").failed();
    says(&ran.out, &["`endpoint` belongs to `call: http`"]);
    let ran = validated(&format!("{CALL}            zzz: 1\n")).failed();
    says(&ran.out, &["unknown key `zzz`", "Known keys here: `method`, `path`, `headers`"]);
}

#[test]
fn what_is_written_in_another_form_is_shown_in_the_right_one() {
    let ran = validated(&format!("{CALL}            retry: 3\n")).failed();
    says(&ran.out, &["`retry` must be a map, not a number", "hint: Write `retry: { limit: { attempt: { count: 3 } } }`."]);
    let ran = validated("method: get\n            path: /items/{+id}\n").failed();
    says(&ran.out, &["only simple expansion", "hint: Only `{name}` is replaced.", "write an expression"]);
    let team = Team::with_crm();
    team.replace(
        MANIFEST,
        "    bearer: { token: \"${ $connection.token }\" }",
        "    apiKey: { in: query, name: key, value: \"${ $connection.token }\" }",
    );
    let ran = team.run(&["validate", "crm"]).failed();
    says(&ran.out, &["unknown key `in`", "hint: Write `apiKey: { query: NAME, value: … }`, or `header: NAME`."]);
}

#[test]
fn inputs_that_cannot_be_read_are_told() {
    let team = Team::with_crm();
    let ran = team.run(&["invoke", "crm", "get-item", "--input", "@missing.json"]).failed();
    says(&ran.err, &["cannot read the input", "missing.json", "hint: "]);
    for input in [r#"{"id":"a","id":"b"}"#, r#"[{"x":{"y":1,"y":1}}]"#] {
        let ran = team.run(&["invoke", "crm", "get-item", "--input", input]).two();
        says(&ran.err, &["cannot read the input", "is given twice"]);
    }
}

#[test]
fn an_untracked_file_of_secrets_is_not_called_public() {
    let team = Team::with_crm();
    team.write("my.yaml", "token: hush\n");
    let ran = team.run(&["invoke", "crm", "get-item", "--connection", "my.yaml"]).failed();
    says(&ran.err, &["error[SB154]", "which git does not ignore", ".gitignore"]);
    assert!(!ran.err.contains("everybody who can read"), "{}", ran.err);
    team.commit_all("A secret");
    let ran = team.run(&["invoke", "crm", "get-item", "--connection", "my.yaml"]).failed();
    says(&ran.err, &["error[SB154]", "everybody who can read the repository"]);
}

#[test]
fn text_that_reads_like_an_expression_is_a_warning() {
    let ran = validated("method: post\n            path: /items\n            body: { t: .id, deep: [{ of: '.a[\"b\"]' }], ok: ./file, dots: '...' }\n            headers: { X-Token: $connection.token, X-Price: $5 }\n").done();
    assert_eq!(ran.out.matches("warning[SB315]").count(), 3, "{}", ran.out);
    says(&ran.out, &["`.id` is text here, not an expression", "hint: Write `${ .id }`", "`$connection.token` is text here"]);
    let team = Team::with_crm();
    team.replace(MANIFEST, "as: \"${ { id, name } }\"", "as: { id: .id }");
    says(&team.run(&["validate", "crm"]).done().out, &["warning[SB315]: `.id` is text here"]);
    team.replace(MANIFEST, "as: { id: .id }", "as: .id");
    assert!(!team.run(&["validate", "crm"]).done().out.contains("SB315"));
}

#[test]
fn headers_that_would_not_be_sent_are_refused() {
    let ran = validated(&format!("{CALL}            headers: {{ TE: trailers, expect: 100-continue, Connection: close }}\n")).failed();
    assert_eq!(ran.out.matches("error[SB306]").count(), 2, "{}", ran.out);
    says(&ran.out, &["the header `TE` cannot be set"]);
    let (team, service) = (Team::new(), Service::always(Answer::json(json!({}))));
    let call = "{ method: get, endpoint: 'http://h/', headers: '${ {(\"Proxy-\" + \"Authorization\"): \"x\"} }' }";
    let map = format!("h={}", service.url(""));
    let ran = flow(&team, &format!("  - a: {{ call: http, with: {call} }}\n"), &["--map-host", &map]).failed();
    says(&ran.err, &["errors/expression", "the header `Proxy-Authorization` cannot be set"]);
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn methods_beside_the_usual_ones_are_sent() {
    let (team, service) = (Team::new(), Service::always(Answer::json(json!({}))));
    let map = format!("h={}", service.url(""));
    let call = |method: &str| format!("  - a: {{ call: http, with: {{ method: {method}, endpoint: 'http://h/' }} }}\n");
    for method in ["propfind", "QUERY", "version-control", "mkcol"] {
        flow(&team, &call(method), &["--map-host", &map]).done();
        assert_eq!(service.requests().last().unwrap().method, method.to_uppercase());
    }
    says(&flow(&team, &call("propfnid"), &[]).failed().err, &["`method` is `propfnid`", "hint: Did you mean `propfind`?"]);
    for method in ["connect", "xyzzy"] {
        says(&flow(&team, &call(method), &[]).failed().err, &[&format!("`method` is `{method}`"), "hint: "]);
    }
}

/// Invokes the connector's action with a service that answers so.
fn invoked(team: &Team, answer: Answer) -> Value {
    team.write("my.yaml", "token: { env: CRM_TOKEN }\n");
    let service = Service::always(answer);
    let map = format!("api.example.com={}", service.url(""));
    let arguments = ["invoke", "crm", "get-item", "--input", r#"{"id":"a"}"#, "--connection", "my.yaml", "--map-host", &map];
    let ran = team.run_with(&team.root(), &arguments, &[("CRM_TOKEN", "hush")]).failed();
    serde_json::from_str(ran.err.lines().last().unwrap()).unwrap()
}

#[test]
fn json_that_is_none_is_an_error_where_it_is_received() {
    let team = Team::with_crm();
    let html = |status: u16| Answer::status(status).header("Content-Type", "application/json").bytes("<p>Hello");
    let wrong = invoked(&team, html(200));
    says(wrong["type"].as_str().unwrap(), &["errors/communication"]);
    says(wrong["detail"].as_str().unwrap(), &["the response is not JSON", "`application/json`", "`responseType: text`"]);
    let wrong = invoked(&team, html(404));
    says(wrong["type"].as_str().unwrap(), &["#/errors/not-found"]);
    team.replace(MANIFEST, CALL, &format!("{CALL}            responseType: text\n"));
    says(invoked(&team, html(200))["type"].as_str().unwrap(), &["errors/expression"]);
}

#[test]
fn a_service_that_asks_for_too_much_patience_is_told_of() {
    let team = Team::with_crm();
    team.replace(MANIFEST, CALL, &format!("{CALL}            retry: true\n"));
    let busy = Answer::status(429).header("Retry-After", 3600);
    let wrong = invoked(&team, busy);
    assert_eq!(wrong["status"], 429);
    says(wrong["detail"].as_str().unwrap(), &["answered 429", "asks to wait 3600 s", "`maxWait`, 60 s"]);
}

#[test]
fn where_a_flow_broke_is_told() {
    let team = Team::new();
    let memory = ["--flow-memory", "256"];
    for (expression, detail) in [("[range(1e9)]", "out of memory"), ("def f: [f]; f", "the stack overflowed")] {
        let tasks =
            format!("  - good: {{ set: {{ a: 1 }} }}\n  - outer: {{ do: [ {{ bad: {{ set: {{ x: '${{ {expression} }}' }} }} }} ] }}\n");
        for listening in [&["--events", "events"][..], &[]] {
            let ran = flow(&team, &tasks, &[&memory[..], listening].concat()).failed();
            says(&ran.err, &[detail, r#""instance":"/do/1/outer/do/0/bad""#]);
        }
    }
    let ran = flow(&team, "  - big: { set: { x: '${ \"x\" * 20000000 }' } }\n", &[]).failed();
    says(&ran.err, &["Value out of bounds", r#""instance":"/do/0/big""#]);
}

#[test]
fn a_paths_variable_that_the_input_does_not_have_is_noticed_before_anything_runs() {
    let ran = validated("method: delete\n            path: /items/{ids}\n").failed();
    says(&ran.out, &["error[SB231]: `{ids}` of the path is no property of the action's input", "hint: Did you mean `id`?"]);
    says(&validated("method: delete\n            path: /items/{itemId}\n").failed().out, &["`{itemId}` of the path", "hint: Declare it"]);
}

#[test]
fn suites_refuse_what_the_network_would() {
    let team = Team::with_crm();
    team.replace(MANIFEST, CALL, &format!("{CALL}            headers: \"${{ {{ (\\\"ex\\\" + \\\"pect\\\"): \\\"x\\\" }} }}\"\n"));
    team.run(&["validate", "crm"]).done();
    let case = "  - title: Reads\n    action: get-item\n    input: { id: a }\n    expect: { error: { status: 400 } }\n";
    team.write("connectors/crm/tests/get-item.yaml", format!("title: Items\nconnection: {{ token: t }}\ncases:\n{case}"));
    team.run(&["test", "crm"]).done();
}
