//! A bundle's files, as read from git or from the registry, before anything is parsed.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Every file of one connector's folder, by path relative to that folder (with `/`). Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleFiles(Arc<BTreeMap<String, Vec<u8>>>);

impl BundleFiles {
    /// Takes the files of one folder.
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self(Arc::new(files))
    }

    /// One file's bytes.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// All files in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// The size of all files together, in bytes.
    pub fn size(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}
