//! The embedded default: reviews live in the repository itself, as references that travel with it.
//!
//! `refs/switchboard/reviews/<number>` points at a chain of commits, one for each thing that happened to the review, by
//! whoever did it. The review's branch is merged and deleted here, by `switchboard review`.

mod approve;
mod book;
mod decide;
mod file;

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use async_trait::async_trait;

pub use approve::Approval;
pub use decide::{Rejection, Reopening};
pub use file::LocalReview;

use super::{Forge, Proposal};
use crate::model::{Clock, CommitId, Digest, Person, Review, ReviewId, ReviewState, review_branch};
use crate::repository::{CommitSummary, GitRepository, Head, RefChange, RefUpdate, Repository};
use book::{Book, Filed, NewEntry, Page};

/// How often an operation starts over because somebody moved a reference meanwhile.
const ATTEMPTS: usize = 20;

/// How many entries of one review are shown.
const SHOWN: usize = 100;

/// Reviews in a repository on this machine or in a mirror.
pub struct LocalForge {
    repository: GitRepository,
    book: Book,
    clock: Arc<dyn Clock>,
}

impl LocalForge {
    /// The reviews of a repository. The clock dates withdrawals; people bring their own time.
    pub fn new(repository: GitRepository, clock: Arc<dyn Clock>) -> Self {
        Self { book: Book::new(repository.clone()), repository, clock }
    }

    /// One review with its title and record; `None` where there is none of this number.
    pub async fn get(&self, review: ReviewId) -> Result<Option<LocalReview>> {
        Ok(self.find(review).await?.map(|filed| LocalReview::clone(&filed.file)))
    }

    /// The paths that commits on a review's branch changed since it was opened; approving refuses them.
    pub async fn added_paths(&self, review: &LocalReview) -> Result<Vec<String>> {
        match self.branch_head(&review.review.branch).await? {
            Some(head) if head != review.head => self.repository.changed_paths(&review.head, &head).await,
            Some(_) | None => Ok(Vec::new()),
        }
    }

    /// What happened to a review, newest first: who, when, and in the message what and why.
    pub async fn history(&self, review: ReviewId) -> Result<Vec<CommitSummary>> {
        match self.find(review).await? {
            Some(filed) => self.repository.history(&filed.commit, SHOWN).await,
            None => Ok(Vec::new()),
        }
    }

    /// All reviews, with approvals completed whose merge has arrived.
    async fn settled(&self) -> Result<Page> {
        let mut page = self.book.read().await?;
        let begun: Vec<u64> = page.reviews.iter().filter(|(_, filed)| has_begun(filed)).map(|(number, _)| *number).collect();
        for number in begun {
            if let Some(filed) = page.reviews.get_mut(&number) {
                self.settle(filed).await?;
            }
        }
        Ok(page)
    }

    async fn find(&self, review: ReviewId) -> Result<Option<Filed>> {
        Ok(self.settled().await?.reviews.remove(&review.0))
    }

    /// Where a branch points.
    async fn branch_head(&self, branch: &str) -> Result<Option<CommitId>> {
        self.repository.ref_target(&format!("refs/heads/{branch}")).await
    }

    /// Where the tracked branch points.
    async fn tracked_head(&self) -> Result<CommitId> {
        match self.repository.head().await? {
            Head::Commit(commit) => Ok(commit),
            Head::EmptyRepository | Head::MissingBranch(_) => bail!("the tracked branch does not exist"),
        }
    }

    /// Closes a review and deletes its branch, if it is where it was seen. A branch that cannot be deleted, because somebody
    /// has it checked out, stays.
    async fn close(&self, filed: &Filed, change: &NewEntry<'_>, head: Option<&CommitId>) -> Result<RefUpdate> {
        let branch = &change.file.review.branch;
        if let Some(head) = head {
            match self.book.write(Some(filed), change, &[deletion(branch, head)]).await {
                Ok(update) => return Ok(update),
                Err(error) => tracing::warn!(%error, branch, "the branch of a closed review stays"),
            }
        }
        self.book.write(Some(filed), change, &[]).await
    }

    /// Closes a review that was opened a moment after another of the same branch; the older one stands.
    async fn yield_to_older(&self, opened: ReviewId) -> Result<Review> {
        let page = self.settled().await?;
        let ours = page.reviews.get(&opened.0).with_context(|| format!("review {opened} was opened and is gone"))?;
        let branch = &ours.file.review.branch;
        let older =
            page.reviews.range(..opened.0).map(|(_, filed)| &filed.file.review).find(|review| review.is_open() && review.branch == *branch);
        let Some(older) = older else { return Ok(ours.file.review.clone()) };
        let file = ours.file.in_state(ReviewState::Withdrawn { at: self.clock.now() });
        let message = format!("Withdraw review {opened}\n\nReview {} of the same branch was there before.\n", older.id);
        let change = NewEntry { file: &file, message: &message, by: &Person::switchboard(), at: self.clock.now() };
        self.book.write(Some(ours), &change, &[]).await?;
        Ok(older.clone())
    }
}

fn has_begun(filed: &Filed) -> bool {
    filed.file.review.is_open() && filed.file.approval.is_some()
}

/// A review as a proposal asks for it.
fn proposed(number: u64, proposal: &Proposal, head: CommitId) -> Result<LocalReview> {
    let release = &proposal.release;
    let record = String::from_utf8(proposal.record.clone()).context("the release record is not text")?;
    let review = Review {
        id: ReviewId(number),
        connector: release.connector.clone(),
        version: release.version.clone(),
        digest: release.digest,
        branch: proposal.branch.clone(),
        record: Digest::of(record.as_bytes()),
        requested_by: release.requested_by.clone(),
        authors: proposal.authors.clone(),
        opened_at: release.requested_at,
        state: ReviewState::Open,
    };
    Ok(LocalReview { review, title: one_line(&proposal.title), record, head, approval: None })
}

/// Text that cannot break out of its line.
fn one_line(text: &str) -> String {
    text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Text of several lines without other control characters.
fn paragraphs(text: &str) -> String {
    text.replace("\r\n", "\n").chars().filter(|c| *c == '\n' || !c.is_control()).collect::<String>().trim().to_owned()
}

/// The change that deletes a branch, if it is still where it was seen.
fn deletion(branch: &str, head: &CommitId) -> RefChange {
    RefChange { name: format!("refs/heads/{branch}"), expected: Some(head.clone()), new: None }
}

#[async_trait]
impl Forge for LocalForge {
    async fn reviews(&self) -> Result<Vec<Review>> {
        Ok(self.settled().await?.reviews.into_values().map(|filed| filed.file.review.clone()).collect())
    }

    async fn open(&self, proposal: &Proposal) -> Result<Review> {
        let release = &proposal.release;
        if proposal.branch != review_branch(&release.connector, &release.version, &release.digest) {
            bail!("cannot open a review of {}: the branch {:?} is not its own", release.connector, proposal.branch);
        }
        for _ in 0..ATTEMPTS {
            let page = self.settled().await?;
            let newest = page.reviews.values().rev().map(|filed| &filed.file.review).find(|review| review.branch == proposal.branch);
            let is_over = |review: &Review| matches!(review.state, ReviewState::Withdrawn { .. }) || Some(review.id) <= proposal.after;
            if let Some(there) = newest.filter(|review| !is_over(review)) {
                return Ok(there.clone());
            }
            let Some(head) = self.branch_head(&proposal.branch).await? else {
                bail!("cannot open a review of {}: the branch {} is not there", release.connector, proposal.branch);
            };
            let file = proposed(page.next, proposal, head)?;
            let message = format!("Open review {}\n\n{}\n", file.review.id, file.title);
            let change = NewEntry { file: &file, message: &message, by: &Person::switchboard(), at: release.requested_at };
            if self.book.write(None, &change, &[]).await? == RefUpdate::Done {
                return self.yield_to_older(file.review.id).await;
            }
        }
        bail!("cannot open a review of {}: other reviews keep taking its number", release.connector)
    }

    async fn withdraw(&self, review: ReviewId, reason: &str) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let filed = self.find(review).await?.with_context(|| format!("cannot withdraw review {review}: there is none"))?;
            if !filed.file.review.is_open() {
                return Ok(());
            }
            let at = self.clock.now();
            let file = filed.file.in_state(ReviewState::Withdrawn { at });
            let message = format!("Withdraw review {review}\n\n{}\n", paragraphs(reason));
            // A branch that people have added to is theirs, and stays.
            let head = self.branch_head(&file.review.branch).await?.filter(|head| *head == file.head);
            let change = NewEntry { file: &file, message: &message, by: &Person::switchboard(), at };
            if self.close(&filed, &change, head.as_ref()).await? == RefUpdate::Done {
                return Ok(());
            }
        }
        bail!("cannot withdraw review {review}: it keeps changing")
    }
}
