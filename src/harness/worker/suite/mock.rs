//! The World of a test: exchanges from the suite in their order, a clock that only sleeps move, and no chance at all.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::exchange;
use crate::flow::{Point, Request, Response, Sending, Session, Transport, Unanswered, VirtualClock, World};
use crate::manifest::Exchange;
use crate::model::BundleFiles;

/// When every test begins: 2025-01-01T00:00:00Z.
const BEGINNING: i64 = 1_735_689_600;

/// When every test begins.
pub(super) fn beginning() -> Timestamp {
    Timestamp::from_second(BEGINNING).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) struct Mock<'a> {
    session: Session,
    network: Network<'a>,
    files: &'a BundleFiles,
    reached: RefCell<BTreeSet<Point>>,
}

/// What answers requests, and the clock they are answered by.
struct Network<'a> {
    exchanges: Vec<&'a Exchange>,
    beginning: Timestamp,
    clock: VirtualClock,
    drawn: AtomicU64,
    seen: Mutex<Seen>,
}

/// What was asked so far.
#[derive(Default)]
struct Seen {
    sent: usize,
    failures: Vec<String>,
}

impl<'a> Mock<'a> {
    pub(super) fn new(exchanges: &'a [Exchange], files: &'a BundleFiles, beginning: Timestamp) -> Self {
        let exchanges = exchanges.iter().flat_map(|exchange| std::iter::repeat_n(exchange, exchange.times.unwrap_or(1).into())).collect();
        let clock = VirtualClock::new(beginning);
        let network = Network { exchanges, beginning, clock, drawn: AtomicU64::new(0), seen: Mutex::default() };
        Self { session: Session::default(), network, files, reached: RefCell::default() }
    }

    /// Runs work on this World's clock.
    pub(super) async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        self.network.clock.drive(work).await
    }

    /// Which points of the connector the run came to.
    pub(super) fn reached_points(&self) -> BTreeSet<Point> {
        self.reached.take()
    }

    /// How many requests were sent.
    pub(super) fn sent(&self) -> usize {
        self.network.seen().sent
    }

    /// How much time has passed.
    pub(super) fn elapsed(&self) -> Duration {
        self.network.clock.now().duration_since(self.network.beginning).unsigned_abs()
    }

    /// Which requests were not as expected, or never came.
    pub(super) fn failures(&self) -> Vec<String> {
        let seen = self.network.seen();
        if !seen.failures.is_empty() {
            return seen.failures.clone();
        }
        let unsent = self.network.exchanges.iter().enumerate().skip(seen.sent);
        unsent
            .map(|(index, exchange)| {
                format!("request {} was never sent: {}", index + 1, exchange.request.as_ref().map_or_else(String::new, exchange::named))
            })
            .collect()
    }
}

impl Network<'_> {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn answer(&self, request: &Request) -> Result<Response, Unanswered> {
        let mut seen = self.seen();
        if !seen.failures.is_empty() {
            // What follows from a wrong request would only hide it: that it is sent again, or that the flow goes on without it.
            return Err(Unanswered::communication("a request before was not as expected"));
        }
        let index = seen.sent;
        let unexpected = |failure: String, seen: &mut Seen| {
            seen.failures.push(failure);
            Unanswered::communication("the test expects no such request")
        };
        let Some(exchange) = self.exchanges.get(index) else {
            let (most, shown) = (self.exchanges.len(), exchange::shown(request));
            return Err(unexpected(format!("request {} is not expected, only {most} are:\n{shown}", index + 1), &mut seen));
        };
        seen.sent = index + 1;
        match exchange.request.as_ref().and_then(|expected| exchange::mismatch(expected, request)) {
            None => exchange.response.as_ref().map(exchange::answer).ok_or_else(|| Unanswered::communication("the test answers nothing")),
            Some(difference) => Err(unexpected(format!("request {} is not as expected:\n{difference}", index + 1), &mut seen)),
        }
    }
}

#[async_trait]
impl Transport for Network<'_> {
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered> {
        self.answer(&request)
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
impl World for Mock<'_> {
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
}
