//! Looks up the values that a connection's file only names: in variables and in files, as far as whoever wrote it may have them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use secrecy::ExposeSecret as _;

use crate::settings::{SecretFlags, Site, SiteLocation, connection_variable, is_own, offered};

/// The largest file that holds one value, in bytes: keys and certificates have a few thousand.
const LARGEST: u64 = 64 * 1024;
/// The folder of the repository that may hold values in files beside those that name them.
const OFFERED: &str = "connections";
/// Where the kernel shows processes and devices as files: this process's own environment is among them.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// What may be looked up for a file that names it.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'a> {
    /// Whatever its user can read: it is the user's own file.
    Any,
    /// What is offered to the connector, and what the flags allow: the file is the repository's, and anybody's who commits.
    Allowed {
        /// Whose values it has.
        connector: &'a str,
        /// What is allowed besides.
        flags: &'a SecretFlags,
    },
}

/// Why a value cannot be looked up: a lowercase fragment, and what to do.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) reason: String,
    pub(super) hint: String,
}

impl From<String> for Unread {
    fn from(reason: String) -> Self {
        Self { reason, hint: "Set the variable, or put the file there, for whoever runs this.".to_owned() }
    }
}

impl Reach<'_> {
    pub(super) fn variable(&self, name: &str) -> Result<String, Unread> {
        match self {
            Self::Allowed { connector, flags } if !flags.allows(connector, name) && !is_own(name) => Err(Unread {
                reason: format!("the repository's file may not name the variable `{name}`"),
                hint: format!(
                    "Call it `{}…`, or allow it with `--secret-env {}`, or SWITCHBOARD_SECRET_ENV, if the repository is to have it.",
                    offered(connector),
                    typable(name, "NAME"),
                ),
            }),
            Self::Any | Self::Allowed { .. } => Ok(connection_variable(name).map(|held| held.expose_secret().to_owned())?),
        }
    }
}

/// Which files may hold values: any that is named by its whole path, and those in the repository, by the path from its root; so a name
/// means the same wherever a command is started. Neither the repository's git directory nor Switchboard's state, which hold credentials.
#[derive(Debug, Clone, Default)]
pub struct SecretFiles {
    root: Option<PathBuf>,
    barred: Vec<PathBuf>,
    /// The folder the command was started in, which folders that are allowed are named from.
    here: PathBuf,
}

impl SecretFiles {
    /// Those of a repository.
    pub fn of(site: &Site, here: &Path) -> Self {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (root, git) = match &site.location {
            SiteLocation::Local { git, work_tree } => (work_tree.as_deref().map(whole), Some(whole(git))),
            SiteLocation::Remote { .. } => (None, None),
        };
        Self { root, barred: git.into_iter().chain([whole(&site.state)]).collect(), here: here.to_owned() }
    }

    /// What a file holds that may be read for the one that names it.
    pub(super) fn held(&self, path: &str, reach: Reach<'_>) -> Result<String, Unread> {
        let Reach::Allowed { flags, .. } = reach else { return Ok(self.read(path)?) };
        let named = self.root.as_deref().unwrap_or(Path::new("/")).join(path);
        let whole = named.canonicalize();
        let whole = whole.as_deref().unwrap_or(&named);
        // A link in its place would be the repository's, too.
        let offered =
            self.root.iter().map(|root| root.join(OFFERED)).filter(|folder| folder.canonicalize().is_ok_and(|whole| whole == *folder));
        let allowed = flags.secret_dir.iter().filter_map(|folder| self.here.join(folder).canonicalize().ok());
        if allowed.chain(offered).any(|folder| whole.starts_with(folder)) {
            return Ok(self.read(path)?);
        }
        let folder = named.parent().unwrap_or(&named).display().to_string();
        Err(Unread {
            reason: format!("the repository's file may not name the file `{path}`"),
            hint: format!(
                "Keep the value below the repository's {OFFERED}/ in a file that git ignores; or allow its folder with `--secret-dir {}`, or SWITCHBOARD_SECRET_DIR, if the repository is to have all that is in it.",
                typable(&folder, "DIR"),
            ),
        })
    }

    /// What a file holds, without the line's end at its own.
    fn read(&self, path: &str) -> Result<String, String> {
        let named = Path::new(path);
        let failed = |error: std::io::Error| format!("the file `{path}` cannot be read: {error}");
        let refused = |reason: &str| format!("the file `{path}` is not read: {reason}");
        let whole = if named.is_absolute() {
            named.canonicalize().map_err(failed)?
        } else {
            let root = self.root.as_ref().ok_or_else(|| refused("it is named by a path within the repository, which has no files here"))?;
            let is_below = named.components().all(|part| matches!(part, Component::Normal(_)));
            let whole = root.join(named).canonicalize().map_err(failed)?;
            if !is_below || !whole.starts_with(root) {
                return Err(refused("it is outside of the repository, where only whole paths lead"));
            }
            whole
        };
        if self.barred.iter().map(PathBuf::as_path).chain(KERNEL.map(Path::new)).any(|barred| whole.starts_with(barred)) {
            return Err(refused("what is there is no value of a connection"));
        }
        // What is no file, a pipe, may never end.
        if !whole.metadata().map_err(failed)?.is_file() {
            return Err(refused("it is not a file"));
        }
        let mut bytes = Vec::new();
        File::open(&whole).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LARGEST {
            return Err(refused(&format!("it has more than {LARGEST} bytes")));
        }
        let mut text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
        text.truncate(text.strip_suffix('\n').map_or(text.len(), |line| line.strip_suffix('\r').unwrap_or(line).len()));
        if text.is_empty() { Err(refused("it is empty")) } else { Ok(text) }
    }
}

/// A word of a command that somebody may copy; what a stranger's file says is no part of one unless it is harmless there.
fn typable<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if !text.starts_with('-') && !text.is_empty() && text.chars().all(is_plain) { text } else { otherwise }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A team's repository, and a file beside it.
    pub(in crate::assemble) struct Repository {
        folder: tempfile::TempDir,
        pub(in crate::assemble) files: SecretFiles,
    }

    impl Repository {
        pub(in crate::assemble) fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().canonicalize().unwrap().join("team");
            fs::create_dir_all(root.join(".git")).unwrap();
            fs::write(root.join(".git/config"), "password").unwrap();
            fs::write(root.join("token"), "t0ps3cret\n").unwrap();
            fs::write(folder.path().join("outside"), "8080").unwrap();
            symlink(root.join(".git/config"), root.join("to-git")).unwrap();
            symlink(folder.path().join("outside"), root.join("to-outside")).unwrap();
            let files = SecretFiles { barred: vec![root.join(".git")], here: root.clone(), root: Some(root) };
            Self { folder, files }
        }

        pub(in crate::assemble) fn outside(&self) -> String {
            self.folder.path().join("outside").display().to_string()
        }
    }

    #[test]
    fn files_are_read_where_their_names_mean_the_same_to_everybody() {
        let repository = Repository::new();
        let read = |path: &str| repository.files.read(path);
        assert_eq!(read("token"), Ok("t0ps3cret".to_owned()));
        assert_eq!(read(&repository.outside()), Ok("8080".to_owned()));
        let whole = repository.files.root.as_ref().unwrap().join(".git/config").display().to_string();
        for (path, reason) in [
            ("../outside", "outside of the repository"),
            ("to-outside", "outside of the repository"),
            ("to-git", "no value of a connection"),
            (".git/config", "no value of a connection"),
            (&whole, "no value of a connection"),
            ("/proc/self/environ", "no value of a connection"),
            ("/dev/zero", "no value of a connection"),
            (".", "outside of the repository"),
            ("none", "No such file"),
        ] {
            let refused = read(path).unwrap_err();
            assert!(refused.contains(reason), "{path}: {refused}");
        }
        assert!(SecretFiles::default().read("token").unwrap_err().contains("no files here"));
    }

    #[test]
    fn a_file_of_the_repository_names_files_that_are_offered_or_allowed() {
        let repository = Repository::new();
        let root = repository.files.root.clone().unwrap();
        let allowing = |folders: &[&Path]| SecretFlags {
            secret_dir: folders.iter().map(|folder| folder.to_path_buf()).collect(),
            ..SecretFlags::default()
        };
        let held = |path: &str, flags: &SecretFlags| {
            let held = repository.files.held(path, Reach::Allowed { connector: "crm", flags });
            held.map_err(|unread| unread.reason)
        };
        let refused = |path: &str| Err(format!("the repository's file may not name the file `{path}`"));
        let none = allowing(&[]);
        // A link that whoever commits puts where the folder belongs offers nothing.
        fs::create_dir(root.join("secrets")).unwrap();
        fs::write(root.join("secrets/token"), "own").unwrap();
        symlink("secrets", root.join("connections")).unwrap();
        assert_eq!(held("connections/token", &none), refused("connections/token"));
        fs::remove_file(root.join("connections")).unwrap();
        fs::create_dir(root.join("connections")).unwrap();
        fs::write(root.join("connections/token"), "own").unwrap();
        symlink(root.join("token"), root.join("connections/link")).unwrap();
        assert_eq!(held("connections/token", &none), Ok("own".to_owned()));
        let whole = root.join("connections/token").display().to_string();
        assert_eq!(held(&whole, &none), Ok("own".to_owned()));
        let outside = repository.outside();
        for path in ["token", "connections/link", "connections/../token", "to-outside", "none", &outside, "/etc/passwd"] {
            assert_eq!(held(path, &none), refused(path), "{path}");
            assert_eq!(held(path, &allowing(&[Path::new("connections")])), refused(path), "{path}");
        }
        assert_eq!(held(&outside, &allowing(&[repository.folder.path()])), Ok("8080".to_owned()));
        assert_eq!(held("token", &allowing(&[Path::new(".")])), Ok("t0ps3cret".to_owned()));
        let barred = held(".git/config", &allowing(&[Path::new("/")])).unwrap_err();
        assert!(barred.contains("no value of a connection"), "{barred}");
    }
}
