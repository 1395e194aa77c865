//! PORT: review requests. The embedded default is [`LocalForge`], which keeps reviews in the repository's
//! own references.

mod local;

pub use local::{Approval, LocalForge, LocalReview, Rejection, Reopening};

use anyhow::Result;
use async_trait::async_trait;

use crate::model::{Person, Release, Review, ReviewId};

/// A request to open a review; its branch has been pushed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The record on the branch.
    pub release: Release,
    /// The record's bytes exactly as they stand on the branch.
    pub record: Vec<u8>,
    /// The branch that carries it.
    pub branch: String,
    /// Everybody who changed the connector since it was asked for.
    pub authors: Vec<Person>,
    /// One line for people.
    pub title: String,
    /// Reviews of this branch up to this one are over, merged ones included.
    pub after: Option<ReviewId>,
}

/// Guarantees: `open` and `withdraw` may be repeated; at most one open review per branch exists whatever answers are lost.
/// Assumptions: people merge, close and reopen reviews at any time, and nothing tells us but `reviews`.
#[async_trait]
pub trait Forge: Send + Sync {
    /// Every review that was ever opened through Switchboard here, in all states, oldest first.
    async fn reviews(&self) -> Result<Vec<Review>>;

    /// Opens the review of a branch, or returns the one that is already there in whatever state it is.
    /// Only after a withdrawn review, or one that the proposal says is over, a new one is opened.
    async fn open(&self, proposal: &Proposal) -> Result<Review>;

    /// Closes an open review as withdrawn and deletes its branch; one that is closed already stays as it is.
    async fn withdraw(&self, review: ReviewId, reason: &str) -> Result<()>;
}
