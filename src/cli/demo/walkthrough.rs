//! The walk through the lifecycle: every stage, and every way a review can end, each visible in `list`.

use anyhow::Result;

use super::folder::Folder;
use super::stage_hand::{Daemon, StageHand};
use crate::cli::standing::Standing;
use crate::model::Stage;
use crate::planning::WaitingOn;

const FIRST: &str = "github-issues";
const SECOND: &str = "openaq-air-quality";
const THIRD: &str = "typeform-responses";
const REVIEWER: &str = "bob@example.com";

/// Walks from editing to published, then through tests that fail, a rejection, an edit held during a review, a withdrawal and a deletion.
pub async fn walk(hand: &mut StageHand<'_>, daemon: &mut Daemon, folder: &Folder) -> Result<()> {
    publish(hand, daemon).await?;
    break_and_mend(hand, daemon, folder).await?;
    reject(hand, daemon).await?;
    hold_and_withdraw(hand, daemon, folder).await?;
    delete(hand, daemon).await
}

async fn publish(hand: &mut StageHand<'_>, daemon: &mut Daemon) -> Result<()> {
    hand.tell("Three connectors, declared in git. Nothing is deployed while they are edited.")?;
    hand.run(&["list"])?;
    hand.tell("Alice asks for the first to be pre-published: the daemon deploys it to the test environment and runs its tests.")?;
    hand.run(&["pre-publish", FIRST, "--commit"])?;
    hand.wait(daemon, FIRST, |standing| stands(standing, Stage::PrePublished) && is_idle(standing)).await?;
    hand.run(&["list"])?;
    hand.tell("She asks for it to be published. Its tests passed for this very content, so a review opens.")?;
    hand.run(&["publish", FIRST, "--commit"])?;
    hand.wait(daemon, FIRST, |standing| stands(standing, Stage::InReview)).await?;
    hand.run(&["list"])?;
    let review = hand.open_review(FIRST).await?.0.to_string();
    hand.run(&["review", "show", &review])?;
    hand.tell("Bob, a second person, approves. The release record is merged, and the merge is what publishes.")?;
    hand.run(&["review", "approve", &review, "--by", REVIEWER])?;
    hand.wait(daemon, FIRST, |standing| stands(standing, Stage::Published)).await?;
    hand.run(&["list"])
}

async fn break_and_mend(hand: &mut StageHand<'_>, daemon: &mut Daemon, folder: &Folder) -> Result<()> {
    let manifest = format!("connectors/{SECOND}/connector.yaml");
    let (right, wrong) = ("path: /v3/locations/{stationId}/latest", "path: /v3/location/{stationId}/latest");
    hand.tell("Somebody mistypes a path in the second one, and publishes it. A test fails, and that stops it: no review opens.")?;
    folder.reword_by_hand(&manifest, right, wrong, "Tidy up a path")?;
    hand.run(&["publish", SECOND, "--commit"])?;
    hand.wait(daemon, SECOND, is_stopped_by_tests).await?;
    hand.run(&["plan"])?;
    hand.tell("The tests show the difference, and where it is expected otherwise.")?;
    hand.run_and_find(&["test", SECOND])?;
    hand.tell("The path is mended, and it goes on by itself: publishing it is still what the manifest asks for.")?;
    folder.reword_by_hand(&manifest, wrong, right, "Mend the path")?;
    hand.wait(daemon, SECOND, |standing| stands(standing, Stage::InReview)).await?;
    hand.run(&["list"])
}

async fn reject(hand: &mut StageHand<'_>, daemon: &mut Daemon) -> Result<()> {
    hand.tell("Bob rejects it: the same content is never proposed again.")?;
    let review = hand.open_review(SECOND).await?.0.to_string();
    hand.run(&["review", "reject", &review, "--reason", "Say in the notes how often stations report.", "--by", REVIEWER])?;
    hand.wait(daemon, SECOND, |standing| stands(standing, Stage::Rejected)).await?;
    hand.run(&["list"])
}

async fn hold_and_withdraw(hand: &mut StageHand<'_>, daemon: &mut Daemon, folder: &Folder) -> Result<()> {
    hand.tell("While the third is in review, somebody edits it by hand and commits. The edit is held; the review goes on.")?;
    hand.run(&["publish", THIRD, "--commit"])?;
    hand.wait(daemon, THIRD, |standing| stands(standing, Stage::InReview)).await?;
    folder.commit_by_hand(&format!("connectors/{THIRD}/notes.md"), "\nOne more sentence.\n", "Edit the notes during the review")?;
    hand.wait(daemon, THIRD, is_locked).await?;
    hand.run(&["list"])?;
    hand.tell("Alice takes the wish back. The review is closed, and the edit goes where it asks to go.")?;
    hand.run(&["withdraw", THIRD, "--commit"])?;
    hand.wait(daemon, THIRD, |standing| standing.is_some() && !stands(standing, Stage::InReview) && is_idle(standing)).await?;
    hand.run(&["list"])
}

async fn delete(hand: &mut StageHand<'_>, daemon: &mut Daemon) -> Result<()> {
    hand.tell("The rejected one is deleted: deleting the folder deletes it from every environment.")?;
    hand.run(&["delete", SECOND, "--commit"])?;
    hand.wait(daemon, SECOND, |standing| standing.is_none()).await?;
    hand.run(&["list"])
}

fn stands(standing: Option<&Standing>, stage: Stage) -> bool {
    standing.is_some_and(|standing| standing.stage == stage)
}

/// Whether no step is planned and nothing is waited for.
fn is_idle(standing: Option<&Standing>) -> bool {
    standing.is_some_and(|standing| standing.next.is_none() && standing.waiting_on.is_empty())
}

fn is_locked(standing: Option<&Standing>) -> bool {
    standing.is_some_and(|standing| standing.waiting_on.iter().any(|waiting| matches!(waiting.on, WaitingOn::LockedByReview { .. })))
}

fn is_stopped_by_tests(standing: Option<&Standing>) -> bool {
    standing.is_some_and(|standing| standing.waiting_on.iter().any(|waiting| matches!(waiting.on, WaitingOn::PassingTests { .. })))
}
