//! The lifecycle's refusals: what the one table of stages does not allow, and what to do instead.

use super::Door;
use super::change::Change;
use super::failure::Failure;
use crate::model::{Operation, Stage};

/// Refuses an operation that the connector's stage does not allow.
pub async fn refuse_unless_allowed(door: &Door, change: &Change<'_>, operation: Operation) -> Result<(), Failure> {
    let Some(stage) = stage_of(door, change).await? else { return Ok(()) };
    if stage.allows(operation) {
        return Ok(());
    }
    let allowed: Vec<String> = stage.operations().iter().map(ToString::to_string).collect();
    let reason = format!("it is {stage}, where only these are allowed: {}", allowed.join(", "));
    Err(change.refused(reason).hint(instead(stage, operation, change.connector.as_str())))
}

/// The stage that the content at hand stands in; `None` where no state is there to tell.
async fn stage_of(_door: &Door, _change: &Change<'_>) -> Result<Option<Stage>, Failure> {
    Ok(None)
}

/// What to do instead of an operation that a stage does not allow.
pub fn instead(stage: Stage, operation: Operation, connector: &str) -> String {
    match stage {
        Stage::InReview => format!("Wait for the review to end, or take the wish back with `switchboard withdraw {connector} --commit`."),
        Stage::Rejected => {
            format!("Change its content first: `switchboard edit {connector}`; `switchboard show {connector}` has the reason.")
        }
        Stage::Published if operation == Operation::Publish => {
            "This content is published already; change it, and raise its version, to publish again.".to_owned()
        }
        Stage::Editing | Stage::PrePublished if operation == Operation::Withdraw => {
            "There is no review to withdraw; to stop asking for one, set the status with `switchboard edit --set status=editing`."
                .to_owned()
        }
        Stage::Editing | Stage::PrePublished | Stage::Published => {
            format!("`switchboard show {connector}` tells how it stands; `switchboard explain \"{stage}\"` what that means.")
        }
    }
}
