//! `review approve`, `reject` and `reopen`: what people decide, by whom, and why it may be refused.

use anyhow::Context as _;
use serde::Serialize;

use super::unknown;
use crate::assemble::Assembled;
use crate::cli::Door;
use crate::cli::failure::Failure;
use crate::cli::identity::who;
use crate::cli::output::Human;
use crate::cli::render::{self, columns::one_line, connectors::review_state};
use crate::daemon::Lease;
use crate::forge::{Approval, Rejection, Reopening};
use crate::model::{CommitId, Person, ReviewId};
use crate::pass;
use crate::repository::{WorkTreeInTheWay, request_wake};

/// What was decided.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli::commands) struct Decided {
    review: ReviewId,
    decision: &'static str,
    by: Person,
    /// The merge, where one was made.
    commit: Option<CommitId>,
    #[serde(skip)]
    sentence: String,
}

impl Human for Decided {
    fn human(&self) -> String {
        format!("{}\n", one_line(&self.sentence))
    }
}

/// How long a reason or a comment may be, in bytes: it is stored with its review, and shown wherever the connector is.
const LONGEST_WORD: usize = 4 << 10;

fn bounded(attempt: &str, what: &str, text: &str) -> Result<(), Failure> {
    match text.len() {
        0..=LONGEST_WORD => Ok(()),
        bytes => Err(Failure::usage(attempt, format!("the {what} has {bytes} bytes, and {LONGEST_WORD} are the most"))
            .hint("Say it in short, and leave the rest where it can be linked to.")),
    }
}

fn tell(assembled: &Assembled, door: &Door, decided: &Decided) -> Result<(), Failure> {
    // A daemon on another machine's mirror, or one that missed the event, would find out by itself, only later.
    if Lease::holder(&assembled.site.state).is_some() {
        request_wake(&assembled.site.state).context("cannot wake the daemon")?;
    }
    Ok(door.shell.result(decided)?)
}

pub(super) async fn approve(assembled: &Assembled, door: &Door, review: ReviewId, by: Option<&str>, comment: &str) -> Result<(), Failure> {
    let attempt = format!("approve review {}", review.0);
    bounded(&attempt, "comment", comment)?;
    let by = who(door, by, &attempt)?;
    let (snapshot, _) = pass::preview(&assembled.world, &mut assembled.onlooker()).await?;
    let now = assembled.world.clock.now();
    let approval = assembled.forge.approve(review, &by, comment, now, snapshot.policy.self_approval).await;
    let approval = approval.map_err(|error| match error.downcast_ref::<WorkTreeInTheWay>() {
        Some(in_the_way) => Failure::refused(&attempt, in_the_way.to_string()).hint("Commit them or put them away, then approve again."),
        None => Failure::from(error),
    })?;
    let (commit, how) = match approval {
        Approval::Merged(commit) => (Some(commit.clone()), format!("merged as {}", commit.short())),
        Approval::MergedBefore => (None, "its record was merged before".to_owned()),
        refused => return Err(not_approved(&attempt, &by, refused)),
    };
    let sentence = format!("Review {review} approved by {by}; {how}.");
    tell(assembled, door, &Decided { review, decision: "approved", by, commit, sentence })
}

fn not_approved(attempt: &str, by: &Person, approval: Approval) -> Failure {
    let refused = |reason: &str| Failure::refused(attempt, reason);
    match approval {
        Approval::Merged(_) | Approval::MergedBefore | Approval::NotFound => unknown(attempt),
        Approval::NotOpen(state) => refused(&format!("it is closed: {}", review_state(&state).0)),
        Approval::OwnRequest => refused(&format!("{by} asked for it or changed it since, and another person must approve"))
            .hint("Let somebody else approve, or set `review.selfApproval: true` in switchboard.yaml."),
        Approval::Conflict(paths) => refused(&format!("the merge conflicts in {}", paths.join(", ")))
            .hint("Look at what the tracked branch holds there; a release record is written by Switchboard alone."),
        Approval::RecordChanged => {
            refused("its branch no longer carries the record as proposed").hint("Reject it; new content opens a new review.")
        }
        Approval::MoreThanTheRecord(paths) => refused(&format!("merging its branch would also change {}", render::plan::listed(&paths)))
            .hint("Move these commits to a branch of their own; a review is about its record alone."),
        Approval::BranchGone => refused("its branch is gone").hint("Withdraw the wish and publish again to bring it back."),
        Approval::Undone => refused("it was merged before, and its record was taken out of the tracked branch since")
            .hint("Reject it; new content opens a new review."),
        Approval::Busy => refused("others kept moving the branches").hint("Try again."),
    }
}

pub(super) async fn reject(assembled: &Assembled, door: &Door, review: ReviewId, by: Option<&str>, reason: &str) -> Result<(), Failure> {
    let attempt = format!("reject review {}", review.0);
    if reason.trim().is_empty() {
        return Err(Failure::usage(attempt, "the reason is empty").hint("The author reads it: say what should change."));
    }
    bounded(&attempt, "reason", reason)?;
    let by = who(door, by, &attempt)?;
    match assembled.forge.reject(review, &by, reason, assembled.world.clock.now()).await? {
        Rejection::Rejected(_) => {
            let sentence = format!("Review {review} rejected; this content is never proposed again.");
            tell(assembled, door, &Decided { review, decision: "rejected", by, commit: None, sentence })
        }
        Rejection::NotFound => Err(unknown(&attempt)),
        Rejection::NotOpen(state) => Err(Failure::refused(attempt, format!("it is closed: {}", review_state(&state).0))),
        Rejection::Busy => Err(Failure::refused(attempt, "others kept moving the branches").hint("Try again.")),
    }
}

pub(super) async fn reopen(assembled: &Assembled, door: &Door, review: ReviewId, by: Option<&str>) -> Result<(), Failure> {
    let attempt = format!("reopen review {}", review.0);
    let by = who(door, by, &attempt)?;
    match assembled.forge.reopen(review, &by, assembled.world.clock.now()).await? {
        Reopening::Reopened(_) => {
            let sentence = format!("Review {review} waits for people again.");
            tell(assembled, door, &Decided { review, decision: "reopened", by, commit: None, sentence })
        }
        Reopening::NotFound => Err(unknown(&attempt)),
        Reopening::NotRejected(state) => Err(Failure::refused(attempt, format!("it was not rejected: it is {}", review_state(&state).0))),
        Reopening::OtherOpen(other) => {
            Err(Failure::refused(attempt, format!("review {other} of the connector is open")).hint("Decide that one first."))
        }
        Reopening::Busy => Err(Failure::refused(attempt, "others kept moving the branches").hint("Try again.")),
    }
}
