//! A store in memory.

use std::collections::BTreeMap;

use anyhow::Result;
use async_trait::async_trait;
use jiff::Timestamp;
use switchboard::model::{ConnectorName, Digest, EnvironmentName, Evidence, FactKind, Recorded, Verdict};
use switchboard::store::{CachedDeclaration, LeaseLost, NewFact, Store, StoredPlan};

use super::Universe;

/// Facts, evidence, plans.
#[derive(Default)]
pub struct StoreState {
    pub facts: Vec<Recorded>,
    pub evidence: Vec<Evidence>,
    declarations: BTreeMap<String, CachedDeclaration>,
    plan: Option<StoredPlan>,
    epoch: u64,
}

impl StoreState {
    fn append(&mut self, facts: &[NewFact]) -> i64 {
        for new in facts {
            let seq = self.facts.len() as i64 + 1;
            self.facts.push(Recorded { seq, at: new.at, connector: new.connector.clone(), fact: new.fact.clone() });
        }
        self.facts.len() as i64
    }
}

#[async_trait]
impl Store for Universe {
    async fn append(&self, facts: &[NewFact]) -> Result<i64> {
        self.call("store.append", |state, _| {
            let is_confirmation = |new: &&NewFact| new.fact.kind() == FactKind::DeletionConfirmed;
            state.audit.confirms(facts.iter().filter(is_confirmation).map(|new| new.connector.clone()).collect());
            Ok(state.store.append(facts))
        })
    }

    async fn last_fact(&self) -> Result<i64> {
        self.call("store.last_fact", |state, _| Ok(state.store.facts.len() as i64))
    }

    async fn facts_after(&self, seq: i64, limit: u32) -> Result<Vec<Recorded>> {
        self.call("store.facts_after", |state, _| {
            Ok(state.store.facts.iter().filter(|fact| fact.seq > seq).take(limit as usize).cloned().collect())
        })
    }

    async fn history(&self, connector: &ConnectorName, limit: u32) -> Result<Vec<Recorded>> {
        self.call("store.history", |state, _| {
            Ok(state.store.facts.iter().rev().filter(|fact| fact.connector == *connector).take(limit as usize).cloned().collect())
        })
    }

    async fn newest_of(&self, kinds: &[FactKind]) -> Result<Vec<Recorded>> {
        self.call("store.newest_of", |state, _| {
            let mut newest: BTreeMap<(&ConnectorName, Option<&EnvironmentName>), &Recorded> = BTreeMap::new();
            for recorded in state.store.facts.iter().filter(|recorded| kinds.contains(&recorded.fact.kind())) {
                newest.insert((&recorded.connector, recorded.fact.environment()), recorded);
            }
            let mut newest: Vec<Recorded> = newest.into_values().cloned().collect();
            newest.sort_by_key(|recorded| recorded.seq);
            Ok(newest)
        })
    }

    async fn append_evidence(&self, evidence: &Evidence, facts: &[NewFact]) -> Result<()> {
        self.call("store.append_evidence", |state, _| {
            state.store.evidence.push(evidence.clone());
            state.store.append(facts);
            Ok(())
        })
    }

    async fn verdicts(&self, level: u32) -> Result<Vec<(Digest, Verdict)>> {
        self.call("store.verdicts", |state, _| {
            let of_level = state.store.evidence.iter().filter(|evidence| evidence.level == level);
            let newest: BTreeMap<Digest, Verdict> = of_level.map(|evidence| (evidence.digest, evidence.verdict())).collect();
            Ok(newest.into_iter().collect())
        })
    }

    async fn evidence(&self, digest: &Digest, level: u32, limit: u32) -> Result<Vec<Evidence>> {
        self.call("store.evidence", |state, _| {
            let wanted = |evidence: &&Evidence| evidence.digest == *digest && evidence.level == level;
            Ok(state.store.evidence.iter().rev().filter(wanted).take(limit as usize).cloned().collect())
        })
    }

    async fn declarations(&self) -> Result<Vec<CachedDeclaration>> {
        self.call("store.declarations", |state, _| Ok(state.store.declarations.values().cloned().collect()))
    }

    async fn put_declarations(&self, declarations: &[CachedDeclaration]) -> Result<()> {
        self.call("store.put_declarations", |state, _| {
            for declaration in declarations {
                state.store.declarations.insert(declaration.connector.clone(), declaration.clone());
            }
            Ok(())
        })
    }

    async fn begin_epoch(&self, _at: Timestamp, _holder: &str) -> Result<u64> {
        self.call("store.begin_epoch", |state, _| {
            state.store.epoch += 1;
            Ok(state.store.epoch)
        })
    }

    async fn put_plan(&self, plan: &StoredPlan) -> Result<()> {
        self.call("store.put_plan", |state, _| {
            if plan.epoch < state.store.epoch {
                return Err(LeaseLost { epoch: plan.epoch }.into());
            }
            state.store.plan = Some(plan.clone());
            Ok(())
        })
    }

    async fn plan(&self) -> Result<Option<StoredPlan>> {
        self.call("store.plan", |state, _| Ok(state.store.plan.clone()))
    }
}
