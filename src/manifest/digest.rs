//! The identity of a bundle's content: SHA-256 over all its files, without the manifest's `status` line.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::Document;
use crate::model::{BundleFiles, Digest};

/// The manifest's name within a connector's folder.
pub const MANIFEST: &str = "connector.yaml";

/// Changes whenever equal content would no longer give an equal digest.
const FORMAT: &[u8] = b"switchboard bundle 1\n";

/// The digest of a bundle; `document` is its manifest as parsed.
pub(super) fn of(files: &BundleFiles, document: &Document) -> Digest {
    let mut hash = Sha256::new();
    hash.update(FORMAT);
    for (path, bytes) in files.iter() {
        let gap = if path == MANIFEST { status_line(bytes, document) } else { 0..0 };
        hash.update((path.len() as u64).to_be_bytes());
        hash.update(path);
        hash.update(((bytes.len() - gap.len()) as u64).to_be_bytes());
        hash.update(&bytes[..gap.start]);
        hash.update(&bytes[gap.end..]);
    }
    Digest::from_bytes(hash.finalize().into())
}

/// The digest of a bundle's files alone, whatever else is wrong with them; `None` where the manifest is missing or no document.
pub fn digest(files: &BundleFiles) -> Option<Digest> {
    let document = Document::parse(MANIFEST, files.get(MANIFEST)?).ok()?;
    Some(of(files, &document))
}

/// The lines that `status` takes up; its value alone where something else shares them.
fn status_line(bytes: &[u8], document: &Document) -> Range<usize> {
    let (Some(key), Some(value)) = (document.key_mark("/status"), document.mark("/status")) else { return 0..0 };
    let (start, end) = (key.start as usize, value.end as usize);
    let line_start = bytes[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let ends_a_line = end > start && bytes[end - 1] == b'\n';
    let line_end =
        if ends_a_line { end } else { bytes[end..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| end + at + 1) };
    let before = &bytes[line_start..start];
    let after = bytes[end..line_end].trim_ascii();
    if before.iter().all(|byte| *byte == b' ') && (after.is_empty() || after.starts_with(b"#")) {
        return line_start..line_end;
    }
    value.start as usize..end
}
