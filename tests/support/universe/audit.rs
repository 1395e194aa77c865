//! What an incorruptible witness saw: it remembers across restarts and lost state, so that invariants can be asked of it.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::model::{ConnectorName, Digest, Version};

/// What happened, whatever anybody else still remembers of it.
#[derive(Debug, Default)]
pub struct Audit {
    /// Content whose tests passed.
    pub passed: BTreeSet<Digest>,
    /// What people approved.
    pub approved: BTreeSet<(ConnectorName, Version, Digest)>,
    /// What was published.
    pub published: BTreeMap<(ConnectorName, Version), Digest>,
    /// What production was given last.
    newest: BTreeMap<ConnectorName, Digest>,
    /// Sets of connectors whose deletion was confirmed, each as long as its occasion lasts.
    confirmed: Vec<BTreeSet<ConnectorName>>,
    /// How often something was deleted by a confirmation.
    pub confirmed_deletions: usize,
    /// How often production was given content again after other content.
    pub returns: usize,
    /// Rules that were broken, as sentences.
    pub violations: Vec<String>,
}

impl Audit {
    /// A person confirms the deletion of exactly these.
    pub fn confirms(&mut self, connectors: BTreeSet<ConnectorName>) {
        self.confirmed.push(connectors);
    }

    /// A pass was over in which these connectors were there: their next deletion is another occasion.
    pub fn sees(&mut self, present: impl Fn(&ConnectorName) -> bool) {
        self.confirmed.iter_mut().for_each(|set| set.retain(|connector| !present(connector)));
    }

    /// Something is deleted while so much waits for its deletion, out of so many connectors. The caps are the usual ones.
    pub fn deletes(&mut self, connector: &ConnectorName, pending: &BTreeSet<ConnectorName>, connectors: usize) {
        let count = pending.len();
        if count <= 5 && (count <= 1 || count * 100 <= 10 * connectors) {
            return;
        }
        if self.confirmed.iter().any(|set| pending.is_subset(set)) {
            self.confirmed_deletions += 1;
        } else {
            self.violations.push(format!("{connector} was deleted above the cap, as one of {pending:?}, which nobody confirmed"));
        }
    }

    /// A production environment is given content.
    pub fn publishes(&mut self, connector: &ConnectorName, version: &Version, digest: &Digest) {
        if !self.passed.contains(digest) {
            self.violations.push(format!("{connector} {version} was published without evidence"));
        }
        if !self.approved.contains(&(connector.clone(), version.clone(), *digest)) {
            self.violations.push(format!("{connector} {version} was published without an approved review"));
        }
        let replaced = self.newest.insert(connector.clone(), *digest).is_some_and(|newest| newest != *digest);
        let before = self.published.insert((connector.clone(), version.clone()), *digest);
        self.returns += usize::from(replaced && before == Some(*digest));
        if before.is_some_and(|before| before != *digest) {
            self.violations.push(format!("{connector} {version} changed its content after it was published"));
        }
    }
}
