//! Evidence in the state of the repository: what has passed is not run again, and what is run is kept for all who come after.

use std::cell::RefCell;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::assemble;
use crate::cli::Door;
use crate::daemon::Lease;
use crate::model::{Clock as _, Digest, ENGINE_LEVEL, Evidence, Fact, SystemClock};
use crate::repository::request_wake;
use crate::store::{NewFact, SqlStore, Store as _};

/// The evidence that is kept. Where there is no state nothing is, and nobody is told; where it cannot be used, tests run without it.
/// The default keeps nothing: what runs that are not whole show is no evidence.
#[derive(Default)]
pub(super) struct Kept {
    store: Option<SqlStore>,
    state: PathBuf,
    /// Why it cannot be used any more.
    trouble: RefCell<Option<String>>,
    /// Whether something new is kept.
    is_news: RefCell<bool>,
}

impl Kept {
    /// Opens the state of the repository, where there is one.
    pub(super) async fn open(door: &Door) -> Self {
        let mut kept = Self::default();
        match kept.find(door).await {
            Ok(store) => kept.store = store,
            Err(error) => kept.give_up(&error),
        }
        kept
    }

    async fn find(&mut self, door: &Door) -> Result<Option<SqlStore>> {
        let site = door.settings.site()?;
        self.state.clone_from(&site.state);
        if !site.state.exists() {
            return Ok(None);
        }
        site.bond.check()?;
        assemble::existing_store(&site).await
    }

    /// Whether there may be evidence in it.
    pub(super) fn is_open(&self) -> bool {
        self.usable().is_some()
    }

    fn usable(&self) -> Option<&SqlStore> {
        self.store.as_ref().filter(|_| self.trouble.borrow().is_none())
    }

    /// After the first trouble nothing is tried again: who waits for a lock once does not wait for it with every connector.
    fn give_up(&self, error: &anyhow::Error) {
        self.trouble.replace(Some(format!("{error:#}")));
    }

    /// What the newest run of this content at this engine level showed, where nothing failed. A failure is to be seen again.
    pub(super) async fn good(&self, digest: &Digest) -> Option<Evidence> {
        let newest = self.usable()?.evidence(digest, ENGINE_LEVEL, 1).await;
        let newest = newest.map_err(|error| self.give_up(&error)).ok()?.pop();
        newest.filter(|evidence| evidence.verdict().is_good())
    }

    /// Keeps the evidence of a whole run.
    pub(super) async fn keep(&self, evidence: &Evidence) {
        let Some(store) = self.usable() else { return };
        let fact = Fact::TestsFinished { digest: evidence.digest, verdict: evidence.verdict() };
        let fact = NewFact { at: SystemClock.now(), connector: evidence.connector.clone(), fact };
        match store.append_evidence(evidence, &[fact]).await {
            Ok(()) => drop(self.is_news.replace(true)),
            Err(error) => self.give_up(&error),
        }
    }

    /// Ends: the daemon is told to look, and people are told what went wrong.
    pub(super) async fn close(self, door: &Door) {
        if let Some(store) = &self.store {
            store.close().await;
        }
        if *self.is_news.borrow()
            && Lease::holder(&self.state).is_some()
            && let Err(error) = request_wake(&self.state).context("cannot wake the daemon, which will look by itself")
        {
            door.shell.warn(format!("{error:#}"));
        }
        if let Some(trouble) = self.trouble.into_inner() {
            door.shell.warn(format!("what the tests show is not kept as evidence: {trouble}"));
        }
    }
}
