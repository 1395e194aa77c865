//! Hooks and rows that are hostile: each costs its own cases, and nothing else.

use std::time::Duration;

use switchboard::harness::{Workers, WorkersConfig};
use switchboard::model::CaseOutcome;

use super::{config, failures, impatient, job, run};

const ACTIONS: &str = "actions:\n  same: { do: [ { same: { set: \"${ . }\" } } ] }\n";
const GOOD: &str = "{ action: same, input: { a: 1 }, expect: { output: { a: 1 } }";

fn hooked(hook: &str, expression: &str, cases: &str) -> switchboard::harness::Job {
    let mut job = job(ACTIONS, "");
    let quoted = serde_json::to_string(&format!("${{ {expression} }}")).unwrap();
    let hook = format!("{hook}: {{ do: [ {{ t: {{ set: {{ x: {quoted} }} }} }} ] }}");
    let text = |text: String| text.into_bytes();
    job.files = switchboard::model::BundleFiles::new(std::collections::BTreeMap::from([
        ("connector.yaml".to_owned(), text(format!("{}{ACTIONS}", super::HEAD))),
        ("tests/a.yaml".to_owned(), text(format!("title: Hostile\nconnection: {{ token: t }}\n{hook}\ncases:\n{cases}"))),
        ("tests/b.yaml".to_owned(), text(format!("title: Good\nconnection: {{ token: t }}\ncases:\n  - {GOOD}, title: good }}\n"))),
    ]));
    job
}

#[tokio::test]
async fn a_hook_that_never_ends_costs_its_suite_one_worker() {
    let cases = format!("  - {GOOD}, title: one }}\n  - {GOOD}, title: two }}\n  - {GOOD}, title: three }}\n");
    let config = WorkersConfig { case_deadline: Duration::from_secs(1), ..config() };
    let evidence = Workers::new(config).run(hooked("beforeSuite", "def f: f; f", &cases)).await.unwrap();
    assert_eq!((evidence.failure.as_deref(), evidence.cases.len()), (None, 4));
    for case in &evidence.cases[..3] {
        assert_eq!(failures(case), "the hook `beforeSuite` was broken off: it did not end within 1 s and was stopped");
    }
    assert_eq!(evidence.cases[3].outcome, CaseOutcome::Passed);
}

#[tokio::test]
async fn a_hook_that_takes_all_memory_fails_its_case() {
    let cases = format!("  - {GOOD}, title: one }}\n");
    let bomb = "reduce range(40) as $_ (\"x\"; . + .) | length";
    for hook in ["beforeEach", "afterEach"] {
        let evidence = run(hooked(hook, bomb, &cases)).await;
        assert_eq!(failures(&evidence.cases[0]), format!("in the hook `{hook}`: the worker ran out of memory (limit 512 MiB)"));
        assert_eq!(evidence.cases[1].outcome, CaseOutcome::Passed);
    }
    let evidence = run(hooked("afterSuite", bomb, &cases)).await;
    let told: Vec<_> = evidence.cases.iter().map(|case| (case.case.as_str(), case.outcome)).collect();
    assert_eq!(told, [("one", CaseOutcome::Passed), ("afterSuite", CaseOutcome::Failed), ("good", CaseOutcome::Passed)]);
    assert_eq!(failures(&evidence.cases[1]), "in the hook `afterSuite`: the worker ran out of memory (limit 512 MiB)");
}

#[tokio::test]
async fn expressions_of_cases_that_are_bombs_cost_their_cases() {
    let case = |title: &str, expression: &str| {
        let quoted = serde_json::to_string(&format!("${{ {expression} }}")).unwrap();
        format!("  - {{ title: {title}, action: same, input: {quoted}, expect: {{ output: {{ a: 1 }} }} }}\n")
    };
    let suite = [
        case("memory", "reduce range(40) as $_ (\"x\"; . + .) | length"),
        case("endless", "def f: f; f"),
        case("stack", "def f: 1 + f; f"),
        case("big", "\"0123456789\" * 1800000"),
        case("good", "{a: 1}"),
    ];
    let evidence = Workers::new(impatient()).run(job(ACTIONS, &suite.concat())).await.unwrap();
    assert_eq!(evidence.failure, None);
    let told: Vec<_> = evidence
        .cases
        .iter()
        .map(|case| case.failures.iter().map(|failure| failure.message.as_str()).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        told[..3],
        ["the worker ran out of memory (limit 512 MiB)", "it did not end within 2 s and was stopped", "the stack overflowed"]
    );
    assert!(told[3].starts_with("`/input`: the value is bigger than"), "{told:?}");
    assert_eq!(told[4], "");
}

#[tokio::test]
async fn many_rows_are_run_and_more_are_refused() {
    let rows = |count: usize| {
        let rows: Vec<String> = (0..count).map(|row| format!("r{row}: {row}")).collect();
        format!(
            "  - {{ title: x, each: {{ {} }}, action: same, input: {{ a: \"${{ $each }}\" }}, expect: {{ output: {{ a: \"${{ $each }}\" }} }} }}\n",
            rows.join(", ")
        )
    };
    let evidence = run(job(ACTIONS, &rows(200))).await;
    super::all_passed(&evidence, 200);
    assert_eq!((evidence.cases[0].case.as_str(), evidence.cases[199].case.as_str()), ("x › r0", "x › r199"));
    let evidence = run(job(ACTIONS, &rows(1001))).await;
    assert!(
        evidence.failure.as_deref().unwrap_or_default().contains("`each`: expected at most 1000 keys, found 1001"),
        "{:?}",
        evidence.failure
    );
}

#[tokio::test]
async fn rows_may_be_big() {
    let big = "x".repeat(100_000);
    let rows: Vec<String> = (0..8).map(|row| format!("r{row}: {big}{row}")).collect();
    let suite = format!(
        "  - {{ title: x, each: {{ {} }}, action: same, input: {{ a: \"${{ $each }}\" }}, expect: {{ output: {{ a: \"${{ $each }}\" }} }} }}\n",
        rows.join(", ")
    );
    super::all_passed(&run(job(ACTIONS, &suite)).await, 8);
}
