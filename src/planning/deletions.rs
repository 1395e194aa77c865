//! Rule 9: a deleted folder deletes the connector everywhere, unless it is in review or too many go at once.

use std::collections::BTreeSet;

use super::gates::Gate;
use super::{Cause, Connector, Desired, Snapshot, Step, WaitingOn};
use crate::model::{ConnectorName, Digest};

/// The deletions of one snapshot, and whether they may go on.
#[derive(Debug)]
pub(super) struct Deletions {
    /// Why unconfirmed deletions wait, if they do.
    held: Option<WaitingOn>,
}

impl Deletions {
    /// Counts what is to be deleted and compares it with the policy's caps.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let unconfirmed: BTreeSet<&ConnectorName> = snapshot
            .connectors
            .iter()
            .filter(|(_, connector)| is_deletion(connector) && connector.deletion_confirmed.is_none())
            .map(|(name, _)| name)
            .collect();
        let count = unconfirmed.len();
        let policy = &snapshot.policy;
        let share_exceeded = count > 1 && count * 100 > policy.deletions_at_most_percent * snapshot.connectors.len();
        let held = (count > policy.deletions_at_most || share_exceeded)
            .then(|| WaitingOn::Confirmation { id: set_id(&unconfirmed), connectors: count });
        Self { held }
    }

    /// What becomes of a connector whose folder is gone.
    pub(super) fn gate(&self, connector: &Connector) -> Gate {
        if let Some(review) = connector.open_review() {
            return Gate::Hold(WaitingOn::LockedByReview { review: review.id });
        }
        if let (Some(waiting_on), None) = (&self.held, &connector.deletion_confirmed) {
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

/// The id of an exact set of connectors: the same set has the same id, any other set another.
fn set_id(names: &BTreeSet<&ConnectorName>) -> String {
    let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
    Digest::of(lines.as_bytes()).short()
}
