//! Rule 9: a deleted folder deletes the connector everywhere, unless it is in review or too many go at once.

use std::collections::BTreeMap;

use super::gates::Gate;
use super::{Cause, Connector, Desired, Snapshot, Step, WaitingOn};
use crate::model::{ConnectorName, Digest};

/// The deletions of one snapshot, and whether they may go on.
#[derive(Debug)]
pub(super) struct Deletions {
    /// Why they wait, if they do.
    held: Option<WaitingOn>,
}

impl Deletions {
    /// Counts what is to be deleted and compares it with the policy's caps.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let pending: BTreeMap<&ConnectorName, &Connector> = snapshot
            .connectors
            .iter()
            .filter(|(_, connector)| is_deletion(connector))
            .map(|(name, connector)| (name, connector.as_ref()))
            .collect();
        let count = pending.len();
        let policy = &snapshot.policy;
        let share_exceeded = count > 1 && count * 100 > policy.deletions_at_most_percent * snapshot.connectors.len();
        let needs_confirmation = count > policy.deletions_at_most || share_exceeded;
        let held = (needs_confirmation && !are_confirmed(&pending))
            .then(|| WaitingOn::Confirmation { id: set_id(pending.keys().copied()), connectors: count });
        Self { held }
    }

    /// What becomes of a connector whose folder is gone.
    pub(super) fn gate(&self, connector: &Connector) -> Gate {
        if let Some(review) = connector.open_review() {
            return Gate::Hold(WaitingOn::LockedByReview { review: review.id });
        }
        if let Some(waiting_on) = &self.held {
            return Gate::Hold(waiting_on.clone());
        }
        let Some((environment, held)) = connector.holdings.iter().chain(&connector.given).next() else { return Gate::Open };
        let step = Step::Delete { environment: environment.clone(), version: held.version.clone(), digest: held.digest };
        Gate::Step(step, Cause::Change, "its folder was deleted".to_owned())
    }
}

/// Whether the connector is gone from git and something of it is left.
pub(super) fn is_deletion(connector: &Connector) -> bool {
    connector.desired == Desired::Absent
        && !(connector.holdings.is_empty() && connector.given.is_empty())
        && connector.open_review().is_none()
}

/// Whether one confirmation covers all that is still to be deleted. It may have covered more: a confirmed set shrinks while its
/// deletions are performed, and where a folder comes back.
fn are_confirmed(pending: &BTreeMap<&ConnectorName, &Connector>) -> bool {
    let mut confirmations = pending.values().map(|connector| connector.deletion_confirmed.as_ref());
    confirmations.next().is_some_and(|first| first.is_some() && confirmations.all(|other| other == first))
}

/// The confirmations that have ended, by their ids: the connector is there, so that its next deletion is another occasion.
pub fn lapsed_confirmations(snapshot: &Snapshot) -> Vec<(&ConnectorName, &str)> {
    if snapshot.is_blind() {
        return Vec::new();
    }
    let present = snapshot.connectors.iter().filter(|(_, connector)| match connector.desired {
        Desired::Declared(_) | Desired::Unreadable { .. } => true,
        Desired::Absent => false,
    });
    present.filter_map(|(name, connector)| Some((name, connector.deletion_confirmed.as_deref()?))).collect()
}

/// The id of an exact set of connectors, in their order: the same set has the same id, any other set another.
fn set_id<'n>(names: impl Iterator<Item = &'n ConnectorName>) -> String {
    let lines: String = names.map(|name| format!("{name}\n")).collect();
    Digest::of(lines.as_bytes()).short()
}
