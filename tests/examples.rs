//! What people learn from is right: the examples read without problems, lack nothing, and the service unit is one.

#[path = "bench/generate.rs"]
mod generate;
mod mutations;
mod readme;
mod unit;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Repository, TreeWalkMode, TreeWalkResult};
use switchboard::check;
use switchboard::harness::{Chosen, Job, Workers, WorkersConfig};
use switchboard::manifest::{Bundle, Case, Config, ConnectionValues, Lifecycle, Visibility, trials};
use switchboard::model::{BundleFiles, CaseOutcome, Problem, Status};

#[test]
fn every_example_connector_lacks_nothing() {
    for (folder, files) in connectors() {
        for status in [Status::Editing, Status::PrePublished, Status::Published] {
            let bundle = read(&folder, &with_status(&files, status));
            assert_eq!(shown(&check::report(&bundle)), Vec::<String>::new(), "{folder}, {status}");
        }
    }
}

#[test]
fn every_example_connector_starts_in_editing() {
    for (folder, files) in connectors() {
        let bundle = read(&folder, &files);
        assert_eq!(bundle.manifest.status, Status::Editing, "{folder}: the demo moves it");
        assert!(bundle.manifest.icon.is_some() && files.get("notes.md").is_some(), "{folder} shows an icon and notes");
    }
}

#[test]
fn the_quickstart_shows_the_three_kinds() {
    let bundles: Vec<_> = connectors_of("quickstart").into_iter().map(|(folder, files)| read(&folder, &files)).collect();
    let authentication = |bundle: &Bundle| bundle.manifest.connection.as_ref().and_then(|connection| connection.authentication.clone());
    assert_eq!(bundles.len(), 3);
    assert!(bundles.iter().any(|bundle| authentication(bundle).is_some_and(|by| by.bearer.is_some())), "a bearer token");
    assert!(bundles.iter().any(|bundle| authentication(bundle).is_some_and(|by| by.api_key.is_some())), "an API key");
    assert!(bundles.iter().any(|bundle| !bundle.manifest.triggers.is_empty()), "a trigger");
}

#[test]
fn bad_credentials_are_a_case_of_every_test_connection() {
    for (folder, files) in connectors() {
        let bundle = read(&folder, &files);
        let takes_credentials = bundle.manifest.connection.as_ref().is_some_and(|connection| connection.authentication.is_some());
        let cases: Vec<_> = bundle.suites.iter().flat_map(|file| &file.suite.cases).filter(|case| case.test_connection).collect();
        assert!(cases.iter().any(|case| case.expect.output.is_some()), "{folder}: good credentials");
        // Not every service says it with its status, but every connector does.
        let is_refused = |case: &&Case| case.expect.error.as_ref().is_some_and(|error| error.status == Some(401));
        assert!(!takes_credentials || cases.iter().any(is_refused), "{folder}: bad credentials");
    }
}

#[test]
fn the_ends_of_subscriptions_and_requests_of_strangers_are_cases_of_every_webhook() {
    for (folder, files) in connectors() {
        let bundle = read(&folder, &files);
        let cases: Vec<_> = bundle.suites.iter().flat_map(|file| &file.suite.cases).collect();
        for (name, trigger) in bundle.manifest.triggers.iter() {
            let Some(webhook) = &trigger.on.webhook else { continue };
            let has = |is: &dyn Fn(&Case) -> bool| cases.iter().any(|case| case.trigger.as_deref() == Some(name) && is(case));
            let runs = |part: Lifecycle| has(&|case| case.lifecycle == Some(part));
            let answers = |status: u16| has(&|case| case.expect.answer.as_ref().is_some_and(|answer| answer.status == Some(status)));
            assert!(webhook.subscribe.is_none() || runs(Lifecycle::Subscribe), "{folder}: subscribe of `{name}`");
            assert!(webhook.unsubscribe.is_none() || runs(Lifecycle::Unsubscribe), "{folder}: unsubscribe of `{name}`");
            assert!(webhook.verify.is_none() || answers(401), "{folder}: a stranger's request to `{name}`");
            assert!(has(&|case| case.expect.events.as_ref().is_some_and(|events| !events.is_empty())), "{folder}: an event of `{name}`");
        }
    }
}

#[test]
fn the_other_files_of_the_repositories_read_without_problems() {
    for repository in REPOSITORIES {
        let home = example(repository);
        let config = fs::read(home.join("switchboard.yaml")).unwrap();
        assert_eq!(Config::read(&config).map(|config| config.environments.len()), Ok(2), "{repository}");
        for file in files_below(&home.join("connections")) {
            let read = ConnectionValues::read(&file.display().to_string(), &fs::read(&file).unwrap());
            let (ConnectionValues(values), _) = read.unwrap_or_else(|problems| panic!("{:?}", shown(&problems)));
            let folder = file.file_stem().unwrap().to_str().unwrap();
            let bundle = read_from(repository, folder);
            let properties = bundle.manifest.connection.unwrap().properties;
            let unknown: Vec<&str> = values.names().filter(|name| properties.get(name).is_none()).collect();
            assert_eq!(unknown, Vec::<&str>::new(), "{}", file.display());
        }
    }
}

#[test]
fn editors_find_the_schema_of_every_file() {
    let files: Vec<_> = REPOSITORIES.into_iter().flat_map(|repository| files_below(&example(repository))).collect();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
        let text = fs::read_to_string(file).unwrap();
        let schema = text.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=");
        let schema = schema.unwrap_or_else(|| panic!("{} does not name its schema", file.display()));
        let path = file.parent().unwrap().join(schema);
        assert!(path.exists(), "{}: {} does not exist", file.display(), path.display());
    }
}

#[tokio::test]
async fn every_suite_passes_in_real_workers_and_exercises_everything() {
    let workers = Workers::new(WorkersConfig::new(env!("CARGO_BIN_EXE_switchboard")));
    let mut missing: Vec<String> = Vec::new();
    let generated = (generate::name(3), BundleFiles::new(generate::connector(3, 0, Status::Editing)));
    for (folder, files) in connectors().into_iter().chain([generated]) {
        let bundle = read(&folder, &files);
        let evidence =
            workers.run(Job { connector: folder.parse().unwrap(), digest: bundle.digest, files, chosen: Chosen::All }).await.unwrap();
        let failed: Vec<_> = evidence.cases.iter().filter(|case| case.outcome == CaseOutcome::Failed).collect();
        assert!(evidence.failure.is_none() && failed.is_empty(), "{folder}: {:?} {failed:#?}", evidence.failure);
        assert_eq!(evidence.cases.len(), trials(&bundle.suites).count(), "{folder}");
        assert!(!evidence.coverage.is_empty(), "{folder}");
        // What is generated is there to be many, not to be whole.
        if !folder.starts_with("service-") {
            missing
                .extend(evidence.coverage.uncovered().map(|point| format!("{folder}/{}: {} ({})", point.place, point.what, point.target)));
        }
    }
    assert!(missing.is_empty(), "no case exercises these:\n{}", missing.join("\n"));
}

#[test]
fn every_error_of_an_example_action_is_the_end_of_some_case() {
    for (folder, files) in connectors() {
        let bundle = read(&folder, &files);
        let cases: Vec<_> = bundle.suites.iter().flat_map(|file| &file.suite.cases).collect();
        for (action, declared) in bundle.manifest.actions.iter().filter(|(_, action)| action.visibility == Visibility::Public) {
            for error in &declared.errors {
                let ends = |case: &&Case| match case.expect.error.as_ref().and_then(|expected| expected.name.as_deref()) {
                    Some("${ $each.error }") => case.each.iter().any(|(_, row)| row["error"] == *error.as_str()),
                    name => name == Some(error),
                };
                let covered = cases.iter().filter(|case| case.action.as_deref() == Some(action)).any(ends);
                assert!(covered, "{folder}: no case of `{action}` ends with `{error}`");
            }
        }
    }
}

#[test]
fn the_generated_repository_is_valid_and_real() {
    let folder = tempfile::tempdir().unwrap();
    let status = |index: usize| [Status::Editing, Status::PrePublished, Status::Published][index % 3];
    let repository = generate::commit(folder.path(), 30, status).unwrap();
    assert_eq!(count_files(&repository), 61);
    for index in 0..30 {
        let files = BundleFiles::new(generate::connector(index, 0, status(index)));
        assert!((3900..4400).contains(&files.get("connector.yaml").unwrap().len()), "{}", files.get("connector.yaml").unwrap().len());
        let bundle = read(&generate::name(index), &files);
        assert_eq!(bundle.manifest.status, status(index));
        assert_eq!(shown(&check::report(&bundle)), Vec::<String>::new());
    }
    let before = repository.find_reference(generate::BRANCH).unwrap().peel_to_commit().unwrap().id();
    let after = generate::change(&repository, 7, 1, Status::Published).unwrap();
    let [before, after] = [before, after].map(|commit| repository.find_commit(commit).unwrap().tree().unwrap());
    let difference = repository.diff_tree_to_tree(Some(&before), Some(&after), None).unwrap();
    assert_eq!(difference.deltas().len(), 1);
}

/// How many files the branch's newest commit holds.
fn count_files(repository: &Repository) -> usize {
    let tree = repository.find_reference(generate::BRANCH).unwrap().peel_to_tree().unwrap();
    let mut files = 0;
    tree.walk(TreeWalkMode::PreOrder, |_, entry| {
        files += usize::from(entry.kind() == Some(ObjectType::Blob));
        TreeWalkResult::Ok
    })
    .unwrap();
    files
}

#[test]
fn the_generated_files_are_those_of_the_generated_repository() {
    let folder = tempfile::tempdir().unwrap();
    generate::write(folder.path(), 2, |_| Status::Editing).unwrap();
    assert_eq!(files_below(folder.path()).len(), 5);
    let (name, files) = (generate::name(1), generate::connector(1, 0, Status::Editing));
    for (path, bytes) in files {
        assert_eq!(fs::read(folder.path().join("connectors").join(&name).join(path)).unwrap(), bytes);
    }
}

/// The examples that are a team's repository.
const REPOSITORIES: [&str; 2] = ["quickstart", "gallery"];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// Every example connector, by its folder's name.
fn connectors() -> BTreeMap<String, BundleFiles> {
    REPOSITORIES.into_iter().flat_map(connectors_of).collect()
}

fn connectors_of(repository: &str) -> BTreeMap<String, BundleFiles> {
    let home = example(repository).join("connectors");
    let mut connectors = BTreeMap::new();
    for entry in fs::read_dir(&home).unwrap() {
        let folder = entry.unwrap().path();
        let relative = |file: &PathBuf| file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        let files = files_below(&folder).iter().map(|file| (relative(file), fs::read(file).unwrap())).collect();
        connectors.insert(folder.file_name().unwrap().to_str().unwrap().to_owned(), BundleFiles::new(files));
    }
    connectors
}

fn with_status(files: &BundleFiles, status: Status) -> BundleFiles {
    let mut files: BTreeMap<String, Vec<u8>> = files.iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect();
    let manifest = String::from_utf8(files["connector.yaml"].clone()).unwrap();
    let changed = manifest.replace("\nstatus: editing\n", &format!("\nstatus: {status}\n"));
    files.insert("connector.yaml".to_owned(), changed.into_bytes());
    BundleFiles::new(files)
}

fn read_from(repository: &str, folder: &str) -> Bundle {
    read(folder, &connectors_of(repository)[folder])
}

fn read(folder: &str, files: &BundleFiles) -> Bundle {
    Bundle::read(folder, files).unwrap_or_else(|problems| panic!("{folder}: {:#?}", shown(&problems)))
}

fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}
