//! Keeps a mirror quick: every fetch leaves a pack behind, so the small ones become one from time to time.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use git2::{Oid, Repository};

/// How many small packs a mirror may have.
const MAX_SMALL_PACKS: usize = 50;
/// Packs up to this size are small and are put together, in bytes.
const SMALL: u64 = 8 * 1024 * 1024;

/// Puts the small packs together where there are many. Reads that go on meanwhile find each object in the new pack.
pub(super) fn tidy(mirror: &Repository) -> Result<()> {
    let folder = mirror.path().join("objects").join("pack");
    let is_small = |index: &PathBuf| fs::metadata(index.with_extension("pack")).is_ok_and(|pack| pack.len() <= SMALL);
    let small: Vec<PathBuf> = packs(&folder)?.into_iter().filter(is_small).collect();
    if small.len() <= MAX_SMALL_PACKS {
        return Ok(());
    }
    let mut builder = mirror.packbuilder()?;
    for index in &small {
        let bytes = fs::read(index).with_context(|| format!("cannot read {}", index.display()))?;
        for id in objects(&bytes).with_context(|| format!("cannot read {}", index.display()))? {
            builder.insert_object(id, None)?;
        }
    }
    // Written and indexed under its final name before anything goes.
    builder.write(&folder, 0o444).context("cannot write a pack")?;
    let written = builder.name()?.map(|name| format!("pack-{name}.idx")).context("the new pack has no name")?;
    for index in small.iter().filter(|index| index.file_name().is_some_and(|name| name != written.as_str())) {
        for extension in ["idx", "rev", "pack"] {
            fs::remove_file(index.with_extension(extension)).ok();
        }
    }
    Ok(())
}

fn packs(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(_) => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "idx") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The ids in a pack's index of version 2, see gitformat-pack(5).
fn objects(index: &[u8]) -> Result<Vec<Oid>> {
    const HEADER: usize = 8;
    const FANOUT: usize = 256 * 4;
    ensure!(index.starts_with(b"\xfftOc\0\0\0\x02"), "it is no pack index of version 2");
    let count = index.get(HEADER + FANOUT - 4..HEADER + FANOUT).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    let count = count.context("it is cut off")? as usize;
    let ids = count.checked_mul(20).and_then(|length| index.get(HEADER + FANOUT..)?.get(..length)).context("it is cut off")?;
    ids.chunks_exact(20).map(|id| Ok(Oid::from_bytes(id)?)).collect()
}
