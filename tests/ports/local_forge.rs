//! The local forge on real git repositories: people, races, kills and hostile content.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use switchboard::forge::{Approval, Forge, LocalForge, Proposal, Rejection, Reopening};
use switchboard::model::{CommitId, Digest, FixedClock, Person, Release, Review, ReviewId, ReviewState, review_branch};
use switchboard::repository::{BranchProposal, GitRepository, Head, RefChange, RefUpdate, Repository, WorkTreeInTheWay};

use crate::support::git::{TestRepo, moment, open};

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
        let release = self.release(content);
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
        Proposal { release, record, branch, title: "Publish demo 1.0.0".to_owned() }
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
    assert_eq!(team.forge.reviews().await.unwrap(), [review.clone()]);

    let (_, other) = team.opened("b").await;
    assert_eq!(other.id, ReviewId(2));
    assert_eq!(team.forge.reviews().await.unwrap(), [review, other]);
}

#[tokio::test]
async fn a_branch_that_is_missing_or_not_the_reviews_own_opens_nothing() {
    let team = Team::new();
    let mut proposal = team.propose("a").await;
    team.repository.ensure_no_branch(&proposal.branch).await.unwrap();
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
    let extra = team.test.commit_as("Bob <bob@example.com>", &proposal.branch, &[("NOTES.md", Some(b"seen\n"))]);
    let Approval::Merged(merge) = team.approve(&review).await else { panic!("not merged") };
    assert_eq!(team.parents(&merge), [pushed, extra]);
    for (path, content) in [("README.md", "changed\n"), ("NOTES.md", "seen\n"), ("connectors/demo/connector.yaml", "name: demo\n")] {
        assert_eq!(team.repository.read_file(&merge, path).await.unwrap().unwrap(), content.as_bytes(), "{path}");
    }
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

    team.repository.ensure_no_branch(&proposal.branch).await.unwrap();
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
    assert_eq!(team.forge.open(&again).await.unwrap(), rejected, "rejected content is never proposed again");
    team.repository.ensure_no_branch(&again.branch).await.unwrap();

    let (_, other) = team.opened("b").await;
    assert_eq!(team.forge.reopen(review.id, &bob(), later(3)).await.unwrap(), Reopening::OtherOpen(other.id));
    assert_eq!(team.forge.reopen(other.id, &bob(), later(3)).await.unwrap(), Reopening::NotRejected(ReviewState::Open));
    assert_eq!(team.forge.reopen(ReviewId(9), &bob(), later(3)).await.unwrap(), Reopening::NotFound);
    team.forge.withdraw(other.id, "not now").await.unwrap();
    assert_eq!(team.forge.reopen(review.id, &bob(), later(3)).await.unwrap(), Reopening::Reopened(review.clone()));
    assert_eq!(team.branch(&proposal), Some(extra));
    assert!(matches!(team.approve(&review).await, Approval::Merged(_)));
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
async fn a_branch_that_is_checked_out_does_not_keep_a_review_open() {
    let team = Team::on(TestRepo::with_work_tree());
    let (proposal, review) = team.opened("a").await;
    team.test.repo.set_head(&format!("refs/heads/{}", proposal.branch)).unwrap();
    team.test.check_out();
    assert!(matches!(team.forge.reject(review.id, &bob(), "no", later(1)).await.unwrap(), Rejection::Rejected(_)));
    assert!(team.branch(&proposal).is_some());
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
    team.plant("x/y", "review.yaml", good.as_bytes());
    let blob = team.test.repo.blob(b"no commit").unwrap();
    team.test.repo.reference("refs/switchboard/reviews/9", blob, true, "test").unwrap();

    for forge in [&team.forge, &forge(&team.repository)] {
        assert_eq!(forge.reviews().await.unwrap(), [review.clone()]);
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
}
