//! One connector's life as the store and the registry see it, told to whichever database stands behind the ports.

use std::collections::BTreeMap;

use jiff::Timestamp;
use switchboard::model::{
    BundleFiles, CaseOutcome, CaseReport, ConnectorName, Digest, EnvironmentName, Evidence, Fact, FactKind, Person, Place, ReviewId,
    Verdict, Version,
};
use switchboard::registry::{Actual, BundleMissing, Holding, Publication, PublishedVersion, Registry, SqlRegistry, WrongDigest};
use switchboard::store::{
    CachedDeclaration, ConnectionName, Database, LeaseLost, Leased, NewFact, SqlStore, Store, StoredPlan, TriggerKey, TriggerLease,
    TriggerLeaseLost, TriggerStates,
};

use crate::support::universe::Universe;

#[tokio::test]
async fn the_story_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("switchboard.db")).await.unwrap();
    tell(&SqlStore::new(&database), &SqlRegistry::new(&database)).await;
    triggers_keep_their_state(&SqlStore::new(&database)).await;
    one_process_at_a_time_runs_a_trigger(&SqlStore::new(&database)).await;
}

#[tokio::test]
async fn the_story_in_memory() {
    let database = Database::memory().await.unwrap();
    tell(&SqlStore::new(&database), &SqlRegistry::new(&database)).await;
    triggers_keep_their_state(&SqlStore::new(&database)).await;
    one_process_at_a_time_runs_a_trigger(&SqlStore::new(&database)).await;
}

/// What the tests of passes stand on is no kinder than what they stand for.
#[tokio::test]
async fn the_story_in_the_universe_of_the_tests() {
    let universe = Universe::new();
    tell(&universe, &universe).await;
}

/// The whole story. A new backend has to stand it unchanged.
pub async fn tell(store: &dyn Store, registry: &dyn Registry) {
    facts_are_numbered_in_their_order(store).await;
    the_newest_fact_of_each_environment_counts(store).await;
    evidence_belongs_to_one_digest_and_level(store).await;
    declarations_are_replaced(store).await;
    only_the_newest_epoch_stores_plans(store).await;
    nothing_is_deployed_that_is_not_stored(registry).await;
    environments_hold_what_they_were_given(registry).await;
    a_published_version_keeps_its_content(registry).await;
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn github() -> ConnectorName {
    "github-issues".parse().unwrap()
}

fn environment(name: &str) -> EnvironmentName {
    name.parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn new(second: i64, connector: &str, fact: Fact) -> NewFact {
    NewFact { at: at(second), connector: connector.parse().unwrap(), fact }
}

fn deployed(to: &str, content: &str) -> Fact {
    Fact::Deployed { environment: environment(to), version: version("1.0.0"), digest: Digest::of(content.as_bytes()) }
}

async fn facts_are_numbered_in_their_order(store: &dyn Store) {
    assert_eq!(store.last_fact().await.unwrap(), 0);
    assert_eq!(store.append(&[]).await.unwrap(), 0);
    assert!(store.facts_after(0, 10).await.unwrap().is_empty());

    let rejected = Fact::ReviewRejected {
        review: ReviewId(7),
        digest: Digest::of(b"a"),
        by: Person::new("Bob <bob@example.com>"),
        reason: "it's \"wrong\"; ☃\n'); DROP TABLE facts; --".to_owned(),
    };
    let facts = [new(1, "github-issues", deployed("test", "a")), new(2, "slack", deployed("test", "b")), new(3, "slack", rejected)];
    let last = store.append(&facts).await.unwrap();
    let read = store.facts_after(0, 10).await.unwrap();
    assert_eq!(read.last().unwrap().seq, last);
    assert_eq!(store.last_fact().await.unwrap(), last);
    for (written, read) in facts.iter().zip(&read) {
        assert_eq!((written.at, &written.connector, &written.fact), (read.at, &read.connector, &read.fact));
    }
    assert!(read.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(store.facts_after(read[0].seq, 1).await.unwrap(), read[1..2]);

    let slack = "slack".parse().unwrap();
    assert_eq!(store.history(&slack, 10).await.unwrap(), [read[2].clone(), read[1].clone()]);
    assert_eq!(store.history(&slack, 1).await.unwrap(), [read[2].clone()]);
}

async fn the_newest_fact_of_each_environment_counts(store: &dyn Store) {
    let removed = Fact::Removed { environment: environment("test"), version: version("1.0.0"), digest: Digest::of(b"b") };
    store.append(&[new(4, "github-issues", deployed("staging", "a")), new(5, "github-issues", deployed("test", "c"))]).await.unwrap();
    store.append(&[new(6, "slack", removed.clone())]).await.unwrap();

    let newest = store.newest_of(&[FactKind::Deployed, FactKind::Published, FactKind::Removed]).await.unwrap();
    let newest: Vec<_> = newest.into_iter().map(|recorded| (recorded.connector.to_string(), recorded.fact)).collect();
    let expected = [
        ("github-issues".to_owned(), deployed("staging", "a")),
        ("github-issues".to_owned(), deployed("test", "c")),
        ("slack".to_owned(), removed),
    ];
    assert_eq!(newest, expected);
    assert_eq!(store.newest_of(&[FactKind::ReviewRejected]).await.unwrap().len(), 1);
    assert!(store.newest_of(&[FactKind::Published]).await.unwrap().is_empty());
    assert!(store.newest_of(&[]).await.unwrap().is_empty());
}

fn evidence(content: &str, level: u32, outcomes: &[CaseOutcome]) -> Evidence {
    let case = |outcome: &CaseOutcome| CaseReport {
        suite: "Issues".to_owned(),
        case: "creates one".to_owned(),
        place: Place::file("tests/issues.yaml"),
        target: "actions/create-issue".to_owned(),
        outcome: *outcome,
        failures: Vec::new(),
        skipped: None,
        micros: 120,
    };
    Evidence {
        connector: github(),
        digest: Digest::of(content.as_bytes()),
        level,
        started: at(10),
        millis: 3,
        runner: "0.1.0".to_owned(),
        cases: outcomes.iter().map(case).collect(),
        failure: None,
        partial: false,
        coverage: switchboard::model::Coverage::default(),
    }
}

async fn evidence_belongs_to_one_digest_and_level(store: &dyn Store) {
    let before = store.last_fact().await.unwrap();
    let failing = evidence("a", 1, &[CaseOutcome::Passed, CaseOutcome::Failed]);
    let passing = evidence("a", 1, &[CaseOutcome::Passed, CaseOutcome::Passed]);
    let finished = Fact::TestsFinished { digest: failing.digest, verdict: failing.verdict() };
    store.append_evidence(&failing, &[new(11, "github-issues", finished)]).await.unwrap();
    assert_eq!(store.verdicts(1).await.unwrap(), [(failing.digest, Verdict { passed: 1, failed: 1 })]);
    assert_eq!(store.last_fact().await.unwrap(), before + 1);

    store.append_evidence(&passing, &[]).await.unwrap();
    store.append_evidence(&evidence("b", 2, &[CaseOutcome::Passed]), &[]).await.unwrap();
    assert_eq!(store.verdicts(1).await.unwrap(), [(passing.digest, Verdict { passed: 2, failed: 0 })]);
    assert_eq!(store.verdicts(2).await.unwrap().len(), 1);
    assert!(store.verdicts(3).await.unwrap().is_empty());
    // What another level showed is no evidence here, however new it is.
    store.append_evidence(&Evidence { level: 2, ..failing.clone() }, &[]).await.unwrap();
    let of = async |level, limit| store.evidence(&passing.digest, level, limit).await.unwrap();
    assert_eq!(of(1, 1).await, std::slice::from_ref(&passing));
    assert_eq!(of(1, 10).await, [passing.clone(), failing]);
    assert_eq!((of(2, 10).await.len(), of(3, 10).await.len()), (1, 0));
    assert_eq!(store.evidence(&Digest::of(b"never seen"), 1, 1).await.unwrap(), []);
    assert_eq!(store.last_fact().await.unwrap(), before + 1);
}

async fn declarations_are_replaced(store: &dyn Store) {
    let cached = |connector: &str, key: &str| CachedDeclaration {
        connector: connector.to_owned(),
        key: key.to_owned(),
        body: format!("{{\"key\":\"{key}\"}}"),
    };
    store.put_declarations(&[]).await.unwrap();
    store.put_declarations(&[cached("b", "1"), cached("a", "1"), cached("A folder's odd näme", "1")]).await.unwrap();
    store.put_declarations(&[cached("a", "2"), cached("a", "3")]).await.unwrap();
    let mut all = store.declarations().await.unwrap();
    all.sort_by(|one, other| one.connector.cmp(&other.connector));
    assert_eq!(all, [cached("A folder's odd näme", "1"), cached("a", "3"), cached("b", "1")]);
}

async fn only_the_newest_epoch_stores_plans(store: &dyn Store) {
    assert_eq!(store.plan().await.unwrap(), None);
    let old = store.begin_epoch(at(20), "host-a:1").await.unwrap();
    let plan = |epoch, body: &str| StoredPlan { epoch, at: at(21), body: body.to_owned() };
    store.put_plan(&plan(old, "first")).await.unwrap();
    let new = store.begin_epoch(at(22), "host-b:2").await.unwrap();
    assert!(new > old);

    let refused = store.put_plan(&plan(old, "late")).await.unwrap_err();
    assert_eq!(refused.downcast_ref::<LeaseLost>(), Some(&LeaseLost { epoch: old }));
    assert_eq!(store.plan().await.unwrap(), Some(plan(old, "first")));
    store.put_plan(&plan(new, "second")).await.unwrap();
    store.put_plan(&plan(new, "third")).await.unwrap();
    assert_eq!(store.plan().await.unwrap(), Some(plan(new, "third")));
}

fn bundle(content: &str) -> (Digest, BundleFiles) {
    let files = BTreeMap::from([
        ("connector.yaml".to_owned(), format!("apiVersion: switchboard/v1\nname: github-issues\ndescription: {content}\n").into_bytes()),
        ("icon.svg".to_owned(), vec![0, 159, 146, 150, 255]),
    ]);
    let files = BundleFiles::new(files);
    (switchboard::manifest::digest(&files).unwrap(), files)
}

async fn nothing_is_deployed_that_is_not_stored(registry: &dyn Registry) {
    let (digest, _) = bundle("a");
    let (test, production) = (environment("test"), environment("production"));
    let refused = registry.deploy(&test, &github(), &version("1.0.0"), &digest, at(30)).await.unwrap_err();
    assert!(refused.downcast_ref::<BundleMissing>().is_some(), "{refused:#}");
    let refused = registry.publish(&production, &github(), &version("1.0.0"), &digest, ReviewId(1), at(30)).await.unwrap_err();
    assert!(refused.downcast_ref::<BundleMissing>().is_some(), "{refused:#}");
    assert_eq!(registry.actual().await.unwrap().published, []);
    assert_eq!(registry.bundle(&digest).await.unwrap(), None);
}

async fn environments_hold_what_they_were_given(registry: &dyn Registry) {
    let ((a, files_a), (b, files_b)) = (bundle("a"), bundle("b"));
    let test = environment("test");
    for _ in 0..2 {
        registry.put_bundle(&github(), &a, &files_a).await.unwrap();
        registry.put_bundle(&github(), &b, &files_b).await.unwrap();
    }
    assert_eq!(registry.bundle(&a).await.unwrap(), Some(files_a));
    let other = Digest::of(b"other");
    let refused = registry.put_bundle(&github(), &other, &files_b).await.unwrap_err();
    assert!(refused.downcast_ref::<WrongDigest>().is_some(), "{refused:#}");
    assert_eq!(registry.bundle(&other).await.unwrap(), None);

    let mut revision = registry.revision().await.unwrap();
    let label = version(&format!("sha-{}", a.short()));
    registry.deploy(&test, &github(), &label, &a, at(31)).await.unwrap();
    risen(registry, &mut revision).await;
    registry.deploy(&test, &github(), &label, &a, at(99)).await.unwrap();
    let held = Holding { environment: test.clone(), connector: github(), version: label, digest: a, since: at(31) };
    assert_eq!(registry.actual().await.unwrap().holdings, [held]);

    registry.deploy(&test, &github(), &version("1.0.0"), &b, at(32)).await.unwrap();
    risen(registry, &mut revision).await;
    let held = Holding { environment: test.clone(), connector: github(), version: version("1.0.0"), digest: b, since: at(32) };
    assert_eq!(registry.actual().await.unwrap().holdings, [held]);

    registry.remove(&test, &github()).await.unwrap();
    risen(registry, &mut revision).await;
    registry.remove(&test, &github()).await.unwrap();
    assert_eq!(registry.revision().await.unwrap(), revision);
    assert_eq!(registry.actual().await.unwrap().holdings, []);
}

async fn a_published_version_keeps_its_content(registry: &dyn Registry) {
    let (a, b) = (bundle("a").0, bundle("b").0);
    let (production, europe) = (environment("production"), environment("europe"));
    let mut revision = registry.revision().await.unwrap();
    let publish = async |to: &EnvironmentName, text: &str, digest: &Digest, second| {
        registry.publish(to, &github(), &version(text), digest, ReviewId(7), at(second)).await.unwrap()
    };
    assert_eq!(publish(&production, "1.0.0", &a, 40).await, Publication::Done);
    risen(registry, &mut revision).await;
    assert_eq!(publish(&production, "1.0.0", &b, 41).await, Publication::VersionTaken(a));
    assert_eq!(registry.revision().await.unwrap(), revision);
    assert_eq!(publish(&europe, "1.0.0", &a, 42).await, Publication::Done);
    assert_eq!(publish(&production, "1.1.0", &b, 43).await, Publication::Done);
    risen(registry, &mut revision).await;

    registry.remove(&production, &github()).await.unwrap();
    registry.remove(&europe, &github()).await.unwrap();
    let actual = registry.actual().await.unwrap();
    assert_eq!(actual.holdings, []);
    let fixed = |text: &str, digest, second| PublishedVersion {
        connector: github(),
        version: version(text),
        digest,
        review: ReviewId(7),
        at: at(second),
    };
    assert_eq!(actual.published, [fixed("1.0.0", a, 40), fixed("1.1.0", b, 43)]);
    assert_eq!(registry.actual_of(&github()).await.unwrap(), actual);
    assert_eq!(registry.actual_of(&"slack".parse().unwrap()).await.unwrap(), Actual::default());
    assert_eq!(publish(&production, "1.0.0", &b, 44).await, Publication::VersionTaken(a));
}

async fn risen(registry: &dyn Registry, revision: &mut u64) {
    let now = registry.revision().await.unwrap();
    assert!(now > *revision, "{now} is not above {revision}");
    *revision = now;
}

async fn triggers_keep_their_state(states: &dyn TriggerStates) {
    let key = |place: &str, trigger: &str| TriggerKey {
        connection: ConnectionName::Environment(environment(place)),
        connector: github(),
        trigger: trigger.to_owned(),
    };
    let (test, production) = (key("test", "issue-opened"), key("production", "issue-opened"));
    let other = TriggerKey { connection: ConnectionName::File("/srv/mine.yaml".to_owned()), ..key("test", "issue-closed") };
    let (mine, production_lease) = (lease(states, &test).await, lease(states, &production).await);
    let other_lease = lease(states, &other).await;
    assert_eq!(states.trigger_state(&test).await.unwrap(), None);
    states.put_trigger_state(&test, &mine, "{\"cursor\":1}").await.unwrap();
    states.put_trigger_state(&production, &production_lease, "{\"cursor\":2}").await.unwrap();
    states.put_trigger_state(&other, &other_lease, "{}").await.unwrap();
    states.put_trigger_state(&test, &mine, "{\"cursor\":3}").await.unwrap();
    assert_eq!(states.trigger_state(&test).await.unwrap().as_deref(), Some("{\"cursor\":3}"));
    assert_eq!(states.trigger_state(&production).await.unwrap().as_deref(), Some("{\"cursor\":2}"));
    assert_eq!(states.triggers_with_state().await.unwrap(), [other.clone(), production, test.clone()]);
    states.remove_trigger_state(&test).await.unwrap();
    states.remove_trigger_state(&test).await.unwrap();
    assert_eq!(states.trigger_state(&test).await.unwrap(), None);
    assert_eq!(states.trigger_state(&other).await.unwrap().as_deref(), Some("{}"));
}

async fn lease(states: &dyn TriggerStates, key: &TriggerKey) -> TriggerLease {
    match states.lease_trigger(key, "me", at(0), at(30)).await.unwrap() {
        Leased::Mine(lease) => lease,
        others @ Leased::Others { .. } => panic!("{others:?}"),
    }
}

async fn one_process_at_a_time_runs_a_trigger(states: &dyn TriggerStates) {
    let connection = ConnectionName::Defaults;
    let key = TriggerKey { connection, connector: github(), trigger: "leased".to_owned() };
    let first = lease(states, &key).await;
    states.put_trigger_state(&key, &first, "1").await.unwrap();
    let taken = |holder: &'static str, now: i64| states.lease_trigger(&key, holder, at(now), at(now + 30));
    assert_eq!(taken("other", 29).await.unwrap(), Leased::Others { holder: "me".to_owned(), until: at(30) });
    states.extend_trigger_lease(&key, &TriggerLease { until: at(40), ..first }).await.unwrap();
    assert_eq!(taken("other", 30).await.unwrap(), Leased::Others { holder: "me".to_owned(), until: at(40) });

    let Leased::Mine(second) = taken("other", 40).await.unwrap() else { panic!("it was over") };
    assert!(second.epoch > first.epoch);
    for lost in
        [states.put_trigger_state(&key, &first, "2").await.unwrap_err(), states.extend_trigger_lease(&key, &first).await.unwrap_err()]
    {
        assert!(lost.is::<TriggerLeaseLost>(), "{lost:#}");
    }
    assert_eq!(states.trigger_state(&key).await.unwrap().as_deref(), Some("1"));
    states.return_trigger_lease(&key, &first).await.unwrap();
    assert!(matches!(taken("third", 41).await.unwrap(), Leased::Others { .. }), "what was lost is not given back");
    states.put_trigger_state(&key, &TriggerLease { until: at(80), ..second }, "3").await.unwrap();
    assert_eq!(taken("third", 71).await.unwrap(), Leased::Others { holder: "other".to_owned(), until: at(80) });
    states.return_trigger_lease(&key, &second).await.unwrap();
    assert!(matches!(taken("third", 72).await.unwrap(), Leased::Mine(_)));
    assert_eq!(states.trigger_state(&key).await.unwrap().as_deref(), Some("3"));
}
