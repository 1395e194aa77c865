//! Rejecting, reopening and withdrawing.

use switchboard::forge::{Approval, Forge, Rejection, Reopening};
use switchboard::model::{ReviewId, ReviewState};

use super::{Team, bob, later};
use crate::support::git::{TestRepo, delete_branch};

#[tokio::test]
async fn a_rejected_review_keeps_its_reason_and_comes_back_as_it_was() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let extra = team.test.commit_as("Bob <bob@example.com>", &proposal.branch, &[("NOTES.md", Some(b"seen\n"))]);
    let reason = "No paging.\n\nSee #12.\u{1b}[31m";
    let Rejection::Rejected(rejected) = team.forge.reject(review.id, &bob(), reason, later(2)).await.unwrap() else { panic!() };
    let state = ReviewState::Rejected { by: bob(), at: later(2), reason: "No paging.\n\nSee #12.[31m".to_owned() };
    assert_eq!(rejected.state, state);
    assert_eq!(team.branch(&proposal), None);
    assert_eq!(team.approve(&review).await, Approval::NotOpen(state));
    let again = team.propose("a").await;
    assert_eq!(team.forge.open(&again).await.unwrap(), *rejected, "rejected content is never proposed again");
    delete_branch(&team.repository, &again.branch).await;

    let (_, other) = team.opened("b").await;
    assert_eq!(team.forge.reopen(review.id, &bob(), later(3)).await.unwrap(), Reopening::OtherOpen(other.id));
    assert_eq!(team.forge.reopen(other.id, &bob(), later(3)).await.unwrap(), Reopening::NotRejected(ReviewState::Open));
    assert_eq!(team.forge.reopen(ReviewId(9), &bob(), later(3)).await.unwrap(), Reopening::NotFound);
    team.forge.withdraw(other.id, "not now").await.unwrap();
    assert_eq!(team.forge.reopen(review.id, &bob(), later(3)).await.unwrap(), Reopening::Reopened(Box::new(review.clone())));
    assert_eq!(team.branch(&proposal), Some(extra));
    assert_eq!(team.approve(&review).await, Approval::MoreThanTheRecord(vec!["NOTES.md".to_owned()]));
}

#[tokio::test]
async fn a_branch_that_git_has_swept_away_is_written_anew_on_reopening() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let head = team.branch(&proposal).unwrap();
    team.forge.reject(review.id, &bob(), "no", later(2)).await.unwrap();
    std::fs::remove_file(team.test.repo.path().join("objects").join(&head.as_str()[..2]).join(&head.as_str()[2..])).unwrap();
    assert!(matches!(team.forge.reopen(review.id, &bob(), later(3)).await.unwrap(), Reopening::Reopened(_)));
    assert!(matches!(team.approve(&review).await, Approval::Merged(_)));
}

#[tokio::test]
async fn withdrawing_closes_and_deletes_nothing_of_peoples() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    team.forge.withdraw(review.id, "back to editing").await.unwrap();
    team.forge.withdraw(review.id, "back to editing").await.unwrap();
    assert_eq!(team.forge.reviews().await.unwrap()[0].state, ReviewState::Withdrawn { at: later(60) });
    assert_eq!(team.branch(&proposal), None);

    let (proposal, second) = team.opened("a").await;
    assert_eq!(second.id, ReviewId(2), "a withdrawn review is opened anew");
    let extra = team.test.commit_as("Bob <bob@example.com>", &proposal.branch, &[("NOTES.md", Some(b"mine\n"))]);
    team.forge.withdraw(second.id, "back to editing").await.unwrap();
    assert_eq!(team.branch(&proposal), Some(extra));
    assert!(team.forge.withdraw(ReviewId(9), "").await.is_err());
}

#[tokio::test]
async fn a_branch_that_is_checked_out_does_not_keep_a_review_open() {
    let team = Team::on(TestRepo::with_work_tree());
    let (proposal, review) = team.opened("a").await;
    team.test.repo.set_head(&format!("refs/heads/{}", proposal.branch)).unwrap();
    team.test.check_out();
    assert!(matches!(team.forge.reject(review.id, &bob(), "no", later(1)).await.unwrap(), Rejection::Rejected(_)));
    assert!(team.branch(&proposal).is_some());
}
