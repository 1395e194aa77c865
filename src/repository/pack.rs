//! Packs what commits bring that another repository does not have, looking only into the folders that differ.

use anyhow::{Context, Result};
use git2::{ObjectType, Oid, PackBuilder, Repository, Tree};

use super::ancestry;
use super::read::Reader;

/// The objects that `wanted` commits need and `known` ones do not already bring.
pub(super) fn pack<'r>(repo: &'r Repository, wanted: &[Oid], known: impl Iterator<Item = Oid>) -> Result<PackBuilder<'r>> {
    let reader = Reader::new(repo)?;
    let mut pack = repo.packbuilder()?;
    for id in ancestry::new_commits(&reader, wanted, known)? {
        let (commit, tree) = reader.commit_header(id).with_context(|| format!("cannot pack commit {id}"))?;
        pack.insert_object(id, None)?;
        let before = commit.parent_ids().next().and_then(|parent| reader.root(parent).ok());
        insert_difference(&reader, &mut pack, tree, before.as_ref())?;
    }
    Ok(pack)
}

fn insert_difference(reader: &Reader<'_>, pack: &mut PackBuilder<'_>, tree: Oid, before: Option<&Tree<'_>>) -> Result<()> {
    if before.is_some_and(|before| before.id() == tree) {
        return Ok(());
    }
    pack.insert_object(tree, None)?;
    for entry in &reader.subtree(tree)? {
        let old = before.and_then(|before| before.get_name_bytes(entry.name_bytes()));
        if old.as_ref().is_some_and(|old| old.id() == entry.id()) {
            continue;
        }
        match entry.kind() {
            Some(ObjectType::Tree) => {
                let old = old.filter(|old| old.kind() == Some(ObjectType::Tree)).map(|old| reader.subtree(old.id())).transpose()?;
                insert_difference(reader, pack, entry.id(), old.as_ref())?;
            }
            Some(ObjectType::Blob) => pack.insert_object(entry.id(), None)?,
            // A submodule's commit is not part of this repository.
            _ => {}
        }
    }
    Ok(())
}
