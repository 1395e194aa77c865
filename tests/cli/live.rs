//! `test --live` runs the cases that are marked for it against the real service.

use std::process::Stdio;

use serde_json::json;

use crate::support::command::{Ran, Team};
use crate::support::http::{Answer, Service};
use crate::support::processes::kill;

pub const SUITE: &str = "connectors/crm/tests/get-item.yaml";
pub const SECRET: &str = "t0p s3cret/42";

/// A team whose connector has its token from a variable, with these cases of a suite that has a token for tests.
pub fn team(cases: &str) -> Team {
    let team = Team::with_crm();
    for environment in ["test", "production"] {
        team.write(&format!("connections/{environment}/crm.yaml"), "token: { env: CONNECTION_CRM_TOKEN }\n");
    }
    team.write(SUITE, format!("title: Items\nconnection: {{ token: a-token-for-tests }}\ncases:\n{cases}"));
    team
}

/// Runs `test` with the token in its environment, and requests for the connector's host sent to the service.
pub fn test(team: &Team, service: &Service, arguments: &[&str]) -> Ran {
    let mapping = format!("api.example.com={}", service.url(""));
    let arguments = [&["test", "crm"], arguments, &["--map-host", &mapping]].concat();
    team.run_with(&team.root(), &arguments, &[("CONNECTION_CRM_TOKEN", SECRET)])
}

const LIVE: [&str; 3] = ["--live", "--environment", "test"];

const CASES: &str = "
  - title: Reads an item
    live: true
    action: get-item
    input: { id: item-1 }
    exchanges:
      - request: { method: get, path: /items/item-1, headers: { authorization: Bearer a-token-for-tests } }
        response: { status: 200, body: { id: item-1, name: First } }
    expect: { output: { id: item-1, name: First }, requests: 1, elapsed: PT0S }
  - title: Is not run live
    action: get-item
    input: { id: item-2 }
    exchanges:
      - { request: { method: get, path: /items/item-2 }, response: { status: 404 } }
    expect: { error: { name: not-found } }
  - title: A bad token
    live: true
    testConnection: true
    connection: { token: a-revoked-token }
    exchanges:
      - { request: { method: get, path: /me }, response: { status: 401 } }
    expect: { error: { name: bad-credentials } }
";

#[test]
fn marked_cases_run_with_the_values_of_the_environment_unless_they_have_their_own() {
    let team = team(CASES);
    let service = Service::start(|request| match request.header("authorization") {
        Some(value) if value == format!("Bearer {SECRET}") => Answer::json(json!({ "id": "item-1", "name": "First", "more": value })),
        Some(_) | None => Answer::status(401),
    });
    let ran = test(&team, &service, &LIVE).done();
    assert!(ran.out.starts_with("against the services of `test`, which is no evidence to publish on\ncrm "), "{}", ran.out);
    assert!(ran.out.contains("✓ Items › Reads an item") && ran.out.contains("✓ Items › A bad token"), "{}", ran.out);
    assert!(ran.out.ends_with("\n2 passed, 0 failed in 1 connector.\n"), "{}", ran.out);
    let paths: Vec<String> = service.requests().iter().map(|request| request.path().to_owned()).collect();
    assert_eq!(paths, ["/items/item-1", "/me"], "in their order, and no other");
    team.run(&["test"]).done();
}

#[test]
fn what_the_service_answers_otherwise_is_a_failure_that_shows_no_secret() {
    let (team, service) = (team(CASES), Service::always(Answer::json(json!({ "id": "item-1", "name": SECRET }))));
    let ran = test(&team, &service, &LIVE).failed();
    assert!(ran.out.contains("the output is not as expected") && ran.out.contains("[redacted]"), "{}", ran.out);
    assert!(ran.out.contains("connectors/crm/tests/get-item.yaml:12:15") && !ran.out.contains("s3cret"), "{}", ran.out);
    assert!(ran.out.contains("an error is expected") && ran.out.ends_with("0 passed, 2 failed in 1 connector.\n"), "{}", ran.out);
    let json = test(&team, &service, &[&LIVE[..], &["--output", "json"]].concat()).failed().json();
    assert_eq!((&json["environment"], &json["failed"]), (&json!("test"), &json!(2)));
    assert!(!json.to_string().contains("s3cret"));
}

#[test]
fn an_answer_that_does_not_fit_its_schema_is_a_failure() {
    let cases = CASES.replace("output: { id: item-1, name: First }, requests: 1, elapsed: PT0S", "events: []");
    let (team, service) = (team(&cases), Service::always(Answer::json(json!({ "id": 7, "name": "First" }))));
    let ran = test(&team, &service, &LIVE).failed();
    assert!(ran.out.contains("the output does not fit its schema: /id: 7 is not of type \"string\""), "{}", ran.out);
}

#[test]
fn only_hosts_and_addresses_that_are_allowed_are_reached() {
    let (team, service) = (team(CASES), Service::always(Answer::json(json!({}))));
    team.write("connections/test/crm.yaml", "token: { env: CONNECTION_CRM_TOKEN }\nbaseUrl: https://evil.example.com\n");
    let ran = test(&team, &service, &[&LIVE[..], &["--map-host", &format!("evil.example.com={}", service.url(""))]].concat()).failed();
    assert!(ran.out.contains("does not allow the host `evil.example.com`"), "{}", ran.out);
    team.replace("connectors/crm/connector.yaml", "hosts: [api.example.com]", "hosts: [127.0.0.1]");
    team.write("connections/test/crm.yaml", format!("token: {{ env: CONNECTION_CRM_TOKEN }}\nbaseUrl: {}\n", service.url("")));
    let run = |more: &[&str]| {
        let arguments = [&["test"], &LIVE[..], more].concat();
        team.run_with(&team.root(), &arguments, &[("CONNECTION_CRM_TOKEN", SECRET)]).failed()
    };
    let refused = run(&[]);
    assert!(refused.out.contains("a loopback address, which is not allowed"), "{}", refused.out);
    assert_eq!(service.requests().len(), 0);
    run(&["--allow-private"]);
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let service = Service::always(Answer::json(json!({})));
    let marked = team(CASES);
    let ran = test(&marked, &service, &["--live", "--environment", "production"]).failed();
    assert!(ran.err.contains("the environment `production` is production") && ran.err.contains("--allow-production"), "{}", ran.err);
    let ran = test(&marked, &service, &["--live", "--environment", "tset"]).two();
    assert!(ran.err.contains("Did you mean `test`?"), "{}", ran.err);
    let ran = test(&marked, &service, &["--live"]).two();
    assert!(ran.err.contains("--environment <NAME>"), "{}", ran.err);
    test(&marked, &service, &["--environment", "test"]).two();
    test(&marked, &service, &[&LIVE[..], &["--record"]].concat()).two();
    let ran = marked.run(&["test", "--live", "--environment", "test"]).failed();
    assert!(ran.err.contains("the variable `CONNECTION_CRM_TOKEN` is not set"), "{}", ran.err);
    let unmarked = team(&CASES.replace("    live: true\n", ""));
    let ran = test(&unmarked, &service, &LIVE).two();
    assert!(ran.err.contains("no case is marked for it") && ran.err.contains("Write `live: true`"), "{}", ran.err);
    assert_eq!(service.requests().len(), 0);
    test(&marked, &service, &["--live", "--environment", "production", "--allow-production"]).failed();
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn a_worker_that_is_killed_is_a_failed_case_and_the_next_one_runs() {
    let team = team(CASES);
    let service = Service::start(|request| match request.path() {
        "/me" => Answer::status(401),
        _ => Answer::never(),
    });
    let mapping = format!("api.example.com={}", service.url(""));
    let mut command = team.command(&team.root(), &[&["test"], &LIVE[..], &["--map-host", &mapping]].concat());
    let child = command.env("CONNECTION_CRM_TOKEN", SECRET).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    service.wait_for(1);
    crate::support::processes::children_of(child.id()).into_iter().for_each(kill);
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("✗ Items › Reads an item") && out.contains("it was killed from outside"), "{out}");
    assert!(out.contains("✓ Items › A bad token") && out.ends_with("1 passed, 1 failed in 1 connector.\n"), "{out}");
}

#[test]
fn a_flow_that_takes_too_long_is_a_failed_case() {
    let (team, service) = (
        team(CASES),
        Service::start(|request| match request.path() {
            "/me" => Answer::status(401),
            _ => Answer::never(),
        }),
    );
    let ran = test(&team, &service, &[&LIVE[..], &["--flow-time", "300ms"]].concat()).failed();
    assert!(ran.out.contains("408") && ran.out.ends_with("1 passed, 1 failed in 1 connector.\n"), "{}", ran.out);
}

#[test]
fn triggers_run_live_with_one_request_or_one_poll() {
    let cases = "
  - title: Polls
    live: true
    trigger: changed
    exchanges: [ { request: { method: get, path: /changes }, response: { status: 200, body: [ { id: 1 } ] } } ]
    expect: { events: [ { type: item.changed, data: { id: 1 } } ] }
  - title: Is told
    live: true
    trigger: told
    request: { body: { id: item-1 } }
    exchanges: [ { request: { method: get, path: /items/item-1 }, response: { status: 200, body: { id: item-1 } } } ]
    expect: { events: [ { type: item.told, data: { id: item-1 } } ] }
  - title: Polls twice
    live: true
    trigger: changed
    polls: [ {}, {} ]
    expect: { events: [] }
";
    let team = team(cases);
    let triggers = "
triggers:
  changed:
    title: Changed
    on: { schedule: { every: PT5M } }
    do:
      - read: { call: request, with: { method: get, path: /changes } }
      - each: { for: { each: item, in: '${ . }' }, do: [ { tell: { emit: { event: { with: { type: item.changed, data: '${ { id: $item.id } }' } } } } } ] }
  told:
    title: Told
    on: { webhook: { path: /told } }
    do:
      - read: { call: request, with: { method: get, path: '/items/{id}' }, input: { from: '${ .body }' } }
      - tell: { emit: { event: { with: { type: item.told, data: '${ { id } }' } } } }
";
    team.replace("connectors/crm/connector.yaml", "\ntypes:\n", &format!("{triggers}\ntypes:\n"));
    let service = Service::start(|request| match request.path() {
        "/changes" => Answer::json(json!([{ "id": 1 }])),
        _ => Answer::json(json!({ "id": "item-1" })),
    });
    let ran = test(&team, &service, &LIVE).failed();
    assert!(ran.out.contains("✓ Items › Polls (") && ran.out.contains("✓ Items › Is told"), "{}", ran.out);
    assert!(ran.out.contains("a live run is one run of one flow"), "{}", ran.out);
}
