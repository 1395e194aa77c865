//! A registry in memory, with the witness at its elbow.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use async_trait::async_trait;
use jiff::Timestamp;
use switchboard::manifest;
use switchboard::model::{BundleFiles, ConnectorName, Digest, EnvironmentName, ReviewId, Version};
use switchboard::registry::{Actual, BundleMissing, Holding, Publication, PublishedVersion, Registry, WrongDigest};

use super::git::MAIN;
use super::{State, Universe};

/// What the environments hold.
#[derive(Default)]
pub struct RegistryState {
    pub holdings: BTreeMap<(EnvironmentName, ConnectorName), Holding>,
    pub published: BTreeMap<(ConnectorName, Version), PublishedVersion>,
    bundles: BTreeMap<Digest, BundleFiles>,
    pub revision: u64,
    /// Whether it takes what it is given and shows nothing of it.
    pub deaf: bool,
}

impl State {
    fn refuse_missing(&self, connector: &ConnectorName, version: &Version, digest: &Digest) -> Result<()> {
        match self.registry.bundles.contains_key(digest) {
            true => Ok(()),
            false => Err(BundleMissing { connector: connector.clone(), version: version.clone(), digest: *digest }.into()),
        }
    }

    fn put(&mut self, holding: Holding) {
        let key = (holding.environment.clone(), holding.connector.clone());
        let holds = self.registry.holdings.get(&key).is_some_and(|held| (&held.version, held.digest) == (&holding.version, holding.digest));
        if !holds && !self.registry.deaf {
            self.registry.revision += 1;
            self.registry.holdings.insert(key, holding);
        }
    }

    /// What the tracked branch, as last told, lacks and an environment holds, unless it is in review; and how many connectors there are.
    fn pending_deletions(&self) -> (BTreeSet<ConnectorName>, usize) {
        let held: BTreeSet<&ConnectorName> = self.registry.holdings.keys().map(|(_, connector)| connector).collect();
        let told = self.git.last_told.as_ref().map(|commit| self.git.connectors_at(commit)).unwrap_or_default();
        let in_review = |name: &ConnectorName| self.forge.reviews.iter().any(|review| review.connector == *name && review.is_open());
        let absent = held.into_iter().filter(|name| !told.contains(name.as_str()));
        let pending: BTreeSet<ConnectorName> = absent.filter(|name| !in_review(name)).cloned().collect();
        let connectors = told.len() + pending.len();
        (pending, connectors)
    }

    fn is_gone_from_git(&self, connector: &ConnectorName) -> bool {
        let folder = format!("connectors/{connector}/");
        let told = self.git.last_told.as_ref().and_then(|commit| self.git.commits.get(commit));
        let now = self.git.branches.get(MAIN).and_then(|commit| self.git.commits.get(commit));
        [told, now].into_iter().flatten().any(|files| !files.is_empty() && !files.keys().any(|path| path.starts_with(&folder)))
    }
}

#[async_trait]
impl Registry for Universe {
    async fn revision(&self) -> Result<u64> {
        self.call("registry.revision", |state, _| Ok(state.registry.revision))
    }

    async fn actual(&self) -> Result<Actual> {
        self.call("registry.actual", |state, _| {
            let registry = &state.registry;
            Ok(Actual {
                holdings: registry.holdings.values().cloned().collect(),
                published: registry.published.values().cloned().collect(),
            })
        })
    }

    async fn actual_of(&self, connector: &ConnectorName) -> Result<Actual> {
        self.call("registry.actual_of", |state, _| {
            let registry = &state.registry;
            Ok(Actual {
                holdings: registry.holdings.values().filter(|holding| holding.connector == *connector).cloned().collect(),
                published: registry.published.values().filter(|published| published.connector == *connector).cloned().collect(),
            })
        })
    }

    async fn put_bundle(&self, connector: &ConnectorName, digest: &Digest, files: &BundleFiles) -> Result<()> {
        self.call("registry.put_bundle", |state, _| {
            let found = manifest::digest(files);
            if found != Some(*digest) {
                return Err(WrongDigest { connector: connector.clone(), claimed: *digest, found }.into());
            }
            state.registry.bundles.entry(*digest).or_insert_with(|| files.clone());
            Ok(())
        })
    }

    async fn bundle(&self, digest: &Digest) -> Result<Option<BundleFiles>> {
        self.call("registry.bundle", |state, _| Ok(state.registry.bundles.get(digest).cloned()))
    }

    async fn deploy(
        &self,
        environment: &EnvironmentName,
        connector: &ConnectorName,
        version: &Version,
        digest: &Digest,
        at: Timestamp,
    ) -> Result<()> {
        let (environment, connector, version, digest) = (environment.clone(), connector.clone(), version.clone(), *digest);
        self.call("registry.deploy", move |state, _| {
            if environment.as_str() == "production" {
                state.audit.violations.push(format!("{connector} was deployed to production"));
            }
            state.refuse_missing(&connector, &version, &digest)?;
            state.put(Holding { environment, connector, version, digest, since: at });
            Ok(())
        })
    }

    async fn publish(
        &self,
        environment: &EnvironmentName,
        connector: &ConnectorName,
        version: &Version,
        digest: &Digest,
        review: ReviewId,
        at: Timestamp,
    ) -> Result<Publication> {
        let (environment, connector, version, digest) = (environment.clone(), connector.clone(), version.clone(), *digest);
        self.call("registry.publish", move |state, _| {
            let key = (connector.clone(), version.clone());
            if let Some(published) = state.registry.published.get(&key).filter(|published| published.digest != digest) {
                return Ok(Publication::VersionTaken(published.digest));
            }
            state.refuse_missing(&connector, &version, &digest)?;
            state.audit.publishes(&connector, &version, &digest);
            let published = PublishedVersion { connector: connector.clone(), version: version.clone(), digest, review, at };
            state.registry.published.entry(key).or_insert(published);
            state.put(Holding { environment, connector, version, digest, since: at });
            Ok(Publication::Done)
        })
    }

    async fn remove(&self, environment: &EnvironmentName, connector: &ConnectorName) -> Result<()> {
        self.call("registry.remove", |state, _| {
            if !state.is_gone_from_git(connector) {
                state.audit.violations.push(format!("{connector} was deleted though git holds it"));
            }
            let (pending, connectors) = state.pending_deletions();
            state.audit.deletes(connector, &pending, connectors);
            if state.registry.holdings.remove(&(environment.clone(), connector.clone())).is_some() {
                state.registry.revision += 1;
            }
            Ok(())
        })
    }
}
