//! What happened, in words.

use crate::model::Fact;

/// One fact as a sentence without its subject.
pub fn happened(fact: &Fact) -> String {
    match fact {
        Fact::Deployed { environment, version, .. } => format!("deployed {version} to {environment}"),
        Fact::TestsStarted { digest } => format!("tests of {} started", digest.short()),
        Fact::TestsFinished { digest, verdict } => format!("tests of {} finished: {verdict}", digest.short()),
        Fact::TestsAborted { digest, reason } => format!("tests of {} could not be run: {reason}", digest.short()),
        Fact::TestsStopped { digest } => format!("tests of {} stopped: other content took its place", digest.short()),
        Fact::ReviewIntended { version, .. } => format!("review of {version} about to be opened"),
        Fact::ReviewOpened { review, version, .. } => format!("review {review} of {version} opened"),
        Fact::ReviewWithdrawn { review, .. } => format!("review {review} withdrawn"),
        Fact::ReviewRejected { review, by, reason, .. } => format!("review {review} rejected by {by}: {reason}"),
        Fact::ReviewMerged { review, by, .. } => format!("review {review} approved by {by}"),
        Fact::Published { environment, version, review, .. } => format!("published {version} to {environment} by review {review}"),
        Fact::Removed { environment, version, .. } => format!("removed {version} from {environment}"),
        Fact::DeletionConfirmed { id, by } => format!("deletion {id} confirmed by {by}"),
        Fact::ConfirmationLapsed { id } => format!("the confirmation of deletion {id} ended: the folder is there"),
    }
}
