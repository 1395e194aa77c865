//! Who comes before whom, whatever the clocks said.

use git2::{Oid, Signature, Time};
use switchboard::model::CommitId;

use crate::support::git::TestRepo;

/// A commit of an empty tree, dated some seconds after 1970.
fn commit(test: &TestRepo, seconds: i64, parents: &[Oid]) -> Oid {
    let who = Signature::new("Alice", "alice@example.com", &Time::new(seconds, 0)).unwrap();
    let tree = test.repo.find_tree(test.repo.treebuilder(None).unwrap().write().unwrap()).unwrap();
    let parents: Vec<_> = parents.iter().map(|id| test.repo.find_commit(*id).unwrap()).collect();
    test.repo.commit(None, &who, &who, "change", &tree, &parents.iter().collect::<Vec<_>>()).unwrap()
}

#[tokio::test]
async fn a_clock_that_was_wrong_changes_no_answer() {
    let test = TestRepo::bare();
    let root = commit(&test, 50, &[]);
    let merged = commit(&test, 100, &[root]);
    let by_a_wrong_clock = commit(&test, 40, &[merged]);
    let elsewhere = commit(&test, 80, &[root]);
    let newest = commit(&test, 90, &[by_a_wrong_clock, elsewhere]);
    let unrelated = commit(&test, 60, &[]);

    let repo = test.open();
    let [root, merged, elsewhere, newest, unrelated] = [root, merged, elsewhere, newest, unrelated].map(|id| CommitId::new(id.to_string()));
    for (ancestor, descendant, expected) in [
        (&merged, &newest, true),
        (&root, &newest, true),
        (&newest, &newest, true),
        (&newest, &merged, false),
        (&elsewhere, &merged, false),
        (&merged, &elsewhere, false),
        (&unrelated, &newest, false),
        (&newest, &unrelated, false),
    ] {
        assert_eq!(repo.is_ancestor(ancestor, descendant).await.unwrap(), expected, "{ancestor} before {descendant}");
    }
}
