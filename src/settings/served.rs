//! Which repository a state folder serves, and by which branch: written down by whoever changes something from it, so that flags, variables
//! and work trees that point elsewhere for a while take nothing for deleted.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SiteLocation;

/// The file's name in the state folder.
const NAME: &str = "serves.json";

/// What is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Served {
    /// The git directory, or a remote's address without who asks.
    repository: String,
    /// The tracked branch; `None`: the one that HEAD names.
    branch: Option<String>,
}

/// A state folder and the repository that is to be served from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bond {
    file: PathBuf,
    repository: String,
    /// Whether the folder stands where this repository's state does unless told otherwise: then the two move together.
    is_beside: bool,
    served: Result<Option<Served>, String>,
}

/// Why a state folder must not be used.
#[derive(Debug, thiserror::Error)]
pub enum BondError {
    /// It serves another repository, whose connectors would be taken for deleted.
    #[error("the state in {} is that of {served}, not of {asked}", state.display())]
    Another {
        /// The state folder.
        state: PathBuf,
        /// What it serves.
        served: String,
        /// What was to be served from it.
        asked: String,
    },
    /// What it serves cannot be read.
    #[error("cannot read {}: {reason}", file.display())]
    Unreadable {
        /// The file that says so.
        file: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Bond {
    /// Reads what a state folder serves; what is wrong with that is told by [`Bond::check`].
    pub(super) fn read(state: &Path, location: &SiteLocation, is_beside: bool) -> Self {
        let file = state.join(NAME);
        let served = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| error.to_string()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        Self { file, repository: identity(location), is_beside, served }
    }

    /// The branch that the repository has been served by.
    pub(super) fn branch(&self) -> Option<&str> {
        self.check().ok()?;
        self.served.as_ref().ok()?.as_ref()?.branch.as_deref()
    }

    /// Refuses a state folder that serves another repository.
    pub fn check(&self) -> Result<(), BondError> {
        match &self.served {
            Err(reason) => Err(BondError::Unreadable { file: self.file.clone(), reason: reason.clone() }),
            Ok(Some(served)) if served.repository != self.repository && !self.is_beside => Err(BondError::Another {
                state: self.file.parent().unwrap_or(&self.file).to_owned(),
                served: served.repository.clone(),
                asked: self.repository.clone(),
            }),
            Ok(_) => Ok(()),
        }
    }

    /// Writes down that the folder serves the repository, by this branch. Only who holds the lease does so.
    pub(super) fn write(&self, branch: Option<&str>) -> io::Result<()> {
        let serves = Served { repository: self.repository.clone(), branch: branch.map(str::to_owned) };
        if self.served.as_ref().is_ok_and(|served| served.as_ref() == Some(&serves)) {
            return Ok(());
        }
        let temporary = self.file.with_extension("tmp");
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&serde_json::to_vec(&serves)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.file)
    }

    /// Forgets what the folder serves: its state is begun anew.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// What a repository is known by, whoever asks for it and however.
fn identity(location: &SiteLocation) -> String {
    match location {
        SiteLocation::Local { git, .. } => git.display().to_string(),
        SiteLocation::Remote { url } => {
            let address = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{host}{}", path.trim_end_matches('/'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_known_by_its_address_and_never_by_a_secret() {
        let of = |url: &str| identity(&SiteLocation::Remote { url: url.to_owned() });
        assert_eq!(of("https://me:token@example.com/team/x.git/"), "example.com/team/x.git");
        assert_eq!(of("ssh://git@example.com/team/x.git"), "example.com/team/x.git");
        assert_eq!(of("https://example.com/@team/x.git"), "example.com/@team/x.git");
        assert_eq!(of("git@example.com:team/x.git"), "example.com:team/x.git");
        let here = SiteLocation::Local { git: "/srv/x.git".into(), work_tree: None };
        assert_eq!(of("file:///srv/x.git"), identity(&here));
    }
}
