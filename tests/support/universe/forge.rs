//! A forge in memory, where people approve, reject and reopen.

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use jiff::Timestamp;
use switchboard::forge::{Forge, Proposal};
use switchboard::model::{Digest, Person, Review, ReviewId, ReviewState};

use super::{State, Universe};

/// Reviews, oldest first.
#[derive(Default)]
pub struct ForgeState {
    pub reviews: Vec<Review>,
    /// Whether it does not answer.
    pub away: bool,
}

impl State {
    /// A second person approves: the record is merged and the branch deleted.
    pub fn approve(&mut self, id: ReviewId, at: Timestamp) {
        let Some(review) = self.forge.reviews.iter_mut().find(|review| review.id == id && review.is_open()) else { return };
        review.state = ReviewState::Merged { by: Person::new("bob@example.com"), at };
        let review = review.clone();
        self.audit.approved.insert((review.connector.clone(), review.version.clone(), review.digest));
        self.git.merge(&review.branch);
        self.git.branches.remove(&review.branch);
    }

    /// A person closes a review without merging.
    pub fn reject(&mut self, id: ReviewId, reason: &str, at: Timestamp) {
        let Some(review) = self.forge.reviews.iter_mut().find(|review| review.id == id && review.is_open()) else { return };
        review.state = ReviewState::Rejected { by: Person::new("bob@example.com"), at, reason: reason.to_owned() };
    }

    /// A person reopens a rejected review; a forge refuses where another review of the connector is open.
    pub fn reopen(&mut self, id: ReviewId) {
        let Some(review) = self.forge.reviews.iter().find(|review| review.id == id).cloned() else { return };
        let another = self.forge.reviews.iter().any(|other| other.connector == review.connector && other.is_open());
        let rejected = matches!(review.state, ReviewState::Rejected { .. });
        if rejected && !another && self.git.branches.contains_key(&review.branch) {
            self.forge.reviews.iter_mut().filter(|other| other.id == id).for_each(|review| review.state = ReviewState::Open);
        }
    }
}

#[async_trait]
impl Forge for Universe {
    async fn reviews(&self) -> Result<Vec<Review>> {
        self.call("forge.reviews", |state, _| {
            if state.forge.away {
                bail!("the forge does not answer");
            }
            Ok(state.forge.reviews.clone())
        })
    }

    async fn open(&self, proposal: &Proposal) -> Result<Review> {
        self.call("forge.open", |state, now| {
            if state.forge.away {
                bail!("the forge does not answer");
            }
            let is_over = |review: &&Review| matches!(review.state, ReviewState::Withdrawn { .. }) || Some(review.id) <= proposal.after;
            let newest = state.forge.reviews.iter().rev().find(|review| review.branch == proposal.branch);
            if let Some(there) = newest.filter(|review| !is_over(review)) {
                return Ok(there.clone());
            }
            let review = Review {
                id: ReviewId(state.forge.reviews.len() as u64 + 1),
                connector: proposal.release.connector.clone(),
                version: proposal.release.version.clone(),
                digest: proposal.release.digest,
                branch: proposal.branch.clone(),
                record: Digest::of(&proposal.record),
                requested_by: proposal.release.requested_by.clone(),
                authors: proposal.authors.clone(),
                opened_at: now,
                state: ReviewState::Open,
            };
            if !state.git.branches.contains_key(&review.branch) {
                bail!("the branch {} is missing", review.branch);
            }
            if state.forge.reviews.iter().any(|other| other.connector == review.connector && other.is_open()) {
                state.audit.violations.push(format!("a second review of {} was opened", review.connector));
            }
            state.forge.reviews.push(review.clone());
            Ok(review)
        })
    }

    async fn withdraw(&self, review: ReviewId, _reason: &str) -> Result<()> {
        self.call("forge.withdraw", |state, now| {
            if state.forge.away {
                bail!("the forge does not answer");
            }
            let review = state.forge.reviews.iter_mut().find(|known| known.id == review).context("no such review")?;
            if review.is_open() {
                review.state = ReviewState::Withdrawn { at: now };
                state.git.branches.remove(&review.branch);
            }
            Ok(())
        })
    }
}
