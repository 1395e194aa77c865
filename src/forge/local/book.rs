//! Every review of the repository: one reference each, read once for as long as it does not move.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::file::{LARGEST, LocalReview, NAME};
use crate::model::{CommitId, Person};
use crate::repository::{GitRepository, ReadError, RefChange, RefUpdate};

/// Where reviews live, each under its number.
const REFS: &str = "refs/switchboard/reviews/";

/// The highest number that counts; above it a stranger's reference would leave none for the next review.
const HIGHEST: u64 = 999_999_999;

/// The reviews of one repository.
#[derive(Debug)]
pub(super) struct Book {
    repository: GitRepository,
    known: Mutex<HashMap<u64, Entry>>,
}

/// A review, and the commit of its reference that says so.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) commit: CommitId,
    /// `None`: what stands there is refused.
    file: Option<Arc<LocalReview>>,
}

/// A review as it stands in the book.
#[derive(Debug, Clone)]
pub(super) struct Filed {
    pub(super) commit: CommitId,
    pub(super) file: Arc<LocalReview>,
    /// Where the tracked branch was when an approval under way had not arrived there: the next entry holds only if it still is.
    pub(super) guard: Option<RefChange>,
}

/// All reviews at one moment.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) reviews: BTreeMap<u64, Filed>,
    /// The next free number.
    pub(super) next: u64,
}

/// One entry to come: what it says and who says it.
pub(super) struct NewEntry<'a> {
    pub(super) file: &'a LocalReview,
    pub(super) message: &'a str,
    pub(super) by: &'a Person,
    pub(super) at: Timestamp,
}

impl Book {
    pub(super) fn new(repository: GitRepository) -> Self {
        Self { repository, known: Mutex::default() }
    }

    /// Reads every review; only references that moved since the last time cost a read. Content that is refused is skipped and
    /// reported; an object that cannot be read fails all, since a review that seems to be missing would be opened again.
    pub(super) async fn read(&self) -> Result<Page> {
        let listed = self.repository.refs(REFS).await.context("cannot list the reviews")?;
        let mut entries: HashMap<u64, Entry> = HashMap::with_capacity(listed.len());
        let mut moved = Vec::new();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, commit) in listed {
                let Some(number) = number_of(&name) else { continue };
                if let Some(entry) = known.get(&number).filter(|entry| entry.commit == commit) {
                    entries.insert(number, entry.clone());
                } else {
                    moved.push((number, commit));
                }
            }
        }
        entries.extend(self.read_moved(moved).await?);
        let next = next_number(&entries);
        let filed = |(number, entry): (&u64, &Entry)| {
            entry.file.as_ref().map(|file| (*number, Filed { commit: entry.commit.clone(), file: Arc::clone(file), guard: None }))
        };
        let reviews = entries.iter().filter_map(filed).collect();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = entries;
        Ok(Page { reviews, next })
    }

    async fn read_moved(&self, moved: Vec<(u64, CommitId)>) -> Result<Vec<(u64, Entry)>> {
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let commits: Vec<CommitId> = moved.iter().map(|(_, commit)| commit.clone()).collect();
        let files = self.repository.read_root_files(&commits, NAME, LARGEST).await.context("cannot read the reviews")?;
        let mut entries = Vec::with_capacity(moved.len());
        for ((number, commit), file) in moved.into_iter().zip(files) {
            let read = match file {
                Ok(Some(bytes)) => LocalReview::read(number, &bytes),
                Ok(None) => Err(format!("it has no {NAME}")),
                Err(ReadError::Refused(odd)) => Err(odd.reason),
                Err(error @ ReadError::Unreadable(_)) => return Err(error).with_context(|| format!("cannot read review #{number}")),
            };
            let file = read.inspect_err(|reason| tracing::warn!(review = number, reason, "skipping {REFS}{number}")).ok();
            entries.push((number, Entry { commit, file: file.map(Arc::new) }));
        }
        Ok(entries)
    }

    /// Adds an entry to a review, or opens it where there is none before, and moves other references in the same step.
    pub(super) async fn write(&self, before: Option<&Filed>, change: &NewEntry<'_>, others: &[RefChange]) -> Result<RefUpdate> {
        let commit = self.entry(before.map(|filed| &filed.commit), change).await?;
        let name = name_of(change.file.review.id.0);
        let mut changes = vec![RefChange { name, expected: before.map(|filed| filed.commit.clone()), new: Some(commit) }];
        changes.extend(before.and_then(|filed| filed.guard.clone()));
        changes.extend_from_slice(others);
        // Everybody locks in the order of the names, so that nobody waits for one who waits for him.
        changes.sort_by(|one, other| one.name.cmp(&other.name));
        self.repository.update_refs(&changes).await
    }

    /// Writes an entry that no reference points at yet.
    async fn entry(&self, before: Option<&CommitId>, change: &NewEntry<'_>) -> Result<CommitId> {
        let content = change.file.write()?;
        if content.len() > LARGEST {
            anyhow::bail!("cannot write review {}: it would have {} bytes, the limit is {LARGEST}", change.file.review.id, content.len());
        }
        self.repository.commit_file(before, NAME, &content, change.message, change.by, change.at).await
    }
}

/// The reference of a review.
pub(super) fn name_of(number: u64) -> String {
    format!("{REFS}{number}")
}

/// The number after the newest review's that no reference has; what a stranger put under a high number does not count.
fn next_number(entries: &HashMap<u64, Entry>) -> u64 {
    let newest = entries.iter().filter(|(_, entry)| entry.file.is_some()).map(|(number, _)| *number).max().unwrap_or(0);
    (newest + 1..).find(|number| !entries.contains_key(number)).unwrap_or(HIGHEST)
}

fn number_of(name: &str) -> Option<u64> {
    let number: u64 = name.strip_prefix(REFS)?.parse().ok()?;
    (1..=HIGHEST).contains(&number).then_some(number).filter(|number| name_of(*number) == name)
}
