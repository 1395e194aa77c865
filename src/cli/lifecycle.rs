//! The lifecycle's refusals: what the one table of stages does not allow, and what to do instead.

use super::Door;
use super::change::Change;
use super::failure::Failure;
use super::working_files::{ignored_by, read_folder};
use crate::manifest::Bundle;
use crate::model::{Operation, Stage};
use crate::{pass, planning};

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

/// The stage that the content at hand stands in; `None` where no state is there to tell. Content that differs from what is
/// committed stands nowhere yet, unless a review locks the connector.
async fn stage_of(door: &Door, change: &Change<'_>) -> Result<Option<Stage>, Failure> {
    let site = door.site(&change.attempt)?;
    if !site.state.join("switchboard.db").exists() {
        return Ok(None);
    }
    let assembled = door.assemble(&change.attempt).await?;
    let (snapshot, _) = pass::preview(&assembled.world, &mut assembled.onlooker()).await?;
    assembled.close().await;
    let Some(connector) = snapshot.connectors.get(&change.connector) else { return Ok(None) };
    let stage = planning::stage_of(connector, &snapshot.policy);
    let root = &change.work_tree.root;
    let files = read_folder(&change.work_tree.folder(change.connector.as_str()), &ignored_by(root))?;
    let at_hand = Bundle::read(change.connector.as_str(), &files).map(|bundle| bundle.digest).ok();
    let committed = connector.declaration().map(|declaration| declaration.digest);
    Ok(Some(if stage == Stage::InReview || at_hand == committed { stage } else { Stage::Editing }))
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
            format!("There is no review to withdraw; `switchboard pre-publish {connector} --commit` takes the wish back before one opens.")
        }
        Stage::Editing | Stage::PrePublished | Stage::Published => {
            format!("`switchboard show {connector}` tells how it stands; `switchboard explain \"{stage}\"` what that means.")
        }
    }
}
