//! How the failures of cases are told: each once, and nothing that only follows from another.

use super::{all_passed, failures, job, run};

const MANIFEST: &str = r#"
actions:
  patient:
    do:
      - get: { call: request, with: { method: get, path: /a, retry: true } }
  explained:
    errors: [not-found]
    do:
      - get:
          call: request
          with: { method: get, path: /a, errors: [ { status: 404, raise: not-found, detail: "there is no ${ .content.what }" } ] }
triggers:
  polled:
    on: { schedule: { every: PT5M } }
    do:
      - list: { call: request, with: { method: get, path: /a } }
      - tell: { for: { in: "${ .[] }" }, do: [ { one: { emit: { event: { with: { type: one } } } } } ] }
"#;

#[tokio::test]
async fn what_follows_from_a_wrong_request_is_not_told() {
    let suite = "
  - title: sent again, and then there is a request too many
    action: patient
    exchanges:
      - { request: { method: get, path: /v1/b }, response: { status: 200 } }
      - { request: { method: get, path: /v1/c }, response: { status: 200 } }
    expect: { output: null }
";
    let evidence = run(job(MANIFEST, suite)).await;
    assert_eq!(evidence.cases[0].failures.len(), 1, "{:#?}", evidence.cases);
    assert!(failures(&evidence.cases[0]).starts_with("request 1 of 2 is not as expected:"));
}

#[tokio::test]
async fn a_poll_that_breaks_off_is_told_of_once() {
    let suite = "
  - title: with an expectation
    trigger: polled
    polls:
      - { exchanges: [ { request: { method: get }, response: { status: 200, body: 5 } } ], expect: { events: [ { type: one } ] } }
      - {}
    expect: { events: [] }
  - title: without
    trigger: polled
    polls:
      - { exchanges: [ { request: { method: get }, response: { status: 200, body: 5 } } ] }
      - {}
    expect: { events: [] }
";
    let evidence = run(job(MANIFEST, suite)).await;
    for case in &evidence.cases {
        assert_eq!(case.failures.len(), 1, "{case:#?}");
        let told = failures(case);
        assert!(told.starts_with("poll 1: the flow ended with an error:") && told.contains("`.[]` fails: "), "{told}");
    }
}

#[tokio::test]
async fn what_an_error_says_can_be_expected() {
    let case = |detail: &str| {
        let exchange = "{ request: { method: get }, response: { status: 404, body: { what: issue } } }";
        format!("  - {{ title: x, action: explained, exchanges: [ {exchange} ], expect: {{ error: {{ detail: {detail} }} }} }}\n")
    };
    all_passed(&run(job(MANIFEST, &case("there is no issue"))).await, 1);
    let evidence = run(job(MANIFEST, &case("there is no such thing"))).await;
    let told = failures(&evidence.cases[0]);
    assert!(told.contains("-  \"detail\": \"there is no such thing\"\n+  \"detail\": \"there is no issue\""), "{told}");
}
