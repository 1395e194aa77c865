//! One live run in the worker: the flow, and beside it the answers to its questions.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::Hearing;
use super::connector::ConnectorFlow;
use super::outbox::Outbox;
use super::piped::Piped;
use super::watch::Watch;
use crate::flow::trigger::Answer;
use crate::flow::{Budget, Program, Workflow, World};
use crate::harness::protocol::{self, Live, Said, Start, Subject, Word, unpack};
use crate::manifest::Bundle;
use crate::model::Problem;

/// A flow that is ready to run.
enum Ready {
    Workflow(Box<Workflow>, Map<String, Value>),
    Connector(Box<ConnectorFlow>),
}

/// Runs a flow and returns the word that tells how it ended.
pub(super) async fn run(live: Live, hearing: &mut Hearing, watch: &Watch, outbox: &Outbox, questions: &Cell<u64>) -> Result<Word> {
    let ready = match ready(live.subject) {
        Ok(ready) => ready,
        Err(problems) => return Ok(Word::Invalid(problems)),
    };
    let say = |word: &Word| outbox.relay(word);
    let world = Piped::new(&say, watch, questions, live.heard);
    // The flow sees to its time by itself, but not while an expression is evaluated.
    let time = live.budget.time.saturating_add(live.budget.time / 50);
    let flow = watch.over(live.evaluation, time, ready.run(&live.start, &world, live.budget));
    while_answered(flow, &world, hearing, outbox).await
}

/// Does some work whose questions the parent answers.
pub(super) async fn while_answered<T>(
    work: impl Future<Output = T>,
    world: &Piped<'_>,
    hearing: &mut Hearing,
    outbox: &Outbox,
) -> Result<T> {
    let mut work = pin!(work);
    // What is asked for at once is also said at once. Where the parent is gone, the next thing that is heard tells so.
    let mut work = poll_fn(|context| {
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            let _ = outbox.flush();
        }
        polled
    });
    loop {
        tokio::select! {
            biased;
            said = protocol::next(hearing) => match said.context("cannot read an answer")? {
                Some(Said::Answer(number, answer)) => world.answered(number, answer),
                Some(Said::Task(_) | Said::Pause) => bail!("a task came while another was being done"),
                None => bail!("the parent closed the pipe while a flow was running"),
            },
            ended = &mut work => return Ok(ended),
        }
    }
}

fn ready(subject: Subject) -> Result<Ready, Vec<Problem>> {
    match subject {
        Subject::Workflow { file, content, secrets } => {
            Workflow::read(&file, &content.bytes()).map(|workflow| Ready::Workflow(Box::new(workflow), secrets))
        }
        Subject::Connector { connector, files, target, connection, validation } => {
            let bundle = Bundle::read(&connector, &unpack(files))?;
            let part = ConnectorFlow { program: Program::compile(&bundle)?, target, connection, validation };
            Ok(Ready::Connector(Box::new(part)))
        }
    }
}

impl Ready {
    /// How the flow ends.
    async fn run(&self, start: &Start, world: &dyn World, budget: Budget) -> Word {
        match (self, start) {
            (Self::Connector(part), _) => part.run(start, world, budget).await,
            (Self::Workflow(workflow, secrets), Start::Input(input)) => {
                let outcome = workflow.run(input, secrets, world, budget).await;
                let result = outcome.result.map_err(|fault| fault.to_json());
                Word::Outcome { result, events: outcome.events, warnings: Vec::new(), settling: None }
            }
            (Self::Workflow(..), Start::Request(_)) => Word::Turned { answer: Answer::empty(404), why: None },
        }
    }
}
