//! Reads every port into one immutable snapshot, touching only what has changed since the pass before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::memory::{Dirty, Memory, Stock};
use super::{World, folders};
use crate::harness::AbortedRun;
use crate::model::{ConnectorName, Digest, Fact, RecordId, Review};
use crate::planning::{self, Connector, Desired, Gap, Held, Retry, Snapshot, Step};
use crate::registry::Actual;
use crate::store::NewFact;

/// Stores the evidence of the runs that ended, and only then lets the harness forget them.
pub(super) async fn collect_evidence(world: &World, memory: &mut Memory) -> Result<()> {
    let progress = match world.harness.progress().await {
        Ok(progress) => progress,
        Err(error) => {
            tracing::warn!("cannot ask for the tests' progress: {error:#}");
            return Ok(());
        }
    };
    let mut testing: BTreeSet<Digest> = progress.running.into_iter().collect();
    for evidence in progress.finished {
        let fact = Fact::TestsFinished { digest: evidence.digest, verdict: evidence.verdict() };
        let fact = NewFact { at: world.clock.now(), connector: evidence.connector.clone(), fact };
        world.store.append_evidence(&evidence, &[fact]).await.context("cannot store the tests' evidence")?;
        if let Err(error) = world.harness.acknowledge(&evidence.digest).await {
            // It stays finished and is stored once more: evidence is only ever added.
            tracing::warn!("cannot acknowledge the tests of {}: {error:#}", evidence.connector);
        }
        testing.remove(&evidence.digest);
        memory.aborted_runs.remove(&evidence.digest);
    }
    for aborted in progress.aborted {
        testing.remove(&aborted.digest);
        note_aborted(world, memory, aborted).await?;
    }
    memory.set_testing(testing);
    Ok(())
}

/// A run that ended without evidence is a failed step, tried again later; how often it failed is counted beside the step, which
/// succeeds each time that the run starts.
async fn note_aborted(world: &World, memory: &mut Memory, aborted: AbortedRun) -> Result<()> {
    let AbortedRun { connector, digest, reason } = aborted;
    tracing::warn!(%connector, "the tests could not be run: {reason}");
    let fact = Fact::TestsAborted { digest, reason: reason.clone() };
    let fact = NewFact { at: world.clock.now(), connector: connector.clone(), fact };
    world.store.append(&[fact]).await.context("cannot remember that the tests could not be run")?;
    if let Err(error) = world.harness.acknowledge(&digest).await {
        tracing::warn!("cannot acknowledge the tests of {connector}: {error:#}");
    }
    let failures = memory.aborted_runs.entry(digest).or_default();
    *failures = failures.saturating_add(1);
    let failures = *failures;
    let declared = memory.connectors.get(&connector).and_then(|known| known.declaration());
    let tree = declared.filter(|declaration| declaration.digest == digest).map(|declaration| declaration.tree.clone());
    if let Some(tree) = tree {
        let failure = format!("the tests could not be run: {reason}");
        let retry = world.retry_of(Step::RunTests { digest, tree }, failures, failure);
        memory.set_retry(&connector, Some(retry));
    }
    Ok(())
}

/// Remembers what people and earlier passes did to reviews, where no fact says so yet.
pub(super) async fn remember_reviews(world: &World, memory: &Memory, snapshot: &Snapshot) -> Result<()> {
    if snapshot.gaps.iter().any(|gap| matches!(gap, Gap::Reviews(_))) {
        return Ok(());
    }
    let at = world.clock.now();
    let reviews = memory.reviews.values().flatten();
    let unknown: Vec<NewFact> = reviews
        .filter_map(|review| memory.ledger.unknown(review).map(|fact| NewFact { at, connector: review.connector.clone(), fact }))
        .collect();
    if !unknown.is_empty() {
        world.store.append(&unknown).await.context("cannot remember the reviews")?;
    }
    Ok(())
}

/// Ends the confirmations of deletions whose connectors are there again, before anything can be deleted by them.
pub(super) async fn remember_lapses(world: &World, snapshot: &Snapshot) -> Result<()> {
    let at = world.clock.now();
    let lapsed: Vec<NewFact> = planning::lapsed_confirmations(snapshot)
        .into_iter()
        .map(|(name, id)| NewFact { at, connector: name.clone(), fact: Fact::ConfirmationLapsed { id: id.to_owned() } })
        .collect();
    if !lapsed.is_empty() {
        world.store.append(&lapsed).await.context("cannot remember that confirmations have ended")?;
    }
    Ok(())
}

/// Reads everything a plan is made from. The facts come first, so that a confirmation is never newer than the commit it is judged by.
pub(super) async fn observe(world: &World, memory: &mut Memory) -> Result<Snapshot> {
    let mut gaps = Vec::new();
    if !memory.cache_loaded && !memory.lease_held {
        load_failures(world, memory).await?;
    }
    read_facts(world, memory).await?;
    folders::load_cache(world, memory).await?;
    gaps.extend(folders::read(world, memory).await?);
    gaps.extend(read_reviews(world, memory).await);
    read_registry(world, memory).await?;
    let renewed = renew(memory);
    gaps.extend(read_past(world, memory, &renewed).await);
    Ok(Snapshot {
        taken_at: world.clock.now(),
        commit: memory.commit.clone(),
        gaps,
        policy: memory.policy.clone(),
        connectors: memory.connectors.clone(),
        oddities: memory.oddities.clone(),
    })
}

/// Takes over, for somebody who only looks, what the process that made the last plan knows of steps that failed. Where that process has
/// ended, nothing keeps the next pass from trying them at once.
async fn load_failures(world: &World, memory: &mut Memory) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Failures {
        failed: BTreeMap<ConnectorName, Retry>,
    }
    let Some(stored) = world.store.plan().await.context("cannot read the last plan")? else { return Ok(()) };
    // A plan of another version of Switchboard may not say it.
    let Ok(Failures { failed }) = serde_json::from_str(&stored.body) else { return Ok(()) };
    let now = world.clock.now();
    for (connector, retry) in failed {
        let at = if memory.others_at_work { retry.at } else { retry.at.min(now) };
        memory.set_retry(&connector, Some(Retry { at, ..retry }));
    }
    Ok(())
}

/// Reviews are read after the repository, so that a record on the tracked branch is never newer than its review.
async fn read_reviews(world: &World, memory: &mut Memory) -> Option<Gap> {
    let reviews = match world.forge.reviews().await {
        Ok(reviews) => reviews,
        Err(error) => return Some(Gap::Reviews(format!("{error:#}"))),
    };
    let mut grouped: BTreeMap<ConnectorName, Vec<Review>> = BTreeMap::new();
    for review in reviews {
        grouped.entry(review.connector.clone()).or_default().push(review);
    }
    for (name, reviews) in &grouped {
        if memory.reviews.get(name) != Some(reviews) {
            memory.dirty.add(name);
        }
    }
    for name in memory.reviews.keys().filter(|name| !grouped.contains_key(*name)) {
        memory.dirty.add(name);
    }
    memory.reviews = grouped;
    None
}

/// Reads the holdings: of the connectors this process changed itself, or of all where something else changed them.
async fn read_registry(world: &World, memory: &mut Memory) -> Result<()> {
    let revision = world.registry.revision().await.context("cannot read the registry's revision")?;
    let stale = std::mem::take(&mut memory.stale_holdings);
    if memory.revision == Some(revision) {
        return Ok(());
    }
    let only_own_changes = memory.revision.is_some() && !stale.is_empty() && memory.lease_held;
    if only_own_changes && stale.len() <= 256 {
        for name in &stale {
            let stock = stocks(world.registry.actual_of(name).await.context("cannot read the registry")?).remove(name);
            memory.dirty.add(name);
            match stock {
                Some(stock) => memory.actual.insert(name.clone(), stock),
                None => memory.actual.remove(name),
            };
        }
    } else {
        let stocks = stocks(world.registry.actual().await.context("cannot read the registry")?);
        for name in stocks.keys().chain(memory.actual.keys()) {
            if stocks.get(name) != memory.actual.get(name) {
                memory.dirty.add(name);
            }
        }
        memory.actual = stocks;
    }
    memory.revision = Some(revision);
    Ok(())
}

fn stocks(actual: Actual) -> BTreeMap<ConnectorName, Stock> {
    let mut stocks: BTreeMap<ConnectorName, Stock> = BTreeMap::new();
    for holding in actual.holdings {
        let held = Held { version: holding.version, digest: holding.digest };
        stocks.entry(holding.connector).or_default().holdings.insert(holding.environment, held);
    }
    for published in actual.published {
        stocks.entry(published.connector).or_default().published.insert(published.version, published.digest);
    }
    stocks
}

async fn read_facts(world: &World, memory: &mut Memory) -> Result<()> {
    match memory.ledger.refresh(world.store.as_ref()).await? {
        None => memory.dirty = Dirty::All,
        Some(concerned) => concerned.iter().for_each(|name| memory.dirty.add(name)),
    }
    Ok(())
}

/// Asks history about the records on which a plan for these connectors depends. Without an answer nothing is planned.
async fn read_past(world: &World, memory: &mut Memory, names: &BTreeSet<ConnectorName>) -> Option<Gap> {
    let commit = memory.commit.clone()?;
    let in_question: Vec<RecordId> = names
        .iter()
        .filter_map(|name| memory.connectors.get(name).map(|connector| (name, connector.records_in_question(&memory.policy))))
        .flat_map(|(name, records)| records.into_iter().map(|(version, record)| RecordId { connector: name.clone(), version, record }))
        .collect();
    if in_question.is_empty() {
        return None;
    }
    let past = match world.repository.records_past(&commit, &in_question).await {
        Ok(past) => past,
        Err(error) => {
            names.iter().for_each(|name| memory.dirty.add(name));
            return Some(Gap::Repository(format!("{error:#}")));
        }
    };
    let connectors = Arc::make_mut(&mut memory.connectors);
    for (id, past) in in_question.into_iter().zip(past) {
        if past.is_err() {
            // Asked again on the next pass.
            memory.dirty.add(&id.connector);
        }
        let past = past.map_err(|error| error.to_string());
        if let Some(connector) = connectors.get_mut(&id.connector) {
            Arc::make_mut(connector).past.insert(id.record, past);
        }
    }
    None
}

/// Makes the connectors whose facts changed anew, and returns their names; the others are shared with the snapshot before.
fn renew(memory: &mut Memory) -> BTreeSet<ConnectorName> {
    let dirty = std::mem::replace(&mut memory.dirty, Dirty::Some(BTreeSet::new()));
    let names: BTreeSet<ConnectorName> = match dirty {
        Dirty::Some(names) if names.is_empty() => return names,
        Dirty::Some(names) => names,
        Dirty::All => {
            let folders = memory.folders.keys().filter_map(|folder| folder.parse().ok());
            let known = memory.actual.keys().chain(memory.reviews.keys()).chain(memory.ledger.names()).cloned();
            let before = memory.connectors.keys().cloned();
            folders.chain(known).chain(before).collect()
        }
    };
    let mut connectors = (*memory.connectors).clone();
    for name in &names {
        match connector(memory, name) {
            Some(connector) => connectors.insert(name.clone(), Arc::new(connector)),
            None => connectors.remove(name),
        };
    }
    memory.connectors = Arc::new(connectors);
    names
}

/// One connector's facts, from every port; `None` where nothing is left of it but its past.
fn connector(memory: &Memory, name: &ConnectorName) -> Option<Connector> {
    let desired = memory.folders.get(name.as_str()).map_or(Desired::Absent, |folder| folder.desired.clone());
    let stock = memory.actual.get(name).cloned().unwrap_or_default();
    let account = memory.ledger.account(name);
    let reviews = memory.reviews.get(name).cloned().unwrap_or_default();
    let nothing_left = stock.holdings.is_empty() && account.given.is_empty() && !reviews.iter().any(Review::is_open);
    if desired == Desired::Absent && nothing_left {
        return None;
    }
    let releases = memory.releases.get(name.as_str());
    let digest = match &desired {
        Desired::Declared(declaration) => Some(declaration.digest),
        Desired::Absent | Desired::Unreadable { .. } => None,
    };
    Some(Connector {
        desired,
        holdings: stock.holdings,
        given: account.given,
        published: stock.published,
        verdict: digest.and_then(|digest| memory.ledger.verdict(&digest)),
        testing: digest.is_some_and(|digest| memory.is_testing(&digest)),
        reviews,
        releases: releases.map(|read| read.records.clone()).unwrap_or_default(),
        unreadable_releases: releases.map(|read| read.unreadable.clone()).unwrap_or_default(),
        deletion_confirmed: account.deletion_confirmed,
        past: BTreeMap::new(),
        retry: memory.retry(name).cloned(),
    })
}
