//! The repository adapter on repositories of this machine.

mod ancestry;
mod past;
mod refusals;

use std::path::Path;

use switchboard::model::{CommitId, Person, TreeId};
use switchboard::repository::{
    BranchProposal, GitRepository, Head, Merge, Pushed, ReadError, RefChange, RefUpdate, Repository, WorkTreeInTheWay,
};

use crate::support::git::{TestRepo, delete_branch, moment};

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
    assert_eq!(repo.head().await.unwrap(), Head::MissingBranch("main".to_owned()));
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

    delete_branch(&repo, "switchboard/a/1.0.0").await;
    assert_eq!(test.target("refs/heads/switchboard/a/1.0.0"), None);
    assert_eq!(repo.ensure_branch(&proposal(&base)).await.unwrap(), Pushed::Created(commit), "the same proposal is the same commit");

    delete_branch(&repo, "switchboard/a/1.0.0").await;
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
async fn a_lock_that_a_killed_process_left_is_removed_only_where_nobody_else_writes() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let left_behind = |name: &str| {
        let path = test.path().join(format!("refs/heads/{name}.lock"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let lock = std::fs::File::create(&path).unwrap();
        lock.set_modified(std::time::UNIX_EPOCH).unwrap();
        path
    };
    let (own, foreign) = (left_behind("switchboard/a/1.0.0"), left_behind("main"));
    let repo = test.open();
    assert!(matches!(repo.ensure_branch(&proposal(&id)).await.unwrap(), Pushed::Created(_)));
    assert!(!own.exists());
    let change = RefChange { name: "refs/heads/main".to_owned(), expected: Some(id), new: None };
    let refused = repo.update_refs(&[change]).await.unwrap_err().to_string();
    assert!(refused.contains("remove refs/heads/main.lock"), "{refused}");
    assert!(foreign.exists());
}

#[tokio::test]
async fn locks_that_a_killed_switchboard_wrote_down_are_removed_on_any_reference_and_index() {
    let test = TestRepo::with_work_tree();
    let old = test.commit("main", &[("a", Some(b"1"))]);
    test.check_out();
    let git = test.repo.path().canonicalize().unwrap();
    let locks = ["refs/heads/main.lock", "index.lock"].map(|name| git.join(name));
    for lock in &locks {
        std::fs::File::create(lock).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    let written = locks.iter().map(|lock| format!("{}\n", lock.display())).collect::<String>();
    std::fs::write(git.join("switchboard-turn"), written).unwrap();
    let parent = old.as_str().parse().unwrap();
    let new = CommitId::new(test.write_commit("Alice <alice@example.com>", Some(parent), &[("b", Some(b"2"))]).to_string());
    let change = RefChange { name: "refs/heads/main".to_owned(), expected: Some(old), new: Some(new.clone()) };
    assert_eq!(test.open().update_refs(&[change]).await.unwrap(), RefUpdate::Done);
    assert_eq!((test.target("refs/heads/main"), test.statuses()), (Some(new), Vec::new()));
    assert_eq!(std::fs::read(git.join("switchboard-turn")).unwrap(), b"");

    // A turn that has nothing to do with a lock that was left keeps it in mind.
    let line = format!("{}\n", locks[0].display());
    std::fs::File::create(&locks[0]).unwrap();
    std::fs::write(git.join("switchboard-turn"), &line).unwrap();
    let head = test.target("refs/heads/main");
    let elsewhere = RefChange { name: "refs/switchboard/x".to_owned(), expected: None, new: head };
    assert_eq!(test.open().update_refs(&[elsewhere]).await.unwrap(), RefUpdate::Done);
    assert_eq!(std::fs::read_to_string(git.join("switchboard-turn")).unwrap(), line);
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
    assert_eq!(test.statuses(), ["kept WT_MODIFIED"]);
}

const ANY: switchboard::repository::Asks = |_| true;

#[tokio::test]
async fn bundles_are_read_at_any_commit_that_is_there() {
    let test = TestRepo::bare();
    test.commit("main", &[("connectors/a/connector.yaml", Some(b"1"))]);
    let head = test.commit("main", &[("connectors/a/connector.yaml", Some(b"2"))]);
    let repo = test.open();
    assert!(repo.bundle_at(&head, "none").await.unwrap().is_none());
    assert!(repo.bundle_at(&CommitId::new("0".repeat(39) + "1"), "a").await.unwrap().is_none());
    assert_eq!(repo.bundle_at(&head, "a").await.unwrap().unwrap().get("connector.yaml"), Some(b"2".as_slice()));
}

fn loose(test: &TestRepo, id: &str) -> std::path::PathBuf {
    test.path().join("objects").join(&id[..2]).join(&id[2..])
}

#[tokio::test]
async fn a_corrupt_or_missing_object_concerns_its_own_connector_only() {
    let test = TestRepo::bare();
    test.commit(
        "main",
        &[
            ("connectors/a/connector.yaml", Some(b"1")),
            ("connectors/b/connector.yaml", Some(b"2")),
            ("connectors/c/connector.yaml", Some(b"3")),
            ("connectors/d/connector.yaml", Some(b"4")),
        ],
    );
    let repo = test.open();
    let head = head_of(&repo).await;
    let connectors = repo.list(&head).await.unwrap().connectors.unwrap();
    let blob = |content: &[u8]| git2::Oid::hash_object(git2::ObjectType::Blob, content).unwrap().to_string();
    let (corrupt, other) = (loose(&test, &blob(b"1")), loose(&test, &blob(b"4")));
    std::fs::set_permissions(&corrupt, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::copy(&other, &corrupt).unwrap();
    std::fs::remove_file(loose(&test, &blob(b"2"))).unwrap();
    let tree = loose(&test, connectors["c"].as_str());
    std::fs::set_permissions(&tree, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(&tree, "rubbish").unwrap();
    let trees: Vec<_> = connectors.values().cloned().collect();
    let read = repo.read_bundles(&trees).await;
    for bundle in &read[..3] {
        assert!(matches!(bundle, Err(ReadError::Unreadable(_))), "{bundle:?}");
    }
    assert!(read[3].is_ok());
    std::fs::remove_file(loose(&test, head.as_str())).unwrap();
    assert!(repo.head().await.is_err());
    assert!(test.open().list(&head).await.is_err());
}

#[tokio::test]
async fn a_local_repository_that_disappears_is_an_error_until_it_is_back() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("connectors/a/connector.yaml", Some(b"1"))]);
    let repo = test.open();
    let away = test.folder.path().join("away");
    std::fs::rename(test.path(), &away).unwrap();
    assert!(repo.head().await.unwrap_err().to_string().contains("there is no git repository at"));
    assert!(matches!(repo.read_bundles(&[TreeId::new(id.as_str())]).await[0], Err(ReadError::Unreadable(_))));
    std::fs::rename(&away, test.path()).unwrap();
    assert_eq!(repo.head().await.unwrap(), Head::Commit(id));
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = std::process::Command::new("git");
    command.current_dir(folder).args(args).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn packed_shallow_and_borrowing_repositories_are_read_as_any_other() {
    let test = TestRepo::bare();
    test.commit("main", &[("connectors/a/connector.yaml", Some(b"1"))]);
    test.commit_as("Bob <bob@example.com>", "main", &[("connectors/b/connector.yaml", Some(b"1"))]);
    let head = test.commit("main", &[("connectors/c/connector.yaml", Some(b"1"))]);
    git(&test.path(), &["gc", "-q", "--prune=now"]);
    let origin = format!("file://{}", test.path().display());
    git(test.folder.path(), &["clone", "-q", "--bare", "--depth", "1", &origin, "shallow"]);
    git(test.folder.path(), &["clone", "-q", "--bare", "--shared", test.path().to_str().unwrap(), "borrowing"]);
    for name in ["repo", "shallow", "borrowing"] {
        let path = test.folder.path().join(name);
        for location in [path.display().to_string(), format!("file://{}", path.display())] {
            let state = tempfile::tempdir().unwrap();
            let repo = crate::support::git::open(&location, state.path());
            assert_eq!(head_of(&repo).await, head, "{location}");
            let trees: Vec<_> = repo.list(&head).await.unwrap().connectors.unwrap().into_values().collect();
            assert!(repo.read_bundles(&trees).await.iter().all(Result::is_ok), "{location}");
            let askers = repo.askers(&head, "b", None, ANY).await.unwrap();
            assert_eq!(askers.first().map(Person::email), if name == "shallow" { None } else { Some("bob@example.com") }, "{location}");
            assert_eq!(repo.history(&head, 10).await.unwrap().len(), if name == "shallow" { 1 } else { 3 });
            assert!(matches!(repo.ensure_branch(&proposal(&head)).await.unwrap(), Pushed::Created(_)), "{location}");
            delete_branch(&repo, "switchboard/a/1.0.0").await;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_a_branch_or_a_path_is_refused_before_anything_is_written() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let repo = test.open();
    for branch in ["", "-x", "a..b", "a b", "a.lock", "../x"] {
        assert!(repo.ensure_branch(&BranchProposal { branch: branch.to_owned(), ..proposal(&id) }).await.is_err(), "{branch}");
    }
    for path in ["", "/x", "../x", ".git/config", "a//b", "a/./b"] {
        assert!(repo.ensure_branch(&BranchProposal { path: path.to_owned(), ..proposal(&id) }).await.is_err(), "{path}");
    }
    let forged = Person::new("Eve\ncommitter Root <root@example.com>");
    assert!(repo.commit_file(Some(&id), "b", b"x", "m", &forged, moment()).await.is_err());
    assert_eq!(repo.refs("refs/").await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_bundles_are_read_on_several_threads_and_stay_in_order() {
    let test = TestRepo::bare();
    let names: Vec<String> = (0..301).map(|n| format!("connectors/c{n:05}/connector.yaml")).collect();
    let changes: Vec<(&str, Option<&[u8]>)> = names.iter().map(|name| (name.as_str(), Some(name.as_bytes()))).collect();
    test.commit("main", &changes);
    let repo = test.open();
    let connectors = repo.list(&head_of(&repo).await).await.unwrap().connectors.unwrap();
    let trees: Vec<_> = connectors.into_values().collect();
    let bundles = repo.read_bundles(&trees).await;
    assert_eq!(bundles.len(), 301);
    for (bundle, name) in bundles.iter().zip(&names) {
        assert_eq!(bundle.as_ref().unwrap().get("connector.yaml"), Some(name.as_bytes()));
    }
    assert!(repo.read_bundles(&[]).await.is_empty());
}

#[tokio::test]
async fn lines_that_both_sides_changed_apart_are_merged() {
    let test = TestRepo::bare();
    let text = |first: &str, last: &str| format!("{first}\n{}{last}\n", "same\n".repeat(10)).into_bytes();
    let base = test.commit("main", &[("a/deep/file", Some(&text("1", "1"))), ("a/kept", Some(b"1"))]);
    test.repo.reference("refs/heads/side", git2::Oid::from_str(base.as_str()).unwrap(), false, "").unwrap();
    let ours = test.commit("main", &[("a/deep/file", Some(&text("2", "1"))), ("a/kept", None)]);
    let theirs = test.commit("side", &[("a/deep/file", Some(&text("1", "2"))), ("a/new", Some(b"1"))]);
    let repo = test.open();
    let Merge::Commit(merged) = repo.merge(&ours, &theirs, "Merge", &alice(), moment()).await.unwrap() else { panic!() };
    assert_eq!(repo.read_file(&merged, "a/deep/file").await.unwrap().unwrap(), text("2", "2"));
    assert_eq!(repo.read_file(&merged, "a/new").await.unwrap().unwrap(), b"1");
    assert_eq!(repo.read_file(&merged, "a/kept").await.unwrap(), None);
    let edited = test.commit("edited", &[("a/kept", Some(b"2"))]);
    let unrelated = repo.merge(&ours, &edited, "Merge", &alice(), moment()).await.unwrap();
    assert!(matches!(unrelated, Merge::Commit(_)), "histories with nothing in common and no path in common");
}
