//! Wakes the daemon when a repository's references may have moved, or when another process asks for it. A wake carries no data:
//! one too many costs a look, and several at once are one.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use notify::event::{CreateKind, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use super::Location;

/// How long events are gathered before they become one wake.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// How often the watched folders are looked after: one that went away is watched again when it is back.
const PRESENCE: Duration = Duration::from_millis(500);

/// A running watch; dropping it ends it.
#[derive(Debug)]
pub struct Watch {
    inbox: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Seen(notify::Result<Event>),
    Stop,
}

impl Watch {
    /// Watches the references of a local repository, and the state folder for requests. Each wake is one `notify_one`.
    /// Of a remote only requests are seen: asking it from time to time is the daemon's business.
    pub fn start(location: &Location, state: &Path, wake: Arc<Notify>) -> Result<Self> {
        let requests = requests(state);
        fs::create_dir_all(&requests).with_context(|| format!("cannot create {}", requests.display()))?;
        let mut targets = vec![Target::new(requests, RecursiveMode::NonRecursive, Interest::Everything)];
        if let Some(path) = location.local_path() {
            let repo = git2::Repository::open(path).with_context(|| format!("cannot open the repository at {}", path.display()))?;
            let git_dir = repo.commondir().canonicalize().context("cannot find the git directory")?;
            let refs = git_dir.join("refs");
            targets.push(Target::new(git_dir, RecursiveMode::NonRecursive, Interest::Names(&["HEAD", "packed-refs"])));
            targets.push(Target::new(refs, RecursiveMode::Recursive, Interest::Everything));
        }
        let (inbox, messages) = channel();
        let sender = inbox.clone();
        let seen = move |event| {
            sender.send(Message::Seen(event)).ok();
        };
        let system = notify::recommended_watcher(seen).context("cannot watch files")?;
        let mut watcher = Watcher { system, targets, wake };
        for target in &mut watcher.targets {
            target.register(&mut watcher.system).with_context(|| format!("cannot watch {}", target.path.display()))?;
        }
        let thread = thread::Builder::new().name("watch".to_owned()).spawn(move || watcher.run(&messages)).context("cannot watch files")?;
        Ok(Self { inbox, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.inbox.send(Message::Stop).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Asks the daemon that works on this state folder, if there is one, to look at once.
pub fn request_wake(state: &Path) -> io::Result<()> {
    let folder = requests(state);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("request"), "look\n")
}

/// Requests have a folder of their own, so that the database's files beside it cause no events.
fn requests(state: &Path) -> PathBuf {
    state.join("wake")
}

struct Watcher {
    system: RecommendedWatcher,
    targets: Vec<Target>,
    wake: Arc<Notify>,
}

impl Watcher {
    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let mut moved = false;
            let mut wait = PRESENCE;
            let mut gathered_until = None;
            loop {
                match messages.recv_timeout(wait) {
                    Ok(Message::Seen(event)) => moved |= self.react(event),
                    Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => break,
                }
                wait = gathered_until.get_or_insert_with(|| Instant::now() + DEBOUNCE).saturating_duration_since(Instant::now());
            }
            if self.look_after() || moved {
                self.wake.notify_one();
            }
        }
    }

    /// Whether an event tells of a change.
    fn react(&mut self, event: notify::Result<Event>) -> bool {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            lost => {
                tracing::debug!(?lost, "events of the file system were lost; beginning anew");
                self.targets.iter_mut().for_each(|target| target.lost = true);
                return true;
            }
        };
        let mut moved = false;
        for target in self.targets.iter_mut().filter(|target| target.concerns(&event)) {
            moved = true;
            target.lost |= match event.kind {
                // What was created in a new folder before it was watched gives no event: watch again, then look.
                EventKind::Create(CreateKind::Folder) => target.mode == RecursiveMode::Recursive,
                EventKind::Modify(ModifyKind::Name(_)) => event.paths.iter().any(|path| path.is_dir()),
                EventKind::Remove(_) => event.paths.contains(&target.path),
                _ => false,
            };
        }
        moved
    }

    /// Watches anew what was lost or is another folder by now; whether there was any.
    fn look_after(&mut self) -> bool {
        let mut changed = false;
        for target in &mut self.targets {
            let identity = identity(&target.path);
            if !target.lost && identity == target.registered {
                continue;
            }
            self.system.unwatch(&target.path).ok();
            target.registered = None;
            target.lost = identity.is_some() && target.register(&mut self.system).is_err();
            // What cannot be watched is tried again, and wakes nobody until it can.
            changed |= !target.lost;
        }
        changed
    }
}

/// One watched folder.
struct Target {
    path: PathBuf,
    mode: RecursiveMode,
    interest: Interest,
    /// Which folder the watch is on; another one may stand at the same path later.
    registered: Option<(u64, u64)>,
    /// The watch must be set anew.
    lost: bool,
}

enum Interest {
    Everything,
    Names(&'static [&'static str]),
}

impl Target {
    fn new(path: PathBuf, mode: RecursiveMode, interest: Interest) -> Self {
        Self { path, mode, interest, registered: None, lost: false }
    }

    fn register(&mut self, system: &mut RecommendedWatcher) -> notify::Result<()> {
        self.registered = identity(&self.path);
        system.watch(&self.path, self.mode)
    }

    /// Whether an event tells of a change. Reads are reported too, and would make the daemon wake itself for ever.
    fn concerns(&self, event: &Event) -> bool {
        !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(|path| self.is_interesting(path))
    }

    fn is_interesting(&self, path: &Path) -> bool {
        if path == self.path {
            return true;
        }
        let is_lock = path.extension().is_some_and(|extension| extension == "lock");
        match self.interest {
            Interest::Everything => path.starts_with(&self.path) && !is_lock,
            Interest::Names(names) => {
                path.parent() == Some(&self.path) && path.file_name().is_some_and(|name| names.iter().any(|wanted| name == *wanted))
            }
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, ModifyKind};

    use super::*;

    #[test]
    fn reads_locks_and_other_files_wake_nobody() {
        let git_dir = Target::new("/r/.git".into(), RecursiveMode::NonRecursive, Interest::Names(&["HEAD", "packed-refs"]));
        let refs = Target::new("/r/.git/refs".into(), RecursiveMode::Recursive, Interest::Everything);
        let event = |kind, path: &str| Event::new(kind).add_path(path.into());
        let modified = EventKind::Modify(ModifyKind::Any);
        assert!(refs.concerns(&event(modified, "/r/.git/refs/heads/main")));
        assert!(!refs.concerns(&event(EventKind::Access(AccessKind::Any), "/r/.git/refs/heads/main")));
        assert!(!refs.concerns(&event(modified, "/r/.git/refs/heads/main.lock")));
        assert!(refs.concerns(&event(modified, "/r/.git/refs/heads/main.lock").add_path("/r/.git/refs/heads/main".into())));
        assert!(git_dir.concerns(&event(modified, "/r/.git/packed-refs")));
        assert!(!git_dir.concerns(&event(modified, "/r/.git/index")));
    }
}
