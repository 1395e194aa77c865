//! What a process remembers from pass to pass, so that a pass costs what has changed and not what there is.
//! Losing it costs time and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::ledger::Ledger;
use crate::model::{BlobId, CommitId, ConnectorName, Digest, Problem, Release, Review, TreeId, Version};
use crate::planning::{Connector, Declaration, Desired, Gap, Held, Policy, Retry};

/// What a process remembers from pass to pass.
#[derive(Default)]
pub struct Memory {
    /// Whether another process, the holder of the lease, is at work: what it started and did not end is still running.
    pub others_at_work: bool,
    /// Whether this process holds the lease: then nobody else changes what environments hold.
    pub lease_held: bool,
    pub(super) commit: Option<CommitId>,
    pub(super) config: Option<ReadConfig>,
    pub(super) policy: Arc<Policy>,
    pub(super) folders: BTreeMap<String, Folder>,
    /// How many folders, of connectors and of records, could not be read for now.
    pub(super) incomplete: usize,
    pub(super) releases: BTreeMap<String, ReadReleases>,
    pub(super) oddities: Vec<Problem>,
    pub(super) reviews: BTreeMap<ConnectorName, Vec<Review>>,
    pub(super) revision: Option<u64>,
    pub(super) actual: BTreeMap<ConnectorName, Stock>,
    pub(super) stale_holdings: BTreeSet<ConnectorName>,
    pub(super) ledger: Ledger,
    pub(super) testing: BTreeSet<Digest>,
    /// How often in a row the tests of some content ended without evidence.
    pub(super) aborted_runs: HashMap<Digest, u32>,
    pub(super) retries: HashMap<ConnectorName, Retry>,
    pub(super) connectors: Arc<BTreeMap<ConnectorName, Arc<Connector>>>,
    pub(super) dirty: Dirty,
    pub(super) cache_loaded: bool,
    pub(super) stored_plan: Option<String>,
}

/// The settings as last read.
#[derive(Debug, Clone)]
pub(super) struct ReadConfig {
    /// What was read: an empty id where there is no file; `None` where it could not be read and is tried again.
    pub(super) blob: Option<BlobId>,
    /// Why it could not be understood; then the last readable one stands.
    pub(super) problems: Vec<Problem>,
}

/// A connector's folder as last read.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// What was read; `None` where the object could not be read and is tried again.
    pub(super) tree: Option<TreeId>,
    pub(super) desired: Desired,
}

/// A connector's release records as last read.
#[derive(Debug, Clone)]
pub(super) struct ReadReleases {
    /// What was read; `None` where not all of it could be and it is tried again.
    pub(super) tree: Option<TreeId>,
    pub(super) records: Vec<(Release, Digest)>,
    pub(super) unreadable: Vec<Problem>,
}

/// What the registry holds of one connector.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Stock {
    pub(super) holdings: BTreeMap<crate::model::EnvironmentName, Held>,
    pub(super) published: BTreeMap<Version, Digest>,
}

/// The connectors whose part of the snapshot must be made anew.
#[derive(Debug, Default)]
pub(super) enum Dirty {
    /// All: nothing is known yet, or something changed that concerns all.
    #[default]
    All,
    /// These.
    Some(BTreeSet<ConnectorName>),
}

impl Dirty {
    pub(super) fn add(&mut self, name: &ConnectorName) {
        match self {
            Dirty::All => {}
            Dirty::Some(names) => {
                names.insert(name.clone());
            }
        }
    }
}

impl ReadReleases {
    pub(super) fn empty() -> Self {
        Self { tree: None, records: Vec::new(), unreadable: Vec::new() }
    }
}

impl Memory {
    /// A memory that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn retry(&self, connector: &ConnectorName) -> Option<&Retry> {
        self.retries.get(connector)
    }

    pub(super) fn set_retry(&mut self, connector: &ConnectorName, retry: Option<Retry>) {
        let before = self.retries.remove(connector);
        if before.is_some() || retry.is_some() {
            self.dirty.add(connector);
        }
        if let Some(retry) = retry {
            self.retries.insert(connector.clone(), retry);
        }
    }

    /// Drops the failures of steps that nobody wants any more.
    pub(super) fn forget_retries_except(&mut self, wanted: &BTreeSet<&ConnectorName>) {
        let unwanted: Vec<ConnectorName> = self.retries.keys().filter(|name| !wanted.contains(name)).cloned().collect();
        for name in unwanted {
            self.set_retry(&name, None);
        }
    }

    pub(super) fn earliest_retry(&self) -> Option<Timestamp> {
        self.retries.values().map(|retry| retry.at).min()
    }

    /// Whether everything of the commit was read; what could not be is tried again on every pass.
    pub(super) fn is_complete(&self) -> bool {
        self.incomplete == 0 && self.config.as_ref().is_some_and(|config| config.blob.is_some())
    }

    /// Gaps that stay until the tracked branch moves.
    pub(super) fn standing_gaps(&self) -> Vec<Gap> {
        match &self.config {
            Some(ReadConfig { problems, .. }) if !problems.is_empty() => vec![Gap::Config(problems.clone())],
            Some(_) | None => Vec::new(),
        }
    }

    /// Takes which digests are being tested now.
    pub(super) fn set_testing(&mut self, testing: BTreeSet<Digest>) {
        if self.testing == testing {
            return;
        }
        let changed: BTreeSet<&Digest> = self.testing.symmetric_difference(&testing).collect();
        for (name, connector) in self.connectors.iter() {
            if connector.declaration().is_some_and(|declaration| changed.contains(&declaration.digest)) {
                self.dirty.add(name);
            }
        }
        self.testing = testing;
    }

    /// Whether a digest is being tested, here or by the process that holds the lease.
    pub(super) fn is_testing(&self, digest: &Digest) -> bool {
        self.testing.contains(digest) || (self.others_at_work && self.ledger.was_started(digest))
    }

    /// Marks what a pass may have changed, so that the next one reads it again.
    pub(super) fn forget_holdings(&mut self, connectors: &[ConnectorName]) {
        self.stale_holdings.extend(connectors.iter().cloned());
    }

    /// What was declared when the folder could last be understood.
    pub(super) fn last_good(&self, folder: &str) -> Option<Arc<Declaration>> {
        match &self.folders.get(folder)?.desired {
            Desired::Declared(declaration) => Some(declaration.clone()),
            Desired::Unreadable { last_good, .. } => last_good.clone(),
            Desired::Absent => None,
        }
    }
}
