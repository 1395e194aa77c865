//! Walks over history that stop where a shallow one is cut off; libgit2's own walks fail there.

use std::collections::{BTreeSet, BinaryHeap, HashMap};

use anyhow::Result;
use git2::Oid;

use super::read::Reader;

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const BOTH: u8 = LEFT | RIGHT;

/// Two sides painted down history, newest commits first.
struct Painting<'a, 'r> {
    reader: &'a Reader<'r>,
    colours: HashMap<Oid, u8>,
    queue: BinaryHeap<(i64, Oid)>,
    /// What waits in the queue with the left colour alone.
    left: BTreeSet<Oid>,
    /// What waits there with the right colour alone.
    right: BTreeSet<Oid>,
}

impl<'a, 'r> Painting<'a, 'r> {
    fn new(reader: &'a Reader<'r>) -> Self {
        Self { reader, colours: HashMap::new(), queue: BinaryHeap::new(), left: BTreeSet::new(), right: BTreeSet::new() }
    }

    /// Adds a colour; a commit that is not there is where history ends.
    fn paint(&mut self, id: Oid, colour: u8) -> Result<()> {
        let before = self.colours.get(&id).copied().unwrap_or(0);
        if before | colour == before || !self.reader.has(id) {
            return Ok(());
        }
        let (commit, _) = self.reader.commit_header(id)?;
        self.colours.insert(id, before | colour);
        self.stop_waiting(id);
        match before | colour {
            LEFT => self.left.insert(id),
            RIGHT => self.right.insert(id),
            _ => false,
        };
        self.queue.push((commit.time().seconds(), id));
        Ok(())
    }

    /// Adds a colour to what a reference points at, which need not be a commit.
    fn paint_commit(&mut self, id: Oid, colour: u8) -> Result<()> {
        if self.reader.commit_header(id).is_ok() { self.paint(id, colour) } else { Ok(()) }
    }

    fn stop_waiting(&mut self, id: Oid) {
        self.left.remove(&id);
        self.right.remove(&id);
    }

    fn next(&mut self) -> Result<Option<(Oid, u8)>> {
        let Some((_, id)) = self.queue.pop() else { return Ok(None) };
        self.stop_waiting(id);
        let colour = self.colours.get(&id).copied().unwrap_or(0);
        let (commit, _) = self.reader.commit_header(id)?;
        for parent in commit.parent_ids() {
            self.paint(parent, colour)?;
        }
        Ok(Some((id, colour)))
    }
}

/// The commits that `wanted` has and `known` has not, and perhaps a few more where dates are wrong.
pub(super) fn new_commits(reader: &Reader<'_>, wanted: &[Oid], known: impl Iterator<Item = Oid>) -> Result<Vec<Oid>> {
    let mut painting = Painting::new(reader);
    for id in known {
        painting.paint_commit(id, RIGHT)?;
    }
    for id in wanted {
        // What is wanted must be there; only what comes before it may be cut off.
        reader.commit_header(*id)?;
        painting.paint(*id, LEFT)?;
    }
    let mut found = BTreeSet::new();
    while !painting.left.is_empty() {
        if let Some((id, LEFT)) = painting.next()? {
            found.insert(id);
        }
    }
    Ok(found.into_iter().filter(|id| painting.colours.get(id) == Some(&LEFT)).collect())
}

/// Whether `ancestor` is `descendant` or one of the commits before it. Dates say only where to look first: a clock that was wrong
/// changes no answer.
pub(super) fn is_ancestor(reader: &Reader<'_>, ancestor: Oid, descendant: Oid) -> Result<bool> {
    let mut painting = Painting::new(reader);
    painting.paint(ancestor, LEFT)?;
    painting.paint(descendant, RIGHT)?;
    // What both have comes before `ancestor`, so only what the right side has alone can still lead there.
    while painting.colours.get(&ancestor) != Some(&BOTH) && !painting.right.is_empty() {
        painting.next()?;
    }
    Ok(painting.colours.get(&ancestor) == Some(&BOTH))
}

/// The newest commit by date that both have; `None` where their histories have nothing in common.
pub(super) fn merge_base(reader: &Reader<'_>, ours: Oid, theirs: Oid) -> Result<Option<Oid>> {
    let mut painting = Painting::new(reader);
    painting.paint(ours, LEFT)?;
    painting.paint(theirs, RIGHT)?;
    while let Some((id, colour)) = painting.next()? {
        if colour == BOTH {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The newest commits of some tips, at most `limit`.
pub(super) fn newest(reader: &Reader<'_>, tips: impl Iterator<Item = Oid>, limit: usize) -> Result<Vec<Oid>> {
    let mut painting = Painting::new(reader);
    for id in tips {
        painting.paint_commit(id, LEFT)?;
    }
    let mut found = Vec::new();
    while let Some((id, _)) = painting.next()?.filter(|_| found.len() < limit) {
        found.push(id);
    }
    Ok(found)
}
