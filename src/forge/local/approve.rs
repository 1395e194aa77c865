//! Approving: the review's branch is merged into the tracked branch, and that alone makes the approval.
//!
//! References move in three steps, and a kill between them loses nothing: the intent with its merge commit is written into
//! the review; the tracked branch moves to that commit, only while the review still says so; the review is marked merged and
//! its branch deleted. A review whose merge has arrived on the tracked branch counts as merged, marked or not.

use anyhow::Result;
use jiff::Timestamp;

use super::book::{Filed, NewEntry, name_of};
use super::file::{BegunApproval, LocalReview};
use super::{ATTEMPTS, LocalForge, deletion, paragraphs};
use crate::manifest::release;
use crate::model::{CommitId, Digest, Person, ReviewId, ReviewState};
use crate::repository::{Merge, RefChange, RefUpdate};

/// What became of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// The branch was merged, with this merge commit.
    Merged(CommitId),
    /// The record was on the tracked branch already, merged by hand; the review is marked so.
    MergedBefore,
    /// There is no review of this number.
    NotFound,
    /// The review is closed.
    NotOpen(ReviewState),
    /// The person who asked, or who changed the content since, may not approve.
    OwnRequest,
    /// The branch does not merge: these paths were changed on both sides.
    Conflict(Vec<String>),
    /// The branch does not carry the record as it was proposed.
    RecordChanged,
    /// Somebody added more to the branch than its record: merging it would change these paths too.
    MoreThanTheRecord(Vec<String>),
    /// The review's branch is gone; closing and proposing anew brings it back.
    BranchGone,
    /// The branch was merged before, and its record was taken out of the tracked branch since.
    Undone,
    /// Others moved the references each time it was tried.
    Busy,
}

/// Who approves and why.
struct Voice<'a> {
    by: &'a Person,
    comment: &'a str,
    at: Timestamp,
}

/// The record on the tracked branch, and what people added to the review's branch that does not come along.
struct Joined {
    merge: Merge,
    left_out: Vec<String>,
}

/// One attempt's end.
enum Attempt {
    Ended(Approval),
    /// Somebody moved a reference: look again.
    Moved,
}

impl LocalForge {
    /// Approves an open review, which merges its branch into the tracked branch. `self_approval`: whether the person who asked may.
    /// Fails with a [`crate::repository::WorkTreeInTheWay`] where uncommitted changes of a work tree would be lost.
    pub async fn approve(&self, review: ReviewId, by: &Person, comment: &str, at: Timestamp, self_approval: bool) -> Result<Approval> {
        let voice = Voice { by, comment, at };
        for _ in 0..ATTEMPTS {
            let Some(filed) = self.find(review).await? else { return Ok(Approval::NotFound) };
            if !filed.file.review.is_open() {
                return Ok(Approval::NotOpen(filed.file.review.state.clone()));
            }
            if filed.file.review.is_own_of(by) && !self_approval {
                return Ok(Approval::OwnRequest);
            }
            if let Attempt::Ended(approval) = self.attempt(&filed, &voice).await? {
                return Ok(approval);
            }
        }
        Ok(Approval::Busy)
    }

    async fn attempt(&self, filed: &Filed, voice: &Voice<'_>) -> Result<Attempt> {
        let tracked = self.tracked_head().await?;
        if self.carries_record(&tracked, &filed.file).await? {
            return self.mark_merged_before(filed, voice).await;
        }
        let Some(head) = self.branch_head(&filed.file.review.branch).await? else {
            return Ok(Attempt::Ended(Approval::BranchGone));
        };
        if !self.carries_record(&head, &filed.file).await? {
            return Ok(Attempt::Ended(Approval::RecordChanged));
        }
        let joined = self.joined(&tracked, &head, &filed.file, voice).await?;
        let merge = match joined.merge {
            Merge::Commit(merge) => merge,
            Merge::Conflict(paths) => return Ok(Attempt::Ended(Approval::Conflict(paths))),
            Merge::AlreadyMerged => return Ok(Attempt::Ended(Approval::Undone)),
        };
        if !self.carries_record(&merge, &filed.file).await? {
            return Ok(Attempt::Ended(Approval::Undone));
        }
        // What is approved is the case that `review show` lays out, and nothing that came along later.
        let mut more = self.repository.changed_paths(&tracked, &merge).await?;
        more.extend(joined.left_out);
        more.retain(|path| *path != filed.file.record_path());
        if !more.is_empty() {
            return Ok(Attempt::Ended(Approval::MoreThanTheRecord(more)));
        }
        self.merge(filed, head, tracked, merge, voice).await
    }

    /// Joins the record with the tracked branch: by a merge or, where a merge would bring back a history that the tracked
    /// branch was purged of since, by a commit of the record alone.
    async fn joined(&self, tracked: &CommitId, head: &CommitId, file: &LocalReview, voice: &Voice<'_>) -> Result<Joined> {
        let message = merge_message(file, voice);
        let path = file.record_path();
        let release = release::read(&path, file.record.as_bytes());
        let release = release.map_err(|_| anyhow::anyhow!("cannot read the record of review {}", file.review.id))?;
        if self.repository.is_ancestor(&release.commit, tracked).await? {
            let merge = self.repository.merge(tracked, head, &message, voice.by, voice.at).await?;
            return Ok(Joined { merge, left_out: Vec::new() });
        }
        if self.repository.read_file(tracked, &path).await?.is_some() {
            return Ok(Joined { merge: Merge::Conflict(vec![path]), left_out: Vec::new() });
        }
        let left_out = self.added_paths(file).await?;
        let commit = self.repository.commit_file(Some(tracked), &path, file.record.as_bytes(), &message, voice.by, voice.at).await?;
        Ok(Joined { merge: Merge::Commit(commit), left_out })
    }

    /// The three steps.
    async fn merge(&self, filed: &Filed, head: CommitId, tracked: CommitId, merge: CommitId, voice: &Voice<'_>) -> Result<Attempt> {
        let review = filed.file.review.id;
        let approval = BegunApproval { by: voice.by.clone(), at: voice.at, merge: merge.clone() };
        let begun = LocalReview { head, approval: Some(approval), ..LocalReview::clone(&filed.file) };
        let message = format!("Approve review {review}\n\n{}\n", paragraphs(voice.comment));
        let change = NewEntry { file: &begun, message: &message, by: voice.by, at: voice.at };
        if self.book.write(Some(filed), &change, &[]).await? != RefUpdate::Done {
            return Ok(Attempt::Moved);
        }
        let Some(intent) = self.find(review).await?.filter(|found| *found.file == begun) else { return Ok(Attempt::Moved) };

        let name = format!("refs/heads/{}", self.repository.tracked_branch().await?);
        let advance = RefChange { name, expected: Some(tracked), new: Some(merge.clone()) };
        let unchanged = RefChange { name: name_of(review.0), expected: Some(intent.commit.clone()), new: Some(intent.commit.clone()) };
        // In the order of the names, as every entry is written.
        if self.repository.update_refs(&[advance, unchanged]).await? != RefUpdate::Done {
            return Ok(Attempt::Moved);
        }
        self.close_merged(&Filed { guard: None, ..intent }, voice.by, voice.at).await;
        Ok(Attempt::Ended(Approval::Merged(merge)))
    }

    async fn mark_merged_before(&self, filed: &Filed, voice: &Voice<'_>) -> Result<Attempt> {
        let file = filed.file.in_state(ReviewState::Merged { by: voice.by.clone(), at: voice.at });
        let message = format!("Approve review {}, merged before\n\n{}\n", file.review.id, paragraphs(voice.comment));
        let change = NewEntry { file: &file, message: &message, by: voice.by, at: voice.at };
        Ok(match self.book.write(Some(filed), &change, &[]).await? {
            RefUpdate::Done => {
                self.delete_merged_branch(&file).await;
                Attempt::Ended(Approval::MergedBefore)
            }
            RefUpdate::Stale(_) => Attempt::Moved,
        })
    }

    /// Completes an approval that was begun, if its merge has arrived on the tracked branch.
    pub(super) async fn settle(&self, filed: &mut Filed) -> Result<()> {
        let Some(begun) = filed.file.approval.clone() else { return Ok(()) };
        // Where it cannot be told whether the merge has arrived, nobody may go on as if it had not.
        let tracked = self.tracked_head().await?;
        if !self.repository.is_ancestor(&begun.merge, &tracked).await? {
            let name = format!("refs/heads/{}", self.repository.tracked_branch().await?);
            filed.guard = Some(RefChange { name, expected: Some(tracked.clone()), new: Some(tracked) });
            return Ok(());
        }
        self.close_merged(filed, &begun.by, begun.at).await;
        filed.file = std::sync::Arc::new(filed.file.in_state(ReviewState::Merged { by: begun.by, at: begun.at }));
        Ok(())
    }

    /// Marks a review whose merge has arrived, and deletes its branch. It counts as merged even where this fails.
    async fn close_merged(&self, filed: &Filed, by: &Person, at: Timestamp) {
        let file = filed.file.in_state(ReviewState::Merged { by: by.clone(), at });
        let message = format!("Merge review {}\n", file.review.id);
        let change = NewEntry { file: &file, message: &message, by, at };
        if let Err(error) = self.book.write(Some(filed), &change, &[]).await {
            tracing::warn!(%error, review = file.review.id.0, "a merged review could not be marked");
        }
        self.delete_merged_branch(&file).await;
    }

    /// Deletes a branch that is contained in the tracked branch, or is as the review knows it; one that somebody has checked out stays.
    async fn delete_merged_branch(&self, file: &LocalReview) {
        let deleted = async {
            let branch = &file.review.branch;
            let Some(head) = self.branch_head(branch).await? else { return Ok(()) };
            if head == file.head || self.repository.is_ancestor(&head, &self.tracked_head().await?).await? {
                self.repository.update_refs(&[deletion(branch, &head)]).await?;
            }
            anyhow::Ok(())
        };
        if let Err(error) = deleted.await {
            tracing::warn!(%error, branch = file.review.branch, "the branch of a merged review could not be deleted");
        }
    }

    /// Whether a commit holds the record, byte for byte as proposed.
    async fn carries_record(&self, commit: &CommitId, file: &LocalReview) -> Result<bool> {
        let content = self.repository.read_file(commit, &file.record_path()).await?;
        Ok(content.is_some_and(|content| Digest::of(&content) == file.review.record))
    }
}

fn merge_message(file: &LocalReview, voice: &Voice<'_>) -> String {
    let review = &file.review;
    let comment = paragraphs(voice.comment);
    let comment = if comment.is_empty() { comment } else { format!("{comment}\n\n") };
    format!(
        "Publish {} {}\n\n{comment}Reviewed-by: {} <{}>\nSwitchboard-Review: {}\n",
        review.connector,
        review.version,
        voice.by.name(),
        voice.by.email(),
        review.id
    )
}
