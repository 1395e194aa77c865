//! Reads the tracked branch: settings and connectors' folders, each only where its object id has changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::memory::{Dirty, Folder, Memory, ReadConfig};
use super::read::{READER_LEVEL, declare};
use super::{World, releases};
use crate::manifest::{CONFIG, Config, code};
use crate::model::{BlobId, BundleFiles, ConnectorName, EnvironmentName, Place, Problem, TreeId};
use crate::planning::{Declaration, Desired, Gap, Policy};
use crate::repository::{Head, Listing, ReadError};
use crate::store::CachedDeclaration;

const CONNECTORS: &str = "connectors";
const CONFIG_LIMIT: usize = 1 << 20;
/// Folders read at once: bounds the memory a first pass takes.
pub(super) const CHUNK: usize = 256;

/// Takes the declarations of an earlier process from the store, once.
pub(super) async fn load_cache(world: &World, memory: &mut Memory) -> Result<()> {
    if std::mem::replace(&mut memory.cache_loaded, true) {
        return Ok(());
    }
    for cached in world.store.declarations().await.context("cannot read the cached declarations")? {
        let Some((level, id)) = cached.key.split_once(':') else { continue };
        if level != READER_LEVEL.to_string() {
            continue;
        }
        // The settings stand beside the connectors, under a name that none can have.
        if cached.connector == CONFIG {
            if let Ok(policy) = serde_json::from_str::<Policy>(&cached.body) {
                memory.policy = Arc::new(policy);
                memory.config = Some(ReadConfig { blob: Some(BlobId::new(id)), problems: Vec::new() });
            }
        } else if let Ok(declaration) = serde_json::from_str::<Declaration>(&cached.body) {
            let folder = Folder { tree: Some(TreeId::new(id)), desired: Desired::Declared(Arc::new(declaration)) };
            memory.folders.insert(cached.connector, folder);
        }
    }
    Ok(())
}

/// Brings the memory up to the tracked branch's commit. What cannot be read is a gap, and what was read before stays.
pub(super) async fn read(world: &World, memory: &mut Memory) -> Result<Vec<Gap>> {
    let gap = |reason: String| Ok(vec![Gap::Repository(reason)]);
    let commit = match world.repository.head().await {
        Ok(Head::Commit(commit)) => commit,
        Ok(Head::EmptyRepository) => return gap("it has no commit yet".to_owned()),
        Ok(Head::MissingBranch(branch)) => return gap(format!("it has no branch `{branch}`; --branch names another one to follow")),
        Err(error) => return gap(format!("{error:#}")),
    };
    if memory.commit.as_ref() == Some(&commit) && memory.is_complete() {
        return Ok(memory.standing_gaps());
    }
    let listing = match world.repository.list(&commit).await {
        Ok(listing) => listing,
        Err(error) => return gap(format!("commit {}: {error:#}", commit.short())),
    };
    if let Some(odd) = listing.oddities.iter().find(|odd| odd.path == CONNECTORS) {
        return gap(format!("{CONNECTORS}: {}", odd.reason));
    }
    if listing.config.is_none() && listing.connectors.as_ref().is_none_or(BTreeMap::is_empty) {
        return Ok(vec![Gap::EmptyTree]);
    }
    read_config(world, memory, &listing).await?;
    read_connectors(world, memory, &listing).await?;
    releases::read(world, memory, &listing).await;
    memory.oddities = listing.oddities.iter().map(|odd| refused(&odd.path, &odd.reason)).collect();
    let unread_folders = memory.folders.values().filter(|folder| folder.tree.is_none()).count();
    memory.incomplete = unread_folders + memory.releases.values().filter(|read| read.tree.is_none()).count();
    memory.commit = Some(commit);
    Ok(memory.standing_gaps())
}

async fn read_config(world: &World, memory: &mut Memory, listing: &Listing) -> Result<()> {
    let Some(blob) = &listing.config else {
        let missing = Problem::error(code::NO_CONFIG, Place::file(CONFIG), format!("there is no `{CONFIG}`"));
        let problems = vec![missing.hint("Write it, with `apiVersion: switchboard/v1` at least.")];
        memory.config = Some(ReadConfig { blob: Some(BlobId::new("")), problems });
        return Ok(());
    };
    if memory.config.as_ref().is_some_and(|known| known.blob.as_ref() == Some(blob)) {
        return Ok(());
    }
    memory.config = Some(match world.repository.read_blob(blob, CONFIG_LIMIT).await {
        Ok(bytes) => {
            let problems = match Config::read(&bytes) {
                Ok(config) => {
                    memory.policy = Arc::new(policy_of(&config));
                    memory.dirty = Dirty::All;
                    put_cache(world, vec![cached(CONFIG, blob.as_str(), memory.policy.as_ref())?]).await?;
                    Vec::new()
                }
                Err(problems) => problems,
            };
            ReadConfig { blob: Some(blob.clone()), problems }
        }
        Err(error) => {
            let unread = Problem::error(code::OBJECT_UNREADABLE, Place::file(CONFIG), format!("cannot read it: {error:#}"));
            ReadConfig { blob: None, problems: vec![unread] }
        }
    });
    Ok(())
}

fn policy_of(config: &Config) -> Policy {
    let environments = |production: bool| -> Vec<EnvironmentName> {
        config
            .environments
            .iter()
            .filter(|(_, environment)| environment.production == production)
            .filter_map(|(name, _)| name.parse().ok())
            .collect()
    };
    Policy {
        non_production: environments(false),
        production: environments(true),
        deletions_at_most: config.deletions.at_most,
        deletions_at_most_percent: config.deletions.at_most_percent,
        self_approval: config.review.self_approval,
    }
}

async fn read_connectors(world: &World, memory: &mut Memory, listing: &Listing) -> Result<()> {
    let none = BTreeMap::new();
    let present = listing.connectors.as_ref().unwrap_or(&none);
    let replaced: BTreeMap<&str, &str> = listing
        .oddities
        .iter()
        .filter_map(|odd| Some((odd.path.strip_prefix(CONNECTORS)?.strip_prefix('/')?, odd.reason.as_str())))
        .collect();
    for (folder, reason) in &replaced {
        refuse_folder(memory, folder, reason);
    }
    let is_there = |folder: &str| present.contains_key(folder) || replaced.contains_key(folder);
    let gone: Vec<String> = memory.folders.keys().filter(|folder| !is_there(folder)).cloned().collect();
    for folder in gone {
        memory.folders.remove(&folder);
        mark(memory, &folder);
    }
    let is_new = |folder: &&String| memory.folders.get(*folder).is_none_or(|known| known.tree.as_ref() != present.get(*folder));
    let wanted: Vec<(String, TreeId)> =
        present.keys().filter(is_new).filter_map(|folder| Some((folder.clone(), present.get(folder)?.clone()))).collect();
    for chunk in wanted.chunks(CHUNK) {
        read_chunk(world, memory, chunk).await?;
    }
    Ok(())
}

/// A link, a submodule or a file where a connector's folder was: something is there, so nothing was deleted.
fn refuse_folder(memory: &mut Memory, folder: &str, reason: &str) {
    if folder.parse::<ConnectorName>().is_err() {
        return;
    }
    let problems = vec![refused(&format!("{CONNECTORS}/{folder}"), reason)];
    let last_good = memory.last_good(folder);
    let desired = Desired::Unreadable { problems, last_good };
    if memory.folders.get(folder).is_none_or(|known| known.desired != desired) {
        memory.folders.insert(folder.to_owned(), Folder { tree: Some(TreeId::new("")), desired });
        mark(memory, folder);
    }
}

async fn read_chunk(world: &World, memory: &mut Memory, chunk: &[(String, TreeId)]) -> Result<()> {
    let trees: Vec<TreeId> = chunk.iter().map(|(_, tree)| tree.clone()).collect();
    let bundles = world.repository.read_bundles(&trees).await;
    let jobs: Vec<_> = chunk.iter().cloned().zip(bundles).collect();
    let mut to_cache = Vec::new();
    for (folder, tree, outcome) in declare_all(jobs).await? {
        let last_good = memory.last_good(&folder);
        let (read_tree, desired) = match outcome {
            Ok(declaration) => {
                to_cache.push(cached(&folder, tree.as_str(), &declaration)?);
                (Some(tree), Desired::Declared(Arc::new(declaration)))
            }
            Err(Unread::Content(problems)) => (Some(tree), Desired::Unreadable { problems, last_good }),
            Err(Unread::Object(problem)) => (None, Desired::Unreadable { problems: vec![problem], last_good }),
        };
        if folder.parse::<ConnectorName>().is_ok() {
            memory.folders.insert(folder.clone(), Folder { tree: read_tree, desired });
            mark(memory, &folder);
        }
    }
    put_cache(world, to_cache).await
}

/// Why a folder was not understood: for good, until its content changes, or for now.
enum Unread {
    Content(Vec<Problem>),
    Object(Problem),
}

type Outcome = (String, TreeId, Result<Declaration, Unread>);

/// Parses and checks on threads of their own, one for each core.
async fn declare_all(jobs: Vec<((String, TreeId), Result<BundleFiles, ReadError>)>) -> Result<Vec<Outcome>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = jobs.len().div_ceil(threads).max(1);
    let mut parts = Vec::new();
    let mut jobs = jobs.into_iter().peekable();
    while jobs.peek().is_some() {
        let part: Vec<_> = jobs.by_ref().take(share).collect();
        parts.push(tokio::task::spawn_blocking(move || part.into_iter().map(declare_one).collect::<Vec<_>>()));
    }
    let mut outcomes = Vec::new();
    for part in parts {
        outcomes.extend(part.await.context("a reader thread died")?);
    }
    Ok(outcomes)
}

fn declare_one(((folder, tree), files): ((String, TreeId), Result<BundleFiles, ReadError>)) -> Outcome {
    let place = || Place::file(format!("connectors/{folder}"));
    let outcome = match files {
        Ok(files) => declare(&folder, &tree, &files).map_err(Unread::Content),
        Err(ReadError::Refused(odd)) => Err(Unread::Content(vec![refused(&format!("connectors/{folder}/{}", odd.path), &odd.reason)])),
        Err(error @ ReadError::Unreadable(_)) => Err(Unread::Object(Problem::error(code::OBJECT_UNREADABLE, place(), error.to_string()))),
    };
    (folder, tree, outcome)
}

/// A problem of something that is not what it should be.
pub(super) fn refused(path: &str, reason: &str) -> Problem {
    Problem::error(code::OUT_OF_PLACE, Place::file(path), reason)
}

/// Marks the connector of a folder as changed.
pub(super) fn mark(memory: &mut Memory, folder: &str) {
    if let Ok(name) = folder.parse::<ConnectorName>() {
        memory.dirty.add(&name);
    }
}

fn cached<T: serde::Serialize>(connector: &str, id: &str, body: &T) -> Result<CachedDeclaration> {
    let body = serde_json::to_string(body).context("cannot write a declaration as JSON")?;
    Ok(CachedDeclaration { connector: connector.to_owned(), key: format!("{READER_LEVEL}:{id}"), body })
}

async fn put_cache(world: &World, declarations: Vec<CachedDeclaration>) -> Result<()> {
    if declarations.is_empty() {
        return Ok(());
    }
    world.store.put_declarations(&declarations).await.context("cannot cache the declarations")
}
