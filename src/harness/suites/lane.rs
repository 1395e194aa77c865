//! A run's work at one turn: worker after worker, until the turn is over or nothing is left to do.

use std::io::ErrorKind;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::{self, timeout, timeout_at};

use super::run::{Broken, Run, Units};
use super::turns::{Kind, Turn};
use crate::harness::failing::unread;
use crate::harness::process::{Blame, Death, Worker};
use crate::harness::protocol::{Heading, Part, Suites, Task, Word, pack};
use crate::manifest::HookName;
use crate::model::{CaseReport, Problem, lasting};

/// How long a worker may take to end its case where its turn was lent and somebody waits for it. The case is run again, then.
const PATIENCE: Duration = Duration::from_millis(100);

/// How a worker's part in it ended.
enum End {
    /// Nothing is left to do, or the turn is over.
    Done,
    Invalid(Vec<Problem>),
    /// The bundle cannot be handed over.
    TooLarge(String),
    /// It was dead before it said anything.
    Silent(Death),
    /// It ended between units.
    Between(Death),
    /// It ended within a unit.
    Within(Death, Box<Begun>),
}

/// A unit that a worker has begun.
struct Begun {
    unit: usize,
    heading: Heading,
    began: Instant,
    part: Part,
}

/// One turn's work.
pub(super) struct Lane<'a> {
    run: &'a Run<'a>,
    turn: Turn<'a>,
    kind: Kind,
}

impl<'a> Lane<'a> {
    pub(super) fn new(run: &'a Run<'a>, turn: Turn<'a>, kind: Kind) -> Self {
        Self { run, turn, kind }
    }

    /// Goes on until nothing is left to do or the turn is to be given back.
    pub(super) async fn work(self) -> Result<(), Broken> {
        let run = self.run;
        loop {
            if self.turn.spent() >= run.time_left() {
                let limit = lasting(run.pool.config.run_limit);
                return Err(Broken::Failed(format!("the tests did not end within {limit}; the cases after these were not run")));
            }
            let mut units = run.take_units();
            if units.len() == 0 {
                break;
            }
            let worker = run.pool.take().await.map_err(|error| Broken::Aborted(format!("{error:#}")))?;
            let warm = worker.tasks > 0;
            match self.go_on(worker, &mut units).await {
                End::Done => break,
                End::Invalid(problems) => return Err(Broken::Failed(unread(&problems))),
                End::TooLarge(reason) => return Err(Broken::Failed(reason)),
                End::Silent(_) if warm => {}
                End::Silent(death) | End::Between(death) if death.blame == Blame::Machine => return Err(Broken::Aborted(death.reason)),
                End::Within(death, _) if death.blame == Blame::Machine && run.may_try_again() => {}
                // The bundle may have ended the worker that read it, and so may a machine that was short of something.
                End::Silent(_) | End::Between(_) if run.may_try_again() => {}
                End::Silent(death) | End::Between(death) => {
                    return Err(Broken::Failed(format!("the tests could not be run: {}", death.reason)));
                }
                End::Within(death, begun) => match begun.part {
                    Part::Hook(HookName::BeforeSuite, suite) => run.breaks(suite, death.reason)?,
                    Part::Hook(HookName::BeforeEach | HookName::AfterEach | HookName::AfterSuite, _) | Part::Case => {
                        units.ended(begun.unit, Some(begun.broken_off(&death.reason)), Vec::new());
                        run.died()?;
                    }
                },
            }
            if self.turn.is_to_be_given_back(self.kind) {
                break;
            }
        }
        run.spend(self.turn.spent());
        Ok(())
    }

    /// Has a worker run units, and more of them, as long as there are any and the turn lasts.
    async fn go_on(&self, worker: Worker, units: &mut Units<'a>) -> End {
        let deadline = self.run.pool.config.case_deadline;
        let mut worker = match self.hand_over(worker, units).await {
            Ok(worker) => worker,
            Err(end) => return end,
        };
        let (mut talk, mut silent) = (Talk::default(), true);
        let mut is_over = pin!(self.turn.is_over(self.kind, self.run.time_left()));
        let mut sharing = self.run.sharing.subscribe();
        let mut until = time::Instant::now() + deadline;
        let death = loop {
            let heard = tokio::select! {
                biased;
                heard = timeout_at(talk.patience.map_or(until, |patience| until.min(patience)), worker.hear()) => heard,
                () = &mut is_over, if !talk.is_told_to_end => {
                    talk.is_told_to_end = true;
                    talk.patience = (self.kind == Kind::Lent).then(|| time::Instant::now() + PATIENCE);
                    worker.pause().await;
                    continue;
                }
                Ok(()) = sharing.changed(), if !talk.is_told_to_stop() && units.len() > 2 => {
                    talk.is_told_to_share = true;
                    worker.pause().await;
                    continue;
                }
            };
            until = time::Instant::now() + deadline;
            match heard.map(|heard| heard.map(|word| talk.hear(word, units))) {
                Ok(Ok(Heard::Nothing)) => {}
                Ok(Ok(Heard::Waits)) => {
                    talk.is_told_to_share = false;
                    match self.next(worker, units, talk.is_told_to_end).await {
                        Ok(same) => worker = same,
                        Err(end) => return end,
                    }
                }
                Ok(Ok(Heard::Invalid(problems))) => {
                    self.run.pool.give_back(worker);
                    return End::Invalid(problems);
                }
                Ok(Ok(Heard::Wrong(reason))) => break Death { reason: reason.to_owned(), blame: Blame::Task },
                Ok(Err(_)) => break worker.death().await,
                Err(_) if talk.patience.is_some_and(|patience| patience <= time::Instant::now()) => {
                    worker.stop().await;
                    return End::Done;
                }
                Err(_) => break too_long(worker, deadline).await,
            }
            silent = false;
        };
        match talk.begun {
            Some(begun) => End::Within(death, begun),
            None if silent => End::Silent(death),
            None => End::Between(death),
        }
    }

    /// Gives the bundle to a worker, and its first units.
    async fn hand_over(&self, mut worker: Worker, units: &Units<'a>) -> Result<Worker, End> {
        let deadline = self.run.pool.config.case_deadline;
        let task = Task::Suites(Box::new(Suites {
            connector: self.run.job.connector.as_str().to_owned(),
            files: pack(&self.run.job.files),
            chosen: self.run.job.chosen.clone(),
            broken: self.run.broken_suites(),
            units: units.numbers(),
        }));
        match timeout(deadline, worker.ask(task)).await {
            Ok(Ok(())) => Ok(worker),
            Ok(Err(error)) if error.kind() == ErrorKind::InvalidData => Err(End::TooLarge(format!("the tests could not be run: {error}"))),
            Ok(Err(_)) => Err(End::Silent(worker.death().await)),
            // It does not even read.
            Err(_) => Err(End::Silent(Death { blame: Blame::Machine, ..too_long(worker, deadline).await })),
        }
    }

    /// Has a worker that waits run more units; otherwise gives it to others.
    async fn next(&self, mut worker: Worker, units: &mut Units<'a>, is_over: bool) -> Result<Worker, End> {
        if !is_over {
            *units = self.run.take_units();
        }
        if units.len() == 0 {
            self.run.pool.give_back(worker);
            return Err(End::Done);
        }
        match worker.ask(Task::More(units.numbers())).await {
            Ok(()) => Ok(worker),
            Err(_) => Err(End::Between(worker.death().await)),
        }
    }
}

/// What was said to a worker and heard of it.
#[derive(Default)]
struct Talk {
    begun: Option<Box<Begun>>,
    /// Whether it was told to stop because the turn is over.
    is_told_to_end: bool,
    /// Whether it was told to stop so that others can take what it has not begun.
    is_told_to_share: bool,
    /// Until when it may go on where it was told to end.
    patience: Option<time::Instant>,
}

/// What a word comes down to.
enum Heard {
    /// It goes on.
    Nothing,
    /// It waits for more to do.
    Waits,
    Invalid(Vec<Problem>),
    /// It makes no sense.
    Wrong(&'static str),
}

impl Talk {
    fn is_told_to_stop(&self) -> bool {
        self.is_told_to_end || self.is_told_to_share
    }

    fn hear(&mut self, word: Word, units: &mut Units<'_>) -> Heard {
        match word {
            Word::Counted(count) => units.counted(count),
            Word::Started(unit, heading) if units.has(unit) => {
                self.begun = Some(Box::new(Begun { unit, heading, began: Instant::now(), part: Part::Case }));
            }
            Word::Entered(part) => self.begun.iter_mut().for_each(|begun| begun.part = part.clone()),
            Word::Points(points) => units.points(points),
            Word::Ended(unit, report, reached) if units.has(unit) => {
                units.ended(unit, report, reached);
                self.begun = None;
            }
            Word::Done if units.len() > 0 => return Heard::Wrong("it left something out"),
            Word::Done => return Heard::Waits,
            Word::Paused if self.is_told_to_stop() => {
                units.give_back();
                return Heard::Waits;
            }
            Word::Invalid(problems) => return Heard::Invalid(problems),
            Word::Asked { .. }
            | Word::Withdrew(_)
            | Word::Began(_)
            | Word::Told(_)
            | Word::Taped(_)
            | Word::Recorded(_)
            | Word::Overstayed { .. }
            | Word::Outcome { .. }
            | Word::Turned { .. }
            | Word::Started(..)
            | Word::Ended(..)
            | Word::Paused => return Heard::Wrong("it said what it was not asked"),
        }
        Heard::Nothing
    }
}

async fn too_long(worker: Worker, deadline: Duration) -> Death {
    worker.stop().await;
    Death { reason: format!("it did not end within {} and was stopped", lasting(deadline)), blame: Blame::Task }
}

impl Begun {
    fn broken_off(self, reason: &str) -> CaseReport {
        let reason = match self.part {
            Part::Case => reason.to_owned(),
            Part::Hook(name, _) => format!("in the hook `{name}`: {reason}"),
        };
        self.heading.report(vec![reason.into()], self.began)
    }
}
