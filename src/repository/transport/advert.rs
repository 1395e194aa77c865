//! What a remote advertises: its references, its HEAD and what its service can do.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result, bail};
use git2::{Oid, Reference};

use super::pkt;

/// The most bytes of an advertisement: room for a few million references.
const MAX_ADVERT: u64 = 256 * 1024 * 1024;

/// What a remote holds.
#[derive(Debug, Default)]
pub(in crate::repository) struct Advert {
    /// The references that the mirror keeps: `refs/heads/*` and `refs/switchboard/*`.
    pub(in crate::repository) refs: BTreeMap<String, Oid>,
    /// The branch that HEAD names, as `refs/heads/…`.
    pub(in crate::repository) head_branch: Option<String>,
    /// Where the remote's own history is cut off.
    pub(in crate::repository) shallow: Vec<Oid>,
    capabilities: Vec<String>,
}

impl Advert {
    /// Reads an advertisement to its end.
    pub(super) fn read(from: &mut dyn Read) -> Result<Self> {
        let mut from = from.take(MAX_ADVERT);
        let mut advert = Self::default();
        let mut head = None;
        while let Some(line) = pkt::read(&mut from).context("cannot read what the remote holds")? {
            let line = pkt::trimmed(&line);
            let mut parts = line.splitn(2, |b| *b == 0);
            let line = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
            if let Some(capabilities) = parts.next() {
                advert.capabilities = String::from_utf8_lossy(capabilities).split(' ').map(str::to_owned).collect();
            }
            if line == "version 1" {
                continue;
            }
            let (id, name) = line.split_once(' ').context("the remote sent a line that is no reference")?;
            if id == "shallow" {
                advert.shallow.push(Oid::from_str(name).context("the remote sent a wrong object id")?);
                continue;
            }
            if advert.value("object-format").is_some_and(|format| format != "sha1") {
                bail!("the remote uses an object format other than SHA-1, which is not supported");
            }
            let id = Oid::from_str(id).context("the remote sent a wrong object id")?;
            if name == "HEAD" {
                head = Some(id);
            } else if is_mirrored(name) && !id.is_zero() {
                advert.refs.insert(name.to_owned(), id);
            }
        }
        advert.head_branch = advert.find_head(head);
        Ok(advert)
    }

    /// An advertisement made without a conversation.
    pub(super) fn of(refs: BTreeMap<String, Oid>, head_branch: Option<String>) -> Self {
        Self { refs, head_branch, ..Self::default() }
    }

    /// Whether the service can do something.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|offered| offered == capability)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.capabilities.iter().find_map(|offered| offered.strip_prefix(name)?.strip_prefix('='))
    }

    /// Old servers do not say which branch HEAD names: then it is the one that points at the same commit.
    fn find_head(&self, head: Option<Oid>) -> Option<String> {
        let named = self.capabilities.iter().find_map(|offered| offered.strip_prefix("symref=HEAD:"));
        if let Some(named) = named.filter(|name| is_mirrored(name)) {
            return Some(named.to_owned());
        }
        let same = |name: &&String| head.is_some() && self.refs.get(*name).copied() == head;
        let usual = ["refs/heads/main".to_owned(), "refs/heads/master".to_owned()];
        let branches = self.refs.keys().filter(|name| name.starts_with("refs/heads/"));
        usual.iter().chain(branches).find(same).cloned()
    }
}

fn is_mirrored(name: &str) -> bool {
    (name.starts_with("refs/heads/") || name.starts_with("refs/switchboard/")) && Reference::is_valid_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Advert> {
        let mut text = Vec::new();
        for line in lines {
            pkt::write(&mut text, line.as_bytes());
        }
        pkt::flush(&mut text);
        Advert::read(&mut text.as_slice())
    }

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn references_head_and_capabilities_are_read() {
        let first = format!("{A} HEAD\0side-band-64k symref=HEAD:refs/heads/trunk agent=git/2\n");
        let advert =
            read(&[&first, &format!("{A} refs/heads/trunk\n"), &format!("{B} refs/pull/1/head\n"), &format!("shallow {A}")]).unwrap();
        assert_eq!(advert.head_branch.as_deref(), Some("refs/heads/trunk"));
        assert_eq!(advert.refs.keys().collect::<Vec<_>>(), ["refs/heads/trunk"]);
        assert!(advert.can("side-band-64k") && !advert.can("agent"));
        assert_eq!(advert.shallow.len(), 1);
    }

    #[test]
    fn a_head_without_a_name_is_found_by_its_commit() {
        let advert = read(&[&format!("{A} HEAD\0x\n"), &format!("{A} refs/heads/dev\n"), &format!("{A} refs/heads/master\n")]).unwrap();
        assert_eq!(advert.head_branch.as_deref(), Some("refs/heads/master"));
        let empty = read(&[&format!("{} capabilities^{{}}\0x\n", "0".repeat(40))]).unwrap();
        assert!(empty.refs.is_empty() && empty.head_branch.is_none());
    }

    #[test]
    fn names_that_leave_the_mirror_are_dropped_and_nonsense_is_refused() {
        let advert = read(&[&format!("{A} refs/heads/../../x\0x\n"), &format!("{A} refs/heads/a b\n")]).unwrap();
        assert!(advert.refs.is_empty());
        assert!(read(&["nonsense"]).is_err());
        assert!(read(&[&format!("{A}{A} refs/heads/main\0object-format=sha256")]).is_err());
    }
}
