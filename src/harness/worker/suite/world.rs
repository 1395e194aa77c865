//! The World of a test, whoever answers its requests: a clock that only sleeps move, and no chance at all. A rehearsal has the same, so
//! that a test sends what was sent there.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::answer::Coming;
use crate::flow::{Point, Request, Response, Sending, Session, Told, Transport, Unanswered, VirtualClock, What, World};
use crate::model::BundleFiles;

/// What answers the requests of a run.
pub(super) trait Answers: Send + Sync {
    /// What comes of a request, and when.
    fn coming(&self, request: Request) -> Coming;
}

/// The World of one run.
pub(super) struct TestWorld<'a, A> {
    session: Session,
    network: Network<A>,
    files: &'a BundleFiles,
    /// How many times something was tried again; nothing where nobody asks.
    retries: Option<Cell<usize>>,
    reached: RefCell<BTreeSet<Point>>,
}

/// Answers, and the clock by which they come.
struct Network<A> {
    answers: A,
    beginning: Timestamp,
    clock: VirtualClock,
    drawn: AtomicU64,
}

impl<'a, A> TestWorld<'a, A> {
    pub(super) fn of(answers: A, files: &'a BundleFiles, beginning: Timestamp) -> Self {
        let network = Network { answers, beginning, clock: VirtualClock::new(beginning), drawn: AtomicU64::new(0) };
        Self { session: Session::default(), network, files, retries: None, reached: RefCell::default() }
    }

    /// Counts how many times something is tried again. To hear of it costs something.
    pub(super) fn counting_retries(self, counts: bool) -> Self {
        Self { retries: counts.then(Cell::default), ..self }
    }

    /// Runs work on this World's clock.
    pub(super) async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        self.network.clock.drive(work).await
    }

    /// Which points of the connector the run came to.
    pub(super) fn reached_points(&self) -> BTreeSet<Point> {
        self.reached.take()
    }

    pub(super) fn answers(&self) -> &A {
        &self.network.answers
    }

    /// How many times something was tried again, where that was counted.
    pub(super) fn retries(&self) -> usize {
        self.retries.as_ref().map(Cell::get).unwrap_or_default()
    }

    /// How much time has passed since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.network.clock.now().duration_since(self.network.beginning).unsigned_abs()
    }

    pub(super) fn into_answers(self) -> A {
        self.network.answers
    }
}

impl<A> Network<A> {
    fn draw(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[async_trait]
impl<A: Answers> Transport for Network<A> {
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered> {
        let Coming { after, answer } = self.answers.coming(request);
        if !after.is_zero() {
            self.clock.sleep(after).await;
        }
        answer
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
impl<A: Answers> World for TestWorld<'_, A> {
    async fn send(&self, sending: Sending) -> Result<Response, Unanswered> {
        self.session.send(&self.network, sending).await
    }

    async fn file(&self, path: &str) -> Result<Vec<u8>, Unanswered> {
        self.files.get(path).map(<[u8]>::to_vec).ok_or_else(|| Unanswered::configuration("the connector has no such file"))
    }

    fn now(&self) -> Timestamp {
        self.network.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.network.clock.sleep(duration).await;
    }

    fn random(&self) -> u64 {
        self.network.draw()
    }

    fn id(&self) -> String {
        format!("00000000-0000-7000-8000-{:012x}", self.network.draw())
    }

    fn reached(&self, point: Point) {
        self.reached.borrow_mut().insert(point);
    }

    fn hear(&self, told: &dyn Fn() -> Told) {
        if let Some(retries) = &self.retries
            && let What::Retried { .. } = told().what
        {
            retries.set(retries.get() + 1);
        }
    }
}
