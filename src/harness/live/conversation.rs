//! The parent's side of a live run: hears the worker, performs what it asks for, several effects at once, and ends it where it overstays.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use futures_util::future::{AbortHandle, Abortable, Aborted, BoxFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::files::Files;
use super::listening::Listening;
use crate::flow::trigger::Answer as HttpAnswer;
use crate::flow::{Session, Transport, Unanswered};
use crate::harness::piped::{MOST_REQUESTS, MOST_SLEEPS};
use crate::harness::protocol::{self, Answer, Content, Frames, Overstayed, Question, Said, Settling, Task, Word};
use crate::harness::watch::FOR_EVER;
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
    /// The worker has closed its pipe.
    Dead,
    /// The worker said what it may not say.
    Wrong(String),
}

/// How long the parties wait for each other.
pub(super) struct Patience {
    /// Until when the whole may last.
    pub(super) end: Instant,
    /// How long the worker may say nothing while it waits for nothing.
    pub(super) silence: Duration,
}

/// How much longer than the worker itself its parent waits, in parts of a limit: the worker can tell more of how it ended.
const GRACE: u32 = 10;

impl Patience {
    /// For a run of at most this time, with evaluations of at most that.
    pub(super) fn within(time: Duration, evaluation: Duration) -> Self {
        let [time, silence] = [time, evaluation].map(|limit| limit.saturating_add(limit / GRACE).min(FOR_EVER));
        Self { end: Instant::now() + time, silence }
    }
}

/// What the worker's questions are answered from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) transport: &'a dyn Transport,
    pub(super) session: &'a Session,
    pub(super) files: &'a Files,
}

/// A conversation about one run.
pub(super) struct Conversation<'a> {
    sources: Sources<'a>,
    questions: FuturesUnordered<Abortable<BoxFuture<'a, (u64, Answer)>>>,
    /// The questions that wait for their answers, and whether each is a sleep.
    open: HashMap<u64, (AbortHandle, bool)>,
    told: usize,
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
        Self { sources, questions, open, told: 0, during: None, begun: false, clean: false }
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
        say.say(&Said::Task(task))?;
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
                    if let Some(end) = self.heard(word, listening) {
                        break end;
                    }
                }
                Some(answered) = self.questions.next(), if !self.questions.is_empty() => {
                    quiet_since = Instant::now();
                    self.answered(answered, &say)?;
                    // What is answered at once is also said at once.
                    while let Some(Some(answered)) = self.questions.next().now_or_never() {
                        self.answered(answered, &say)?;
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

    fn answered(&mut self, answered: Result<(u64, Answer), Aborted>, say: &Mouth<'_>) -> io::Result<()> {
        let Ok((number, answer)) = answered else { return Ok(()) };
        self.open.remove(&number);
        say.answer(number, answer)
    }

    /// Takes a word in; the end, where it is the last.
    fn heard(&mut self, word: Word, listening: &mut Listening<'_>) -> Option<End> {
        match word {
            Word::Asked { number, question, during } => {
                self.during = during.or(self.during.take());
                self.asked(number, question).err().map(|error| End::Wrong(error.to_string()))
            }
            Word::Withdrew(number) => {
                if let Some((handle, _)) = self.open.remove(&number) {
                    handle.abort();
                }
                None
            }
            Word::Told(told) => {
                self.told += 1;
                if self.told > MOST_TOLD {
                    return Some(End::Wrong(format!("it told more than {MOST_TOLD} things")));
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
            Word::Started(_) | Word::Ended(_) | Word::Done | Word::Paused => Some(End::Wrong("it said what it was not asked".to_owned())),
        }
    }

    fn asked(&mut self, number: u64, question: Question) -> Result<()> {
        let is_sleep = matches!(question, Question::Sleep(_));
        let most = if is_sleep { MOST_SLEEPS } else { MOST_REQUESTS };
        if self.open.values().filter(|(_, sleeps)| *sleeps == is_sleep).count() >= most {
            bail!("it asked for more than {most} things at once");
        }
        if self.open.contains_key(&number) {
            bail!("it asked twice by one number");
        }
        let (handle, registration) = AbortHandle::new_pair();
        self.open.insert(number, (handle, is_sleep));
        let sources = self.sources;
        let answering: BoxFuture<'a, _> = Box::pin(async move { (number, sources.answer(question).await) });
        self.questions.push(Abortable::new(answering, registration));
        Ok(())
    }
}

impl Sources<'_> {
    async fn answer(self, question: Question) -> Answer {
        match question {
            Question::Send(sending) => Answer::Response(self.session.send(self.transport, *sending).await),
            Question::Sleep(duration) => {
                self.transport.sleep(duration).await;
                Answer::Slept
            }
            Question::File(path) => Answer::File(self.files.read(&path).await.map(|bytes| Content::of(&bytes))),
        }
    }
}

/// Says things in their order, without waiting until they are heard.
struct Mouth<'a> {
    say: UnboundedSender<Vec<u8>>,
    unsaid: &'a AtomicUsize,
}

impl Mouth<'_> {
    fn say(&self, said: &Said) -> io::Result<()> {
        let frame = protocol::frame(said)?;
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        // Where nobody speaks any more, the conversation ends.
        let _ = self.say.send(frame);
        Ok(())
    }

    /// An answer; where it is too big for the pipe, that is the answer.
    fn answer(&self, number: u64, answer: Answer) -> io::Result<()> {
        let too_big = |error: &io::Error| Unanswered::communication(format!("the answer cannot be handed over: {error}"));
        let instead = match answer {
            Answer::Response(_) => |told| Answer::Response(Err(told)),
            Answer::File(_) => |told| Answer::File(Err(told)),
            Answer::Slept => |_| Answer::Slept,
        };
        self.say(&Said::Answer(number, answer)).or_else(|error| self.say(&Said::Answer(number, instead(too_big(&error)))))
    }
}

/// How many things are said at once.
const AT_ONCE: usize = 64;

async fn speak(mut stdin: impl AsyncWrite + Unpin, mut to_say: UnboundedReceiver<Vec<u8>>, unsaid: &AtomicUsize) -> io::Result<()> {
    let mut frames = Vec::new();
    while to_say.recv_many(&mut frames, AT_ONCE).await > 0 {
        match frames.as_slice() {
            [frame] => stdin.write_all(frame).await?,
            frames => stdin.write_all(&frames.concat()).await?,
        }
        unsaid.fetch_sub(frames.len(), Ordering::Relaxed);
        frames.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
