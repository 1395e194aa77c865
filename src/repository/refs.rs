//! Reads references and moves several of them at once, each only from the value that was expected.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use std::{fs, io, thread};

use anyhow::{Context, Result, bail};
use git2::{ErrorCode, ObjectType, Oid, Reference, Repository, Transaction};

use crate::model::CommitId;

use super::Head;
use super::checkout::Checkout;
use super::read::oid;
use super::turn::{Turn, UNTIL_STALE};

/// One reference's move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefChange {
    /// The full name, such as `refs/heads/main`.
    pub name: String,
    /// Where it must point now; `None`: it must not exist.
    pub expected: Option<CommitId>,
    /// Where it shall point; `None`: it goes.
    pub new: Option<CommitId>,
}

/// What became of a set of moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefUpdate {
    /// All were made.
    Done,
    /// None was made, because this reference is not where it was expected.
    Stale(String),
}

/// How often a reference that somebody else has locked is tried again, 10 ms apart.
const LOCK_ATTEMPTS: u32 = 100;

/// References that few but Switchboard write: a lock on one of them that is old was left behind, whoever took it.
const OWN: [&str; 2] = ["refs/switchboard/", "refs/heads/switchboard/"];

/// Refuses names that are not Switchboard's business, names given twice, and ids that are none.
pub(super) fn check(changes: &[RefChange]) -> Result<()> {
    for (n, change) in changes.iter().enumerate() {
        let name = &change.name;
        let ours = name.starts_with("refs/heads/") || name.starts_with("refs/switchboard/");
        if !ours || !Reference::is_valid_name(name) {
            bail!("{name:?} is not a reference that can be moved");
        }
        if changes[..n].iter().any(|other| other.name == *name) {
            bail!("{name} is to be moved twice at once");
        }
        change.expected.iter().chain(&change.new).try_for_each(|id| oid(id).map(|_| ()))?;
    }
    Ok(())
}

/// Moves references of a repository on this machine. Work trees that have one of them checked out follow.
pub(super) fn update(repo: &Repository, changes: &[RefChange], message: &str) -> Result<RefUpdate> {
    check(changes)?;
    let odb = repo.odb()?;
    for id in changes.iter().filter_map(|change| change.new.as_ref()) {
        let (_, kind) = odb.read_header(oid(id)?).with_context(|| format!("cannot read commit {id}"))?;
        if kind != ObjectType::Commit {
            bail!("{id} is not a commit");
        }
    }
    changes.iter().filter(|change| change.new.is_some()).try_for_each(|change| make_sure_of_room(repo, &change.name))?;
    let mut turn = Turn::take(repo)?;
    if let Some(stale) = first_stale(repo, changes)? {
        return Ok(RefUpdate::Stale(stale));
    }
    // Work trees follow before any lock is taken: a process killed meanwhile leaves a file of the user's as it will be, and no lock.
    let checkouts = Checkout::prepare(repo, changes, &turn)?;
    let index_locks = checkouts.iter().map(Checkout::index_lock);
    turn.announce(changes.iter().map(|change| lock_of(repo, &change.name)).chain(index_locks));
    for (n, checkout) in checkouts.iter().enumerate() {
        checkout.apply().inspect_err(|_| checkouts[..n].iter().for_each(Checkout::undo))?;
    }
    let moved = move_all(repo, changes, message, &turn);
    if !matches!(moved, Ok(RefUpdate::Done)) {
        checkouts.iter().for_each(Checkout::undo);
    }
    moved
}

/// Git keeps a reference in a file: where one is called as another's folder, there is no room for the other.
fn make_sure_of_room(repo: &Repository, name: &str) -> Result<()> {
    let folders = name.match_indices('/').map(|(end, _)| &name[..end]);
    for folder in folders.filter(|folder| folder.matches('/').count() > 1) {
        if target(repo, folder)?.is_some() {
            let (name, branch) = (name.trim_start_matches("refs/heads/"), folder.trim_start_matches("refs/heads/"));
            bail!("cannot create {name}: the branch `{branch}` leaves no room for it; rename or delete that one");
        }
    }
    Ok(())
}

/// Locks the references, looks once more, and moves them.
fn move_all(repo: &Repository, changes: &[RefChange], message: &str, turn: &Turn) -> Result<RefUpdate> {
    let mut transaction = repo.transaction().context("cannot begin to move references")?;
    for change in changes {
        lock(repo, turn, &mut transaction, &change.name)?;
    }
    if let Some(stale) = first_stale(repo, changes)? {
        return Ok(RefUpdate::Stale(stale));
    }
    for change in changes {
        match (&change.new, &change.expected) {
            (Some(new), _) => transaction.set_target(&change.name, oid(new)?, None, message)?,
            (None, Some(_)) => transaction.remove(&change.name)?,
            (None, None) => {}
        }
    }
    transaction.commit().context("cannot move references")?;
    Ok(RefUpdate::Done)
}

/// The first reference that is not where it was expected.
fn first_stale(repo: &Repository, changes: &[RefChange]) -> Result<Option<String>> {
    for change in changes {
        if target(repo, &change.name)?.map(|id| id.to_string()).as_deref() != change.expected.as_ref().map(CommitId::as_str) {
            return Ok(Some(change.name.clone()));
        }
    }
    Ok(None)
}

fn lock(repo: &Repository, turn: &Turn, transaction: &mut Transaction<'_>, name: &str) -> Result<()> {
    let lock = lock_of(repo, name);
    let may_be_left = turn.was_left(&lock) || OWN.iter().any(|own| name.starts_with(own));
    for _ in 0..if may_be_left { UNTIL_STALE } else { LOCK_ATTEMPTS } {
        match transaction.lock_ref(name) {
            Err(error) if error.code() == ErrorCode::Locked => {
                if may_be_left {
                    turn.remove_stale(&lock);
                }
                thread::sleep(Duration::from_millis(10));
            }
            other => return other.with_context(|| format!("cannot lock {name}")),
        }
    }
    bail!("cannot lock {name}: another process holds it; if none is running, remove {name}.lock in the repository's git directory")
}

/// The file that git makes to lock a reference.
pub(super) fn lock_of(repo: &Repository, name: &str) -> PathBuf {
    repo.commondir().join(format!("{name}.lock"))
}

/// Where a reference points; `None` where it does not exist.
pub(super) fn target(repo: &Repository, name: &str) -> Result<Option<Oid>> {
    // One that names an object is not resolved: that would look it up once more, and somebody may have deleted it meanwhile.
    let found = repo.find_reference(name).and_then(|reference| match reference.target() {
        Some(target) => Ok(Some(target)),
        None => Ok(reference.resolve()?.target()),
    });
    match found {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        other => other.with_context(|| format!("cannot read {name}")),
    }
}

/// The references that can be read and whose names begin with a prefix, a folder's, in the order of their names. libgit2 leaves
/// damaged ones out, which is right only where a missing one costs nothing.
pub(super) fn readable(repo: &Repository, prefix: &str) -> Result<BTreeMap<String, CommitId>> {
    let mut found = BTreeMap::new();
    for reference in repo.references_glob(&format!("{prefix}*")).context("cannot read references")? {
        let reference = reference.context("cannot read references")?;
        if let (Ok(name), Some(id)) = (reference.name(), reference.target()) {
            found.insert(name.to_owned(), CommitId::new(id.to_string()));
        }
    }
    Ok(found)
}

/// All references whose names begin with a prefix, a folder's, in the order of their names. Fails where one of them cannot be
/// read: what is missing here would be taken for something that never was.
pub(super) fn list(repo: &Repository, prefix: &str) -> Result<Vec<(String, CommitId)>> {
    let mut found = readable(repo, prefix)?;
    for name in loose(repo, prefix)? {
        if found.contains_key(&name) {
            continue;
        }
        match repo.find_reference(&name) {
            Ok(reference) => {
                reference.target().map(|id| found.insert(name, CommitId::new(id.to_string())));
            }
            Err(error) if error.code() == ErrorCode::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
        }
    }
    Ok(found.into_iter().collect())
}

/// The names of a folder's references that have files of their own.
fn loose(repo: &Repository, prefix: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![prefix.trim_end_matches('/').to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(repo.commondir().join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot list {folder}")),
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {folder}"))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{folder}/{name}");
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if Reference::is_valid_name(&path) {
                names.push(path);
            }
        }
    }
    Ok(names)
}

/// The branch that HEAD names, as `refs/heads/…`; `None` where HEAD is detached.
pub(super) fn head_branch(repo: &Repository) -> Result<Option<String>> {
    let head = repo.find_reference("HEAD").context("cannot read HEAD")?;
    Ok(head.symbolic_target().context("cannot read HEAD")?.map(str::to_owned))
}

/// Where a branch stands.
pub(super) fn head(repo: &Repository, name: &str) -> Result<Head> {
    let Some(id) = target(repo, name)? else {
        let mut names = repo.references().context("cannot read references")?;
        let branch = name.trim_start_matches("refs/heads/").to_owned();
        return Ok(if names.next().is_some() { Head::MissingBranch(branch) } else { Head::EmptyRepository });
    };
    let (_, kind) = repo.odb()?.read_header(id).with_context(|| format!("cannot read commit {id} of {name}"))?;
    if kind != ObjectType::Commit {
        bail!("{name} does not point at a commit");
    }
    Ok(Head::Commit(CommitId::new(id.to_string())))
}
