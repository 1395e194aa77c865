//! Approving: what is merged, what is refused, and what people did meanwhile.

use switchboard::forge::{Approval, Forge, Proposal, Rejection};
use switchboard::model::{CommitId, Person, Release, ReviewId, ReviewState};
use switchboard::repository::{Head, Repository, WorkTreeInTheWay};

use super::{Team, bob, forge, later};
use crate::support::git::{TestRepo, delete_branch};

#[tokio::test]
async fn approval_merges_the_branch_and_the_review_says_who() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let (base, head) = (team.main(), team.branch(&proposal).unwrap());
    let Approval::Merged(merge) = team.approve(&review).await else { panic!("not merged") };
    assert_eq!(team.main(), merge);
    assert_eq!(team.parents(&merge), [base, head]);
    assert_eq!(team.message(&merge), "Publish demo 1.0.0\n\nLooks good.\n\nReviewed-by: Bob <bob@example.com>\nSwitchboard-Review: #1\n");
    assert_eq!(team.branch(&proposal), None);
    let merged = ReviewState::Merged { by: bob(), at: later(5) };
    assert_eq!(team.forge.reviews().await.unwrap()[0].state, merged);
    assert_eq!(team.approve(&review).await, Approval::NotOpen(merged.clone()));
    assert_eq!(team.forge.reject(review.id, &bob(), "late", later(6)).await.unwrap(), Rejection::NotOpen(merged.clone()));
    team.forge.withdraw(review.id, "late").await.unwrap();
    assert_eq!(team.forge.open(&proposal).await.unwrap().state, merged);

    let told: Vec<(Person, String)> =
        team.forge.history(review.id).await.unwrap().into_iter().map(|entry| (entry.author, entry.message)).collect();
    assert_eq!(
        told.iter().map(|(_, message)| message.lines().next().unwrap()).collect::<Vec<_>>(),
        ["Merge review #1", "Approve review #1", "Open review #1"]
    );
    assert_eq!(told[1].0, bob());
}

#[tokio::test]
async fn the_person_who_asked_approves_only_where_policy_allows() {
    let team = Team::new();
    let (_, review) = team.opened("a").await;
    let me = Person::new("ALICE@example.com");
    assert_eq!(team.forge.approve(review.id, &me, "", later(1), false).await.unwrap(), Approval::OwnRequest);
    assert!(matches!(team.forge.approve(review.id, &me, "", later(1), true).await.unwrap(), Approval::Merged(_)));
    assert_eq!(team.forge.approve(ReviewId(9), &me, "", later(1), true).await.unwrap(), Approval::NotFound);
}

#[tokio::test]
async fn work_that_went_on_meanwhile_is_kept() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let pushed = team.test.commit("main", &[("README.md", Some(b"changed\n"))]);
    let head = team.branch(&proposal).unwrap();
    let Approval::Merged(merge) = team.approve(&review).await else { panic!("not merged") };
    assert_eq!(team.parents(&merge), [pushed, head]);
    for (path, content) in [("README.md", "changed\n"), ("connectors/demo/connector.yaml", "name: demo\n")] {
        assert_eq!(team.repository.read_file(&merge, path).await.unwrap().unwrap(), content.as_bytes(), "{path}");
    }
}

#[tokio::test]
async fn nothing_comes_in_with_the_record() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let main = team.main();
    let found = team.forge.get(review.id).await.unwrap().unwrap();
    assert_eq!(team.forge.added_paths(&found).await.unwrap(), Vec::<String>::new());
    for (path, content) in [("switchboard.yaml", Some(&b"mine\n"[..])), ("connectors/demo/connector.yaml", None)] {
        team.test.commit_as("Mallory <mallory@example.com>", &proposal.branch, &[(path, content)]);
    }
    let added = ["connectors/demo/connector.yaml", "switchboard.yaml"].map(str::to_owned).to_vec();
    assert_eq!(team.approve(&review).await, Approval::MoreThanTheRecord(added.clone()));
    assert_eq!(team.forge.added_paths(&found).await.unwrap(), added);
    assert_eq!(team.main(), main);
}

#[tokio::test]
async fn history_that_was_purged_does_not_come_back_with_the_record() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let kept = [("connectors/demo/connector.yaml", Some(&b"name: demo\n"[..]))];
    let purged = team.test.write_commit("Alice <alice@example.com>", None, &kept);
    team.test.repo.reference("refs/heads/main", purged, true, "test").unwrap();
    let Approval::Merged(commit) = team.approve(&review).await else { panic!("not approved") };
    assert_eq!(team.parents(&commit), [CommitId::new(purged.to_string())]);
    let record = team.repository.read_file(&commit, "releases/demo/1.0.0.yaml").await.unwrap();
    assert_eq!(record.as_deref(), Some(proposal.record.as_slice()));
    assert_eq!(team.branch(&proposal), None);
    assert!(matches!(team.forge.reviews().await.unwrap()[0].state, ReviewState::Merged { .. }));
}

#[tokio::test]
async fn whoever_changed_it_since_it_was_asked_for_does_not_approve_either() {
    let team = Team::new();
    let proposal = team.propose("a").await;
    let review = team.forge.open(&Proposal { authors: vec![proposal.release.requested_by.clone(), bob()], ..proposal }).await.unwrap();
    assert_eq!(team.approve(&review).await, Approval::OwnRequest);
    let carol = Person::new("Carol <carol@example.com>");
    assert!(matches!(team.forge.approve(review.id, &carol, "", later(1), false).await.unwrap(), Approval::Merged(_)));
}

#[tokio::test]
async fn a_record_that_was_changed_or_conflicts_is_not_merged() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let main = team.main();
    let head = team.branch(&proposal).unwrap();
    team.test.commit(&proposal.branch, &[("releases/demo/1.0.0.yaml", Some(b"something else"))]);
    assert_eq!(team.approve(&review).await, Approval::RecordChanged);
    team.test.commit(&proposal.branch, &[("releases/demo/1.0.0.yaml", None)]);
    assert_eq!(team.approve(&review).await, Approval::RecordChanged);

    team.test.repo.reference(&format!("refs/heads/{}", proposal.branch), head.as_str().parse().unwrap(), true, "test").unwrap();
    let other = team.test.commit("main", &[("releases/demo/1.0.0.yaml", Some(b"another record"))]);
    assert_eq!(team.approve(&review).await, Approval::Conflict(vec!["releases/demo/1.0.0.yaml".to_owned()]));
    assert_eq!(team.main(), other);
    assert_ne!(other, main);

    delete_branch(&team.repository, &proposal.branch).await;
    assert_eq!(team.approve(&review).await, Approval::BranchGone);
    assert!(team.forge.reviews().await.unwrap()[0].is_open());
}

#[tokio::test]
async fn a_merge_by_hand_is_marked_and_one_that_was_undone_is_told() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let head = team.branch(&proposal).unwrap();
    team.test.repo.reference("refs/heads/main", head.as_str().parse().unwrap(), true, "test").unwrap();
    let reverted = team.test.commit("main", &[("releases/demo/1.0.0.yaml", None)]);
    assert_eq!(team.approve(&review).await, Approval::Undone);
    assert_eq!(team.main(), reverted);

    team.test.commit("main", &[("releases/demo/1.0.0.yaml", Some(&proposal.record))]);
    let main = team.main();
    assert_eq!(team.approve(&review).await, Approval::MergedBefore);
    assert_eq!(team.main(), main);
    assert_eq!(team.branch(&proposal), None);
    assert_eq!(team.forge.reviews().await.unwrap()[0].state, ReviewState::Merged { by: bob(), at: later(5) });
}

#[tokio::test]
async fn approvals_and_pushes_that_race_lose_nothing() {
    let team = Team::new();
    let (_, first) = team.opened("a").await;
    let other = forge(&team.test.open());
    let bob = bob();
    let (one, two) = tokio::join!(team.approve(&first), other.approve(first.id, &bob, "me too", later(6), false));
    let two = two.unwrap();
    let merges = [&one, &two].into_iter().filter(|approval| matches!(approval, Approval::Merged(_))).count();
    assert_eq!(merges, 1, "{one:?} {two:?}");
    let Head::Commit(main) = team.repository.head().await.unwrap() else { panic!("no main") };
    assert!([one, two].contains(&Approval::Merged(main)));
}

#[tokio::test]
async fn uncommitted_work_is_never_overwritten() {
    let team = Team::on(TestRepo::with_work_tree());
    team.test.check_out();
    let (_, review) = team.opened("a").await;
    let path = team.test.path().join("releases/demo/1.0.0.yaml");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "my own notes").unwrap();
    let main = team.main();
    let refused = team.forge.approve(review.id, &bob(), "", later(5), false).await.unwrap_err();
    assert!(refused.downcast_ref::<WorkTreeInTheWay>().is_some(), "{refused:#}");
    assert_eq!((team.main(), std::fs::read_to_string(&path).unwrap()), (main, "my own notes".to_owned()));
    assert!(team.forge.reviews().await.unwrap()[0].is_open());

    std::fs::remove_file(&path).unwrap();
    assert!(matches!(team.approve(&review).await, Approval::Merged(_)));
    assert!(path.exists(), "the work tree follows");
}

#[tokio::test]
async fn an_approval_killed_before_the_branch_moved_is_made_again() {
    for (written, is_staged) in [(1.0, true), (1.0, false), (0.5, false), (0.0, false)] {
        let team = Team::on(TestRepo::with_work_tree());
        team.test.check_out();
        let (proposal, review) = team.opened("a").await;
        let path = "releases/demo/1.0.0.yaml";
        std::fs::create_dir_all(team.test.path().join("releases/demo")).unwrap();
        let written = (proposal.record.len() as f64 * written) as usize;
        std::fs::write(team.test.path().join(path), &proposal.record[..written]).unwrap();
        if is_staged {
            let mut index = team.test.repo.index().unwrap();
            index.add_path(std::path::Path::new(path)).unwrap();
            index.write().unwrap();
        }
        assert_eq!(team.test.statuses().len(), 1);
        assert!(matches!(team.approve(&review).await, Approval::Merged(_)), "{written} bytes, staged: {is_staged}");
        assert_eq!(team.test.statuses(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_branch_that_took_in_the_tracked_one_brings_nothing_but_the_record() {
    let team = Team::new();
    let (proposal, review) = team.opened("a").await;
    let head = team.branch(&proposal).unwrap();
    let main = team.test.commit("main", &[("README.md", Some(b"news\n"))]);
    let merged = team.repository.merge(&head, &main, "Merge main", &bob(), later(1)).await.unwrap();
    let switchboard::repository::Merge::Commit(merged) = merged else { panic!("{merged:?}") };
    team.test.repo.reference(&format!("refs/heads/{}", proposal.branch), merged.as_str().parse().unwrap(), true, "test").unwrap();
    assert!(matches!(team.approve(&review).await, Approval::Merged(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn approvals_at_once_leave_the_work_tree_as_committed() {
    let team = Team::on(TestRepo::with_work_tree());
    team.test.check_out();
    let connectors = ["a", "b", "c", "d"];
    let mut reviews = Vec::new();
    for name in connectors {
        let proposal = team.propose_release(Release { connector: name.parse().unwrap(), ..team.release(name) }).await;
        reviews.push(team.forge.open(&proposal).await.unwrap().id);
    }
    let approvals = reviews.into_iter().map(|review| {
        let forge = forge(&team.repository);
        tokio::spawn(async move { forge.approve(review, &bob(), "", later(1), false).await.unwrap() })
    });
    for approval in approvals.collect::<Vec<_>>() {
        let approval = approval.await.unwrap();
        assert!(matches!(approval, Approval::Merged(_)), "{approval:?}");
    }
    assert_eq!(team.test.statuses(), Vec::<String>::new());
    for name in connectors {
        assert!(team.test.path().join(format!("releases/{name}/1.0.0.yaml")).exists(), "{name}");
    }
}
