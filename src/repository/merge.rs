//! Merges commits in the object database. Only folders that both sides changed are looked into, so a merge costs no more in a large repository.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use git2::{Oid, Repository, Signature, Tree};

use crate::model::CommitId;

use super::ancestry;
use super::read::{FOLDER, Reader};
use super::write::commit;

/// What became of a merge. Nothing points at the new commit yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// A merge commit was written.
    Commit(CommitId),
    /// Ours contains theirs already.
    AlreadyMerged,
    /// The same paths were changed differently on both sides.
    Conflict(Vec<String>),
}

/// How deep folders are merged.
const MAX_DEPTH: usize = 64;

/// Merges two commits and writes the merge commit, first parent `ours`.
pub(super) fn merge(repo: &Repository, ours: Oid, theirs: Oid, message: &str, who: &Signature<'_>) -> Result<Merge> {
    let reader = Reader::new(repo)?;
    let (our_commit, our_root) = reader.commit_header(ours)?;
    let (their_commit, their_root) = reader.commit_header(theirs)?;
    if ancestry::is_ancestor(&reader, theirs, ours)? {
        return Ok(Merge::AlreadyMerged);
    }
    let base = ancestry::merge_base(&reader, ours, theirs)?.map(|base| reader.root(base)).transpose()?;
    let (our_root, their_root) = (reader.subtree(our_root)?, reader.subtree(their_root)?);
    let folders = Folders { repo, reader: &reader };
    let tree = match folders.merge(base.as_ref(), Some(&our_root), Some(&their_root), 1)? {
        Some(tree) => tree,
        None => match merge_texts(repo, base.as_ref(), &our_root, &their_root)? {
            Ok(tree) => tree,
            Err(paths) => return Ok(Merge::Conflict(paths)),
        },
    };
    let id = commit(repo, who, message, tree, &[&our_commit, &their_commit])?;
    Ok(Merge::Commit(CommitId::new(id.to_string())))
}

struct Folders<'a, 'r> {
    repo: &'r Repository,
    reader: &'a Reader<'r>,
}

type Entry = Option<(Oid, i32)>;

impl Folders<'_, '_> {
    /// Merges entry by entry; `None` where both sides changed one file.
    fn merge(&self, base: Option<&Tree<'_>>, ours: Option<&Tree<'_>>, theirs: Option<&Tree<'_>>, depth: usize) -> Result<Option<Oid>> {
        if depth > MAX_DEPTH {
            bail!("cannot merge: folders are more than {MAX_DEPTH} deep");
        }
        let mut builder = self.repo.treebuilder(ours)?;
        let names: BTreeSet<Vec<u8>> =
            [base, theirs].into_iter().flatten().flat_map(|tree| tree.iter().map(|entry| entry.name_bytes().to_owned())).collect();
        for name in names {
            let (base, our, their) = (entry(base, &name), entry(ours, &name), entry(theirs, &name));
            if their == base || their == our {
                continue;
            }
            let merged = if our == base {
                their
            } else {
                let trees = [self.tree(base)?, self.tree(our)?, self.tree(their)?];
                let [base_tree, Some(our_tree), Some(their_tree)] = &trees else { return Ok(None) };
                match self.merge(base_tree.as_ref(), Some(our_tree), Some(their_tree), depth + 1)? {
                    Some(tree) => Some((tree, FOLDER)),
                    None => return Ok(None),
                }
            };
            match merged {
                Some((id, mode)) => {
                    builder.insert(name.as_slice(), id, mode)?;
                }
                None => builder.remove(name.as_slice())?,
            }
        }
        Ok(Some(builder.write().context("cannot write a merged folder")?))
    }

    fn tree(&self, entry: Entry) -> Result<Option<Tree<'_>>> {
        match entry {
            Some((id, FOLDER)) => self.reader.subtree(id).map(Some),
            _ => Ok(None),
        }
    }
}

fn entry(tree: Option<&Tree<'_>>, name: &[u8]) -> Entry {
    tree?.get_name_bytes(name).map(|entry| (entry.id(), entry.filemode()))
}

/// Leaves files that both sides changed to libgit2, which merges their lines; the paths where that fails are the error.
fn merge_texts(repo: &Repository, base: Option<&Tree<'_>>, ours: &Tree<'_>, theirs: &Tree<'_>) -> Result<Result<Oid, Vec<String>>> {
    let none = repo.find_tree(repo.treebuilder(None)?.write()?)?;
    let mut index = repo.merge_trees(base.unwrap_or(&none), ours, theirs, None).context("cannot merge")?;
    if !index.has_conflicts() {
        return Ok(Ok(index.write_tree_to(repo).context("cannot write the merged tree")?));
    }
    let mut paths = BTreeSet::new();
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        if let Some(entry) = conflict.our.or(conflict.their).or(conflict.ancestor) {
            paths.insert(String::from_utf8_lossy(&entry.path).into_owned());
        }
    }
    Ok(Err(paths.into_iter().collect()))
}
