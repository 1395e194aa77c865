//! A transport that plays the servers, on a clock that jumps when nothing else can happen.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use jiff::Timestamp;

use crate::flow::exchange::{Body, Request, Response};
use crate::flow::virtual_clock::VirtualClock;
use crate::flow::world::{Transport, Unanswered};

type Server = dyn Fn(&Request, usize) -> Result<Response, Unanswered> + Send + Sync;

pub(super) struct Stage {
    server: Box<Server>,
    clock: VirtualClock,
    /// What was sent, and after how many milliseconds.
    sent: Mutex<Vec<(i64, Request)>>,
    drawn: AtomicU64,
}

impl Stage {
    /// The server gets each request with the count of those before it.
    pub(super) fn new(server: impl Fn(&Request, usize) -> Result<Response, Unanswered> + Send + Sync + 'static) -> Self {
        Self { server: Box::new(server), clock: VirtualClock::new(Timestamp::UNIX_EPOCH), sent: Mutex::default(), drawn: AtomicU64::new(0) }
    }

    pub(super) fn sent(&self) -> Vec<(i64, Request)> {
        self.sent.lock().unwrap().clone()
    }

    /// When requests were sent whose path is this.
    pub(super) fn times(&self, path: &str) -> Vec<i64> {
        self.sent().into_iter().filter(|(_, request)| request.url.path() == path).map(|(time, _)| time).collect()
    }

    /// Runs to the end. Panics where everybody waits and nobody sleeps: that would be forever.
    pub(super) fn run<F: Future>(&self, future: F) -> F::Output {
        self.clock.drive(future).now_or_never().expect("nobody hangs")
    }
}

#[async_trait]
impl Transport for Stage {
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered> {
        let before = {
            let mut sent = self.sent.lock().unwrap();
            sent.push((self.now().as_millisecond(), request.clone()));
            sent.len() - 1
        };
        let latency = if request.url.path() == "/slow" { 50 } else { 10 };
        self.sleep(Duration::from_millis(latency)).await;
        (self.server)(&request, before)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    fn random(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::SeqCst)
    }
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, Unanswered> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: body.as_bytes().to_vec() })
}

pub(super) fn get(url: &str) -> Request {
    Request { method: "GET".to_owned(), url: url.parse().unwrap(), headers: Vec::new(), body: None }
}

/// A field of a form that was sent.
pub(super) fn field(request: &Request, name: &str) -> Option<String> {
    let Some(Body::Form(fields)) = &request.body else { return None };
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}
