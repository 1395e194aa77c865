//! One live run in the worker: the flow, and beside it the answers to its questions.

use std::cell::Cell;
use std::pin::pin;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::piped::Piped;
use super::protocol::{Live, Said, Subject, Word, unpack};
use super::watch::Watch;
use super::worker::Hearing;
use crate::flow::{Budget, Outcome, Program, Target, Workflow, World};
use crate::manifest::Bundle;
use crate::model::Problem;

/// A flow that is ready to run.
enum Ready {
    Workflow(Workflow),
    Connector(Box<Program>, Target, Map<String, Value>),
}

/// Runs a flow and returns the word that tells how it ended.
pub(super) async fn run(live: Live, hearing: &mut Hearing, watch: &Watch, questions: &Cell<u64>) -> Result<Word> {
    let ready = match ready(live.subject) {
        Ok(ready) => ready,
        Err(problems) => return Ok(Word::Invalid(problems)),
    };
    let world = Piped::new(watch, questions, live.heard);
    let budget = Budget { time: live.time, steps: live.steps, response: live.response, ..Budget::default() };
    // The flow sees to its time by itself, but not while an expression is evaluated.
    let time = live.time + live.time / 50;
    let mut flow = pin!(watch.over(live.evaluation, time, ready.run(&live.input, &world, budget)));
    let outcome = loop {
        tokio::select! {
            biased;
            said = hearing.recv() => match said.transpose().context("cannot read an answer")? {
                Some(Said::Answer(number, answer)) => world.answered(number, answer),
                Some(Said::Task(_) | Said::Pause) => bail!("a task came while another was being done"),
                None => bail!("the parent closed the pipe while a flow was running"),
            },
            outcome = &mut flow => break outcome,
        }
    };
    Ok(Word::Outcome { result: outcome.result.map_err(|fault| fault.to_json()), events: outcome.events })
}

fn ready(subject: Subject) -> Result<Ready, Vec<Problem>> {
    match subject {
        Subject::Workflow { file, content } => Workflow::read(&file, &content.bytes()).map(Ready::Workflow),
        Subject::Connector { connector, files, target, connection } => {
            let bundle = Bundle::read(&connector, &unpack(files))?;
            Ok(Ready::Connector(Box::new(Program::compile(&bundle)?), target.into(), connection))
        }
    }
}

impl Ready {
    async fn run(&self, input: &Value, world: &dyn World, budget: Budget) -> Outcome {
        match self {
            Self::Workflow(workflow) => workflow.run(input, &Map::new(), world, budget).await,
            Self::Connector(program, target, connection) => program.run(target, input, connection, world, budget).await,
        }
    }
}
