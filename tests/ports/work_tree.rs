//! The user's own work tree, as the commands that edit manifests use it.

use std::path::Path;

use switchboard::model::Person;
use switchboard::repository::{Head, Repository, WorkTree, read_folder};

use crate::support::git::{TestRepo, moment};

fn alice() -> Person {
    Person::new("Alice <alice@example.com>")
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
    assert_eq!(repo.head().await.unwrap(), Head::Commit(commit.clone()));
    let read = async |path: &str| repo.read_file(&commit, path).await.unwrap().map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(read("connectors/b/connector.yaml").await.as_deref(), Some("new"));
    assert_eq!(read("connectors/a/connector.yaml").await.as_deref(), Some("2"));
    assert_eq!(read("connectors/a/old.yaml").await, None);
    assert_eq!(read("connectors/a/loose").await, None);
    assert_eq!(read("other").await.as_deref(), Some("1"), "the user's own staged change is not taken along");
    assert_eq!(test.statuses(), ["connectors/a/loose WT_NEW", "other INDEX_MODIFIED"]);
    assert_eq!(tree.commit(&paths, "Again", &alice(), moment()).unwrap(), commit, "nothing differs");

    tree.remove_folder("connectors/b").unwrap();
    tree.remove_folder("connectors/b").unwrap();
    let commit = tree.commit(&["connectors/b"], "Delete", &alice(), moment()).unwrap();
    assert_eq!(repo.list(&commit).await.unwrap().connectors.unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_work_tree_takes_its_first_commit() {
    let folder = tempfile::tempdir().unwrap();
    let tree = WorkTree::init(&folder.path().join("team")).unwrap();
    tree.write("switchboard.yaml", b"x").unwrap();
    let commit = tree.commit(&["switchboard.yaml"], "Begin", &alice(), moment()).unwrap();
    let repo = crate::support::git::open(tree.root().to_str().unwrap(), folder.path());
    assert_eq!(repo.head().await.unwrap(), Head::Commit(commit.clone()));
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
    let refusal = read_folder(&tree.root().join("connectors/a"), &|_| false).unwrap_err();
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
    assert_eq!(
        read_folder(&tree.root().join("connectors/a"), &|_| false).unwrap().iter().collect::<Vec<_>>(),
        [("connector.yaml", b"2".as_slice())]
    );
    std::fs::create_dir(tree.root().join("connectors/a/taken")).unwrap();
    assert!(tree.write("connectors/a/taken", b"x").is_err());
    assert_eq!(std::fs::read_dir(tree.root().join("connectors/a")).unwrap().count(), 2);
}

#[test]
fn a_folder_that_cannot_be_read_is_not_committed_as_an_empty_one() {
    let test = TestRepo::with_work_tree();
    test.commit("main", &[("connectors/a/connector.yaml", Some(b"1")), ("connectors/b/connector.yaml", Some(b"1"))]);
    test.check_out();
    let tree = WorkTree::discover(&test.path()).unwrap();
    let head = test.target("refs/heads/main").unwrap();
    let root = test.repo.find_commit(head.as_str().parse().unwrap()).unwrap().tree().unwrap();
    let connectors = root.get_name("connectors").unwrap().id().to_string();
    std::fs::remove_file(test.repo.path().join("objects").join(&connectors[..2]).join(&connectors[2..])).unwrap();
    tree.write("connectors/a/connector.yaml", b"2").unwrap();
    let refused = tree.commit(&["connectors/a/connector.yaml"], "Edit", &alice(), moment()).unwrap_err();
    assert!(refused.to_string().contains("cannot read connectors/"), "{refused:#}");
    assert_eq!(test.target("refs/heads/main").unwrap(), head);
}
