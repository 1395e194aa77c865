//! Reads the release records of the tracked branch: folders that only ever grow, each file judged on its own.

use super::World;
use super::folders::{CHUNK, mark, refused};
use super::memory::{Memory, ReadReleases};
use crate::manifest::{code, release};
use crate::model::{Digest, Place, Problem, TreeId};
use crate::repository::{FolderFile, Listing, ReadError};

/// Reads the folders of records that have changed.
pub(super) async fn read(world: &World, memory: &mut Memory, listing: &Listing) {
    let gone: Vec<String> = memory.releases.keys().filter(|folder| !listing.releases.contains_key(*folder)).cloned().collect();
    for folder in gone {
        memory.releases.remove(&folder);
        mark(memory, &folder);
    }
    let is_new = |folder: &String, tree: &TreeId| memory.releases.get(folder).is_none_or(|read| read.tree.as_ref() != Some(tree));
    let wanted: Vec<(String, TreeId)> = listing
        .releases
        .iter()
        .filter(|(folder, tree)| is_new(folder, tree))
        .map(|(folder, tree)| (folder.clone(), tree.clone()))
        .collect();
    for chunk in wanted.chunks(CHUNK) {
        let trees: Vec<TreeId> = chunk.iter().map(|(_, tree)| tree.clone()).collect();
        let read = world.repository.read_folders(&trees).await;
        for ((folder, tree), files) in chunk.iter().zip(read) {
            let before = memory.releases.remove(folder).unwrap_or_else(ReadReleases::empty);
            let read = match files {
                Ok(files) => records(folder, tree, files, before),
                Err(error) => unread(folder, tree, error, before),
            };
            memory.releases.insert(folder.clone(), read);
            mark(memory, folder);
        }
    }
}

/// A folder that is refused holds no record until its content changes; one that cannot be read for now keeps what was read before, and
/// is read again on the next pass.
fn unread(folder: &str, tree: &TreeId, error: ReadError, before: ReadReleases) -> ReadReleases {
    let path = format!("releases/{folder}");
    match error {
        ReadError::Refused(odd) => {
            ReadReleases { tree: Some(tree.clone()), unreadable: vec![refused(&path, &odd.reason)], ..ReadReleases::empty() }
        }
        ReadError::Unreadable(_) => ReadReleases { tree: None, unreadable: vec![unreadable(&path, &error)], ..before },
    }
}

fn records(folder: &str, tree: &TreeId, files: Vec<FolderFile>, before: ReadReleases) -> ReadReleases {
    let mut read = ReadReleases { tree: Some(tree.clone()), ..ReadReleases::empty() };
    let mut before = before.records;
    for FolderFile { name, content } in files {
        let path = format!("releases/{folder}/{name}");
        match content {
            Ok(bytes) => match release::read(&path, &bytes) {
                Ok(release) => read.records.push((release, Digest::of(&bytes))),
                Err(problems) => read.unreadable.extend(problems.into_iter().next()),
            },
            Err(ReadError::Refused(odd)) => read.unreadable.push(refused(&path, &odd.reason)),
            Err(error @ ReadError::Unreadable(_)) => {
                // What it was before stays good, and is read again on the next pass.
                read.tree = None;
                read.unreadable.push(unreadable(&path, &error));
                let known =
                    before.iter().position(|(release, _)| crate::model::Release::path(&release.connector, &release.version) == path);
                read.records.extend(known.map(|known| before.swap_remove(known)));
            }
        }
    }
    read
}

fn unreadable(path: &str, error: &ReadError) -> Problem {
    Problem::error(code::OBJECT_UNREADABLE, Place::file(path), error.to_string())
}
