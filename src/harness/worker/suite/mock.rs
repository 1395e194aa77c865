//! The World of a test: exchanges from the suite as they are to come, a clock that only sleeps move, and no chance at all.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::answer::{self, Coming};
use super::difference::pretty;
use super::exchange::{self, Sent};
use super::judging::Judging;
use super::script::{Member, Script};
use super::spot::Spot;
use super::{Ran, unexpected};
use crate::flow::{Outcome, Point, Request, Response, Sending, Session, Told, Transport, Unanswered, VirtualClock, What, World};
use crate::manifest::Exchange;
use crate::model::{BundleFiles, Failure};

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
    /// How many times something was tried again; nothing where nobody asks.
    retries: Option<Cell<usize>>,
    reached: RefCell<BTreeSet<Point>>,
}

/// What answers requests, and the clock they are answered by.
struct Network<'a> {
    judging: Judging<'a>,
    files: &'a BundleFiles,
    beginning: Timestamp,
    clock: VirtualClock,
    drawn: AtomicU64,
    seen: Mutex<Seen<'a>>,
}

/// What was asked so far.
struct Seen<'a> {
    script: Script<'a>,
    sent: Vec<Request>,
    failures: Vec<Failure>,
}

impl<'a> Mock<'a> {
    /// The error is an exchange that nothing can be made of.
    pub(super) fn new(
        exchanges: &'a [Exchange],
        spot: Spot<'a>,
        judging: Judging<'a>,
        files: &'a BundleFiles,
        beginning: Timestamp,
    ) -> Result<Self, Failure> {
        let script = Script::of(exchanges, spot)?;
        let missing = |member: &Member<'_>| script.at(member, |spot| answer::without_file(member.response, files, spot.key("response")));
        if let Some(failure) = script.outstanding().chain(script.later()).find_map(missing) {
            return Err(failure);
        }
        let seen = Mutex::new(Seen { script, sent: Vec::new(), failures: Vec::new() });
        let network = Network { judging, files, beginning, clock: VirtualClock::new(beginning), drawn: AtomicU64::new(0), seen };
        Ok(Self { session: Session::default(), network, files, retries: None, reached: RefCell::default() })
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

    /// Which requests were not as expected or never came. Where some never came, the error that ended the flow comes before them: most
    /// likely it is why.
    pub(super) fn failures(&self, outcome: &Outcome) -> Vec<Failure> {
        let seen = self.network.seen();
        if !seen.failures.is_empty() {
            return seen.failures.clone();
        }
        let unsent = seen.script.unsent(exchange::named);
        match (&outcome.result, unsent.is_empty()) {
            (Err(fault), false) => {
                let fault = pretty(&fault.to_json());
                let told = format!("the flow ended with an error before it had sent all that is expected:\n{}", fault.trim_end());
                std::iter::once(Failure::from(told)).chain(unsent).collect()
            }
            (Ok(_), _) | (Err(_), true) => unsent,
        }
    }

    /// What the run took, once it has ended.
    pub(super) fn ran(self, outcome: Outcome) -> Ran {
        let elapsed = self.network.clock.now().duration_since(self.network.beginning).unsigned_abs();
        let retries = self.retries.map(Cell::into_inner).unwrap_or_default();
        let seen = self.network.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ran { outcome, sent: seen.sent, retries, elapsed }
    }
}

impl<'a> Network<'a> {
    fn seen(&self) -> MutexGuard<'_, Seen<'a>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn coming(&self, request: Request) -> Coming {
        let mut seen = self.seen();
        let Seen { script, sent, failures } = &mut *seen;
        let refused = |why: &str| Coming { after: Duration::ZERO, answer: Err(Unanswered::communication(why)) };
        if !failures.is_empty() {
            // What follows from a wrong request would only hide it: that it is sent again, or that the flow goes on without it.
            return refused("a request before was not as expected");
        }
        let actual = Sent::of(&request);
        let taken = script.take(|member| actual.fits(member.request) && unexpected::unruly(member, &actual, self.judging).is_empty());
        match taken {
            Some(member) => {
                let coming = answer::coming(member.response, self.files, &request);
                sent.push(request);
                coming
            }
            None => {
                *failures = unexpected::failures(script, &actual, self.judging);
                refused("the test expects no such request")
            }
        }
    }
}

#[async_trait]
impl Transport for Network<'_> {
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered> {
        let Coming { after, answer } = self.coming(request);
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

    fn hear(&self, told: &dyn Fn() -> Told) {
        if let Some(retries) = &self.retries
            && let What::Retried { .. } = told().what
        {
            retries.set(retries.get() + 1);
        }
    }
}
