//! Where a command reads connectors from: the working files, or a commit.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::Door;
use super::at_commit::Commit;
use super::failure::Failure;
use super::given;
use super::working_files::{WorkingFiles, ignored_by, read_folder};
use crate::manifest::LARGEST_FILE;
use crate::model::BundleFiles;
use crate::settings::SiteLocation;

/// The flags that choose.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct SourceFlags {
    /// Read the working files [default, where there are any]
    #[arg(long)]
    working: bool,

    /// Read what is committed on the tracked branch [default, where there are no working files]
    #[arg(long)]
    committed: bool,

    /// Read a commit, branch or tag
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
}

/// Where connectors are read from.
pub enum Source {
    /// The files that people edit.
    Working(WorkingFiles),
    /// A commit.
    Committed(Commit),
}

impl Source {
    /// Opens what the flags choose; `attempt` is what for.
    pub async fn open(flags: &SourceFlags, door: &Door, attempt: &str) -> Result<Self, Failure> {
        if let Some(rev) = &flags.rev {
            return Ok(Self::Committed(Commit::find(&WorkingFiles::open(door, attempt)?, rev)?));
        }
        let has_files = matches!(door.site(attempt)?.location, SiteLocation::Local { work_tree: Some(_), .. });
        if flags.committed || (!flags.working && !has_files) {
            return Ok(Self::Committed(Commit::tracked(door, attempt).await?));
        }
        Ok(Self::Working(WorkingFiles::open(door, attempt)?))
    }

    /// A connector's files, or a refusal that says what was probably meant.
    pub async fn bundle(&self, name: &str, attempt: &str) -> Result<BundleFiles, Failure> {
        match self {
            Self::Working(files) => {
                files.find(name, attempt)?;
                Ok(read_folder(&files.folder(name), &ignored_by(&files.root))?)
            }
            Self::Committed(commit) => match commit.bundles(&[name.to_owned()]).await?.pop() {
                Some((_, Ok(files))) => Ok(files),
                Some((_, Err(error))) => Err(Failure::refused(attempt, error.to_string())),
                None => Err(Failure::refused(attempt, "its folder holds nothing")),
            },
        }
    }

    /// A file of the repository, where there is one. What a link leads to is not in git, and so not read.
    pub async fn file(&self, path: &str, attempt: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Working(files) if !files.root.join(path).exists() => Ok(None),
            Self::Working(files) => {
                if let Some(link) = linked(&files.root, path) {
                    return Err(Failure::refused(attempt, format!("{} is a symbolic link", link.display())));
                }
                given::file(&files.root.join(path), LARGEST_FILE).map(Some)
            }
            Self::Committed(commit) => Ok(commit.file(path).await?),
        }
    }
}

/// The first part of a path that is a link.
fn linked(root: &Path, path: &str) -> Option<PathBuf> {
    let parts = Path::new(path).components().scan(PathBuf::new(), |whole, part: Component<'_>| {
        whole.push(part);
        Some(whole.clone())
    });
    parts.into_iter().find(|part| root.join(part).is_symlink())
}
