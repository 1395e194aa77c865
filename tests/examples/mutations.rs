//! The examples' suites prove something: whatever is changed in a flow of the quickstart, at least one test of its connector fails.

mod mutant;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures_util::StreamExt as _;
use serde_json::Value;
use switchboard::harness::{Chosen, Job, Workers, WorkersConfig};
use switchboard::model::{BundleFiles, CaseOutcome, Digest};

use self::mutant::{Mutant, mutants};
use super::{connectors_of, read};

/// As many runs go on at once.
const AT_ONCE: usize = 2;

#[tokio::test]
async fn no_flow_of_the_quickstart_can_be_changed_without_a_test_failing() {
    let workers = Workers::new(WorkersConfig { concurrency: AT_ONCE, ..WorkersConfig::new(env!("CARGO_BIN_EXE_switchboard")) });
    let mut survivors = String::new();
    let mut count = 0;
    for (folder, files) in connectors_of("quickstart") {
        let bundle = read(&folder, &files);
        let mutants = mutants(&bundle.document);
        count += mutants.len();
        let run = |mutant: Mutant| {
            let (workers, folder, files) = (&workers, &folder, &files);
            async move { survives(workers, folder, files, &mutant).await.then_some(mutant) }
        };
        let run = futures_util::stream::iter(mutants).map(run).buffered(AT_ONCE);
        let survived: Vec<Mutant> = run.filter_map(|survivor| async { survivor }).collect().await;
        for Mutant { line, pointer, what, .. } in survived {
            let _ = writeln!(survivors, "{folder}/connector.yaml:{line}: {pointer}: {what}");
        }
    }
    assert!(survivors.is_empty(), "no test fails when one of these is done:\n{survivors}");
    assert!(count > 300, "only {count} changes were tried");
}

/// Whether all tests pass as if nothing had been changed. The cases of the flow itself are asked first.
async fn survives(workers: &Workers, folder: &str, files: &BundleFiles, mutant: &Mutant) -> bool {
    let near = |case: &Value| mutant.is_of(case);
    passes(workers, folder, files, mutant, &near).await && passes(workers, folder, files, mutant, &|case| !near(case)).await
}

async fn passes(workers: &Workers, folder: &str, files: &BundleFiles, mutant: &Mutant, asked: &dyn Fn(&Value) -> bool) -> bool {
    let mut mutated: BTreeMap<String, Vec<u8>> = files.iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect();
    for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("tests/")) {
        let mut suite: Value = serde_yaml::from_slice(bytes).unwrap();
        let cases = suite["cases"].as_array_mut().unwrap();
        cases.retain(|case| asked(case));
        if cases.is_empty() {
            mutated.remove(path);
        } else {
            mutated.insert(path.to_owned(), suite.to_string().into_bytes());
        }
    }
    // JSON is YAML.
    let manifest = mutant.manifest.to_string().into_bytes();
    let digest = Digest::of(&manifest);
    mutated.insert("connector.yaml".to_owned(), manifest);
    let job = Job { connector: folder.parse().unwrap(), digest, files: BundleFiles::new(mutated), chosen: Chosen::All };
    let evidence = workers.run(job).await.unwrap();
    evidence.failure.is_none() && evidence.cases.iter().all(|case| case.outcome == CaseOutcome::Passed)
}
