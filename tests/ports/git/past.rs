//! What history tells: what became of release records, and who asked.

use git2::Oid;
use switchboard::model::{CommitId, Digest, RecordId, RecordPast};
use switchboard::repository::{GitRepository, Repository as _};

use crate::support::git::{Change, TestRepo, moment};

const FOLDER: &str = "connectors/a/connector.yaml";
const RECORD: &str = "releases/a/1.0.0.yaml";

fn records() -> Vec<RecordId> {
    vec![RecordId { connector: "a".parse().unwrap(), version: "1.0.0".parse().unwrap(), record: Digest::of(b"r") }]
}

/// What the history of these commits says of the record.
async fn past(commits: &[&[Change<'_>]]) -> RecordPast {
    let test = TestRepo::bare();
    test.commit("main", &[("switchboard.yaml", Some(b"")), ("connectors/b/connector.yaml", Some(b""))]);
    let head = commits.iter().fold(None, |_, changes| Some(test.commit("main", changes))).unwrap();
    test.open().records_past(&head, &records()).await.unwrap().remove(0).unwrap()
}

#[tokio::test]
async fn a_record_is_standing_while_its_connector_was_never_gone() {
    let other: Change<'_> = ("connectors/b/connector.yaml", Some(b"2"));
    assert_eq!(past(&[&[(FOLDER, Some(b"1"))], &[(RECORD, Some(b"r"))], &[other]]).await, RecordPast::Standing);
    assert_eq!(past(&[&[(FOLDER, Some(b"1")), (RECORD, Some(b"r"))]]).await, RecordPast::Standing, "as a squash leaves it");
    let before = [(FOLDER, Some(b"1".as_slice()))];
    assert_eq!(past(&[&before, &[(FOLDER, None)], &before, &[(RECORD, Some(b"r"))]]).await, RecordPast::Standing);
}

#[tokio::test]
async fn a_record_that_outlived_its_connector_is_told_apart() {
    let published: &[Change<'_>] = &[(FOLDER, Some(b"1")), (RECORD, Some(b"r"))];
    assert_eq!(past(&[published, &[(FOLDER, None)], &[(FOLDER, Some(b"2"))]]).await, RecordPast::OutlivedConnector);
    assert_eq!(past(&[published, &[(FOLDER, None)]]).await, RecordPast::OutlivedConnector);
    let both_gone: &[Change<'_>] = &[(FOLDER, None), (RECORD, None)];
    assert_eq!(past(&[published, both_gone, published]).await, RecordPast::OutlivedConnector);
    let all_gone: &[Change<'_>] = &[(FOLDER, None), (RECORD, None), ("switchboard.yaml", None), ("connectors/b/connector.yaml", None)];
    assert_eq!(past(&[published, all_gone, published]).await, RecordPast::Standing, "an empty tree deletes nothing");
}

#[tokio::test]
async fn a_record_that_is_not_there_was_removed_or_never_came() {
    assert_eq!(past(&[&[(FOLDER, Some(b"1"))]]).await, RecordPast::NeverThere);
    let folder_in_its_place: Change<'_> = ("releases", Some(b"a file"));
    assert_eq!(past(&[&[(FOLDER, Some(b"1")), folder_in_its_place]]).await, RecordPast::NeverThere);
    assert_eq!(past(&[&[(FOLDER, Some(b"1")), (RECORD, Some(b"r"))], &[(RECORD, None)]]).await, RecordPast::Removed);
    assert_eq!(past(&[&[(FOLDER, Some(b"1")), (RECORD, Some(b"r"))], &[(RECORD, Some(b"another"))]]).await, RecordPast::Removed);
}

/// Asks as the pass does, in the words of these tests.
async fn askers(repo: &GitRepository, head: &CommitId, since: Option<&CommitId>) -> Vec<String> {
    let asks = |manifest: &[u8]| manifest.starts_with(b"published");
    let people = repo.askers(head, "a", since, asks).await.unwrap();
    people.iter().map(|person| person.name().to_owned()).collect()
}

#[tokio::test]
async fn who_set_the_status_asked_and_who_edited_since_is_named_too() {
    let test = TestRepo::bare();
    let commit =
        |who: &str, path: &str, content: &[u8]| test.commit_as(&format!("{who} <{who}@example.com>"), "main", &[(path, Some(content))]);
    commit("Carol", FOLDER, b"editing");
    commit("Alice", FOLDER, b"published 1");
    let first = commit("Dave", "connectors/b/connector.yaml", b"published");
    commit("bot", "connectors/a/notes.md", b"notes");
    let head = commit("Dave", "README.md", b"text");
    let repo = test.open();
    assert_eq!(askers(&repo, &head, None).await, ["Alice", "bot"]);
    assert_eq!(askers(&repo, &first, None).await, ["Alice"]);

    commit("Bob", FOLDER, b"published 2");
    let head = commit("Alice", FOLDER, b"published 3");
    assert_eq!(askers(&repo, &head, Some(&first)).await, ["bot", "Bob", "Alice"], "only what came after the release before");
    let gone = CommitId::new("1".repeat(40));
    assert_eq!(askers(&repo, &head, Some(&gone)).await, ["Alice", "bot", "Bob"], "without it, all since the status was set");
}

#[tokio::test]
async fn a_merge_stands_for_the_commits_it_brought() {
    let test = TestRepo::bare();
    let main = test.commit("main", &[(FOLDER, Some(b"editing")), ("README.md", Some(b"1"))]);
    test.repo.reference("refs/heads/topic", main.as_str().parse().unwrap(), true, "test").unwrap();
    let topic = test.commit_as("Alice <alice@example.com>", "topic", &[(FOLDER, Some(b"published"))]);
    let main = test.commit_as("Dave <dave@example.com>", "main", &[("README.md", Some(b"2"))]);
    let commit_of = |id: &CommitId| test.repo.find_commit(id.as_str().parse::<Oid>().unwrap()).unwrap();
    let tree = commit_of(&test.commit_as("Dave <dave@example.com>", "merged", &[(FOLDER, Some(b"published")), ("README.md", Some(b"2"))]))
        .tree()
        .unwrap();
    let bob = git2::Signature::new("Bob", "bob@example.com", &git2::Time::new(moment().as_second(), 0)).unwrap();
    let parents = [&commit_of(&main), &commit_of(&topic)];
    let merge = test.repo.commit(None, &bob, &bob, "merge", &tree, &parents).unwrap();
    assert_eq!(askers(&test.open(), &CommitId::new(merge.to_string()), None).await, ["Alice"]);
}

#[tokio::test]
async fn a_deletion_that_became_a_second_parent_is_seen() {
    let test = TestRepo::bare();
    let published = [("switchboard.yaml", Some(b"".as_slice())), (FOLDER, Some(b"1")), (RECORD, Some(b"r"))];
    let before = test.commit("main", &published);
    let deleted = test.commit("main", &[(FOLDER, None)]);
    let kept = test.write_commit("Bob <bob@example.com>", Some(before.as_str().parse().unwrap()), &[(FOLDER, Some(b"2"))]);
    let commit = |id: &str| test.repo.find_commit(id.parse().unwrap()).unwrap();
    let (ours, theirs) = (commit(&kept.to_string()), commit(deleted.as_str()));
    let who = git2::Signature::now("Bob", "bob@example.com").unwrap();
    let pulled = test.repo.commit(None, &who, &who, "Pull", &ours.tree().unwrap(), &[&ours, &theirs]).unwrap();
    let pulled = CommitId::new(pulled.to_string());
    let found = test.open().records_past(&pulled, &records()).await.unwrap().remove(0);
    assert_eq!(found, Ok(RecordPast::OutlivedConnector));
}

#[tokio::test]
async fn what_cannot_be_read_is_no_answer() {
    let test = TestRepo::bare();
    let lost = test.commit("main", &[("switchboard.yaml", Some(b"")), ("connectors/b/connector.yaml", Some(b""))]);
    test.commit("main", &[(FOLDER, Some(b"1"))]);
    let head = test.commit("main", &[(RECORD, Some(b"r"))]);
    let other = RecordId { record: Digest::of(b"other"), ..records().remove(0) };
    std::fs::remove_file(test.path().join("objects").join(&lost.as_str()[..2]).join(&lost.as_str()[2..])).unwrap();
    let found = test.open().records_past(&head, &[records().remove(0), other]).await.unwrap();
    assert_eq!(found[0], Ok(RecordPast::Standing), "its arrival was seen before the damage");
    assert!(found[1].is_err(), "whether it was there before nobody knows: {:?}", found[1]);
}

#[tokio::test]
async fn content_is_found_by_what_it_is() {
    let test = TestRepo::bare();
    let [_, _, third] = ["1", "2", "3"].map(|content| test.commit("main", &[(FOLDER, Some(content.as_bytes()))]));
    let head = test.commit("main", &[(FOLDER, None)]);
    let digest_of = |files: &switchboard::model::BundleFiles| files.get("connector.yaml").map(Digest::of);
    let find = async |content: &str| test.open().find_bundle(&head, "a", &Digest::of(content.as_bytes()), digest_of).await.unwrap();
    assert_eq!(find("2").await.unwrap().get("connector.yaml"), Some(b"2".as_slice()));
    assert!(find("4").await.is_none());

    let root = test.repo.find_commit(third.as_str().parse().unwrap()).unwrap().tree_id().to_string();
    std::fs::remove_file(test.path().join("objects").join(&root[..2]).join(&root[2..])).unwrap();
    assert!(find("2").await.is_some(), "a damaged newer tree hides nothing before it");
}
