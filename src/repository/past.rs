//! What became of release records on the tracked branch, which its newest commit alone cannot tell.

use std::result::Result;

use git2::Oid;

use super::ReadError;
use super::read::{FOLDER, Reader, is_file};
use crate::manifest::{CONFIG, LARGEST_FILE};
use crate::model::{Digest, RecordId, RecordPast, Release};

/// What history says of a record; what cannot be read leaves it open.
pub(super) type Answer = Result<RecordPast, ReadError>;

/// What the first-parent history says of release records, in the order asked for. Of the other parents of a merge each is looked at
/// itself: `git pull` makes what was the tracked branch before a second parent. A shallow history tells what it has.
pub(super) fn of_records(reader: &Reader<'_>, newest: Oid, records: &[RecordId]) -> Vec<Answer> {
    let mut asked: Vec<Asked<'_>> = records.iter().map(Asked::new).collect();
    if let Err(error) = walk(reader, newest, &mut asked) {
        asked.iter_mut().filter(|asked| asked.answer.is_none()).for_each(|asked| asked.answer = Some(Err(error.clone())));
    }
    asked.into_iter().map(Asked::end).collect()
}

fn walk(reader: &Reader<'_>, newest: Oid, asked: &mut [Asked<'_>]) -> Result<(), ReadError> {
    let mut known: Option<Upper> = None;
    let mut next = Some(newest);
    while let Some(id) = next {
        let (commit, root) = reader.commit_header(id).map_err(unreadable)?;
        let upper = Upper::at(reader, root, known.as_ref())?;
        if known.as_ref().is_none_or(|known| known.differs(&upper)) {
            look_at(reader, &upper, asked, Asked::look);
        }
        let parents: Vec<Oid> = commit.parent_ids().filter(|parent| !reader.is_cut_off(*parent)).collect();
        for other in parents.iter().skip(1) {
            let (_, root) = reader.commit_header(*other).map_err(unreadable)?;
            let other = Upper::at(reader, root, Some(&upper))?;
            if other.differs(&upper) {
                look_at(reader, &other, asked, Asked::glance);
            }
        }
        if asked.iter().all(|asked| asked.answer.is_some()) {
            break;
        }
        known = Some(upper);
        next = parents.first().copied();
    }
    Ok(())
}

fn look_at<'a>(reader: &Reader<'_>, upper: &Upper, asked: &mut [Asked<'a>], look: fn(&mut Asked<'a>, bool, bool)) {
    // A mishap is never a deletion.
    if upper.is_mishap {
        return;
    }
    for asked in asked.iter_mut().filter(|asked| asked.answer.is_none()) {
        match asked.stands(reader, upper) {
            Ok((record, connector)) => look(asked, record, connector),
            Err(error) => asked.answer = Some(Err(error)),
        }
    }
}

/// The folders of a commit's root that matter; equal ids save looking further down.
struct Upper {
    root: Oid,
    /// Whether planning from it would have been refused: an empty tree, or no folder where the connectors' folder belongs.
    is_mishap: bool,
    connectors: Option<Oid>,
    releases: Option<Oid>,
}

impl Upper {
    fn at(reader: &Reader<'_>, root: Oid, known: Option<&Upper>) -> Result<Self, ReadError> {
        if let Some(&Upper { is_mishap, connectors, releases, .. }) = known.filter(|known| known.root == root) {
            return Ok(Self { root, is_mishap, connectors, releases });
        }
        let tree = reader.subtree(root).map_err(unreadable)?;
        let folder = |name| tree.get_name(name).filter(|entry| entry.filemode() == FOLDER).map(|entry| entry.id());
        let connectors = folder("connectors");
        let is_empty = tree.get_name("connectors").is_none() && tree.get_name(CONFIG).is_none();
        let is_mishap = is_empty || (connectors.is_none() && tree.get_name("connectors").is_some());
        Ok(Self { root, is_mishap, connectors, releases: folder("releases") })
    }

    fn differs(&self, other: &Self) -> bool {
        (self.connectors, self.releases, self.is_mishap) != (other.connectors, other.releases, other.is_mishap)
    }
}

/// One record that is asked about, while the walk goes back.
struct Asked<'a> {
    id: &'a RecordId,
    /// The file's name in the connector's folder of records.
    file: String,
    sought: Sought,
    answer: Option<Answer>,
    /// The file that was looked at last, and whether it was the record.
    looked: Option<(Oid, bool)>,
}

/// What the commits seen so far leave open.
enum Sought {
    /// Nothing was seen yet.
    Newest,
    /// Every commit holds the record and the connector: when did the record arrive?
    Arrival,
    /// The newest commit does not hold the record: did an earlier one?
    Earlier,
    /// Record and connector went together and came back: was the record there before?
    Before,
}

impl<'a> Asked<'a> {
    fn new(id: &'a RecordId) -> Self {
        let path = Release::path(&id.connector, &id.version);
        let file = path.rsplit('/').next().unwrap_or_default().to_owned();
        Self { id, file, sought: Sought::Newest, answer: None, looked: None }
    }

    /// Whether the record stands in a commit, and whether its connector does.
    fn stands(&mut self, reader: &Reader<'_>, upper: &Upper) -> Result<(bool, bool), ReadError> {
        let connector = below(reader, upper.connectors, self.id.connector.as_str())?.is_some();
        Ok((self.has_record(reader, upper)?, connector))
    }

    /// Looks at a commit of the branch.
    fn look(&mut self, record: bool, connector: bool) {
        match (&self.sought, record, connector) {
            (Sought::Newest, false, _) => self.sought = Sought::Earlier,
            (Sought::Newest, true, true) => self.sought = Sought::Arrival,
            (Sought::Arrival, false, false) => self.sought = Sought::Before,
            (Sought::Newest | Sought::Arrival, true, false) | (Sought::Before, true, _) => {
                self.answer = Some(Ok(RecordPast::OutlivedConnector));
            }
            (Sought::Arrival, false, true) => self.answer = Some(Ok(RecordPast::Standing)),
            (Sought::Earlier, true, _) => self.answer = Some(Ok(RecordPast::Removed)),
            (Sought::Arrival, true, true) | (Sought::Earlier | Sought::Before, false, _) => {}
        }
    }

    /// Looks at what was merged into the branch, which may have been the branch itself before.
    fn glance(&mut self, record: bool, connector: bool) {
        if record && (!connector || !matches!(self.sought, Sought::Arrival)) {
            self.look(record, connector);
        }
    }

    fn has_record(&mut self, reader: &Reader<'_>, upper: &Upper) -> Result<bool, ReadError> {
        let folder = below(reader, upper.releases, self.id.connector.as_str())?.filter(|(_, mode)| *mode == FOLDER);
        let file = below(reader, folder.map(|(id, _)| id), &self.file)?.filter(|(_, mode)| is_file(*mode));
        let Some((file, _)) = file else { return Ok(false) };
        let is_record = match self.looked {
            Some((looked, is_record)) if looked == file => is_record,
            _ => {
                let bytes = reader.file_within(file, LARGEST_FILE).map_err(unreadable)?;
                bytes.is_some_and(|bytes| Digest::of(&bytes) == self.id.record)
            }
        };
        self.looked = Some((file, is_record));
        Ok(is_record)
    }

    /// The answer once history has ended.
    fn end(self) -> Answer {
        self.answer.unwrap_or(Ok(match self.sought {
            Sought::Newest | Sought::Earlier => RecordPast::NeverThere,
            Sought::Arrival | Sought::Before => RecordPast::Standing,
        }))
    }
}

/// An entry of a folder with its mode.
fn below(reader: &Reader<'_>, folder: Option<Oid>, name: &str) -> Result<Option<(Oid, i32)>, ReadError> {
    let Some(folder) = folder else { return Ok(None) };
    let tree = reader.subtree(folder).map_err(unreadable)?;
    Ok(tree.get_name(name).map(|entry| (entry.id(), entry.filemode())))
}

fn unreadable(error: anyhow::Error) -> ReadError {
    ReadError::Unreadable(format!("{error:#}"))
}
