//! A bundle's files as one value: for each file its path's length, the path, its content's length, the content.
//! Lengths are four bytes, the lowest first.

use std::collections::BTreeMap;

use crate::model::BundleFiles;

/// Why a packed bundle cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PackingError {
    /// It ends in the middle of a file.
    #[error("the packed bundle ends too early")]
    Truncated,
    /// A path is not text.
    #[error("the packed bundle has a path that is not UTF-8")]
    NotText,
    /// A file is too large to be packed.
    #[error("the bundle has a file of more than 4 GB")]
    TooLarge,
}

/// Packs files in the order of their paths: equal bundles, equal bytes.
pub(super) fn pack(files: &BundleFiles) -> Result<Vec<u8>, PackingError> {
    let mut packed = Vec::with_capacity(files.size() + 64 * files.iter().count());
    for (path, content) in files.iter() {
        for part in [path.as_bytes(), content] {
            let length = u32::try_from(part.len()).map_err(|_| PackingError::TooLarge)?;
            packed.extend_from_slice(&length.to_le_bytes());
            packed.extend_from_slice(part);
        }
    }
    Ok(packed)
}

/// Unpacks files.
pub(super) fn unpack(mut packed: &[u8]) -> Result<BundleFiles, PackingError> {
    let mut files = BTreeMap::new();
    while !packed.is_empty() {
        let path = std::str::from_utf8(take(&mut packed)?).map_err(|_| PackingError::NotText)?.to_owned();
        files.insert(path, take(&mut packed)?.to_vec());
    }
    Ok(BundleFiles::new(files))
}

fn take<'a>(packed: &mut &'a [u8]) -> Result<&'a [u8], PackingError> {
    let (length, rest) = packed.split_first_chunk::<4>().ok_or(PackingError::Truncated)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| PackingError::Truncated)?;
    let (part, rest) = rest.split_at_checked(length).ok_or(PackingError::Truncated)?;
    *packed = rest;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(files in prop::collection::btree_map(".{0,20}", prop::collection::vec(any::<u8>(), 0..50), 0..6)) {
            let files = BundleFiles::new(files);
            assert_eq!(unpack(&pack(&files).unwrap()), Ok(files));
        }

        #[test]
        fn garbage_is_refused_or_read_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_bundle_cut_short_is_refused() {
        let files = BundleFiles::new(BTreeMap::from([("a".to_owned(), b"content".to_vec())]));
        let packed = pack(&files).unwrap();
        for length in 1..packed.len() {
            assert_eq!(unpack(&packed[..length]), Err(PackingError::Truncated), "{length}");
        }
        assert_eq!(unpack(&[1, 0, 0, 0, 0xff, 0, 0, 0, 0]), Err(PackingError::NotText));
    }
}
