//! The repository adapter on repositories of this machine.

use switchboard::model::{CommitId, Person};
use switchboard::repository::{
    BranchProposal, GitRepository, Head, Merge, Pushed, ReadError, RefChange, RefUpdate, Repository, WorkTreeInTheWay,
};

use crate::support::git::{TestRepo, moment};

fn alice() -> Person {
    Person::new("Alice <alice@example.com>")
}

async fn head_of(repo: &GitRepository) -> CommitId {
    match repo.head().await.unwrap() {
        Head::Commit(id) => id,
        other => panic!("{other:?}"),
    }
}

fn proposal(base: &CommitId) -> BranchProposal {
    BranchProposal {
        branch: "switchboard/a/1.0.0".to_owned(),
        base: base.clone(),
        path: "releases/a/1.0.0.yaml".to_owned(),
        content: b"record".to_vec(),
        message: "Publish a 1.0.0".to_owned(),
        at: moment(),
    }
}

#[tokio::test]
async fn an_empty_repository_a_missing_branch_and_a_branch_that_appears_are_told_apart() {
    let test = TestRepo::bare();
    let repo = test.open();
    assert_eq!(repo.head().await.unwrap(), Head::EmptyRepository);
    test.commit("other", &[("a", Some(b"1"))]);
    assert_eq!(repo.head().await.unwrap(), Head::MissingBranch);
    let id = test.commit("main", &[("a", Some(b"1"))]);
    assert_eq!(repo.head().await.unwrap(), Head::Commit(id));
    assert_eq!(repo.tracked_branch().await.unwrap(), "main");
}

#[tokio::test]
async fn a_listing_names_folders_and_reports_what_does_not_belong() {
    let test = TestRepo::bare();
    test.commit(
        "main",
        &[
            ("switchboard.yaml", Some(b"x")),
            ("connectors/a/connector.yaml", Some(b"a")),
            ("connectors/b/connector.yaml", Some(b"a")),
            ("connectors/README.md", Some(b"hello")),
            ("connectors/stray.yaml", Some(b"stray")),
            ("releases/a/1.0.0.yaml", Some(b"r")),
            ("releases/.gitkeep", Some(b"")),
        ],
    );
    let repo = test.open();
    let listing = repo.list(&head_of(&repo).await).await.unwrap();
    let connectors = listing.connectors.unwrap();
    assert_eq!(connectors.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(connectors["a"], connectors["b"], "equal content has equal ids");
    assert_eq!(listing.releases.keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(repo.read_blob(&listing.config.unwrap(), 10).await.unwrap(), b"x");
    let odd: Vec<_> = listing.oddities.iter().map(|odd| format!("{}: {}", odd.path, odd.reason)).collect();
    assert_eq!(odd, ["connectors/stray.yaml: a file where a folder belongs"]);
}

#[tokio::test]
async fn bundles_come_in_the_order_asked_for_and_each_fails_on_its_own() {
    let test = TestRepo::bare();
    let large = vec![b'x'; 1024 * 1024 + 1];
    test.commit(
        "main",
        &[
            ("connectors/a/connector.yaml", Some(b"a")),
            ("connectors/a/tests/one.yaml", Some(b"t")),
            ("connectors/b/icon.svg", Some(&large)),
            ("connectors/c/connector.yaml", Some(b"c")),
        ],
    );
    let repo = test.open();
    let listing = repo.list(&head_of(&repo).await).await.unwrap();
    let trees: Vec<_> = listing.connectors.unwrap().into_values().rev().collect();
    let bundles = repo.read_bundles(&trees).await;
    assert_eq!(bundles[0].as_ref().unwrap().get("connector.yaml"), Some(b"c".as_slice()));
    assert!(matches!(&bundles[1], Err(ReadError::Refused(odd)) if odd.path == "icon.svg" && odd.reason.contains("1048577 bytes")));
    assert_eq!(bundles[2].as_ref().unwrap().iter().map(|(path, _)| path).collect::<Vec<_>>(), ["connector.yaml", "tests/one.yaml"]);
}

#[tokio::test]
async fn a_review_branch_is_made_once_and_never_moved() {
    let test = TestRepo::bare();
    test.commit("main", &[("connectors/a/connector.yaml", Some(b"a"))]);
    let repo = test.open();
    let base = head_of(&repo).await;
    let Pushed::Created(commit) = repo.ensure_branch(&proposal(&base)).await.unwrap() else { panic!() };
    assert_eq!(repo.read_file(&commit, "connectors/a/connector.yaml").await.unwrap().unwrap(), b"a");
    let again = repo.ensure_branch(&proposal(&base)).await.unwrap();
    assert_eq!(again, Pushed::AlreadyThere { commit: commit.clone(), content: b"record".to_vec() });
    let summary = repo.history(&commit, 1).await.unwrap().remove(0);
    assert_eq!((summary.author.to_string(), summary.at), ("Switchboard <switchboard@localhost>".to_owned(), moment()));

    repo.ensure_no_branch("switchboard/a/1.0.0").await.unwrap();
    repo.ensure_no_branch("switchboard/a/1.0.0").await.unwrap();
    assert_eq!(test.target("refs/heads/switchboard/a/1.0.0"), None);
    assert_eq!(repo.ensure_branch(&proposal(&base)).await.unwrap(), Pushed::Created(commit), "the same proposal is the same commit");

    repo.ensure_no_branch("switchboard/a/1.0.0").await.unwrap();
    let foreign = test.commit("switchboard/a/1.0.0", &[("else", Some(b"x"))]);
    assert_eq!(repo.ensure_branch(&proposal(&base)).await.unwrap(), Pushed::Foreign(foreign));
}

#[tokio::test]
async fn references_move_all_or_none() {
    let test = TestRepo::bare();
    let one = test.commit("main", &[("a", Some(b"1"))]);
    let two = test.commit("other", &[("a", Some(b"2"))]);
    let repo = test.open();
    let change = |name: &str, expected: Option<&CommitId>, new: Option<&CommitId>| RefChange {
        name: name.to_owned(),
        expected: expected.cloned(),
        new: new.cloned(),
    };
    let stale = [change("refs/switchboard/x", None, Some(&one)), change("refs/heads/main", Some(&two), Some(&one))];
    assert_eq!(repo.update_refs(&stale).await.unwrap(), RefUpdate::Stale("refs/heads/main".to_owned()));
    assert_eq!(test.target("refs/switchboard/x"), None);
    let good = [change("refs/switchboard/x", None, Some(&one)), change("refs/heads/main", Some(&one), Some(&two))];
    assert_eq!(repo.update_refs(&good).await.unwrap(), RefUpdate::Done);
    assert_eq!(repo.refs("refs/switchboard/").await.unwrap(), [("refs/switchboard/x".to_owned(), one.clone())]);
    assert_eq!(head_of(&repo).await, two);
    let gone = [change("refs/switchboard/x", Some(&one), None)];
    assert_eq!(repo.update_refs(&gone).await.unwrap(), RefUpdate::Done);
    assert_eq!(repo.update_refs(&gone).await.unwrap(), RefUpdate::Stale("refs/switchboard/x".to_owned()));
    assert!(repo.update_refs(&[change("refs/../x", None, Some(&one))]).await.is_err());
    assert!(repo.update_refs(&[change("HEAD", None, Some(&one))]).await.is_err());
}

#[tokio::test]
async fn merges_are_made_in_the_object_database_and_conflicts_are_named() {
    let test = TestRepo::bare();
    let base = test.commit("main", &[("a", Some(b"1")), ("b", Some(b"1"))]);
    test.repo.reference("refs/heads/side", git2::Oid::from_str(base.as_str()).unwrap(), false, "").unwrap();
    let ours = test.commit("main", &[("a", Some(b"2"))]);
    let theirs = test.commit("side", &[("b", Some(b"2"))]);
    let clash = test.commit("clash", &[("a", Some(b"3"))]);
    let repo = test.open();
    let Merge::Commit(merged) = repo.merge(&ours, &theirs, "Merge", &alice(), moment()).await.unwrap() else { panic!() };
    assert_eq!(repo.read_file(&merged, "a").await.unwrap().unwrap(), b"2");
    assert_eq!(repo.read_file(&merged, "b").await.unwrap().unwrap(), b"2");
    assert!(repo.is_ancestor(&theirs, &merged).await.unwrap());
    assert!(!repo.is_ancestor(&merged, &theirs).await.unwrap());
    assert_eq!(repo.merge(&merged, &theirs, "Merge", &alice(), moment()).await.unwrap(), Merge::AlreadyMerged);
    assert_eq!(repo.merge(&ours, &clash, "Merge", &alice(), moment()).await.unwrap(), Merge::Conflict(vec!["a".to_owned()]));
    assert_eq!(head_of(&repo).await, ours, "nothing moved");
}

#[tokio::test]
async fn a_clean_work_tree_follows_a_merge_and_a_changed_one_refuses_it() {
    let test = TestRepo::with_work_tree();
    test.commit("main", &[("releases/a/1.0.0.yaml", Some(b"1")), ("kept", Some(b"1")), ("goes", Some(b"1"))]);
    test.check_out();
    let repo = test.open();
    let old = head_of(&repo).await;
    let parent = git2::Oid::from_str(old.as_str()).unwrap();
    let changes: &[(&str, Option<&[u8]>)] = &[("releases/a/1.0.0.yaml", Some(b"2")), ("new/file", Some(b"2")), ("goes", None)];
    let new = CommitId::new(test.write_commit("Alice <alice@example.com>", Some(parent), changes).to_string());
    let change = [RefChange { name: "refs/heads/main".to_owned(), expected: Some(old.clone()), new: Some(new.clone()) }];
    let record = test.path().join("releases/a/1.0.0.yaml");

    std::fs::write(&record, "mine").unwrap();
    let refusal = repo.update_refs(&change).await.unwrap_err();
    assert_eq!(refusal.downcast_ref::<WorkTreeInTheWay>().unwrap().paths, ["releases/a/1.0.0.yaml"]);
    assert_eq!(head_of(&repo).await, old);
    assert_eq!(std::fs::read(&record).unwrap(), b"mine");

    std::fs::write(&record, "1").unwrap();
    std::fs::create_dir(test.path().join("new")).unwrap();
    std::fs::write(test.path().join("new/file"), "untracked").unwrap();
    let refusal = repo.update_refs(&change).await.unwrap_err();
    assert_eq!(refusal.downcast_ref::<WorkTreeInTheWay>().unwrap().paths, ["new/file"]);

    std::fs::remove_file(test.path().join("new/file")).unwrap();
    std::fs::write(test.path().join("kept"), "the user's own work").unwrap();
    assert_eq!(repo.update_refs(&change).await.unwrap(), RefUpdate::Done);
    assert_eq!(std::fs::read(&record).unwrap(), b"2");
    assert_eq!(std::fs::read(test.path().join("new/file")).unwrap(), b"2");
    assert!(!test.path().join("goes").exists());
    let statuses = git2::Repository::open(test.path()).unwrap();
    let statuses = statuses.statuses(None).unwrap();
    let modified: Vec<_> = statuses.iter().map(|entry| entry.path().unwrap().to_owned()).collect();
    assert_eq!(modified, ["kept"]);
}

#[tokio::test]
async fn the_last_author_is_found_along_first_parents() {
    let test = TestRepo::bare();
    test.commit("main", &[("connectors/a/connector.yaml", Some(b"1")), ("connectors/b/connector.yaml", Some(b"1"))]);
    test.commit_as("Bob <bob@example.com>", "main", &[("connectors/a/connector.yaml", Some(b"2"))]);
    let head = test.commit_as("Carol <carol@example.com>", "main", &[("connectors/c/connector.yaml", Some(b"1"))]);
    let repo = test.open();
    let author = async |name: &str| repo.last_author(&head, name).await.unwrap().map(|who| who.email().to_owned());
    assert_eq!(author("a").await.as_deref(), Some("bob@example.com"));
    assert_eq!(author("b").await.as_deref(), Some("alice@example.com"));
    assert_eq!(author("c").await.as_deref(), Some("carol@example.com"));
    assert_eq!(author("none").await, None);
    assert!(repo.bundle_at(&head, "none").await.unwrap().is_none());
    assert!(repo.bundle_at(&CommitId::new("0".repeat(39) + "1"), "a").await.unwrap().is_none());
    assert_eq!(repo.bundle_at(&head, "a").await.unwrap().unwrap().get("connector.yaml"), Some(b"2".as_slice()));
}
