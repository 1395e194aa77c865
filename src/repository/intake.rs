//! What a bundle may hold, whichever way it is read: the limits and the names that are refused.

use std::collections::BTreeMap;

use crate::model::BundleFiles;

use super::{Oddity, ReadError};

/// The largest file of a bundle, in bytes.
const MAX_FILE: u64 = 1024 * 1024;
/// The most bytes a bundle may hold.
const MAX_BUNDLE: u64 = 16 * 1024 * 1024;
/// The most files a bundle may hold.
pub const MAX_FILES: usize = 500;
/// How many folders deep a bundle may go, its own folder included.
const MAX_DEPTH: usize = 8;

/// The files of one bundle as they come in, with what is left of the limits.
#[derive(Default)]
pub(super) struct Intake {
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

impl Intake {
    /// Makes sure that there is room for a file before it is read.
    pub(super) fn admit(&mut self, path: &str, size: u64) -> Result<(), ReadError> {
        if size > MAX_FILE {
            return Err(refused(path, format!("the file has {size} bytes, the limit is {MAX_FILE} (1 MiB)")));
        }
        if self.files.len() >= MAX_FILES {
            return Err(refused(path, format!("more than {MAX_FILES} files in one connector's folder")));
        }
        self.bytes += size;
        if self.bytes > MAX_BUNDLE {
            return Err(refused(path, format!("more than {MAX_BUNDLE} bytes (16 MiB) in one connector's folder")));
        }
        Ok(())
    }

    /// Takes a file that was admitted.
    pub(super) fn take(&mut self, path: String, content: Vec<u8>) -> Result<(), ReadError> {
        match self.files.insert(path.clone(), content) {
            None => Ok(()),
            Some(_) => Err(refused(&path, "this name stands in the folder twice")),
        }
    }

    pub(super) fn finish(self) -> BundleFiles {
        BundleFiles::new(self.files)
    }
}

/// Joins a folder's path and an entry's name, refusing names that could mean another place on some system.
pub(super) fn child_path(folder: &str, name: &[u8]) -> Result<String, ReadError> {
    let shown = || join(folder, &printable(name));
    let Ok(text) = std::str::from_utf8(name) else {
        return Err(refused(&shown(), "the name is not UTF-8"));
    };
    match name_fault(text) {
        Some(reason) => Err(refused(&shown(), reason)),
        None => Ok(join(folder, text)),
    }
}

/// Makes sure that a folder is not too deep; `depth` counts from 1.
pub(super) fn admit_depth(path: &str, depth: usize) -> Result<(), ReadError> {
    if depth > MAX_DEPTH { Err(refused(path, format!("more than {MAX_DEPTH} folders deep"))) } else { Ok(()) }
}

pub(super) fn refused(path: &str, reason: impl Into<String>) -> ReadError {
    ReadError::Refused(Oddity { path: path.to_owned(), reason: reason.into() })
}

/// A name as it can be shown anywhere.
pub(super) fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() || name == "." || name == ".." {
        return Some("the name leads out of the folder");
    }
    if name.contains(['/', '\\']) {
        return Some("the name contains a path separator");
    }
    if name.chars().any(char::is_control) {
        return Some("the name contains a control character");
    }
    is_git_folder(name).then_some("the name stands for git's own folder on some systems")
}

/// Whether some file system takes the name for `.git`: case, ignorable characters, trailing dots and blanks, streams, short names.
fn is_git_folder(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !is_ignorable(*c)).collect::<String>().to_ascii_lowercase();
    let name = name.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    let short = name.strip_prefix("git~").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    name == ".git" || short
}

fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_another_place_are_refused() {
        for name in ["", ".", "..", "a/b", "a\\b", "a\nb", ".git", ".GIT", ".g\u{200c}it", ".git. ", ".git::$INDEX", "GIT~1"] {
            assert!(child_path("x", name.as_bytes()).is_err(), "{name:?}");
        }
        assert!(child_path("x", b"\xff").is_err());
        for name in [".gitignore", ".gitkeep", "connector.yaml", "Größe.md", "git~", "a b"] {
            assert_eq!(child_path("x", name.as_bytes()).unwrap(), format!("x/{name}"));
        }
    }

    #[test]
    fn limits_say_size_and_limit() {
        let error = Intake::default().admit("icon.svg", 3 * MAX_FILE / 2).unwrap_err().to_string();
        assert_eq!(error, "icon.svg: the file has 1572864 bytes, the limit is 1048576 (1 MiB)");
        let mut intake = Intake::default();
        for n in 0..MAX_BUNDLE / MAX_FILE {
            intake.admit(&n.to_string(), MAX_FILE).unwrap();
        }
        assert!(intake.admit("last", 1).is_err());
    }
}
