//! The files that belong to a flow, as the parent reads them for it.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use crate::flow::Unanswered;
use crate::model::BundleFiles;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Where a flow's files are.
#[derive(Debug, Clone, Default)]
pub enum Files {
    /// There are none.
    #[default]
    None,
    /// In this folder or below it: beside a workflow document.
    Folder(PathBuf),
    /// In its bundle.
    Bundle(BundleFiles),
}

impl Files {
    /// How big a file may be, in bytes.
    pub(super) fn most(&self, path: &str) -> usize {
        match self {
            Self::None => 0,
            Self::Bundle(files) => files.get(path).map_or(0, <[u8]>::len),
            Self::Folder(_) => usize::try_from(LARGEST).unwrap_or(usize::MAX),
        }
    }

    /// Reads a file.
    pub(super) async fn read(&self, path: &str) -> Result<Vec<u8>, Unanswered> {
        let missing = || Unanswered::configuration(format!("there is no file `{path}`"));
        match self {
            Self::None => Err(missing()),
            Self::Bundle(files) => files.get(path).map(<[u8]>::to_vec).ok_or_else(missing),
            Self::Folder(folder) => {
                let (folder, path) = (folder.clone(), path.to_owned());
                let read = tokio::task::spawn_blocking(move || below(&folder, &path)).await;
                read.unwrap_or_else(|error| Err(Unanswered::communication(error.to_string())))
            }
        }
    }
}

/// Reads a file of a folder, however many links lead to it, as long as it is in there.
fn below(folder: &Path, path: &str) -> Result<Vec<u8>, Unanswered> {
    let refused = |reason: &str| Unanswered::configuration(format!("the file `{path}` cannot be read: {reason}"));
    if path.is_empty() || !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(refused("it is not a path below the flow's folder"));
    }
    let failed = |error: std::io::Error| refused(&error.to_string());
    let folder = folder.canonicalize().map_err(failed)?;
    let whole = folder.join(path).canonicalize().map_err(failed)?;
    if !whole.starts_with(&folder) {
        return Err(refused("a link leads out of the flow's folder"));
    }
    // What is no file, a device or a pipe, may never end.
    if !whole.metadata().map_err(failed)?.is_file() {
        return Err(refused("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(&whole).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST { Err(refused(&format!("it has more than {LARGEST} bytes"))) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_read() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("flows");
        std::fs::create_dir_all(folder.join("apis")).unwrap();
        std::fs::write(folder.join("apis/pets.json"), "{}").unwrap();
        std::fs::write(outside.path().join("secret"), "t0ps3cret").unwrap();
        for (link, to) in [("out", outside.path().join("secret")), ("in", folder.join("apis/pets.json")), ("up", outside.path().to_owned())]
        {
            std::os::unix::fs::symlink(to, folder.join(link)).unwrap();
        }
        assert_eq!(below(&folder, "apis/pets.json"), Ok(b"{}".to_vec()));
        assert_eq!(below(&folder, "in"), Ok(b"{}".to_vec()));
        for (path, reason) in [
            ("../secret", "not a path below"),
            ("apis/../../secret", "not a path below"),
            ("/etc/passwd", "not a path below"),
            ("", "not a path below"),
            ("out", "leads out"),
            ("up/secret", "leads out"),
            ("apis", "not a file"),
            ("none", "No such file"),
        ] {
            let refused = below(&folder, path).unwrap_err();
            assert!(refused.reason.contains(reason), "{path}: {refused}");
        }
    }
}
