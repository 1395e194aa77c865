//! The parent's side of a live run: hears the worker, performs what it asks for, several effects at once, and ends it where it overstays.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use futures_util::future::{AbortHandle, Abortable, Aborted, BoxFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep_until};

use super::cases::Docket;
use super::files::Files;
use super::listening::Listening;
use super::mouth::{Kept, Mouth, speak};
use super::room::{Place, Room};
use crate::flow::trigger::Answer as HttpAnswer;
use crate::flow::{Session, Transport, What};
use crate::harness::protocol::{
    self, Answer, Content, FOR_EVER, Frames, MOST_REQUESTS, MOST_SLEEPS, Overstayed, Question, Settling, Task, Word,
};
use crate::harness::weight;
use crate::model::Problem;

/// How many things a run may tell.
const MOST_TOLD: usize = 1_000_000;

/// How a conversation ended.
pub(super) enum End {
    /// The flow ended by itself.
    Outcome { result: Result<Value, Value>, events: Vec<Value>, warnings: Vec<String>, settling: Option<Box<Settling>> },
    /// The request started none.
    Turned { answer: HttpAnswer, why: Option<String> },
    /// It was not run, for these reasons.
    Invalid(Vec<Problem>),
    /// It was ended, because it overstayed.
    Overstayed(Overstayed),
    /// It has run the cases that it was asked to.
    Done,
    /// The worker has closed its pipe.
    Dead,
    /// The worker said what it may not say.
    Wrong(String),
}

impl End {
    pub(super) fn unasked() -> Self {
        Self::Wrong("it said what it was not asked".to_owned())
    }
}

/// How long the parties wait for each other.
pub(super) struct Patience {
    /// Until when the whole may last; of cases, the first.
    pub(super) end: Instant,
    /// How long each of several cases may take.
    pub(super) time: Duration,
    /// How long the worker may say nothing while it waits for nothing.
    pub(super) silence: Duration,
}

/// How much longer than the worker itself its parent waits, in parts of a limit: the worker can tell more of how it ended.
const GRACE: u32 = 10;

impl Patience {
    /// For a run of at most this time, with evaluations of at most that.
    pub(super) fn within(time: Duration, evaluation: Duration) -> Self {
        let [time, silence] = [time, evaluation].map(|limit| limit.saturating_add(limit / GRACE).min(FOR_EVER));
        Self { end: Instant::now() + time, time, silence }
    }

    /// For cases of at most this time each. The worker sees to that by itself, and before the first of them it has to start and to read
    /// what it is given.
    pub(super) fn with_cases_within(time: Duration, evaluation: Duration) -> Self {
        const START: Duration = Duration::from_secs(30);
        Self::within(time.saturating_add(START).min(FOR_EVER), evaluation)
    }
}

/// What the worker's questions are answered from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) line: &'a dyn Line,
    pub(super) session: &'a Session,
    pub(super) files: &'a Files,
    /// Where answers are kept until they are handed over.
    pub(super) room: &'a Arc<Room>,
}

/// What sends the requests of one run.
pub(super) trait Line: Sync {
    /// What sends a request whose answer is kept in this place.
    fn with_place(&self, place: Arc<Place>) -> Box<dyn Transport + '_>;
}

/// A question that waits for its answer.
struct Open {
    handle: AbortHandle,
    sleeps: bool,
    /// What it takes, in bytes.
    weight: usize,
}

/// A conversation about one run.
pub(super) struct Conversation<'a> {
    sources: Sources<'a>,
    questions: FuturesUnordered<Abortable<BoxFuture<'a, Kept>>>,
    /// The questions that wait for their answers.
    open: HashMap<u64, Open>,
    told: usize,
    /// What is noted of cases, where it is about such.
    pub(super) docket: Option<Docket>,
    /// The task that began last, as far as the worker has said.
    pub(super) during: Option<String>,
    /// Whether the worker has said anything.
    pub(super) begun: bool,
    /// Whether everything that was said to the worker has reached it, so that it can be used again.
    pub(super) clean: bool,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(sources: Sources<'a>) -> Self {
        let (questions, open) = (FuturesUnordered::new(), HashMap::new());
        Self { sources, questions, open, told: 0, docket: None, during: None, begun: false, clean: false }
    }

    /// A conversation about cases.
    pub(super) fn about_cases(sources: Sources<'a>, docket: Docket) -> Self {
        Self { docket: Some(docket), ..Self::new(sources) }
    }

    /// Hands the task over and talks until it ends. The error is that the task cannot be handed over at all.
    pub(super) async fn hold<R: AsyncRead + Unpin>(
        &mut self,
        (mouth, words): (impl AsyncWrite + Unpin, &mut Frames<R>),
        task: Task,
        patience: &Patience,
        listening: &mut Listening<'_>,
    ) -> Result<End> {
        let (say, to_say) = unbounded_channel();
        let unsaid = AtomicUsize::new(0);
        let say = Mouth { say, unsaid: &unsaid };
        say.task(task)?;
        let speaking = speak(mouth, to_say, &unsaid);
        tokio::pin!(speaking);
        let (mut quiet_since, mut hears) = (Instant::now(), true);
        let (overtime, silence) = (sleep_until(patience.end), sleep_until(quiet_since + patience.silence));
        tokio::pin!(overtime, silence);
        let end = loop {
            // A process that starts and reads its task evaluates nothing yet.
            let waits_for_worker = self.begun && self.open.is_empty();
            tokio::select! {
                word = protocol::next(words) => {
                    quiet_since = Instant::now();
                    let Ok(Some(word)) = word else { break End::Dead };
                    self.begun = true;
                    let is_of_case = matches!(word, Word::Started(..) | Word::Entered(_) | Word::Ended(..));
                    if let Some(end) = self.heard(word, listening) {
                        break end;
                    }
                    if is_of_case {
                        overtime.as_mut().reset(Instant::now() + patience.time);
                    }
                }
                Some(answered) = self.questions.next(), if !self.questions.is_empty() => {
                    quiet_since = Instant::now();
                    self.answered(answered, &say);
                    // What is answered at once is also said at once.
                    while let Some(Some(answered)) = self.questions.next().now_or_never() {
                        self.answered(answered, &say);
                    }
                }
                // It has closed its ear, and so is dead or as good as that; what it has said before is still to be heard.
                _ = &mut speaking, if hears => hears = false,
                () = &mut overtime => break End::Overstayed(Overstayed::Run),
                () = &mut silence => {
                    let due = quiet_since + patience.silence;
                    let is_due = due <= Instant::now();
                    if is_due && waits_for_worker {
                        break End::Overstayed(Overstayed::Evaluation);
                    }
                    silence.as_mut().reset(if is_due { Instant::now() + patience.silence } else { due });
                }
            }
        };
        self.clean = self.open.is_empty() && unsaid.load(Ordering::Relaxed) == 0;
        Ok(end)
    }

    fn answered(&mut self, answered: Result<Kept, Aborted>, say: &Mouth<'_>) {
        let Ok(kept) = answered else { return };
        self.open.remove(&kept.number);
        say.answer(kept);
    }

    /// Takes a word in; the end, where it is the last.
    fn heard(&mut self, word: Word, listening: &mut Listening<'_>) -> Option<End> {
        match word {
            Word::Asked { number, question, during } => {
                self.during = during.or(self.during.take());
                self.asked(number, question).err().map(|error| End::Wrong(error.to_string()))
            }
            Word::Withdrew(number) => {
                if let Some(open) = self.open.remove(&number) {
                    open.handle.abort();
                }
                None
            }
            Word::Began(reference) => {
                self.during = Some(reference);
                None
            }
            Word::Told(told) => {
                self.told += 1;
                if self.told > MOST_TOLD {
                    return Some(End::Wrong(format!("it told more than {MOST_TOLD} things")));
                }
                if told.what == What::Started {
                    self.during = Some(told.turn.reference.clone());
                }
                listening.hear(*told);
                None
            }
            Word::Overstayed { limit, during } => {
                self.during = during.or(self.during.take());
                Some(End::Overstayed(limit))
            }
            Word::Outcome { result, events, warnings, settling } => Some(End::Outcome { result, events, warnings, settling }),
            Word::Turned { answer, why } => Some(End::Turned { answer, why }),
            Word::Invalid(problems) => Some(End::Invalid(problems)),
            word @ (Word::Counted(_)
            | Word::Points(_)
            | Word::Started(..)
            | Word::Entered(_)
            | Word::Ended(..)
            | Word::Taped(_)
            | Word::Done) => match &mut self.docket {
                Some(docket) => docket.heard(word),
                None => Some(End::unasked()),
            },
            Word::Recorded(_) | Word::Paused => Some(End::unasked()),
        }
    }

    fn asked(&mut self, number: u64, question: Question) -> Result<()> {
        let (sleeps, weight) = match &question {
            Question::Send(sending) => (false, weight::of(&sending.request)),
            Question::Sleep(_) => (true, 0),
            Question::File(_) => (false, 0),
        };
        let most = if sleeps { MOST_SLEEPS } else { MOST_REQUESTS };
        if self.open.values().map(|open| open.weight).sum::<usize>() + weight > weight::MOST {
            bail!("it asked to send more than {} bytes at once", weight::MOST);
        }
        if self.open.values().filter(|open| open.sleeps == sleeps).count() >= most {
            bail!("it asked for more than {most} things at once");
        }
        if self.open.contains_key(&number) {
            bail!("it asked twice by one number");
        }
        let (handle, registration) = AbortHandle::new_pair();
        self.open.insert(number, Open { handle, sleeps, weight });
        let sources = self.sources;
        let answering: BoxFuture<'a, _> = Box::pin(sources.answer(number, question));
        self.questions.push(Abortable::new(answering, registration));
        Ok(())
    }
}

impl Sources<'_> {
    async fn answer(self, number: u64, question: Question) -> Kept {
        let place = self.room.place();
        let line = self.line.with_place(Arc::clone(&place));
        let answer = match question {
            Question::Send(sending) => Answer::Response(self.session.send(&*line, *sending).await),
            Question::Sleep(duration) => {
                line.sleep(duration).await;
                Answer::Slept
            }
            Question::File(path) => {
                place.take(self.files.most(&path)).await;
                Answer::File(self.files.read(&path).await.map(|bytes| Content::of(&bytes)))
            }
        };
        Kept { number, answer, place }
    }
}

#[cfg(test)]
mod tests;
