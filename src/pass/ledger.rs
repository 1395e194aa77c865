//! The facts folded into what a plan needs of them, kept up to date by reading only what is new.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};

use crate::model::{
    ConnectorName, Digest, ENGINE_LEVEL, EnvironmentName, Fact, FactKind, Recorded, Review, ReviewId, ReviewState, Verdict,
};
use crate::planning::Held;
use crate::store::Store;

/// What the facts say, as of fact number `seq`.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    seq: Option<i64>,
    connectors: HashMap<ConnectorName, Account>,
    verdicts: HashMap<Digest, Verdict>,
    /// The runs of which no end is known, and whose they are.
    started: HashMap<Digest, ConnectorName>,
}

/// What the facts say of one connector.
#[derive(Debug, Default, Clone)]
pub(super) struct Account {
    /// What each environment was last given.
    pub(super) given: BTreeMap<EnvironmentName, Held>,
    /// The confirmation of its deletion, unless it has lapsed.
    pub(super) deletion_confirmed: Option<String>,
    /// The newest review that facts speak of, and the last fact's kind.
    pub(super) review: Option<(ReviewId, FactKind)>,
}

/// Kinds whose newest fact per connector and environment is all that the past has to say.
const STANDING: [&[FactKind]; 4] = [
    &[FactKind::Deployed, FactKind::Published, FactKind::Removed],
    &[FactKind::DeletionConfirmed, FactKind::ConfirmationLapsed],
    &[FactKind::ReviewOpened, FactKind::ReviewWithdrawn, FactKind::ReviewRejected, FactKind::ReviewMerged],
    &[FactKind::TestsStarted, FactKind::TestsFinished, FactKind::TestsAborted, FactKind::TestsStopped],
];

const PAGE: u32 = 1_000;

impl Ledger {
    /// Reads what is new and returns the connectors it concerns; `None` at first, when all are concerned.
    pub(super) async fn refresh(&mut self, store: &dyn Store) -> Result<Option<Vec<ConnectorName>>> {
        let Some(mut seq) = self.seq else {
            self.open(store).await.context("cannot read the facts")?;
            return Ok(None);
        };
        let mut concerned = Vec::new();
        loop {
            let facts = store.facts_after(seq, PAGE).await.context("cannot read the facts")?;
            let Some(last) = facts.last() else { break };
            seq = last.seq;
            for recorded in &facts {
                self.enter(recorded);
                concerned.push(recorded.connector.clone());
            }
        }
        self.seq = Some(seq);
        Ok(Some(concerned))
    }

    async fn open(&mut self, store: &dyn Store) -> Result<()> {
        let seq = store.last_fact().await?;
        let mut standing = Vec::new();
        for kinds in STANDING {
            standing.extend(store.newest_of(kinds).await?);
        }
        standing.sort_by_key(|recorded| recorded.seq);
        // What came in since `seq` was read is among them, and is entered once more by the next refresh: that changes nothing.
        standing.iter().for_each(|recorded| self.enter(recorded));
        self.verdicts = store.verdicts(ENGINE_LEVEL).await?.into_iter().collect();
        self.seq = Some(seq);
        Ok(())
    }

    fn enter(&mut self, recorded: &Recorded) {
        let account = self.connectors.entry(recorded.connector.clone()).or_default();
        match &recorded.fact {
            Fact::Deployed { environment, version, digest } | Fact::Published { environment, version, digest, .. } => {
                account.given.insert(environment.clone(), Held { version: version.clone(), digest: *digest });
            }
            Fact::Removed { environment, .. } => {
                account.given.remove(environment);
            }
            Fact::DeletionConfirmed { id, .. } => account.deletion_confirmed = Some(id.clone()),
            Fact::ConfirmationLapsed { .. } => account.deletion_confirmed = None,
            Fact::ReviewOpened { review, .. }
            | Fact::ReviewWithdrawn { review, .. }
            | Fact::ReviewRejected { review, .. }
            | Fact::ReviewMerged { review, .. } => account.review = Some((*review, recorded.fact.kind())),
            Fact::TestsStarted { digest } => {
                self.started.insert(*digest, recorded.connector.clone());
            }
            Fact::TestsFinished { digest, verdict } => {
                self.started.remove(digest);
                self.verdicts.insert(*digest, *verdict);
            }
            Fact::TestsAborted { digest, .. } | Fact::TestsStopped { digest } => {
                self.started.remove(digest);
            }
            Fact::ReviewIntended { .. } => {}
        }
    }

    pub(super) fn account(&self, connector: &ConnectorName) -> Account {
        self.connectors.get(connector).cloned().unwrap_or_default()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &ConnectorName> {
        self.connectors.iter().filter(|(_, account)| !account.given.is_empty()).map(|(name, _)| name)
    }

    pub(super) fn verdict(&self, digest: &Digest) -> Option<Verdict> {
        self.verdicts.get(digest).copied()
    }

    /// Whether a run was started of which no end is known.
    pub(super) fn was_started(&self, digest: &Digest) -> bool {
        self.started.contains_key(digest)
    }

    /// Whose run it is, of which no end is known.
    pub(super) fn tested(&self, digest: &Digest) -> Option<&ConnectorName> {
        self.started.get(digest)
    }

    /// The fact that says how a review stands, unless it is known already. Of reviews before the newest one nothing is told any more.
    pub(super) fn unknown(&self, review: &Review) -> Option<Fact> {
        let (id, digest) = (review.id, review.digest);
        let fact = match &review.state {
            ReviewState::Open => Fact::ReviewOpened { review: id, version: review.version.clone(), digest },
            ReviewState::Merged { by, .. } => Fact::ReviewMerged { review: id, digest, by: by.clone() },
            ReviewState::Rejected { by, reason, .. } => Fact::ReviewRejected { review: id, digest, by: by.clone(), reason: reason.clone() },
            ReviewState::Withdrawn { .. } => Fact::ReviewWithdrawn { review: id, digest },
        };
        let known = self.connectors.get(&review.connector).and_then(|account| account.review);
        let newer_is_known = known.is_some_and(|(newest, _)| newest > id);
        (!newer_is_known && known != Some((id, fact.kind()))).then_some(fact)
    }
}
