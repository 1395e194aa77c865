//! Suites whose exchanges and expectations are hostile: very many, very big, endless or explosive. Each ends as a case.

use std::fmt::Write as _;
use std::time::Duration;

use switchboard::harness::{Workers, WorkersConfig};
use switchboard::model::CaseOutcome;

use super::{all_passed, config, failures, job, run};

const MANIFEST: &str = r#"
actions:
  give: { do: [ { give: { set: "${ . }" } } ] }
  big: { do: [ { send: { call: request, with: { method: post, path: /a, body: { text: "${ \"x\" * .size }" } } } } ] }
  all:
    do:
      - each: { for: { in: "${ [range(.count)] }" }, do: [ { ask: { call: request, with: { method: get, path: "/${ $item }" } } } ] }
"#;

#[tokio::test]
async fn very_many_exchanges_are_matched() {
    let mut suite = String::new();
    for (title, forwards, change) in [("forwards", true, ""), ("backwards", false, ""), ("with another", false, "x")] {
        let _ = write!(suite, "  - title: {title}\n    action: all\n    input: {{ count: 2000 }}\n    exchanges:\n      - inAnyOrder:\n");
        for at in 0..2000 {
            let at = if forwards { at } else { 1999 - at };
            let change = if at == 1500 { change } else { "" };
            let _ = writeln!(suite, "          - {{ request: {{ method: get, path: /v1/{at}{change} }}, response: {{ status: 200 }} }}");
        }
        suite.push_str("    expect: { requests: 2000 }\n");
    }
    let often = "{ times: 1000, request: { method: get }, response: { status: 200 } }";
    let _ = writeln!(
        suite,
        "  - {{ title: often, action: all, input: {{ count: 2000 }}, exchanges: [ {{ times: 2, inAnyOrder: [ {often} ] }} ], expect: {{ requests: 2000 }} }}"
    );
    let evidence = run(job(MANIFEST, &suite)).await;
    let outcomes: Vec<_> = evidence.cases.iter().map(|case| case.outcome).collect();
    use CaseOutcome::{Failed, Passed};
    assert_eq!(outcomes, [Passed, Passed, Failed, Passed], "{:#?}", evidence.cases.iter().map(|case| &case.failures).collect::<Vec<_>>());
    let told = failures(&evidence.cases[2]);
    assert!(told.starts_with("request 1501 of 2000 is none of the 500 that can be next; this is the nearest:"), "{told}");
    assert!(told.contains("-  \"path\": \"/v1/1500x\"\n+  \"path\": \"/v1/1500\""), "{told}");
}

#[tokio::test]
async fn endless_assertions_end_their_case_alone() {
    let suite = r#"
  - { title: of the end, action: give, expect: { assert: [ "def f: f; f" ] } }
  - { title: of a request, action: all, input: { count: 1 }, exchanges: [ { request: { method: get, assert: [ "def f: f; f" ] }, response: { status: 200 } } ], expect: { requests: 1 } }
  - { title: without end, action: give, expect: { assert: [ "repeat(true)" ] } }
  - { title: fine, action: give, input: {}, expect: { output: {} } }
"#;
    let config = WorkersConfig { case_deadline: Duration::from_secs(2), ..config() };
    let evidence = Workers::new(config).run(job(MANIFEST, suite)).await.unwrap();
    for case in &evidence.cases[..2] {
        assert_eq!(failures(case), "it did not end within 2 s and was stopped");
    }
    assert_eq!(evidence.cases[2].outcome, CaseOutcome::Failed);
    assert_eq!(evidence.cases[3].outcome, CaseOutcome::Passed);
}

#[tokio::test]
async fn explosive_patterns_end_nothing_but_their_case() {
    let text = format!("{}b", "a".repeat(40));
    let case = |pattern: &str| {
        format!(
            "  - {{ title: x, action: give, input: {{ a: {text} }}, expect: {{ outputSchema: {{ properties: {{ a: {{ pattern: '{pattern}' }} }} }} }} }}\n"
        )
    };
    let suite = [case("^(a+)+$"), case("^(?=(a+)+$)(?!b)"), case("((a{1000}){1000}){1000}"), case("b$")].concat();
    let evidence = run(job(MANIFEST, &suite)).await;
    for case in &evidence.cases[..3] {
        let told = failures(case);
        assert!(told.starts_with("the output does not fit `outputSchema`: "), "{told}");
    }
    assert_eq!(evidence.cases[3].outcome, CaseOutcome::Passed);
}

#[tokio::test]
async fn big_bodies_are_compared_and_their_difference_is_cut() {
    let case = |expected: &str, title: &str| {
        let exchange = format!("{{ request: {{ method: post, {expected} }}, response: {{ status: 200 }} }}");
        format!("  - {{ title: {title}, action: big, input: {{ size: 4000000 }}, exchanges: [ {exchange} ], expect: {{ requests: 1 }} }}\n")
    };
    let good = case("bodyIncludes: {}, bodySchema: { required: [text] }, assert: [ '.body.text | length == 4000000' ]", "good");
    all_passed(&run(job(MANIFEST, &good)).await, 1);
    let evidence = run(job(MANIFEST, &case("body: { text: y }", "other"))).await;
    let told = failures(&evidence.cases[0]);
    assert!(told.starts_with("request 1 of 1 is not as expected:\n--- expected"), "{}", &told[..200]);
    assert!(told.len() < 100_000, "{}", told.len());
}
