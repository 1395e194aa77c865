//! Finds a connector's content in history by what it is, where nobody knows a commit that holds it any more.

use anyhow::Result;
use git2::Oid;

use super::read::{FOLDER, Reader};
use crate::model::BundleFiles;

/// The newest content along first parents that is the sought one. A folder that cannot be read is not it; a commit that cannot be
/// read ends the walk.
pub(super) fn find(
    reader: &Reader<'_>,
    newest: Oid,
    connector: &str,
    is_sought: impl Fn(&BundleFiles) -> bool,
) -> Result<Option<BundleFiles>> {
    let path = format!("connectors/{connector}");
    let (mut known_root, mut known_folder) = (None, None);
    let mut next = Some(newest);
    while let Some(id) = next {
        let (commit, root) = reader.commit_header(id)?;
        if known_root != Some(root) {
            known_root = Some(root);
            let entry = reader.subtree(root).and_then(|root| reader.entry_at(&root, &path)).ok().flatten();
            let folder = entry.filter(|(_, mode)| *mode == FOLDER).map(|(id, _)| id);
            if let Some(folder) = folder.filter(|_| folder != known_folder)
                && let Ok(files) = reader.bundle(folder)
                && is_sought(&files)
            {
                return Ok(Some(files));
            }
            known_folder = folder;
        }
        next = commit.parent_id(0).ok().filter(|parent| !reader.is_cut_off(*parent));
    }
    Ok(None)
}
