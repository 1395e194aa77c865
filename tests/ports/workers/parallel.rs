//! Cases have no order: whichever worker runs them, and when, what is reported is the same.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use switchboard::harness::{Chosen, Job, Workers, WorkersConfig};
use switchboard::model::{CaseOutcome, CaseReport};

use crate::support::processes::children;

use super::{all_passed, config, hostile, job};

/// Takes a while, and is right in the end.
const SLOW: &str = "last(range(200000)) | 2";

fn without_time(cases: &[CaseReport]) -> Vec<CaseReport> {
    cases.iter().cloned().map(|case| CaseReport { micros: 0, ..case }).collect()
}

#[tokio::test]
async fn many_cases_are_shared_by_several_workers() {
    let workers = Workers::new(WorkersConfig { concurrency: 3, ..config() });
    let most = AtomicUsize::new(0);
    let told = Mutex::new(Vec::new());
    let tell = |report: &CaseReport| {
        most.fetch_max(children().len(), Ordering::Relaxed);
        told.lock().unwrap().push(report.case.clone());
    };
    let evidence = workers.run_telling(hostile(&[SLOW; 60]), &tell).await.unwrap();
    all_passed(&evidence, 60);
    assert!(most.into_inner() > 1, "one worker did it all");
    let titles: Vec<String> = evidence.cases.iter().map(|case| case.case.clone()).collect();
    assert_eq!(titles, (0..60).map(|number| format!("c{number}")).collect::<Vec<_>>());
    let mut told = told.into_inner().unwrap();
    assert_eq!(told.len(), 60);
    told.sort_by_key(|title| title[1..].parse::<usize>().unwrap());
    assert_eq!(told, titles);
}

#[tokio::test]
async fn a_handful_of_cases_has_one_worker() {
    let workers = Workers::new(WorkersConfig { concurrency: 3, ..config() });
    all_passed(&workers.run(hostile(&["2"; 3])).await.unwrap(), 3);
    assert_eq!(children().len(), 1);
}

#[tokio::test]
async fn a_few_slow_cases_are_shared_too() {
    let workers = Workers::new(WorkersConfig { concurrency: 2, case_deadline: Duration::from_secs(2), ..config() });
    let endless = "def f: f; f";
    let evidence = workers.run(hostile(&[endless, SLOW, SLOW, SLOW, endless, SLOW])).await.unwrap();
    let failed: Vec<_> = evidence.cases.iter().map(|case| case.outcome == CaseOutcome::Failed).collect();
    assert_eq!(failed, [true, false, false, false, true, false]);
}

#[tokio::test]
async fn deaths_in_every_share_cost_their_cases_alone() {
    let mut expressions = vec![SLOW; 60];
    for at in [3, 20, 33, 41, 59] {
        expressions[at] = "def f: 1 + f; f";
    }
    let workers = Workers::new(WorkersConfig { concurrency: 3, ..config() });
    let evidence = workers.run(hostile(&expressions)).await.unwrap();
    assert_eq!(evidence.failure, None);
    let failed = evidence.cases.iter().enumerate().filter(|(_, case)| case.outcome == CaseOutcome::Failed).map(|(at, _)| at);
    assert_eq!(failed.collect::<Vec<_>>(), [3, 20, 33, 41, 59]);
    assert_eq!(evidence.cases.len(), 60);
}

#[tokio::test]
async fn order_and_neighbours_do_not_matter() {
    let manifest = r#"
actions:
  draw: { do: [ { draw: { call: request, with: { method: get, path: /a } } }, { wait: { wait: PT1H } }, { id: { set: { at: "${ now }", id: "${ $workflow.id }" } } } ] }
"#;
    let case = |number: usize| {
        let exchange = "{ request: { method: get }, response: { status: 200, headers: { Set-Cookie: \"a=b\" } } }";
        format!("  - {{ title: c{number}, action: draw, exchanges: [ {exchange} ], expect: {{ output: 1, elapsed: PT1H }} }}\n")
    };
    let job = job(manifest, &(0..40).map(case).collect::<String>());
    let workers = Workers::new(config());
    let whole = workers.run(job.clone()).await.unwrap();
    assert_eq!(whole.cases.len(), 40);
    // What each of them shows is its whole outcome, with the time and the ids that it saw.
    let told = |case: &CaseReport| case.failures.iter().map(|failure| failure.message.clone()).collect::<Vec<_>>();
    assert!(whole.cases.iter().all(|case| told(case) == told(&whole.cases[0]) && !case.failures.is_empty()));
    for numbers in [BTreeSet::from([39, 0, 20]), (0..40).collect(), BTreeSet::from([7])] {
        let chosen = Chosen::Only(numbers.clone());
        let part = workers.run(Job { chosen, ..job.clone() }).await.unwrap();
        assert!(part.partial && !whole.partial);
        let expected: Vec<CaseReport> = numbers.iter().map(|number| whole.cases[*number].clone()).collect();
        assert_eq!(without_time(&part.cases), without_time(&expected));
    }
}

#[tokio::test]
async fn a_worker_that_is_lent_goes_to_who_waits_for_it() {
    let workers = Workers::new(WorkersConfig { concurrency: 2, case_deadline: Duration::from_secs(30), ..config() });
    // Both workers are in endless cases, and the second is only lent.
    let mut expressions = vec!["def f: f; f"; 40];
    expressions[0] = "2";
    let greedy = hostile(&expressions);
    let short = hostile(&["1 + 1"]);
    let run = workers.run(greedy);
    tokio::pin!(run);
    let busy = async {
        while children().len() < 2 {
            tokio::task::yield_now().await;
        }
        workers.run(short).await.unwrap()
    };
    tokio::select! {
        _ = &mut run => panic!("the endless run has ended"),
        evidence = busy => all_passed(&evidence, 1),
    }
}
