//! The World of a test: exchanges from the suite in their order, a clock that only sleeps move, and no chance at all.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::exchange;
use crate::flow::{Response, Sending, Unanswered, World};
use crate::manifest::Exchange;

/// When every test begins: 2025-01-01T00:00:00Z.
const BEGINNING: i64 = 1_735_689_600;

/// When every test begins.
pub(super) fn beginning() -> Timestamp {
    Timestamp::from_second(BEGINNING).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) struct Mock<'a> {
    exchanges: &'a [Exchange],
    sent: Cell<usize>,
    failures: RefCell<Vec<String>>,
    slept: Cell<Duration>,
    drawn: Cell<u64>,
}

impl<'a> Mock<'a> {
    pub(super) fn new(exchanges: &'a [Exchange]) -> Self {
        Self { exchanges, sent: Cell::new(0), failures: RefCell::new(Vec::new()), slept: Cell::new(Duration::ZERO), drawn: Cell::new(0) }
    }

    /// Which requests were not as expected, or never came.
    pub(super) fn failures(self) -> Vec<String> {
        let mut failures = self.failures.into_inner();
        if failures.is_empty() {
            let unsent = self.exchanges.iter().enumerate().skip(self.sent.get());
            failures.extend(
                unsent.map(|(index, exchange)| format!("request {} was never sent: {}", index + 1, exchange::named(&exchange.request))),
            );
        }
        failures
    }

    fn unexpected(&self, failure: String) -> Unanswered {
        self.failures.borrow_mut().push(failure);
        Unanswered::communication("the test expects no such request")
    }

    fn draw(&self) -> u64 {
        self.drawn.set(self.drawn.get() + 1);
        self.drawn.get()
    }
}

#[async_trait(?Send)]
impl World for Mock<'_> {
    async fn send(&self, sending: Sending) -> Result<Response, Unanswered> {
        let request = sending.request;
        let index = self.sent.get();
        let Some(exchange) = self.exchanges.get(index) else {
            let shown = exchange::shown(&request);
            return Err(self.unexpected(format!("request {} is not expected, only {} are:\n{shown}", index + 1, self.exchanges.len())));
        };
        self.sent.set(index + 1);
        match exchange::mismatch(&exchange.request, &request) {
            None => Ok(exchange::answer(&exchange.response)),
            Some(difference) => Err(self.unexpected(format!("request {} is not as expected:\n{difference}", index + 1))),
        }
    }

    async fn file(&self, _: &str) -> Result<Vec<u8>, Unanswered> {
        Err(Unanswered::configuration("there are no files"))
    }

    fn now(&self) -> Timestamp {
        beginning().saturating_add(self.slept.get()).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        self.slept.set(self.slept.get().saturating_add(duration));
    }

    fn random(&self) -> u64 {
        self.draw()
    }

    fn id(&self) -> String {
        format!("00000000-0000-7000-8000-{:012x}", self.draw())
    }
}
