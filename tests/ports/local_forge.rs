//! The local forge on real git repositories: opening reviews, and the team that the other files' tests share.

mod approval;
mod closing;
mod faults;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use switchboard::forge::{Approval, Forge, LocalForge, Proposal};
use switchboard::model::{CommitId, Digest, FixedClock, Person, Release, Review, ReviewId, ReviewState, review_branch};
use switchboard::repository::{BranchProposal, GitRepository, Repository};

use crate::support::git::{TestRepo, delete_branch, moment};

fn alice() -> Person {
    Person::new("Alice <alice@example.com>")
}

fn bob() -> Person {
    Person::new("Bob <bob@example.com>")
}

fn later(minutes: i64) -> Timestamp {
    moment() + SignedDuration::from_mins(minutes)
}

fn forge(repository: &GitRepository) -> LocalForge {
    LocalForge::new(repository.clone(), Arc::new(FixedClock::at(later(60))))
}

/// A team's repository with a connector on `main`.
struct Team {
    test: TestRepo,
    repository: GitRepository,
    forge: LocalForge,
}

impl Team {
    fn new() -> Self {
        Self::on(TestRepo::bare())
    }

    fn on(test: TestRepo) -> Self {
        test.commit("main", &[("connectors/demo/connector.yaml", Some(b"name: demo\n")), ("README.md", Some(b"hello\n"))]);
        let repository = test.open();
        Self { forge: forge(&repository), repository, test }
    }

    fn release(&self, content: &str) -> Release {
        Release {
            api_version: switchboard::manifest::API_VERSION.to_owned(),
            connector: "demo".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            digest: Digest::of(content.as_bytes()),
            commit: self.main(),
            requested_by: alice(),
            requested_at: moment(),
            replaces: None,
        }
    }

    fn main(&self) -> CommitId {
        self.test.target("refs/heads/main").unwrap()
    }

    /// Pushes the branch of a release, as the pass does, and returns what to open.
    async fn propose(&self, content: &str) -> Proposal {
        self.propose_release(self.release(content)).await
    }

    async fn propose_release(&self, release: Release) -> Proposal {
        let record = switchboard::manifest::release::write(&release).unwrap().into_bytes();
        let branch = review_branch(&release.connector, &release.version, &release.digest);
        let proposal = BranchProposal {
            branch: branch.clone(),
            base: release.commit.clone(),
            path: Release::path(&release.connector, &release.version),
            content: record.clone(),
            message: "Publish demo 1.0.0".to_owned(),
            at: moment(),
        };
        self.repository.ensure_branch(&proposal).await.unwrap();
        Proposal { release, record, branch, authors: Vec::new(), title: "Publish demo 1.0.0".to_owned(), after: None }
    }

    async fn opened(&self, content: &str) -> (Proposal, Review) {
        let proposal = self.propose(content).await;
        let review = self.forge.open(&proposal).await.unwrap();
        (proposal, review)
    }

    async fn approve(&self, review: &Review) -> Approval {
        self.forge.approve(review.id, &bob(), "Looks good.", later(5), false).await.unwrap()
    }

    fn branch(&self, proposal: &Proposal) -> Option<CommitId> {
        self.test.target(&format!("refs/heads/{}", proposal.branch))
    }

    fn message(&self, commit: &CommitId) -> String {
        let id = commit.as_str().parse().unwrap();
        self.test.repo.find_commit(id).unwrap().message().unwrap().to_owned()
    }

    fn parents(&self, commit: &CommitId) -> Vec<CommitId> {
        let id = commit.as_str().parse().unwrap();
        self.test.repo.find_commit(id).unwrap().parent_ids().map(|id| CommitId::new(id.to_string())).collect()
    }

    /// Writes anything at all where a review would be.
    fn plant(&self, number: &str, file: &str, content: &[u8]) {
        let id = self.test.write_commit("Mallory <mallory@example.com>", None, &[(file, Some(content))]);
        self.test.repo.reference(&format!("refs/switchboard/reviews/{number}"), id, true, "test").unwrap();
    }
}

#[tokio::test]
async fn opening_twice_gives_one_review() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    assert_eq!(review.id, ReviewId(1));
    assert_eq!((&review.state, &review.requested_by), (&ReviewState::Open, &alice()));
    assert_eq!(team.forge.open(&proposal).await.unwrap(), review);
    assert_eq!(forge(&team.test.open()).open(&proposal).await.unwrap(), review);
    assert_eq!(team.forge.reviews().await.unwrap(), std::slice::from_ref(&review));

    let (_, other) = team.opened("b").await;
    assert_eq!(other.id, ReviewId(2));
    assert_eq!(team.forge.reviews().await.unwrap(), [review, other]);
}

#[tokio::test]
async fn a_branch_that_is_missing_or_not_the_reviews_own_opens_nothing() {
    let team = Team::new();
    let mut proposal = team.propose("a").await;
    delete_branch(&team.repository, &proposal.branch).await;
    assert!(team.forge.open(&proposal).await.unwrap_err().to_string().contains("is not there"));
    proposal.branch = "main".to_owned();
    assert!(team.forge.open(&proposal).await.unwrap_err().to_string().contains("is not its own"));
    assert_eq!(team.forge.reviews().await.unwrap(), []);
}

#[tokio::test]
async fn forges_that_race_open_one_review_a_branch() {
    let team = Team::new();
    let proposals = [team.propose("a").await, team.propose("b").await, team.propose("c").await];
    let forges: Vec<LocalForge> = (0..3).map(|_| forge(&team.test.open())).collect();
    let every = forges.iter().flat_map(|forge| proposals.iter().map(move |proposal| forge.open(proposal)));
    for review in futures_util::future::join_all(every).await {
        review.unwrap();
    }
    let reviews = team.forge.reviews().await.unwrap();
    let mut open: Vec<&str> = reviews.iter().filter(|review| review.is_open()).map(|review| review.branch.as_str()).collect();
    open.sort_unstable();
    let mut branches: Vec<&str> = proposals.iter().map(|proposal| proposal.branch.as_str()).collect();
    branches.sort_unstable();
    assert_eq!(open, branches, "{reviews:#?}");
}
