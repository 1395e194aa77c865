//! What can be tested of the working files.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use crate::cli::commands::validate;
use crate::cli::working_files::{WorkingFiles, ignored_by, read_folder};
use crate::harness::{Chosen, Job};
use crate::manifest::{self, Bundle, SuiteFile};
use crate::model::{BundleFiles, Digest, Problem};

/// How many connectors are read by a thread of their own at least: it costs about as much to start one as to read a few.
const SHARE: usize = 8;

/// Connectors that can be tested, each with its suites, and every problem of those that cannot be read: one bad connector keeps no other
/// from its tests.
pub(super) fn read(work_tree: &WorkingFiles, names: &[String]) -> (Vec<(Job, Vec<SuiteFile>)>, Vec<Problem>) {
    each(work_tree, names, |name, files| {
        let bundle = Bundle::read(name, &files)?;
        Ok((job(name, bundle.digest, files)?, bundle.suites))
    })
}

/// The same without a look at the suites: whoever runs them reads them anyway, and tells what is wrong with them.
pub(super) fn find(work_tree: &WorkingFiles, names: &[String]) -> (Vec<Job>, Vec<Problem>) {
    each(work_tree, names, |name, files| match manifest::digest(&files) {
        Some(digest) => job(name, digest, files),
        None => Err(Bundle::read(name, &files).err().unwrap_or_default()),
    })
}

fn job(name: &str, digest: Digest, files: BundleFiles) -> Result<Job, Vec<Problem>> {
    match name.parse() {
        Ok(connector) => Ok(Job { connector, digest, files, chosen: Chosen::All }),
        Err(_) => Err(Bundle::read(name, &files).err().unwrap_or_default()),
    }
}

/// Does something with each connector's files, several at once, and returns what came of it in the order of the names.
fn each<T: Send>(
    work_tree: &WorkingFiles,
    names: &[String],
    make: impl Fn(&str, BundleFiles) -> Result<T, Vec<Problem>> + Sync,
) -> (Vec<T>, Vec<Problem>) {
    let folders: Vec<(&str, PathBuf)> = names.iter().map(|name| (name.as_str(), work_tree.folder(name))).collect();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = folders.len().div_ceil(threads).max(SHARE);
    let (root, make) = (work_tree.root.as_path(), &make);
    let all: Vec<Result<T, Vec<Problem>>> = thread::scope(|scope| {
        let shares: Vec<_> = folders.chunks(share).map(|share| scope.spawn(move || made(root, share, make))).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let (mut made, mut problems) = (Vec::new(), Vec::new());
    for one in all {
        match one {
            Ok(one) => made.push(one),
            Err(found) => problems.extend(found),
        }
    }
    (made, problems)
}

fn made<T>(
    root: &Path,
    folders: &[(&str, PathBuf)],
    make: impl Fn(&str, BundleFiles) -> Result<T, Vec<Problem>>,
) -> Vec<Result<T, Vec<Problem>>> {
    let is_ignored = ignored_by(root);
    let read = |name: &str, folder: &Path| read_folder(folder, &is_ignored).map_err(|error| vec![validate::unreadable(name, &error)]);
    folders.iter().map(|(name, folder)| make(name, read(name, folder)?)).collect()
}
