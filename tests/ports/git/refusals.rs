//! What a stranger's repository may hold and is refused: links, names that lead elsewhere, too much of anything.

use switchboard::model::{CommitId, TreeId};
use switchboard::repository::{MAX_FILES, ReadError, Repository};

use super::head_of;
use crate::support::git::TestRepo;

/// Puts hand-made entries into a connector's folder and tells why it is refused.
async fn refusal(entries: &[(&[u8], i32)]) -> String {
    let test = TestRepo::bare();
    let blob = test.repo.blob(b"x").unwrap();
    let empty = test.repo.treebuilder(None).unwrap().write().unwrap();
    let mut tree = Vec::new();
    for (name, mode) in entries {
        tree.extend_from_slice(format!("{mode:o} ").as_bytes());
        tree.extend_from_slice(name);
        tree.push(0);
        tree.extend_from_slice(if *mode == 0o040_000 { empty } else { blob }.as_bytes());
    }
    let bundle = test.repo.odb().unwrap().write(git2::ObjectType::Tree, &tree).unwrap();
    let read = test.open().read_bundles(&[TreeId::new(bundle.to_string())]).await.remove(0);
    match read.unwrap_err() {
        ReadError::Refused(odd) => odd.reason,
        ReadError::Unreadable(text) => panic!("{text}"),
    }
}

#[tokio::test]
async fn links_submodules_and_names_that_lead_elsewhere_are_refused() {
    assert_eq!(refusal(&[(b"notes.md", 0o120_000)]).await, "a symbolic link where a file belongs");
    assert_eq!(refusal(&[(b"lib", 0o160_000)]).await, "a submodule where a file belongs");
    assert_eq!(refusal(&[(b"..", 0o040_000)]).await, "the name leads out of the folder");
    assert_eq!(refusal(&[(b".Git", 0o040_000)]).await, "the name stands for git's own folder on some systems");
    assert_eq!(refusal(&[(b"a\\b", 0o100_644)]).await, "the name contains a path separator");
    assert_eq!(refusal(&[(b"a/b", 0o100_644)]).await, "the name contains a path separator");
    assert_eq!(refusal(&[(b"a\nb", 0o100_644)]).await, "the name contains a control character");
    assert_eq!(refusal(&[(b"\xff", 0o100_644)]).await, "the name is not UTF-8");
    assert_eq!(refusal(&[(b"a", 0o100_644), (b"a", 0o100_644)]).await, "this name stands in the folder twice");
}

#[tokio::test]
async fn bundles_are_bounded_in_files_size_and_depth() {
    let test = TestRepo::bare();
    let names: Vec<String> = (0..501).map(|n| format!("connectors/many/{n}")).collect();
    let half = vec![b'x'; 1024 * 1024];
    let large: Vec<String> = (0..17).map(|n| format!("connectors/large/{n}")).collect();
    let deep = format!("connectors/deep{}/x", "/d".repeat(8));
    let fine = format!("connectors/fine{}/x", "/d".repeat(7));
    let mut changes: Vec<(&str, Option<&[u8]>)> = names.iter().map(|name| (name.as_str(), Some(b"".as_slice()))).collect();
    changes.extend(large.iter().map(|name| (name.as_str(), Some(half.as_slice()))));
    changes.extend([(deep.as_str(), Some(b"".as_slice())), (fine.as_str(), Some(b"".as_slice()))]);
    test.commit("main", &changes);
    let repo = test.open();
    let connectors = repo.list(&head_of(&repo).await).await.unwrap().connectors.unwrap();
    let reason = async |name: &str| repo.read_bundles(&[connectors[name].clone()]).await.remove(0).map_err(|error| error.to_string());
    assert!(reason("many").await.unwrap_err().contains("more than 500 files"));
    assert!(reason("large").await.unwrap_err().contains("16 MiB"));
    assert!(reason("deep").await.unwrap_err().contains("more than 8 folders deep"));
    assert!(reason("fine").await.is_ok());
}

#[tokio::test]
async fn entries_of_the_wrong_kind_beside_the_connectors_are_reported_and_the_rest_is_read() {
    let test = TestRepo::bare();
    let id = test.commit("main", &[("connectors/a/connector.yaml", Some(b"1"))]);
    let commit = test.repo.find_commit(git2::Oid::from_str(id.as_str()).unwrap()).unwrap();
    let blob = test.repo.blob(b"/etc").unwrap();
    let connectors = commit.tree().unwrap().get_name("connectors").unwrap().id();
    let mut builder = test.repo.treebuilder(Some(&test.repo.find_tree(connectors).unwrap())).unwrap();
    builder.insert("link", blob, 0o120_000).unwrap();
    builder.insert("module", commit.id(), 0o160_000).unwrap();
    let connectors = builder.write().unwrap();
    let mut root = test.repo.treebuilder(None).unwrap();
    root.insert("connectors", connectors, 0o040_000).unwrap();
    root.insert("releases", blob, 0o120_000).unwrap();
    root.insert("switchboard.yaml", blob, 0o120_000).unwrap();
    let id = test.commit_tree("Alice <alice@example.com>", None, root.write().unwrap());
    let listing = test.open().list(&CommitId::new(id.to_string())).await.unwrap();
    assert_eq!(listing.connectors.unwrap().into_keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(listing.config, None);
    let odd: Vec<_> = listing.oddities.iter().map(|odd| odd.path.as_str()).collect();
    assert_eq!(odd, ["switchboard.yaml", "connectors/link", "connectors/module", "releases"]);
}

#[tokio::test]
async fn a_folder_of_records_has_room_for_all_and_refuses_each_file_on_its_own() {
    let test = TestRepo::bare();
    let names: Vec<String> = (0..MAX_FILES + 100).map(|n| format!("releases/a/1.0.{n}.yaml")).collect();
    let large = vec![b' '; 65 * 1024];
    let mut changes: Vec<(&str, Option<&[u8]>)> = names.iter().map(|name| (name.as_str(), Some(&b"r"[..]))).collect();
    changes.extend([("releases/a/large.yaml", Some(large.as_slice())), ("releases/a/folder/x", Some(b"x"))]);
    let head = test.commit("main", &changes);
    let repo = test.open();
    let tree = repo.list(&head).await.unwrap().releases.remove("a").unwrap();
    let files = repo.read_folders(&[tree]).await.remove(0).unwrap();
    let refused: Vec<String> = files.iter().filter_map(|file| Some(file.content.as_ref().err()?.to_string())).collect();
    assert_eq!(refused, ["folder: a folder where a file belongs", "large.yaml: the file has more than 65536 bytes"]);
    assert_eq!(files.len(), names.len() + 2);
}
