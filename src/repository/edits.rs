//! Tells which connectors' files change in a work tree. It tells of one too many rather than of one too few: whoever is told looks.

use std::collections::BTreeSet;
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long nothing must happen before changes are told of: editors write a file in several steps, and others many files in a row.
const QUIET: Duration = Duration::from_millis(50);
/// How long changes are gathered at most.
const LONGEST: Duration = Duration::from_millis(500);

/// A running watch over `connectors/`; dropping it ends it.
#[derive(Debug)]
pub struct Edits {
    root: PathBuf,
    connectors: PathBuf,
    system: RecommendedWatcher,
    seen: UnboundedReceiver<notify::Result<Event>>,
    gathered: Edited,
    /// When the first of what is gathered came, and until when it is waited for more.
    waits: Option<(Instant, Instant)>,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// The folders of these names below `connectors/`.
    Some(BTreeSet<String>),
    /// Nobody can tell what: any of them may have.
    All,
}

impl Edited {
    fn none() -> Self {
        Self::Some(BTreeSet::new())
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::Some(names) if names.is_empty())
    }

    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Some(names), Self::Some(more)) => names.extend(more),
            (all, Self::All) => *all = Self::All,
            (Self::All, Self::Some(_)) => {}
        }
    }
}

impl Edits {
    /// Watches the work tree with this root from now on, whether it has a folder `connectors/` yet or not.
    pub fn start(root: &Path) -> Result<Self> {
        let root = root.canonicalize().with_context(|| format!("cannot find {}", root.display()))?;
        let (sender, seen) = unbounded_channel();
        let told = move |event| {
            sender.send(event).ok();
        };
        let mut system = notify::recommended_watcher(told).context("cannot watch files")?;
        system.watch(&root, RecursiveMode::NonRecursive).with_context(|| format!("cannot watch {}", root.display()))?;
        let connectors = root.join("connectors");
        if connectors.is_dir() {
            system.watch(&connectors, RecursiveMode::Recursive).with_context(|| format!("cannot watch {}", connectors.display()))?;
        }
        Ok(Self { root, connectors, system, seen, gathered: Edited::none(), waits: None })
    }

    /// Waits for the next changes. What was gathered is not lost where nobody waits any more.
    pub async fn next(&mut self) -> Edited {
        loop {
            let Some((_, until)) = self.waits else {
                match self.seen.recv().await {
                    Some(event) => self.gather(event),
                    // The watcher lives as long as this value, and the channel with it.
                    None => std::future::pending().await,
                }
                continue;
            };
            match timeout_at(until, self.seen.recv()).await {
                Ok(Some(event)) => self.gather(event),
                Ok(None) => sleep_until(until).await,
                Err(_) => {
                    self.waits = None;
                    return mem::replace(&mut self.gathered, Edited::none());
                }
            }
        }
    }

    fn gather(&mut self, event: notify::Result<Event>) {
        let edited = match event {
            Ok(event) if !event.need_rescan() => self.edited(&event),
            lost => {
                tracing::debug!(?lost, "events of the file system were lost; looking at everything");
                self.watch_anew();
                Edited::All
            }
        };
        if edited.is_none() {
            return;
        }
        self.gathered.add(edited);
        let now = Instant::now();
        let first = self.waits.map_or(now, |(first, _)| first);
        self.waits = Some((first, (now + QUIET).min(first + LONGEST)));
    }

    fn edited(&mut self, event: &Event) -> Edited {
        let mut edited = Edited::none();
        // Reads are reported too, and testing reads.
        if matches!(event.kind, EventKind::Access(_)) {
            return edited;
        }
        for path in &event.paths {
            let Ok(below) = path.strip_prefix(&self.connectors) else { continue };
            match below.components().next() {
                Some(name) => edited.add(Edited::Some(BTreeSet::from([name.as_os_str().to_string_lossy().into_owned()]))),
                None => {
                    self.watch_anew();
                    edited.add(Edited::All);
                }
            }
        }
        edited
    }

    /// The folder may be another one by now, or be there for the first time.
    fn watch_anew(&mut self) {
        self.system.unwatch(&self.connectors).ok();
        if self.connectors.is_dir()
            && let Err(error) = self.system.watch(&self.connectors, RecursiveMode::Recursive)
        {
            tracing::warn!("cannot watch {} below {}: {error}", self.connectors.display(), self.root.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(names: &[&str]) -> Edited {
        Edited::Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// The changes until one of a name is among them: an editor's single save may be told of twice.
    async fn until(edits: &mut Edits, name: &str) {
        loop {
            match edits.next().await {
                Edited::Some(names) if names.contains(name) => return,
                Edited::Some(_) | Edited::All => {}
            }
        }
    }

    #[tokio::test]
    async fn a_save_tells_of_its_connector_however_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let crm = folder.path().join("connectors/crm");
        fs::create_dir_all(crm.join("tests")).unwrap();
        let mut edits = Edits::start(folder.path()).unwrap();
        fs::write(folder.path().join("README.md"), "beside").unwrap();
        fs::write(crm.join("connector.yaml"), "in place").unwrap();
        assert_eq!(edits.next().await, names(&["crm"]));
        fs::write(crm.join("tests/.new"), "by another name").unwrap();
        fs::rename(crm.join("tests/.new"), crm.join("tests/all.yaml")).unwrap();
        until(&mut edits, "crm").await;
        fs::remove_dir_all(&crm).unwrap();
        until(&mut edits, "crm").await;
    }

    #[tokio::test]
    async fn a_folder_that_comes_later_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let mut edits = Edits::start(folder.path()).unwrap();
        for _ in 0..2 {
            fs::create_dir(folder.path().join("connectors")).unwrap();
            while edits.next().await != Edited::All {}
            fs::create_dir_all(folder.path().join("connectors/new/tests")).unwrap();
            until(&mut edits, "new").await;
            fs::write(folder.path().join("connectors/new/tests/a.yaml"), "").unwrap();
            until(&mut edits, "new").await;
            fs::remove_dir_all(folder.path().join("connectors")).unwrap();
            while edits.next().await != Edited::All {}
        }
    }
}
