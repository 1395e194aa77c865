//! The repository adapter on repositories of this machine.

use std::path::Path;

use switchboard::model::{CommitId, Person};
use switchboard::repository::{
    BranchProposal, GitRepository, Head, Merge, Pushed, ReadError, RefChange, RefUpdate, Repository, WorkTree, WorkTreeInTheWay,
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
    assert_eq!(statuses(&test), ["kept WT_MODIFIED"]);
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

#[tokio::test]
async fn the_work_tree_commits_exactly_what_it_is_told() {
    let test = TestRepo::with_work_tree();
    test.commit("main", &[("connectors/a/connector.yaml", Some(b"1")), ("connectors/a/old.yaml", Some(b"1")), ("other", Some(b"1"))]);
    test.check_out();
    let tree = WorkTree::discover(&test.path().join("connectors/a")).unwrap();
    assert_eq!(tree.identity().unwrap(), alice());
    std::fs::write(tree.root().join("other"), "staged by the user").unwrap();
    std::fs::write(tree.root().join("connectors/a/loose"), "not asked for").unwrap();
    let mut index = test.repo.index().unwrap();
    index.add_path(Path::new("other")).unwrap();
    index.write().unwrap();

    tree.write("connectors/b/connector.yaml", b"new").unwrap();
    tree.write("connectors/a/connector.yaml", b"2").unwrap();
    std::fs::remove_file(tree.root().join("connectors/a/old.yaml")).unwrap();
    let paths = ["connectors/b", "connectors/a/connector.yaml", "connectors/a/old.yaml"];
    let commit = tree.commit(&paths, "Edit", &alice(), moment()).unwrap();
    let repo = test.open();
    assert_eq!(head_of(&repo).await, commit);
    let read = async |path: &str| repo.read_file(&commit, path).await.unwrap().map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(read("connectors/b/connector.yaml").await.as_deref(), Some("new"));
    assert_eq!(read("connectors/a/connector.yaml").await.as_deref(), Some("2"));
    assert_eq!(read("connectors/a/old.yaml").await, None);
    assert_eq!(read("connectors/a/loose").await, None);
    assert_eq!(read("other").await.as_deref(), Some("1"), "the user's own staged change is not taken along");
    assert_eq!(statuses(&test), ["connectors/a/loose WT_NEW", "other INDEX_MODIFIED"]);
    assert_eq!(tree.commit(&paths, "Again", &alice(), moment()).unwrap(), commit, "nothing differs");

    tree.remove_folder("connectors/b").unwrap();
    tree.remove_folder("connectors/b").unwrap();
    let commit = tree.commit(&["connectors/b"], "Delete", &alice(), moment()).unwrap();
    assert_eq!(repo.list(&commit).await.unwrap().connectors.unwrap().len(), 1);
}

fn statuses(test: &TestRepo) -> Vec<String> {
    let repo = git2::Repository::open(test.path()).unwrap();
    let statuses = repo.statuses(None).unwrap();
    statuses
        .iter()
        .map(|entry| {
            let names: Vec<_> = entry.status().iter_names().map(|(name, _)| name).collect();
            format!("{} {}", entry.path().unwrap(), names.join("|"))
        })
        .collect()
}

#[tokio::test]
async fn a_new_work_tree_takes_its_first_commit() {
    let folder = tempfile::tempdir().unwrap();
    let tree = WorkTree::init(&folder.path().join("team")).unwrap();
    tree.write("switchboard.yaml", b"x").unwrap();
    let commit = tree.commit(&["switchboard.yaml"], "Begin", &alice(), moment()).unwrap();
    let repo = crate::support::git::open(tree.root().to_str().unwrap(), folder.path());
    assert_eq!(head_of(&repo).await, commit);
    assert_eq!(repo.tracked_branch().await.unwrap(), "main");
}

#[test]
fn an_identity_that_is_not_set_says_what_to_do() {
    let test = TestRepo::with_work_tree();
    test.repo.config().unwrap().set_str("user.email", " ").unwrap();
    let tree = WorkTree::discover(&test.path()).unwrap();
    assert_eq!(tree.identity(), None);
    assert!(tree.required_identity().unwrap_err().to_string().contains("git config --global user.email"));
    let outside = tempfile::tempdir().unwrap();
    assert!(WorkTree::discover(outside.path()).unwrap_err().to_string().contains("switchboard init"));
    let bare = TestRepo::bare();
    assert!(WorkTree::discover(&bare.path()).unwrap_err().to_string().contains("bare repository"));
}

#[test]
fn links_and_paths_that_leave_the_work_tree_are_refused() {
    let test = TestRepo::with_work_tree();
    let tree = WorkTree::discover(&test.path()).unwrap();
    let outside = test.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::create_dir_all(tree.root().join("connectors/a")).unwrap();
    std::os::unix::fs::symlink(&outside, tree.root().join("connectors/link")).unwrap();
    for path in ["connectors/link/x", "../outside/x", "/etc/x", ".git/config", "", "a/../../x"] {
        assert!(tree.write(path, b"x").is_err(), "{path}");
        assert!(tree.remove_folder(path).is_err(), "{path}");
    }
    assert!(outside.read_dir().unwrap().next().is_none());
    std::fs::write(outside.join("secret"), "s").unwrap();
    std::os::unix::fs::symlink(outside.join("secret"), tree.root().join("connectors/a/notes.md")).unwrap();
    let refusal = tree.read_folder("connectors/a").unwrap_err();
    assert_eq!(refusal.to_string(), "notes.md: a symbolic link where a file belongs");
    assert!(tree.commit(&["connectors/a"], "x", &alice(), moment()).is_err());
}

#[test]
fn writing_keeps_permissions_and_leaves_no_temporary_files() {
    use std::os::unix::fs::PermissionsExt;
    let test = TestRepo::with_work_tree();
    let tree = WorkTree::discover(&test.path()).unwrap();
    tree.write("connectors/a/connector.yaml", b"1").unwrap();
    let file = tree.root().join("connectors/a/connector.yaml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    tree.write("connectors/a/connector.yaml", b"2").unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(tree.read_folder("connectors/a").unwrap().iter().collect::<Vec<_>>(), [("connector.yaml", b"2".as_slice())]);
    std::fs::create_dir(tree.root().join("connectors/a/taken")).unwrap();
    assert!(tree.write("connectors/a/taken", b"x").is_err());
    assert_eq!(std::fs::read_dir(tree.root().join("connectors/a")).unwrap().count(), 2);
}
