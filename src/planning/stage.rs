//! Where a connector stands, derived from what is held, reviewed and published; the manifest's `status` has no say in it.

use super::{Connector, Desired, Policy};
use crate::model::{Digest, ReviewState, Stage};

/// The stage of a connector. An open review comes first, then where its present content is held.
pub fn stage_of(connector: &Connector, policy: &Policy) -> Stage {
    if connector.open_review().is_some() {
        return Stage::InReview;
    }
    let Some(digest) = connector.last_declaration().map(|declaration| declaration.digest) else {
        return stage_without_content(connector, policy);
    };
    if connector.is_held_everywhere(&policy.production, &digest) {
        Stage::Published
    } else if rejection_of(connector, &digest).is_some() {
        Stage::Rejected
    } else if connector.is_held_everywhere(&policy.non_production, &digest) {
        Stage::PrePublished
    } else {
        Stage::Editing
    }
}

/// The rejection of this content, unless a later review of the same content went on.
pub(super) fn rejection_of<'c>(connector: &'c Connector, digest: &Digest) -> Option<&'c crate::model::Review> {
    let newest = connector.reviews.iter().rev().find(|review| review.digest == *digest)?;
    match newest.state {
        ReviewState::Rejected { .. } => Some(newest),
        ReviewState::Open | ReviewState::Merged { .. } | ReviewState::Withdrawn { .. } => None,
    }
}

/// A connector whose folder is gone, or was never readable, stands where something of it is still held.
fn stage_without_content(connector: &Connector, policy: &Policy) -> Stage {
    debug_assert!(!matches!(connector.desired, Desired::Declared(_)));
    let anywhere = |environments: &[_]| environments.iter().any(|name| connector.holdings.contains_key(name));
    if anywhere(&policy.production) {
        Stage::Published
    } else if anywhere(&policy.non_production) {
        Stage::PrePublished
    } else {
        Stage::Editing
    }
}
