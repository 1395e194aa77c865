//! Lost state, kills, races and hostile content.

use switchboard::forge::{Approval, Forge};
use switchboard::model::{CommitId, Person, ReviewId, ReviewState};
use switchboard::repository::{RefChange, RefUpdate};

use super::{Team, bob, forge, later};
use crate::support::git::open;

#[tokio::test]
async fn reviews_travel_with_the_repository_and_need_no_state() {
    let team = Team::new();
    let (_, first) = team.opened("a").await;
    team.forge.reject(first.id, &bob(), "no", later(2)).await.unwrap();
    team.opened("b").await;
    let reviews = team.forge.reviews().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror.git");
    let source = team.test.path();
    let fetched = git2::build::RepoBuilder::new()
        .bare(true)
        .remote_create(|repo, name, url| repo.remote_with_fetch(name, url, "+refs/*:refs/*"))
        .clone(source.to_str().unwrap(), &mirror)
        .unwrap();
    fetched.set_head("refs/heads/main").unwrap();
    let moved = forge(&open(mirror.to_str().unwrap(), folder.path()));
    assert_eq!(moved.reviews().await.unwrap(), reviews);
    assert!(matches!(moved.approve(reviews[1].id, &bob(), "", later(5), false).await.unwrap(), Approval::Merged(_)));
}

#[tokio::test]
async fn a_kill_between_the_steps_of_an_approval_is_made_good() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let name = "refs/switchboard/reviews/1";
    let opened = team.test.target(name).unwrap();
    let (main, head) = (team.main(), team.branch(&proposal).unwrap());
    let Approval::Merged(merge) = team.approve(&review).await else { panic!("not merged") };
    let marked = team.test.target(name).unwrap();
    let begun = team.parents(&marked).remove(0);
    assert_eq!(team.parents(&begun), [opened]);

    // Killed after the tracked branch moved: the merge counts, and the rest follows.
    let back = async |tracked: &CommitId, review: &CommitId| {
        let to =
            |name: &str, now: Option<CommitId>, new: &CommitId| RefChange { name: name.to_owned(), expected: now, new: Some(new.clone()) };
        let branch = format!("refs/heads/{}", proposal.branch);
        let changes = [
            to("refs/heads/main", Some(team.main()), tracked),
            to(name, team.test.target(name), review),
            to(&branch, team.branch(&proposal), &head),
        ];
        assert_eq!(team.repository.update_refs(&changes).await.unwrap(), RefUpdate::Done);
    };
    back(&merge, &begun).await;
    let merged = ReviewState::Merged { by: bob(), at: later(5) };
    assert_eq!(forge(&team.repository).reviews().await.unwrap()[0].state, merged);
    assert_eq!(team.test.target(name), Some(marked.clone()));
    assert_eq!(team.branch(&proposal), None);

    // Killed before it moved: nothing was approved, and approving or withdrawing starts over.
    back(&main, &begun).await;
    assert!(forge(&team.repository).reviews().await.unwrap()[0].is_open());
    let again = team.forge.approve(review.id, &Person::new("Carol <carol@example.com>"), "", later(9), false).await.unwrap();
    assert!(matches!(again, Approval::Merged(_)));
    back(&main, &begun).await;
    team.forge.withdraw(review.id, "no longer").await.unwrap();
    assert_eq!(team.forge.reviews().await.unwrap()[0].state, ReviewState::Withdrawn { at: later(60) });
    assert_eq!(team.main(), main);
}

#[tokio::test]
async fn an_approval_and_a_withdrawal_that_race_end_in_one_of_both() {
    for _ in 0..10 {
        let team = Team::new();
        let (_, review) = team.opened("a").await;
        let main = team.main();
        let other = forge(&team.test.open());
        let (approval, withdrawal) = tokio::join!(team.approve(&review), other.withdraw(review.id, "no"));
        withdrawal.unwrap();
        let state = &team.forge.reviews().await.unwrap()[0].state;
        match approval {
            Approval::Merged(merge) => assert_eq!((&team.main(), state), (&merge, &ReviewState::Merged { by: bob(), at: later(5) })),
            Approval::NotOpen(_) | Approval::BranchGone => {
                assert_eq!((&team.main(), state), (&main, &ReviewState::Withdrawn { at: later(60) }));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn hostile_content_is_skipped_and_takes_no_number() {
    let team = Team::new();
    let (_, review) = team.opened("a").await;
    let good = team.test.target("refs/switchboard/reviews/1").unwrap();
    let good = team.repository.read_file(&good, "review.yaml").await.unwrap().unwrap();
    let good = String::from_utf8(good).unwrap();

    team.plant("2", "review.yaml", b"\xff\xfe not text");
    team.plant("3", "review.yaml", &vec![b'['; 60_000]);
    team.plant("4", "review.yaml", &vec![b'x'; 20 << 20]);
    team.plant("5", "other.yaml", b"nothing here");
    team.plant("6", "review.yaml", good.replace("id: 1", "id: 6").replace("connector: demo", "connector: ../../etc").as_bytes());
    team.plant("7", "review.yaml", good.replace("id: 1", "id: 7").replace(&review.branch, "main").as_bytes());
    team.plant("8", "review.yaml", good.as_bytes());
    team.plant("99999999999999999999", "review.yaml", good.as_bytes());
    team.plant("18446744073709551615", "review.yaml", good.as_bytes());
    team.plant("01", "review.yaml", good.as_bytes());
    team.plant("999999999", "review.yaml", b"the last number there is");
    team.plant("x/y", "review.yaml", good.as_bytes());
    let blob = team.test.repo.blob(b"no commit").unwrap();
    team.test.repo.reference("refs/switchboard/reviews/9", blob, true, "test").unwrap();

    for forge in [&team.forge, &forge(&team.repository)] {
        assert_eq!(forge.reviews().await.unwrap(), std::slice::from_ref(&review));
        assert_eq!(forge.get(ReviewId(7)).await.unwrap(), None);
    }
    let (_, next) = team.opened("b").await;
    assert_eq!(next.id, ReviewId(10));
}

#[tokio::test]
async fn a_review_that_cannot_be_read_is_a_gap_and_not_a_missing_review() {
    let team = Team::new();
    let (proposal, _) = team.opened("a").await;
    let commit = team.test.target("refs/switchboard/reviews/1").unwrap();
    let object = team.test.repo.path().join("objects").join(&commit.as_str()[..2]).join(&commit.as_str()[2..]);
    let bytes = std::fs::read(&object).unwrap();
    std::fs::remove_file(&object).unwrap();
    let fresh = forge(&team.repository);
    assert!(format!("{:#}", fresh.reviews().await.unwrap_err()).contains("review #1"));
    assert!(fresh.open(&proposal).await.is_err());
    std::fs::write(&object, bytes).unwrap();
    assert_eq!(fresh.reviews().await.unwrap().len(), 1);

    let reference = team.test.repo.path().join("refs/switchboard/reviews/1");
    let bytes = std::fs::read(&reference).unwrap();
    for damaged in ["", "deadbeef\n"] {
        std::fs::write(&reference, damaged).unwrap();
        let failure = format!("{:#}", forge(&team.repository).reviews().await.unwrap_err());
        assert!(failure.contains("cannot read refs/switchboard/reviews/1"), "{failure}");
        assert!(fresh.open(&proposal).await.is_err());
    }
    std::fs::write(&reference, bytes).unwrap();
    assert_eq!(fresh.reviews().await.unwrap().len(), 1);
}
