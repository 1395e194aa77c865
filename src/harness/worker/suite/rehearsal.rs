//! Requests answered as a live run was: a case is rehearsed as its suite says, and what it sends is written down. The live run's secrets
//! were never here, so none of them can be in what is written.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::answer::Coming;
use super::world::{Answers, TestWorld};
use super::{Ran, exchange, recorded};
use crate::flow::{Outcome, Request, Response, Unanswered};
use crate::harness::protocol::Crossing;
use crate::manifest::Exchange;
use crate::model::BundleFiles;

/// What a live run had, and what its rehearsal sends.
pub(in crate::harness::worker) struct Transcript {
    crossings: Vec<Crossing>,
    taken: Mutex<Vec<Exchange>>,
}

impl Transcript {
    pub(in crate::harness::worker) fn new(crossings: Vec<Crossing>) -> Self {
        Self { crossings, taken: Mutex::default() }
    }

    /// What was sent, and the answers.
    pub(super) fn taken(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The World of one run on a transcript.
pub(super) type Rehearsed<'a> = TestWorld<'a, Replay<'a>>;

/// What answers requests.
pub(super) struct Replay<'a> {
    transcript: &'a Transcript,
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
        Self::of(Replay { transcript, seen }, files, beginning)
    }

    /// Keeps what was sent; the error is how that differs from what the live run had sent.
    pub(super) fn end(self, outcome: Outcome) -> Result<Ran, Vec<String>> {
        let (retries, elapsed) = (self.retries(), self.elapsed());
        let Replay { transcript, seen } = self.into_answers();
        let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = seen.failure {
            return Err(vec![failure]);
        }
        let unsent: Vec<String> = seen.outstanding.iter().map(|(number, crossing)| unsent(*number, crossing)).collect();
        if !unsent.is_empty() {
            return Err(unsent);
        }
        *transcript.taken.lock().unwrap_or_else(PoisonError::into_inner) = recorded::exchanges(&seen.sent);
        let sent = seen.sent.into_iter().map(|(request, _)| request).collect();
        Ok(Ran { outcome, sent, retries, elapsed })
    }
}

fn unsent(number: usize, Crossing { method, url, .. }: &Crossing) -> String {
    format!("the live run sent {method} {} as request {number}; with the suite's values, the flow does not", url.path())
}

impl<'a> Replay<'a> {
    fn seen(&self) -> MutexGuard<'_, Seen<'a>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Answers for Replay<'_> {
    fn coming(&self, request: Request) -> Coming {
        Coming { after: Duration::ZERO, answer: self.answer(request) }
    }
}
