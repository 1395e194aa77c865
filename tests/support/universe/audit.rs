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
    /// How often production was given content again after other content.
    pub returns: usize,
    /// Rules that were broken, as sentences.
    pub violations: Vec<String>,
}

impl Audit {
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
