//! Who asked to publish a connector, and whose changes they asked for: a walk over the commits that changed its folder.

use std::collections::{BinaryHeap, HashMap};

use anyhow::Result;
use git2::{Commit, Oid};

use super::Asks;
use super::read::Reader;
use super::write::author;
use crate::manifest::{LARGEST_FILE, MANIFEST};
use crate::model::Person;

/// The authors of the commits that changed a connector's folder since its manifest began to ask or, where that is newer, since the
/// commit `since`; the oldest change first. A merge stands for the commits it brought.
pub(super) fn askers(reader: &Reader<'_>, newest: Oid, connector: &str, since: Option<Oid>, asks: Asks) -> Result<Vec<Person>> {
    let mut walk =
        Walk { reader, path: format!("connectors/{connector}"), queue: BinaryHeap::new(), roots: HashMap::new(), seen: HashMap::new() };
    // A commit that is gone marks no end.
    let since = since.filter(|id| reader.has(*id)).map(|id| walk.look(id)).transpose()?.and_then(|seen| seen.folder);
    let start = walk.look(newest)?;
    walk.push(start);
    let mut authors: Vec<Person> = Vec::new();
    while let Some(Seen { commit, folder }) = walk.next() {
        let parents = commit.parent_ids().filter(|id| !reader.is_cut_off(*id));
        let parents: Vec<Seen<'_>> = parents.map(|id| walk.look(id)).collect::<Result<_>>()?;
        if let Some(same) = parents.iter().position(|parent| parent.folder == folder) {
            parents.into_iter().nth(same).into_iter().for_each(|parent| walk.push(parent));
            continue;
        }
        if folder.is_some() && parents.len() == named_parents(&commit) {
            let author = author(&commit);
            authors.retain(|known| !known.is(&author));
            authors.push(author);
        }
        for parent in parents {
            if parent.folder != since && walk.asks(parent.folder, asks) {
                walk.push(parent);
            }
        }
    }
    authors.reverse();
    Ok(authors)
}

/// How many parents a commit names. Where a shallow history is cut off, they are not there, and only the raw commit still names them:
/// what came before is then not known, nor who changed it.
fn named_parents(commit: &Commit<'_>) -> usize {
    commit.raw_header_bytes().split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"parent ")).count()
}

/// A commit with the connector's folder in it.
struct Seen<'r> {
    commit: Commit<'r>,
    folder: Option<Oid>,
}

/// Commits still to be looked at, the newest first.
struct Walk<'a, 'r> {
    reader: &'a Reader<'r>,
    path: String,
    queue: BinaryHeap<(i64, Oid)>,
    /// The folder in each root: many commits share one.
    roots: HashMap<Oid, Option<Oid>>,
    seen: HashMap<Oid, Option<Seen<'r>>>,
}

impl<'r> Walk<'_, 'r> {
    fn look(&mut self, id: Oid) -> Result<Seen<'r>> {
        let (commit, root) = self.reader.commit_header(id)?;
        let folder = match self.roots.get(&root) {
            Some(folder) => *folder,
            None => self.reader.entry_at(&self.reader.subtree(root)?, &self.path)?.map(|(id, _)| id),
        };
        self.roots.insert(root, folder);
        Ok(Seen { commit, folder })
    }

    /// Puts a commit into the queue, unless it was there before.
    fn push(&mut self, seen: Seen<'r>) {
        let id = seen.commit.id();
        if !self.seen.contains_key(&id) {
            self.queue.push((seen.commit.time().seconds(), id));
            self.seen.insert(id, Some(seen));
        }
    }

    fn next(&mut self) -> Option<Seen<'r>> {
        let (_, id) = self.queue.pop()?;
        self.seen.get_mut(&id)?.take()
    }

    /// Whether the manifest in a folder asks. One that cannot be read hides nobody who asked before.
    fn asks(&self, folder: Option<Oid>, asks: Asks) -> bool {
        let Some(folder) = folder else { return false };
        let Ok(folder) = self.reader.subtree(folder) else { return true };
        folder
            .get_name(MANIFEST)
            .map(|entry| entry.id())
            .is_some_and(|blob| self.reader.blob(blob, LARGEST_FILE).map_or(true, |bytes| asks(&bytes)))
    }
}
