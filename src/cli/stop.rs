//! How people end a command that runs until it is told to stop.

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What SIGINT and SIGTERM ask for.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// To end well: the first signal.
    pub asked: CancellationToken,
    /// To end at once: the second.
    pub insisted: CancellationToken,
}

impl Stop {
    /// Listens from now on.
    pub fn listen() -> Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
        let stop = Self::default();
        let told = stop.clone();
        tokio::spawn(async move {
            for token in [told.asked, told.insisted] {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                token.cancel();
            }
        });
        Ok(stop)
    }
}
