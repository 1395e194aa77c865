//! The World of a live run, in the worker: every effect is a question to the parent, and waits for the answer of its number.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{Semaphore, oneshot};

use super::watch::Watch;
use crate::flow::{Response, Sending, Told, Unanswered, World};
use crate::harness::protocol::{Answer, Content, MOST_REQUESTS, MOST_SLEEPS, Question, Word};
use crate::harness::weight;
use crate::model::{Clock, SystemClock};

/// Of how many tasks the parent is told as they begin, where nobody listens. It knows then where a worker died; for long loops that
/// would cost more than it is worth.
const MOST_BEGUN: u32 = 100;

/// The World beyond the pipe.
pub(super) struct Piped<'a> {
    say: &'a dyn Fn(&Word) -> io::Result<()>,
    watch: &'a Watch,
    heard: bool,
    begun: Cell<u32>,
    /// The number of the last question. It goes on from run to run, so that a late answer is never taken for another.
    last: &'a Cell<u64>,
    waiting: RefCell<BTreeMap<u64, oneshot::Sender<Answer>>>,
    requests: Semaphore,
    sleeps: Semaphore,
    /// What the requests that wait for an answer may take, in bytes.
    bodies: Semaphore,
}

impl<'a> Piped<'a> {
    pub(super) fn new(say: &'a dyn Fn(&Word) -> io::Result<()>, watch: &'a Watch, last: &'a Cell<u64>, heard: bool) -> Self {
        let (requests, sleeps) = (Semaphore::new(MOST_REQUESTS), Semaphore::new(MOST_SLEEPS));
        Self {
            say,
            watch,
            heard,
            begun: Cell::new(0),
            last,
            waiting: RefCell::default(),
            requests,
            sleeps,
            bodies: Semaphore::new(weight::MOST),
        }
    }

    /// Hands an answer to whoever waits for it. Nobody does where the question was withdrawn.
    pub(super) fn answered(&self, number: u64, answer: Answer) {
        if let Some(waiting) = self.waiting.borrow_mut().remove(&number) {
            let _ = waiting.send(answer);
        }
    }

    /// Says something to the parent.
    pub(super) fn tell(&self, word: &Word) {
        // Where the parent is gone, the next thing that is asked for tells so.
        let _ = (self.say)(word);
    }

    async fn ask(&self, question: Question, turns: &Semaphore) -> Result<Answer, Unanswered> {
        let gone = || Unanswered::communication("the run's parent is gone");
        let _turn = turns.acquire().await.map_err(|_| gone())?;
        let number = self.last.get() + 1;
        self.last.set(number);
        let (answered, answer) = oneshot::channel();
        (self.say)(&Word::Asked { number, question, during: self.watch.during() }).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Unanswered::configuration(error.to_string()),
            _ => gone(),
        })?;
        self.waiting.borrow_mut().insert(number, answered);
        let _withdrawal = Withdrawal { piped: self, number };
        answer.await.map_err(|_| gone())
    }
}

/// Tells the parent that nobody waits for an answer any more.
struct Withdrawal<'a> {
    piped: &'a Piped<'a>,
    number: u64,
}

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        if self.piped.waiting.borrow_mut().remove(&self.number).is_some() {
            let _ = (self.piped.say)(&Word::Withdrew(self.number));
        }
    }
}

fn unexpected() -> Unanswered {
    Unanswered::communication("the answer is none to the question")
}

#[async_trait(?Send)]
impl World for Piped<'_> {
    async fn send(&self, sending: Sending) -> Result<Response, Unanswered> {
        // Given back after the answer, and after the question is withdrawn.
        let weight = u32::try_from(weight::of(&sending.request)).unwrap_or(u32::MAX);
        let _room = self.bodies.acquire_many(weight).await;
        match self.ask(Question::Send(Box::new(sending)), &self.requests).await? {
            Answer::Response(response) => response,
            Answer::Slept | Answer::File(_) => Err(unexpected()),
        }
    }

    fn now(&self) -> Timestamp {
        self.watch.beat();
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        // Where the parent is gone, the process ends before long.
        let _ = self.ask(Question::Sleep(duration), &self.sleeps).await;
    }

    fn random(&self) -> u64 {
        fastrand::u64(..)
    }

    fn id(&self) -> String {
        uuid(SystemClock.now(), fastrand::u128(..))
    }

    async fn file(&self, path: &str) -> Result<Vec<u8>, Unanswered> {
        match self.ask(Question::File(path.to_owned()), &self.requests).await? {
            Answer::File(content) => content.map(Content::bytes),
            Answer::Slept | Answer::Response(_) => Err(unexpected()),
        }
    }

    fn begins(&self, reference: &str) {
        self.watch.begins(reference);
        // Who listens is told of every task.
        if !self.heard && self.begun.get() < MOST_BEGUN {
            self.begun.set(self.begun.get() + 1);
            let _ = (self.say)(&Word::Began(reference.to_owned()));
        }
    }

    fn hear(&self, tell: &dyn Fn() -> Told) {
        self.watch.beat();
        if self.heard {
            let _ = (self.say)(&Word::Told(Box::new(tell())));
        }
    }
}

/// A UUID of version 7, RFC 9562: the time in milliseconds, then chance.
fn uuid(now: Timestamp, chance: u128) -> String {
    let millis = u128::from(now.as_millisecond().unsigned_abs()) & ((1 << 48) - 1);
    let bits = millis << 80 | 7 << 76 | (chance & !(0b1111 << 76) & !(0b11 << 62)) & ((1 << 80) - 1) | 0b10 << 62;
    let digits = format!("{bits:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::flow::{Body, Request, Turn, What};

    struct Pipe {
        words: RefCell<Vec<Word>>,
        watch: Watch,
        last: Cell<u64>,
    }

    impl Pipe {
        fn new() -> Self {
            Self { words: RefCell::default(), watch: Watch::default(), last: Cell::new(6) }
        }

        fn take(&self, word: &Word) -> io::Result<()> {
            let copied = serde_json::from_str(&serde_json::to_string(word)?)?;
            self.words.borrow_mut().push(copied);
            Ok(())
        }

        fn last_word(&self) -> Word {
            self.words.borrow_mut().pop().unwrap()
        }
    }

    #[test]
    fn answers_find_their_questions_and_what_is_dropped_is_withdrawn() {
        let pipe = Pipe::new();
        let say = |word: &Word| pipe.take(word);
        let world = Piped::new(&say, &pipe.watch, &pipe.last, false);
        let (mut one, mut other) = (Box::pin(world.file("a")), Box::pin(world.file("b")));
        assert!(one.as_mut().now_or_never().is_none() && other.as_mut().now_or_never().is_none());
        assert!(matches!(pipe.last_word(), Word::Asked { number: 8, question: Question::File(path), .. } if path == "b"));
        world.answered(8, Answer::File(Ok(Content::of(b"B"))));
        world.answered(99, Answer::Slept);
        assert!(one.as_mut().now_or_never().is_none());
        assert_eq!(other.as_mut().now_or_never(), Some(Ok(b"B".to_vec())));
        drop(other);
        assert!(matches!(pipe.last_word(), Word::Asked { number: 7, .. }), "nothing is withdrawn that was answered");
        drop(one);
        assert!(matches!(pipe.last_word(), Word::Withdrew(7)));
        world.answered(7, Answer::Slept);
    }

    #[test]
    fn requests_wait_for_their_turn_and_sleeps_do_not_keep_them_from_it() {
        let pipe = Pipe::new();
        let say = |word: &Word| pipe.take(word);
        let world = Piped::new(&say, &pipe.watch, &pipe.last, false);
        let mut asking: Vec<_> = (0..=MOST_REQUESTS).map(|_| Box::pin(world.file("a"))).collect();
        asking.iter_mut().for_each(|asking| assert!(asking.as_mut().now_or_never().is_none()));
        assert_eq!(pipe.words.borrow().len(), MOST_REQUESTS);
        let mut sleep = Box::pin(world.sleep(Duration::from_secs(1)));
        assert!(sleep.as_mut().now_or_never().is_none());
        assert!(matches!(pipe.last_word(), Word::Asked { question: Question::Sleep(_), .. }));
        drop(asking.remove(0));
        assert!(asking.last_mut().unwrap().as_mut().now_or_never().is_none());
        assert!(matches!(pipe.last_word(), Word::Asked { question: Question::File(_), .. }));
    }

    #[test]
    fn big_requests_wait_for_each_other() {
        let pipe = Pipe::new();
        let say = |word: &Word| pipe.take(word);
        let world = Piped::new(&say, &pipe.watch, &pipe.last, false);
        world.bodies.forget_permits(weight::MOST - 1000);
        let big = || Request {
            method: "POST".to_owned(),
            url: "http://h/".parse().unwrap(),
            headers: Vec::new(),
            body: Some(Body::Text("x".repeat(500))),
        };
        let send = || Box::pin(world.send(Sending { request: big(), credentials: None, rate: None }));
        let mut sending = [send(), send(), send()];
        sending.iter_mut().for_each(|sending| assert!(sending.as_mut().now_or_never().is_none()));
        assert_eq!(pipe.words.borrow().len(), 2);
        let [first, _, mut last] = sending;
        drop(first);
        assert!(last.as_mut().now_or_never().is_none());
        assert!(matches!(pipe.last_word(), Word::Asked { .. }) && matches!(pipe.last_word(), Word::Withdrew(_)));
    }

    #[test]
    fn only_who_asked_to_hear_is_told() {
        let pipe = Pipe::new();
        let say = |word: &Word| pipe.take(word);
        let turn = Turn { number: 1, within: None, name: "a".to_owned(), reference: "/do/0/a".to_owned() };
        let told = || Told { at: Timestamp::UNIX_EPOCH, turn: turn.clone(), what: What::Started };
        Piped::new(&say, &pipe.watch, &pipe.last, false).hear(&told);
        assert!(pipe.words.borrow().is_empty());
        Piped::new(&say, &pipe.watch, &pipe.last, true).hear(&told);
        assert!(matches!(pipe.last_word(), Word::Told(news) if *news == told()));
    }

    #[test]
    fn where_nobody_listens_the_parent_still_knows_which_task_began_last() {
        let pipe = Pipe::new();
        let say = |word: &Word| pipe.take(word);
        let world = Piped::new(&say, &pipe.watch, &pipe.last, false);
        (0..2 * MOST_BEGUN).for_each(|number| world.begins(&format!("/do/{number}/a")));
        assert_eq!(pipe.words.borrow().len(), MOST_BEGUN as usize);
        assert!(matches!(pipe.last_word(), Word::Began(reference) if reference == format!("/do/{}/a", MOST_BEGUN - 1)));
        pipe.words.borrow_mut().clear();
        Piped::new(&say, &pipe.watch, &pipe.last, true).begins("/do/0/a");
        assert!(pipe.words.borrow().is_empty());
    }

    #[test]
    fn identifiers_are_uuids_of_version_7() {
        let now = Timestamp::from_millisecond(0x0123_4567_89ab).unwrap();
        assert_eq!(uuid(now, u128::MAX), "01234567-89ab-7fff-bfff-ffffffffffff");
        assert_eq!(uuid(now, 0), "01234567-89ab-7000-8000-000000000000");
    }
}
