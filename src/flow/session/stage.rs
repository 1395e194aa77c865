//! A transport that plays the servers, on a clock of its own; and a driver that lets its time pass when nothing else can happen.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::flow::exchange::{Body, Request, Response};
use crate::flow::world::{Transport, Unanswered};

type Server = dyn Fn(&Request, usize) -> Result<Response, Unanswered> + Send + Sync;

pub(super) struct Stage {
    server: Box<Server>,
    now: Mutex<Timestamp>,
    sleepers: Mutex<Vec<(Timestamp, Waker)>>,
    /// What was sent, and after how many milliseconds.
    sent: Mutex<Vec<(i64, Request)>>,
    drawn: AtomicU64,
}

impl Stage {
    /// The server gets each request with the count of those before it.
    pub(super) fn new(server: impl Fn(&Request, usize) -> Result<Response, Unanswered> + Send + Sync + 'static) -> Self {
        Self {
            server: Box::new(server),
            now: Mutex::new(Timestamp::UNIX_EPOCH),
            sleepers: Mutex::default(),
            sent: Mutex::default(),
            drawn: AtomicU64::new(0),
        }
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
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        let mut future = pin!(future);
        loop {
            while woken.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return output;
                }
            }
            let next = self.sleepers.lock().unwrap().iter().map(|(until, _)| *until).min().expect("nobody hangs");
            *self.now.lock().unwrap() = next;
            self.sleepers.lock().unwrap().extract_if(.., |(until, _)| *until <= next).for_each(|(_, waker)| waker.wake());
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
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
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now().saturating_add(duration).unwrap();
        std::future::poll_fn(|context| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            self.sleepers.lock().unwrap().push((until, context.waker().clone()));
            Poll::Pending
        })
        .await;
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
