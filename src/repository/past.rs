//! What became of release records on the tracked branch, which its newest commit alone cannot tell.

use anyhow::Result;
use git2::Oid;

use super::read::Reader;
use crate::manifest::{CONFIG, LARGEST_FILE};
use crate::model::{Digest, RecordId, RecordPast, Release};

/// What the first-parent history says of release records, in the order asked for. A history that is cut off tells what it has.
pub(super) fn of_records(reader: &Reader<'_>, newest: Oid, records: &[RecordId]) -> Result<Vec<RecordPast>> {
    let mut asked: Vec<Asked<'_>> = records.iter().map(Asked::new).collect();
    let mut known: Option<Upper> = None;
    let mut next = Some(newest);
    while let Some(id) = next {
        let (commit, root) = match reader.commit_header(id) {
            Err(_) if id != newest => break,
            other => other?,
        };
        let upper = Upper::at(reader, root, known.as_ref())?;
        // An empty tree is a mishap, never a deletion.
        if !upper.is_empty && known.as_ref().is_none_or(|known| (known.connectors, known.releases) != (upper.connectors, upper.releases)) {
            for asked in asked.iter_mut().filter(|asked| asked.answer.is_none()) {
                asked.look(reader, &upper)?;
            }
        }
        if asked.iter().all(|asked| asked.answer.is_some()) {
            break;
        }
        known = Some(upper);
        next = commit.parent_id(0).ok();
    }
    Ok(asked.into_iter().map(Asked::end).collect())
}

/// The folders of a commit's root that matter; equal ids save looking further down.
struct Upper {
    root: Oid,
    is_empty: bool,
    connectors: Option<Oid>,
    releases: Option<Oid>,
}

impl Upper {
    fn at(reader: &Reader<'_>, root: Oid, known: Option<&Upper>) -> Result<Self> {
        if let Some(&Upper { is_empty, connectors, releases, .. }) = known.filter(|known| known.root == root) {
            return Ok(Self { root, is_empty, connectors, releases });
        }
        let tree = reader.subtree(root)?;
        let folder = |name| tree.get_name(name).map(|entry| entry.id());
        let connectors = folder("connectors");
        Ok(Self { root, is_empty: connectors.is_none() && folder(CONFIG).is_none(), connectors, releases: folder("releases") })
    }
}

/// One record that is asked about, while the walk goes back.
struct Asked<'a> {
    id: &'a RecordId,
    /// The file's name in the connector's folder of records.
    file: String,
    sought: Sought,
    answer: Option<RecordPast>,
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

    fn look(&mut self, reader: &Reader<'_>, upper: &Upper) -> Result<()> {
        let record = self.has_record(reader, upper)?;
        let connector = below(reader, upper.connectors, self.id.connector.as_str())?.is_some();
        match (&self.sought, record, connector) {
            (Sought::Newest, false, _) => self.sought = Sought::Earlier,
            (Sought::Newest, true, true) => self.sought = Sought::Arrival,
            (Sought::Arrival, false, false) => self.sought = Sought::Before,
            (Sought::Newest | Sought::Arrival, true, false) | (Sought::Before, true, _) => {
                self.answer = Some(RecordPast::OutlivedConnector)
            }
            (Sought::Arrival, false, true) => self.answer = Some(RecordPast::Standing),
            (Sought::Earlier, true, _) => self.answer = Some(RecordPast::Removed),
            (Sought::Arrival, true, true) | (Sought::Earlier | Sought::Before, false, _) => {}
        }
        Ok(())
    }

    fn has_record(&mut self, reader: &Reader<'_>, upper: &Upper) -> Result<bool> {
        let folder = below(reader, upper.releases, self.id.connector.as_str())?;
        let Some(file) = below(reader, folder, &self.file)? else { return Ok(false) };
        let is_record = match self.looked {
            Some((looked, is_record)) if looked == file => is_record,
            // What is too large for a record, or no file, is none.
            _ => reader.blob(file, LARGEST_FILE).is_ok_and(|bytes| Digest::of(&bytes) == self.id.record),
        };
        self.looked = Some((file, is_record));
        Ok(is_record)
    }

    /// The answer once history has ended.
    fn end(self) -> RecordPast {
        self.answer.unwrap_or(match self.sought {
            Sought::Newest | Sought::Earlier => RecordPast::NeverThere,
            Sought::Arrival | Sought::Before => RecordPast::Standing,
        })
    }
}

fn below(reader: &Reader<'_>, folder: Option<Oid>, name: &str) -> Result<Option<Oid>> {
    let Some(folder) = folder else { return Ok(None) };
    // A file in a folder's place holds nothing.
    let Ok(tree) = reader.subtree(folder) else { return Ok(None) };
    Ok(tree.get_name(name).map(|entry| entry.id()))
}
