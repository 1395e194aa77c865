//! A remote on this machine's file system: objects are packed from one object database into the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use git2::{Oid, Repository};

use super::{Advert, RefChange, RefUpdate};
use crate::repository::pack::pack;
use crate::repository::read::oid;
use crate::repository::refs;

/// A repository behind a `file://` URL.
#[derive(Debug)]
pub(in crate::repository) struct FileRemote {
    path: PathBuf,
}

impl FileRemote {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn fetch(&self, mirror: &Repository) -> Result<Advert> {
        let remote = self.open()?;
        let mut advert = Advert::of(held(&remote)?, refs::head_branch(&remote)?);
        advert.shallow = shallow(&remote);
        let odb = mirror.odb()?;
        let wanted: Vec<Oid> = advert.refs.values().copied().filter(|id| !odb.exists(*id)).collect();
        copy(&remote, mirror, &wanted, tips(mirror)?).context("cannot fetch")?;
        Ok(advert)
    }

    pub(super) fn push(&self, mirror: &Repository, changes: &[RefChange]) -> Result<RefUpdate> {
        let remote = self.open()?;
        let wanted = changes.iter().filter_map(|change| change.new.as_ref()).map(oid).collect::<Result<Vec<_>>>()?;
        copy(mirror, &remote, &wanted, tips(&remote)?).context("cannot push")?;
        refs::update(&remote, changes, "push")
    }

    fn open(&self) -> Result<Repository> {
        Repository::open(&self.path).with_context(|| format!("there is no git repository at {}", self.path.display()))
    }
}

fn copy(from: &Repository, into: &Repository, wanted: &[Oid], known: impl Iterator<Item = Oid>) -> Result<()> {
    let mut pack = pack(from, wanted, known)?;
    if pack.object_count() == 0 {
        return Ok(());
    }
    let odb = into.odb()?;
    let mut writer = odb.packwriter()?;
    let mut failure = None;
    let packed = pack.foreach(|bytes| match std::io::Write::write_all(&mut writer, bytes) {
        Ok(()) => true,
        Err(error) => {
            failure = Some(error);
            false
        }
    });
    if let Some(failure) = failure {
        return Err(failure).context("cannot store the objects");
    }
    packed.context("cannot read the objects")?;
    writer.commit().context("cannot store the objects")?;
    Ok(())
}

/// What a side has already: this only saves copying, so a damaged reference may be missing here.
fn tips(repo: &Repository) -> Result<impl Iterator<Item = Oid> + use<>> {
    let tips = refs::readable(repo, "refs/")?.into_values().map(|id| oid(&id));
    Ok(tips.collect::<Result<Vec<_>>>()?.into_iter())
}

fn held(repo: &Repository) -> Result<BTreeMap<String, Oid>> {
    let all = refs::list(repo, "refs/heads/")?.into_iter().chain(refs::list(repo, "refs/switchboard/")?);
    all.map(|(name, id)| Ok((name, oid(&id)?))).collect()
}

/// Where the remote's history is cut off, from the file in which git keeps it.
fn shallow(remote: &Repository) -> Vec<Oid> {
    let text = std::fs::read_to_string(remote.commondir().join("shallow")).unwrap_or_default();
    text.lines().filter_map(|line| Oid::from_str(line).ok()).collect()
}
