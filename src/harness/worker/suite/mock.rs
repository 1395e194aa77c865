//! Requests answered by the exchanges of a suite, as they are to come.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::answer::{self, Coming};
use super::difference::pretty;
use super::exchange::{self, Sent};
use super::judging::Judging;
use super::script::{Member, Script};
use super::spot::Spot;
use super::world::{Answers, TestWorld};
use super::{Ran, unexpected};
use crate::flow::{Outcome, Request, Unanswered};
use crate::manifest::Exchange;
use crate::model::{BundleFiles, Failure};

/// When every test begins: 2025-01-01T00:00:00Z.
const BEGINNING: i64 = 1_735_689_600;

/// When every test begins.
pub(super) fn beginning() -> Timestamp {
    Timestamp::from_second(BEGINNING).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The World of a run on exchanges.
pub(super) type Mock<'a> = TestWorld<'a, Mocked<'a>>;

/// What answers requests.
pub(super) struct Mocked<'a> {
    judging: Judging<'a>,
    files: &'a BundleFiles,
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
        Ok(Self::of(Mocked { judging, files, seen }, files, beginning))
    }

    /// Which requests were not as expected or never came. Where some never came, the error that ended the flow comes before them: most
    /// likely it is why.
    pub(super) fn failures(&self, outcome: &Outcome) -> Vec<Failure> {
        let seen = self.answers().seen();
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
        let (retries, elapsed) = (self.retries(), self.elapsed());
        let seen = self.into_answers().seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ran { outcome, sent: seen.sent, retries, elapsed }
    }
}

impl<'a> Mocked<'a> {
    fn seen(&self) -> MutexGuard<'_, Seen<'a>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for Mocked<'_> {
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
