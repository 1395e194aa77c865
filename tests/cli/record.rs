//! `test --record` runs cases against the real service once and writes what was exchanged, without the secrets.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::live::{SECRET, SUITE, team, test};
use crate::support::command::{Ran, Team};
use crate::support::http::{Answer, Received, Service};

const MANIFEST: &str = "connectors/crm/connector.yaml";
const RECORDING: &str = "connectors/crm/tests/recordings/item.yaml";
const RECORD: [&str; 3] = ["--record", "--environment", "test"];

const CASES: &str = "
  - title: Reads an item
    action: get-item
    input: { id: item-1 }
    recording: tests/recordings/item.yaml
    expect: { output: { id: item-1, name: First } }
";

fn record(team: &Team, service: &Service) -> Ran {
    test(team, service, &RECORD)
}

/// No file of the connector holds the secret, however it is spelt.
#[track_caller]
fn is_clean(team: &Team) {
    let text = team.read(RECORDING);
    let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = STANDARD.encode(format!("alice:{SECRET}"));
    let spellings = [
        SECRET.to_owned(),
        "s3cret".to_owned(),
        form.clone(),
        form.replace('+', "%20"),
        form.replace('+', "%20").replace("%2F", "%2f"),
        SECRET.replace('/', "\\/"),
        hex::encode(SECRET),
        STANDARD.encode(SECRET),
        URL_SAFE_NO_PAD.encode(SECRET),
        basic[9..20].to_owned(),
    ];
    for spelling in spellings {
        assert!(!text.to_lowercase().contains(&spelling.to_lowercase()), "{spelling}: {text}");
    }
}

/// Makes the connector do no more than what the test needs of it.
fn with_flow(team: &Team, flow: &str) {
    let manifest = format!(
        "apiVersion: switchboard/v1
name: crm
title: CRM
description: Reads items.
kind: saas
status: editing
owner: alice@example.com
connection:
  hosts: [api.example.com]
  baseUrl: ${{ $connection.baseUrl }}
  properties:
    baseUrl: {{ title: Address, type: string, default: 'https://api.example.com' }}
    token: {{ title: Token, type: string, secret: true }}
    user: {{ title: User, type: string, optional: true }}
actions:
  get-item:
    title: Get
{flow}"
    );
    team.write(MANIFEST, manifest);
    std::fs::remove_file(team.path("connectors/crm/tests/connection.yaml")).unwrap();
}

#[test]
fn a_recording_replays_and_says_who_wrote_it() {
    let (team, service) = (
        team(CASES),
        Service::start(|request| {
            let answer = Answer::json(json!({ "id": "item-1", "name": "First", "seen": request.header("authorization") }));
            answer.header("ETag", "\"1\"").header("Set-Cookie", format!("session={SECRET}")).header("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
        }),
    );
    let missing = team.run(&["test", "crm"]).failed();
    assert!(
        missing.out.contains("there is no recording `tests/recordings/item.yaml` yet: write it with `switchboard test --record"),
        "{}",
        missing.out
    );
    let ran = record(&team, &service).done();
    assert!(ran.out.contains("  recorded connectors/crm/tests/recordings/item.yaml (1 exchange)\n"), "{}", ran.out);
    assert_eq!(
        team.read(RECORDING),
        "# yaml-language-server: $schema=../../../../schemas/recording.schema.json
# Written by `switchboard test --record`, and written anew by the next one: change the case, not this file.
# Secrets are not in it: what stands for them is what the suite's `connection` says.
exchanges:
- request:
    method: get
    path: /items/item-1
    headers:
      authorization: Bearer a-token-for-tests
  response:
    status: 200
    headers:
      content-type: application/json
      etag: '\"1\"'
    body:
      id: item-1
      name: First
      seen: Bearer a-token-for-tests
"
    );
    is_clean(&team);
    team.run(&["test", "crm"]).done();
    let json = test(&team, &service, &[&RECORD[..], &["--output", "json"]].concat()).done().json();
    assert_eq!(json["recordings"], json!([{ "path": RECORDING, "exchanges": 1 }]));
    let digest = |ran: Ran| ran.json()["evidence"][0]["digest"].clone();
    let before = digest(team.run(&["test", "crm", "--output", "json"]).done());
    team.replace(RECORDING, "name: First", "name: Second");
    let ran = team.run(&["test", "crm", "--output", "json"]).failed();
    assert_ne!(digest(ran), before, "what is recorded is content");
    team.replace(MANIFEST, "path: /items/{id}", "path: /things/{id}");
    let ran = team.run(&["test", "crm"]).failed();
    assert!(ran.out.contains("-  \"path\": \"/items/item-1\"") && ran.out.contains("+  \"path\": \"/things/item-1\""), "{}", ran.out);
}

#[test]
fn hooks_around_a_recorded_case_are_not_recorded_and_take_nothing_from_it() {
    let (team, service) = (team(CASES), Service::always(Answer::json(json!({ "id": "item-1", "name": "First" }))));
    let hook = |name: &str| {
        format!(
            "{name}:
  do: [{{ note: {{ call: request, with: {{ method: post, path: /{name} }} }} }}]
  exchanges: [{{ request: {{ method: post, path: /{name} }}, response: {{ status: 204 }} }}]
"
        )
    };
    let hooks: String = ["beforeSuite", "beforeEach", "afterEach", "afterSuite"].map(hook).concat();
    team.write(SUITE, format!("{hooks}{}", team.read(SUITE)));
    let ran = record(&team, &service).done();
    assert!(ran.out.contains("(1 exchange)"), "{}", ran.out);
    let paths: Vec<String> = service.requests().iter().map(|request| request.path().to_owned()).collect();
    assert_eq!(paths, ["/beforeSuite", "/beforeEach", "/items/item-1", "/afterEach", "/afterSuite"]);
    team.run(&["test", "crm"]).done();
}

#[test]
fn rows_that_are_not_chosen_do_not_keep_others_from_being_recorded() {
    let rows = "
  - title: Reads several
    each: { one: item-1, two: item-2 }
    action: get-item
    input: { id: '${ $each }' }
    recording: tests/recordings/rows.yaml
    expect: { outputIncludes: { name: First } }
";
    let (team, service) = (team(&format!("{CASES}{rows}")), Service::always(Answer::json(json!({ "id": "item-1", "name": "First" }))));
    let ran = test(&team, &service, &[&RECORD[..], &["--case", "an item"]].concat()).done();
    assert!(ran.out.ends_with("\n1 passed, 0 failed in 1 connector.\n"), "{}", ran.out);
    let ran = test(&team, &service, &[&RECORD[..], &["--case", "several"]].concat()).failed();
    assert!(ran.out.contains("a case with `each` has no one recording"), "{}", ran.out);
    assert!(ran.out.ends_with("\n0 passed, 1 failed in 1 connector.\n"), "{}", ran.out);
}

/// Every way in which a service may say the secret again.
fn echoes(request: &Received) -> Value {
    let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    json!({
        "id": "item-1",
        "name": "First",
        "headers": request.headers,
        "target": request.target,
        "body": request.text(),
        "plain": SECRET,
        "form": form,
        "query": form.replace('+', "%20"),
        "hex": hex::encode(SECRET),
        "base64": STANDARD.encode(SECRET),
        "urlSafe": URL_SAFE_NO_PAD.encode(format!("x{SECRET}y")),
        "basic": format!("Basic {}", STANDARD.encode(format!("alice:{SECRET}"))),
        "nested": json!({ "a": SECRET }).to_string(),
        SECRET: "as a key",
    })
}

#[test]
fn a_secret_is_in_no_recording_wherever_it_is_sent_and_however_it_comes_back() {
    let team = team(CASES);
    let flow = "    do:
      - login:
          call: request
          with:
            method: post
            path: '/bot/{secret}/{id}'
            query: { key: '${ $connection.token }' }
            headers: { X-Key: '${ $connection.token }', X-Basic: '${ \"alice:\" + $connection.token | @base64 }' }
            body: { key: '${ $connection.token }', text: '${ { key: $connection.token } | tojson }' }
          input: { from: '${ . + { secret: $connection.token } }' }
      - again:
          call: request
          with: { method: get, path: /next, query: { after: '${ .basic }' } }
          output: { as: '${ { id: \"item-1\", name: \"First\" } }' }
";
    with_flow(&team, flow);
    let service = Service::start(|request| {
        Answer::json(echoes(request)).header("Location", format!("/next?key={}", hex::encode(SECRET))).header("X-Key", SECRET)
    });
    let ran = record(&team, &service).done();
    assert!(ran.out.contains("(2 exchanges)"), "{}", ran.out);
    assert!(service.requests()[0].target.contains("s3cret"), "the service has seen it: {:?}", service.requests()[0]);
    is_clean(&team);
    let text = team.read(RECORDING);
    assert!(text.contains("/bot/a-token-for-tests/item-1") && text.contains("x-key: a-token-for-tests"), "{text}");
    assert!(text.contains(&STANDARD.encode("alice:a-token-for-tests")) && text.contains(&hex::encode("a-token-for-tests")), "{text}");
    team.run(&["test", "crm"]).done();
}

#[test]
fn tokens_that_are_handed_out_are_secrets_too() {
    let team = team(&CASES.replace("expect: { output: { id: item-1, name: First } }", "expect: { requests: 3 }"));
    let flow = "    do:
      - one: { call: request, with: { method: get, path: /one } }
      - two: { call: request, with: { method: get, path: /two } }
";
    with_flow(&team, flow);
    team.replace(
        MANIFEST,
        "actions:\n",
        "  authentication:
    oauth2:
      authority: '${ $connection.baseUrl }'
      endpoints: { token: /token }
      grant: client_credentials
      client: { id: me, secret: '${ $connection.token }' }
actions:\n",
    );
    let service = Service::start(|request| match request.path() {
        "/token" => {
            Answer::json(json!({ "access_token": "gr4nted-token", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refr3sh" }))
        }
        _ => Answer::json(json!({ "id": "item-1", "seen": request.header("authorization"), "b": STANDARD.encode("gr4nted-token") })),
    });
    record(&team, &service).done();
    is_clean(&team);
    let text = team.read(RECORDING);
    assert!(!text.contains("gr4nted") && !text.contains("refr3sh") && !text.contains(&STANDARD.encode("gr4nted-token")), "{text}");
    assert!(text.contains("access_token: recorded-token-1") && text.contains("authorization: Bearer recorded-token-1"), "{text}");
    assert!(text.contains("client_secret: a-token-for-tests"), "{text}");
    team.run(&["test", "crm"]).done();
    for _ in 0..2 {
        let before = team.read(RECORDING);
        record(&team, &service).done();
        assert_eq!(team.read(RECORDING), before, "recorded again, it is the same");
    }
}

#[test]
fn private_addresses_and_other_values_of_the_environment_stay_there() {
    let team = team(CASES);
    let flow = "    do:
      - read: { call: request, with: { method: get, path: '/{user}/items' }, input: { from: '${ { user: $connection.user } }' } }
      - next: { call: request, with: { method: get, path: '${ .next }' } }
";
    with_flow(&team, flow);
    team.replace(SUITE, "{ token: a-token-for-tests }", "{ token: a-token-for-tests, user: octocat }");
    team.replace(MANIFEST, "hosts: [api.example.com]", "hosts: [api.example.com, crm.internal]");
    let values = "token: { env: CONNECTION_CRM_TOKEN }\nbaseUrl: http://crm.internal:8080/api/\nuser: acme-corp\n";
    team.write("connections/test/crm.yaml", values);
    let service = Service::start(|request| match request.path() {
        "/api/acme-corp/items" => Answer::json(json!({ "next": "http://crm.internal:8080/api/acme-corp/items/2" })),
        "/api/acme-corp/items/2" => Answer::json(json!({ "id": "item-1", "name": "First", "by": "acme-corporation" })),
        _ => Answer::status(404),
    });
    team.replace(SUITE, "output: { id: item-1, name: First }", "output: { id: item-1, name: First, by: acme-corporation }");
    let mapping = format!("crm.internal={}", service.url(""));
    test(&team, &service, &[&RECORD[..], &["--map-host", &mapping]].concat()).done();
    let text = team.read(RECORDING);
    assert!(!text.contains("internal") && !text.contains("acme-corp/"), "{text}");
    assert!(text.contains("path: /octocat/items/2") && text.contains("next: https://api.example.com/octocat/items/2"), "{text}");
    team.run(&["test", "crm"]).done();
}

#[test]
fn what_cannot_be_replaced_is_not_written() {
    let (team, twice) = (team(CASES), STANDARD.encode(hex::encode(STANDARD.encode(SECRET))));
    let folded = STANDARD.encode(format!("{}{SECRET}", "x".repeat(40)));
    for hidden in [twice, folded[..58].to_owned() + "\n" + &folded[58..], SECRET.to_uppercase()] {
        let service = Service::start(move |_| Answer::json(json!({ "id": "item-1", "name": "First", "deep": [{ "h": hidden }] })));
        let ran = record(&team, &service).failed();
        let place = "the value of `token` is in it, at `exchanges[0].response.body.deep[0].h`";
        assert!(ran.out.contains(place) && !ran.out.contains("s3cret"), "{}", ran.out);
        assert!(!team.path(RECORDING).exists());
    }
}

#[test]
fn a_case_that_takes_another_way_with_the_suites_values_is_not_written() {
    let team = team(CASES);
    let flow = "    do:
      - read:
          call: request
          with: { method: get, path: '/{where}' }
          input: { from: '${ { where: ($connection.user // \"nobody\") } }' }
";
    with_flow(&team, flow);
    team.write("connections/test/crm.yaml", "token: { env: CONNECTION_CRM_TOKEN }\nuser: somebody\n");
    let service = Service::always(Answer::json(json!({ "id": "item-1", "name": "First" })));
    let ran = record(&team, &service).failed();
    assert!(ran.out.contains("the case passed live, and could not be recorded"), "{}", ran.out);
    assert!(ran.out.contains("sends a request that the live run, which sent GET /somebody as request 1, did not"), "{}", ran.out);
    assert!(!team.path(RECORDING).exists());
    team.replace(SUITE, "{ token: a-token-for-tests }", "{ token: a-token-for-tests, user: anybody }");
    record(&team, &service).done();
    assert!(team.read(RECORDING).contains("path: /anybody"), "{}", team.read(RECORDING));
}

#[test]
fn what_is_unsafe_or_too_big_is_refused() {
    let team = team(CASES);
    let refused = |service: &Service, secret: &str| {
        let mapping = format!("api.example.com={}", service.url(""));
        let arguments = [&["test"], &RECORD[..], &["--map-host", &mapping]].concat();
        let ran = team.run_with(&team.root(), &arguments, &[("CONNECTION_CRM_TOKEN", secret)]).failed();
        assert!(!team.path(RECORDING).exists());
        ran.out
    };
    let good = Service::always(Answer::json(json!({ "id": "item-1", "name": "First" })));
    assert!(refused(&good, "abc").contains("the value of `token` has fewer than 4 characters"));
    assert!(
        refused(&good, "a-token-for-tests").contains("the suite's `connection` gives `token` the value that it has in this environment")
    );
    let big = Service::always(Answer::json(json!({ "id": "item-1", "name": "First", "more": "x".repeat(70_000) })));
    assert!(refused(&big, SECRET).contains("and a recording holds 65536 of one answer: write a smaller case"));
    let bad = Service::always(Answer::json(json!({ "id": "item-1", "name": "Last" })));
    let out = refused(&bad, SECRET);
    assert!(out.contains("the output is not as expected") && !out.contains("passed live"), "{out}");
    team.replace(SUITE, "    recording:", "    each: { a: 1 }\n    recording:");
    assert!(refused(&good, SECRET).contains("a case with `each`"));
}

#[test]
fn binary_answers_are_recorded_as_bytes() {
    let team = team(&CASES.replace("{ output: { id: item-1, name: First } }", "{ requests: 1 }"));
    with_flow(
        &team,
        "    do:\n      - read: { call: request, with: { method: get, path: /file }, output: { as: '${ { done: true } }' } }\n",
    );
    let service = Service::always(Answer::status(200).header("content-type", "application/octet-stream").bytes(vec![0xff, 0, 1]));
    record(&team, &service).done();
    assert!(team.read(RECORDING).contains("bytes: /wAB"), "{}", team.read(RECORDING));
    team.run(&["test", "crm"]).done();
}

#[test]
fn branches_are_answered_with_what_each_was_answered() {
    let team = team(&CASES.replace("{ output: { id: item-1, name: First } }", "{ output: [ { id: 1 }, { id: 2 }, { id: 3 } ] }"));
    let branch = |id: u32| format!("              - b{id}: {{ call: request, with: {{ method: get, path: /{id} }} }}\n");
    with_flow(&team, &format!("    do:\n      - all:\n          fork:\n            branches:\n{}{}{}", branch(1), branch(2), branch(3)));
    let service = Service::start(|request| Answer::json(json!({ "id": request.path()[1..].parse::<u32>().unwrap() })));
    record(&team, &service).done();
    team.run(&["test", "crm"]).done();
}
