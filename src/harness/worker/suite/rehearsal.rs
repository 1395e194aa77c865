//! The World of a rehearsal: a case runs as its suite says, on the answers that a live run had, and what it sends is written down. The
//! live run's secrets were never here, so none of them can be in what is written.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Ran, exchange, recorded};
use crate::flow::{Outcome, Request, Response, Sending, Session, Told, Transport, Unanswered, VirtualClock, What, World};
use crate::harness::protocol::Crossing;
use crate::manifest::Exchange;
use crate::model::BundleFiles;

/// What a live run had, and what its rehearsal sends.
pub(in crate::harness::worker) struct Transcript {
    crossings: Vec<Crossing>,
    taken: RefCell<Vec<Exchange>>,
}

impl Transcript {
    pub(in crate::harness::worker) fn new(crossings: Vec<Crossing>) -> Self {
        Self { crossings, taken: RefCell::default() }
    }

    /// What was sent, and the answers.
    pub(super) fn taken(&self) -> Vec<Exchange> {
        self.taken.take()
    }
}

/// The World of one run. It draws and tells the time as the World of a test does, so that a test sends the same.
pub(super) struct Rehearsed<'a> {
    session: Session,
    replay: Replay<'a>,
    transcript: &'a Transcript,
    files: &'a BundleFiles,
    /// How many times something was tried again; nothing where nobody asks.
    retries: Option<Cell<usize>>,
}

struct Replay<'a> {
    beginning: Timestamp,
    clock: VirtualClock,
    drawn: AtomicU64,
    seen: Mutex<Seen<'a>>,
}

struct Seen<'a> {
    /// What was not sent again yet, with the number it had.
    outstanding: Vec<(usize, &'a Crossing)>,
    sent: Vec<(Request, &'a Response)>,
    failure: Option<String>,
}

impl<'a> Rehearsed<'a> {
    pub(super) fn new(transcript: &'a Transcript, files: &'a BundleFiles, beginning: Timestamp) -> Self {
        let outstanding = transcript.crossings.iter().enumerate().map(|(index, crossing)| (index + 1, crossing)).collect();
        let seen = Mutex::new(Seen { outstanding, sent: Vec::new(), failure: None });
        let replay = Replay { beginning, clock: VirtualClock::new(beginning), drawn: AtomicU64::new(0), seen };
        Self { session: Session::default(), replay, transcript, files, retries: None }
    }

    /// Counts how many times something is tried again.
    pub(super) fn counting_retries(self, counts: bool) -> Self {
        Self { retries: counts.then(Cell::default), ..self }
    }

    /// Runs work on this World's clock.
    pub(super) async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        self.replay.clock.drive(work).await
    }

    /// Keeps what was sent; the error is how that differs from what the live run had sent.
    pub(super) fn end(self, outcome: Outcome) -> Result<Ran, Vec<String>> {
        let seen = self.replay.seen();
        if let Some(failure) = &seen.failure {
            return Err(vec![failure.clone()]);
        }
        let unsent: Vec<String> = seen.outstanding.iter().map(|(number, crossing)| unsent(*number, crossing)).collect();
        if !unsent.is_empty() {
            return Err(unsent);
        }
        self.transcript.taken.replace(recorded::exchanges(&seen.sent));
        let sent = seen.sent.iter().map(|(request, _)| request.clone()).collect();
        let elapsed = self.replay.clock.now().duration_since(self.replay.beginning).unsigned_abs();
        Ok(Ran { outcome, sent, retries: self.retries.as_ref().map(Cell::get).unwrap_or_default(), elapsed })
    }
}

fn unsent(number: usize, Crossing { method, url, .. }: &Crossing) -> String {
    format!("the live run sent {method} {} as request {number}; with the suite's values, the flow does not", url.path())
}

impl<'a> Replay<'a> {
    fn seen(&self) -> MutexGuard<'_, Seen<'a>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn answer(&self, request: Request) -> Result<Response, Unanswered> {
        let mut seen = self.seen();
        if seen.failure.is_some() {
            return Err(Unanswered::communication("a request before was none of the live run's"));
        }
        let is_same = |crossing: &Crossing| crossing.method == request.method && crossing.url.path() == request.url.path();
        match seen.outstanding.iter().position(|(_, crossing)| is_same(crossing)) {
            Some(at) => {
                let (_, crossing) = seen.outstanding.remove(at);
                seen.sent.push((request, &crossing.response));
                Ok(crossing.response.clone())
            }
            None => {
                let shown = exchange::shown(&request);
                let next = seen.outstanding.first().map_or_else(
                    || "no request any more".to_owned(),
                    |(number, crossing)| format!("{} {} as request {number}", crossing.method, crossing.url.path()),
                );
                seen.failure = Some(format!(
                    "with the suite's values, the flow sends a request that the live run, which sent {next}, did not:\n{shown}"
                ));
                Err(Unanswered::communication("the live run sent no such request"))
            }
        }
    }
}

#[async_trait]
impl Transport for Replay<'_> {
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered> {
        self.answer(request)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    fn random(&self) -> u64 {
        self.draw()
    }
}

#[async_trait(?Send)]
impl World for Rehearsed<'_> {
    async fn send(&self, sending: Sending) -> Result<Response, Unanswered> {
        self.session.send(&self.replay, sending).await
    }

    async fn file(&self, path: &str) -> Result<Vec<u8>, Unanswered> {
        self.files.get(path).map(<[u8]>::to_vec).ok_or_else(|| Unanswered::configuration("the connector has no such file"))
    }

    fn now(&self) -> Timestamp {
        self.replay.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.replay.clock.sleep(duration).await;
    }

    fn random(&self) -> u64 {
        self.replay.draw()
    }

    fn id(&self) -> String {
        format!("00000000-0000-7000-8000-{:012x}", self.replay.draw())
    }

    fn hear(&self, told: &dyn Fn() -> Told) {
        if let Some(retries) = &self.retries
            && let What::Retried { .. } = told().what
        {
            retries.set(retries.get() + 1);
        }
    }
}
