//! Runs share the workers: long ones give way at a case boundary, and none goes on for ever.

use std::time::Duration;

use switchboard::harness::{Harness, Job, Workers, WorkersConfig};
use switchboard::model::Evidence;

use super::{all_passed, config, hostile};

/// Takes a while, and is right in the end.
const SLOW: &str = "last(range(100000)) | 2";

/// Many slow cases; another number is other content.
fn slow(number: usize) -> Job {
    let mut expressions = vec![SLOW; 200];
    let own = format!("{number} | 2");
    expressions[0] = &own;
    hostile(&expressions)
}

#[tokio::test]
async fn long_runs_give_way_to_short_ones() {
    let workers = Workers::new(WorkersConfig { slice: Duration::from_millis(50), ..config() });
    for number in 0..2 {
        workers.start(slow(number)).await.unwrap();
    }
    let short = hostile(&["1 + 1"]);
    workers.start(short.clone()).await.unwrap();
    workers.finished().await;
    let progress = workers.progress().await.unwrap();
    assert_eq!(progress.finished.iter().map(|evidence| evidence.digest).collect::<Vec<_>>(), [short.digest]);
    assert_eq!(progress.running.len(), 2);
}

#[tokio::test]
async fn a_run_that_gave_way_goes_on_from_the_next_case() {
    let config = WorkersConfig { concurrency: 1, slice: Duration::ZERO, ..config() };
    let workers = Workers::new(config);
    let jobs = [hostile(&["2"; 9]), hostile(&["1 + 1"; 10]), hostile(&["3 - 1"; 11])];
    let runs = jobs.map(|job| workers.run(job));
    let evidence: Vec<Evidence> = futures_util::future::try_join_all(runs).await.unwrap();
    for (evidence, cases) in evidence.iter().zip([9, 10, 11]) {
        all_passed(evidence, cases);
        let titles: Vec<&str> = evidence.cases.iter().map(|case| case.case.as_str()).collect();
        assert_eq!(titles, (0..cases).map(|number| format!("c{number}")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_run_has_an_end_of_its_own() {
    let config = WorkersConfig { run_limit: Duration::from_millis(300), ..config() };
    let evidence = Workers::new(config).run(slow(0)).await.unwrap();
    assert_eq!(evidence.failure.as_deref(), Some("the tests did not end within 300 ms; the cases after these were not run"));
    assert!(evidence.cases.len() < 200 && !evidence.verdict().is_good());
}
