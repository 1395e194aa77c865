//! `test` tells what the tests exercise of a connector, and what they do not.

use serde_json::Value;

use crate::support::command::Team;

const MANIFEST: &str = r#"apiVersion: switchboard/v1
name: shop
title: Shop
description: Sells things.
kind: saas
status: editing
owner: alice@example.com
connection:
  hosts: [api.example.com]
  baseUrl: https://api.example.com
  errors:
    - { status: 401, raise: denied }
    - { status: 403, raise: denied }
  test:
    do: [{ me: { call: request, with: { method: get, path: /me } } }]
actions:
  list-things:
    do:
      - route:
          switch:
            - all: { when: .all, then: read }
            - none: { when: .none, then: nothing }
      - careful:
          if: .careful
          set: "${ . }"
      - read:
          try:
            - page: { call: read-page }
          catch:
            errors: { with: { status: 404 } }
            retry: { when: .again, delay: PT1S, limit: { attempt: { count: 1 } } }
            do:
              - nothing: { set: "${ [] }" }
          then: end
      - nothing: { set: "${ [] }" }
  read-page:
    visibility: private
    do:
      - get:
          call: request
          with:
            method: get
            path: /things
            paginate: { next: .content.next, items: .content.items, maxItems: "${ .limit // 100 }", truncate: true }
            errors:
              - { status: 404, raise: gone }
  unused:
    visibility: private
    do:
      - get: { call: request, with: { method: get, path: /, errors: [{ status: 404, raise: gone }] } }
triggers:
  thing-made:
    on:
      webhook:
        path: /made
        subscribe: { do: [{ ask: { set: { id: 1 } } }] }
        unsubscribe: { do: [{ end: { set: {} } }] }
    do:
      - tell: { if: .body.id != null, emit: { event: { with: { type: made } } } }
errors:
  denied: { status: 401, title: Denied }
  gone: { status: 404, title: Gone }
"#;

/// A team with a connector whose suite has these cases.
fn team(cases: &str) -> Team {
    let team = Team::new();
    team.write("connectors/shop/connector.yaml", MANIFEST);
    team.write("connectors/shop/tests/all.yaml", format!("title: All\ncases:\n{cases}"));
    team
}

/// Exercises everything but what is used nowhere, and the second of the connection's error mappings.
const CASES: &str = r#"
  - { title: connects, testConnection: true, exchanges: [{ request: { method: get, path: /me }, response: { status: 200, body: {} } }], expect: { output: {} } }
  - { title: denied, testConnection: true, exchanges: [{ request: { method: get, path: /me }, response: { status: 401 } }], expect: { error: { name: denied } } }
  - title: two pages
    action: list-things
    input: { all: true }
    exchanges:
      - { request: { method: get, url: "https://api.example.com/things" }, response: { status: 200, body: { items: [1], next: /things?page=2 } } }
      - { request: { method: get, path: /things, query: { page: 2 } }, response: { status: 200, body: { items: [2] } } }
    expect: { output: [1, 2] }
  - title: cut off
    action: list-things
    input: { all: true, limit: 1 }
    exchanges: [{ request: { method: get, path: /things }, response: { status: 200, body: { items: [1, 2] } } }]
    expect: { output: [1] }
  - { title: none, action: list-things, input: { none: true }, expect: { output: [] } }
  - title: gone, twice
    action: list-things
    input: { again: true, careful: true }
    exchanges: [{ request: { method: get, path: /things }, response: { status: 404 }, times: 2 }]
    expect: { output: [] }
  - title: gone
    action: list-things
    input: { careful: false }
    exchanges: [{ request: { method: get, path: /things }, response: { status: 404 } }]
    expect: { output: [] }
  - { title: made, trigger: thing-made, request: { body: { id: 1 } }, expect: { events: [{ type: made }] } }
  - { title: not made, trigger: thing-made, request: { body: {} }, expect: { events: [] } }
  - { title: subscribes, trigger: thing-made, lifecycle: subscribe, expect: { output: { id: 1 } } }
  - { title: ends, trigger: thing-made, lifecycle: unsubscribe, subscription: { id: 1 }, expect: { output: {} } }
"#;

#[test]
fn all_but_what_is_used_nowhere_is_covered() {
    let ran = team(CASES).run(&["test", "shop"]).done();
    let told = ran.out.split_once("  coverage ").unwrap().1;
    insta::assert_snapshot!(told, @r"
    20 of 23
        actions          2 of 3
        triggers         3 of 3
        test connection  1 of 1
        branches         7 of 7
        catches          2 of 2
        error mappings   2 of 4
        pages            3 of 3
        not covered: connectors/shop/connector.yaml:13:7: the mapping to `denied` (connection)
        not covered: connectors/shop/connector.yaml:47:3: the flow (actions/unused)
        not covered: connectors/shop/connector.yaml:50:70: the mapping to `gone` in `get` (actions/unused)

    11 passed, 0 failed in 1 connector.
    ");
}

#[test]
fn what_only_failing_cases_come_by_is_not_covered() {
    let team = team(&CASES.replace("expect: { output: [1] }", "expect: { output: [2] }"));
    assert!(!team.run(&["test", "shop"]).failed().out.contains("not covered"), "what failed comes first");
    let ran = team.run(&["test", "shop", "--coverage"]).failed();
    let cut = "not covered: connectors/shop/connector.yaml:44:13: a cut at the limit of `get` (actions/read-page)\n";
    assert!(ran.out.contains(cut), "{}", ran.out);
    let page = "an error caught by";
    assert!(!ran.out.contains(page), "{}", ran.out);
}

#[test]
fn the_whole_table_is_shown_where_it_is_asked_for() {
    let ran = team(CASES).run(&["test", "shop", "--coverage"]).done();
    let told = &ran.out[ran.out.find("  COVERAGE ").unwrap()..];
    insta::assert_snapshot!(told, @r"
      COVERAGE                         FLOWS  BRANCHES  CATCHES  ERRORS  PAGES  ALL
      connection                       -      -         -        1/2     -      1/2    50 %
      connection/test                  1/1    -         -        -       -      1/1    100 %
      actions/list-things              1/1    5/5       2/2      -       -      8/8    100 %
      actions/read-page                1/1    -         -        1/1     3/3    5/5    100 %
      actions/unused                   0/1    -         -        0/1     -      0/2    0 %
      triggers/thing-made              1/1    2/2       -        -       -      3/3    100 %
      triggers/thing-made/subscribe    1/1    -         -        -       -      1/1    100 %
      triggers/thing-made/unsubscribe  1/1    -         -        -       -      1/1    100 %
      all                              6/7    7/7       2/2      2/4     3/3    20/23  86 %
        not covered: connectors/shop/connector.yaml:13:7: the mapping to `denied` (connection)
        not covered: connectors/shop/connector.yaml:47:3: the flow (actions/unused)
        not covered: connectors/shop/connector.yaml:50:70: the mapping to `gone` in `get` (actions/unused)

    11 passed, 0 failed in 1 connector.
    ");
}

#[test]
fn too_little_coverage_fails_where_that_is_asked_for() {
    let team = team(CASES);
    team.run(&["test", "shop", "--min-coverage", "80"]).done();
    let ran = team.run(&["test", "shop", "--min-coverage", "95"]).failed();
    assert!(ran.out.contains("% is covered, and 95 % has to be"), "{}", ran.out);
    assert!(ran.out.ends_with("11 passed, 0 failed in 1 connector.\n"), "{}", ran.out);
    team.run(&["test", "shop", "--min-coverage", "101"]).two();
}

#[test]
fn programs_get_every_point() {
    let json = team(CASES).run(&["test", "shop", "--output", "json"]).done().json();
    let points = json["evidence"][0]["coverage"].as_array().unwrap();
    let of_kind = |kind: &str| points.iter().filter(|point| point["kind"] == kind).count();
    let kinds = ["action", "trigger", "test-connection", "branch", "catch", "error-mapping", "pagination"];
    assert_eq!(kinds.map(of_kind), [3, 3, 1, 7, 2, 4, 3]);
    assert!(points.is_sorted_by_key(|point| point["place"]["line"].as_u64()));
    let uncovered: Vec<&Value> = points.iter().filter(|point| point["covered"] == false).collect();
    assert_eq!(uncovered[0]["place"], serde_json::json!({ "file": "connector.yaml", "line": 13, "column": 7 }));
}

#[test]
fn the_report_tells_what_the_evidence_lacks() {
    let team = Team::with_crm();
    let ran = team.run(&["test", "crm", "--min-coverage", "100"]).done();
    assert!(ran.out.contains("  coverage 5 of 5\n"), "{}", ran.out);

    let suite = team.read("connectors/crm/tests/get-item.yaml");
    let (kept, _) = suite.split_once("\n  - title: A token that was revoked\n").unwrap();
    team.write("connectors/crm/tests/get-item.yaml", kept);
    team.commit_all("Test less");
    team.run(&["publish", "crm", "--commit"]).done();
    team.run(&["apply"]).done();
    let warning = "connectors/crm/connector.yaml:55:17: warning[SB205]: no test exercises the mapping to `bad-credentials` in `read` (actions/get-item)\n";
    let shown = team.run(&["show", "crm"]).done();
    assert!(shown.out.contains(warning), "{}", shown.out);
    let review = team.run(&["review", "show", "1"]).done();
    for part in ["\nCheck report: 1 warning\n", warning, "  coverage 4 of 5\n"] {
        assert!(review.out.contains(part), "{part:?} is missing:\n{}", review.out);
    }
}
