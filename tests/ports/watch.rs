//! Wakes: moved references, requests from other processes, repositories that go away and come back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use switchboard::repository::{Location, RefChange, RefUpdate, Watch, request_wake};
use tokio::sync::Notify;

use crate::support::git::TestRepo;

struct Watched {
    wake: Arc<Notify>,
    _watch: Watch,
}

impl Watched {
    fn start(location: &str, state: &Path) -> Self {
        let wake = Arc::new(Notify::new());
        let watch = Watch::start(&Location::parse(location).unwrap(), state, wake.clone()).unwrap();
        Self { wake, _watch: watch }
    }

    fn on(test: &TestRepo) -> Self {
        Self::start(test.path().to_str().unwrap(), &test.folder.path().join("state"))
    }

    async fn woke(&self, why: &str) {
        tokio::time::timeout(Duration::from_secs(20), self.wake.notified()).await.expect(why);
    }
}

#[tokio::test]
async fn a_commit_wakes() {
    for test in [TestRepo::bare(), TestRepo::with_work_tree()] {
        test.commit("main", &[("a", Some(b"1"))]);
        let watched = Watched::on(&test);
        test.commit("main", &[("a", Some(b"2"))]);
        watched.woke("the branch moved").await;
    }
}

#[tokio::test]
async fn a_branch_in_a_new_folder_wakes_and_so_do_those_after_it() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let watched = Watched::on(&test);
    let repo = test.open();
    for name in ["refs/heads/new/deep/one", "refs/heads/new/deep/two", "refs/heads/new/deeper/three", "refs/switchboard/x"] {
        let change = RefChange { name: name.to_owned(), expected: None, new: Some(id.clone()) };
        assert_eq!(repo.update_refs(&[change]).await.unwrap(), RefUpdate::Done);
        watched.woke(name).await;
    }
}

#[tokio::test]
async fn packed_references_and_head_wake() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("a", Some(b"1"))]);
    let watched = Watched::on(&test);
    std::fs::write(test.path().join("packed-refs"), format!("# pack-refs with: peeled fully-peeled sorted \n{id} refs/heads/packed\n"))
        .unwrap();
    watched.woke("packed-refs were written").await;
    let watched = Watched::on(&test);
    test.repo.set_head("refs/heads/packed").unwrap();
    watched.woke("HEAD names another branch").await;
}

#[tokio::test]
async fn a_linked_work_tree_is_watched_where_its_references_are() {
    let test = TestRepo::with_work_tree();
    test.commit("main", &[("a", Some(b"1"))]);
    let linked = test.folder.path().join("linked");
    test.repo.worktree("linked", &linked, None).unwrap();
    let watched = Watched::start(linked.to_str().unwrap(), &test.folder.path().join("state"));
    test.commit("main", &[("a", Some(b"2"))]);
    watched.woke("the branch moved").await;
}

#[tokio::test]
async fn another_process_can_ask_for_a_wake_of_any_repository() {
    let state = tempfile::tempdir().unwrap();
    let watched = Watched::start("https://example.invalid/repo.git", state.path());
    for _ in 0..3 {
        request_wake(state.path()).unwrap();
        watched.woke("it was asked for").await;
    }
}

#[tokio::test]
async fn a_repository_that_goes_away_and_comes_back_wakes_again() {
    let test = TestRepo::bare();
    test.commit("main", &[("a", Some(b"1"))]);
    let watched = Watched::on(&test);
    let away = test.folder.path().join("away");
    for _ in 0..2 {
        std::fs::rename(test.path(), &away).unwrap();
        watched.woke("it is gone").await;
        std::fs::rename(&away, test.path()).unwrap();
        watched.woke("it is back").await;
    }
    std::fs::remove_dir_all(test.path()).unwrap();
    watched.woke("it is deleted").await;
    let fresh = git2::Repository::init_bare(test.path()).unwrap();
    watched.woke("another one is there").await;
    let tree = fresh.find_tree(fresh.treebuilder(None).unwrap().write().unwrap()).unwrap();
    let who = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    for n in 0..4 {
        fresh.commit(Some(&format!("refs/heads/new/{n}")), &who, &who, "x", &tree, &[]).unwrap();
        watched.woke("a branch of the other one moved").await;
    }
}
