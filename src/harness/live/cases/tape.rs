//! Takes down what really crosses the network while a case runs, in the order of its requests: those for tokens among them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use url::Url;

use super::super::conversation::Line;
use super::super::room::Place;
use crate::flow::{Request, Response, Transport, Unanswered};

/// How many requests one recording may hold.
const MOST: usize = 500;
/// How big the body of an answer may be in a recording, in bytes.
const BIGGEST: usize = 64 << 10;

/// What was taken down of one case.
#[derive(Default)]
pub(super) struct Tape {
    is_on: AtomicBool,
    taken: Mutex<Vec<Taken>>,
}

/// A request that was sent, and what came of it.
struct Taken {
    sent: Sent,
    /// Nothing as long as it waits for its answer.
    came: Option<Result<Response, NoAnswer>>,
}

/// What tells a request from others, and what it says of who sends it.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) authorization: Option<String>,
}

/// Why there is no answer that could be recorded.
enum NoAnswer {
    /// There is none.
    Unanswered(String),
    /// It has so many bytes.
    TooBig(usize),
}

impl Tape {
    /// Takes down what is sent from now on, or does not.
    pub(super) fn turn(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Relaxed);
    }

    fn taken(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, request: &Request) -> Option<usize> {
        if !self.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let authorization = request.header("authorization").map(str::to_owned);
        let sent = Sent { method: request.method.clone(), url: request.url.clone(), authorization };
        let mut taken = self.taken();
        taken.push(Taken { sent, came: None });
        Some(taken.len() - 1)
    }

    fn answer(&self, number: usize, answer: &Result<Response, Unanswered>) {
        let mut taken = self.taken();
        // More than a recording may hold is no more than counted.
        if let Some(taken) = taken.get_mut(number).filter(|_| number < MOST) {
            taken.came = Some(match answer {
                Ok(response) if response.body.len() > BIGGEST => Err(NoAnswer::TooBig(response.body.len())),
                Ok(response) => Ok(response.clone()),
                Err(why) => Err(NoAnswer::Unanswered(why.reason.clone())),
            });
        }
    }

    /// All of it, or why it cannot be recorded. What is sent afterwards is not taken down.
    pub(super) fn wind(&self) -> Result<Vec<(Sent, Response)>, String> {
        self.turn(false);
        let taken = std::mem::take(&mut *self.taken());
        if taken.len() > MOST {
            return Err(format!("the case sends {} requests, and a recording holds {MOST} at most: write a smaller case", taken.len()));
        }
        let answered = taken.into_iter().enumerate().map(|(index, Taken { sent, came })| {
            let named = |why: &str| format!("request {} of the case, {} {}, {why}", index + 1, sent.method, sent.url.path());
            match came {
                Some(Ok(response)) => Ok((sent, response)),
                Some(Err(NoAnswer::TooBig(size))) => Err(named(&format!(
                    "is answered with {size} bytes, and a recording holds {BIGGEST} of one answer: write a smaller case, such as one that asks for less"
                ))),
                Some(Err(NoAnswer::Unanswered(why))) => Err(named(&format!("is not answered ({why}), and only answers can be recorded"))),
                None => Err(named("was given up before it was answered, and only answers can be recorded")),
            }
        });
        answered.collect()
    }
}

/// What sends requests, and takes them down.
pub(super) struct TapedLine<'a> {
    pub(super) line: &'a dyn Line,
    pub(super) tape: &'a Tape,
}

impl Line for TapedLine<'_> {
    fn with_place(&self, place: Arc<Place>) -> Box<dyn Transport + '_> {
        Box::new(TapedTransport { transport: self.line.with_place(place), tape: self.tape })
    }
}

struct TapedTransport<'a> {
    transport: Box<dyn Transport + 'a>,
    tape: &'a Tape,
}

#[async_trait]
impl Transport for TapedTransport<'_> {
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered> {
        let number = self.tape.send(&request);
        let answer = self.transport.exchange(request).await;
        if let Some(number) = number {
            self.tape.answer(number, &answer);
        }
        answer
    }

    fn now(&self) -> Timestamp {
        self.transport.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.transport.sleep(duration).await;
    }

    fn random(&self) -> u64 {
        self.transport.random()
    }
}
