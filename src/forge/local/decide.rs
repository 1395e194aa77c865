//! Rejecting a review, and bringing a rejected one back.

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::book::{Filed, NewEntry};
use super::file::LocalReview;
use super::{ATTEMPTS, LocalForge, paragraphs};
use crate::model::{CommitId, Person, Review, ReviewId, ReviewState};
use crate::repository::{RefChange, RefUpdate};

/// What became of a rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The review is closed, and this content will not be proposed again.
    Rejected(Box<Review>),
    /// There is no review of this number.
    NotFound,
    /// The review is closed already.
    NotOpen(ReviewState),
    /// Others changed the review each time it was tried.
    Busy,
}

/// What became of reopening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reopening {
    /// The review waits for people again.
    Reopened(Box<Review>),
    /// There is no review of this number.
    NotFound,
    /// Only a rejected review can be reopened, and this one is not.
    NotRejected(ReviewState),
    /// Another review of the connector is open.
    OtherOpen(ReviewId),
    /// Others changed the review each time it was tried.
    Busy,
}

impl LocalForge {
    /// Closes an open review without merging it, keeps the reason, and deletes its branch.
    pub async fn reject(&self, review: ReviewId, by: &Person, reason: &str, at: Timestamp) -> Result<Rejection> {
        let reason = paragraphs(reason);
        for _ in 0..ATTEMPTS {
            let Some(filed) = self.find(review).await? else { return Ok(Rejection::NotFound) };
            if !filed.file.review.is_open() {
                return Ok(Rejection::NotOpen(filed.file.review.state.clone()));
            }
            let head = self.branch_head(&filed.file.review.branch).await?;
            let state = ReviewState::Rejected { by: by.clone(), at, reason: reason.clone() };
            let mut file = filed.file.in_state(state);
            file.head = head.clone().unwrap_or(file.head);
            let message = format!("Reject review {review}\n\n{reason}\n");
            let change = NewEntry { file: &file, message: &message, by, at };
            if self.close(&filed, &change, head.as_ref()).await? == RefUpdate::Done {
                return Ok(Rejection::Rejected(Box::new(file.review)));
            }
        }
        Ok(Rejection::Busy)
    }

    /// Brings a rejected review back, with its branch at its last commit.
    pub async fn reopen(&self, review: ReviewId, by: &Person, at: Timestamp) -> Result<Reopening> {
        for _ in 0..ATTEMPTS {
            let mut page = self.settled().await?;
            let Some(filed) = page.reviews.remove(&review.0) else { return Ok(Reopening::NotFound) };
            let rejected = &filed.file.review;
            if !matches!(rejected.state, ReviewState::Rejected { .. }) {
                return Ok(Reopening::NotRejected(rejected.state.clone()));
            }
            let others = page.reviews.values().map(|filed| &filed.file.review);
            if let Some(other) = others.into_iter().find(|other| other.is_open() && other.connector == rejected.connector) {
                return Ok(Reopening::OtherOpen(other.id));
            }
            if let Some(reopened) = self.bring_back(&filed, by, at).await? {
                return Ok(Reopening::Reopened(Box::new(reopened)));
            }
        }
        Ok(Reopening::Busy)
    }

    /// Opens the review and creates its branch; `None` where somebody moved either meanwhile.
    async fn bring_back(&self, filed: &Filed, by: &Person, at: Timestamp) -> Result<Option<Review>> {
        let mut file = filed.file.in_state(ReviewState::Open);
        let branch = file.review.branch.clone();
        let mut creation = Vec::new();
        match self.branch_head(&branch).await? {
            Some(there) => file.head = there,
            None => {
                file.head = self.last_commit(&file, by, at).await?;
                creation.push(RefChange { name: format!("refs/heads/{branch}"), expected: None, new: Some(file.head.clone()) });
            }
        }
        let message = format!("Reopen review {}\n", file.review.id);
        let change = NewEntry { file: &file, message: &message, by, at };
        let update = self.book.write(Some(filed), &change, &creation).await?;
        Ok((update == RefUpdate::Done).then_some(file.review))
    }

    /// The branch's last commit, written anew where git has swept it away since.
    async fn last_commit(&self, file: &LocalReview, by: &Person, at: Timestamp) -> Result<CommitId> {
        if self.repository.history(&file.head, 1).await.is_ok_and(|found| !found.is_empty()) {
            return Ok(file.head.clone());
        }
        let tracked = self.tracked_head().await?;
        let path = file.record_path();
        if self.repository.read_file(&tracked, &path).await?.is_some() {
            bail!("cannot reopen review {}: {path} is on the tracked branch already", file.review.id);
        }
        let message = format!("{}\n", file.title);
        self.repository.commit_file(Some(&tracked), &path, file.record.as_bytes(), &message, by, at).await
    }
}
