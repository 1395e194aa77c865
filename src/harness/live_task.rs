//! One live run in the worker: the flow, and beside it the answers to its questions.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::outbox::Outbox;
use super::piped::Piped;
use super::protocol::{self, Live, Said, Subject, Word, unpack};
use super::watch::Watch;
use super::worker::Hearing;
use crate::flow::{Budget, Fault, Outcome, Program, Target, Workflow, World};
use crate::manifest::{Bundle, Validation};
use crate::model::Problem;

/// A flow that is ready to run.
enum Ready {
    Workflow(Box<Workflow>, Map<String, Value>),
    Connector(Box<Part>),
}

/// One of a connector's flows.
struct Part {
    program: Program,
    target: Target,
    connection: Map<String, Value>,
    validation: Validation,
}

/// Runs a flow and returns the word that tells how it ended.
pub(super) async fn run(live: Live, hearing: &mut Hearing, watch: &Watch, outbox: &Outbox, questions: &Cell<u64>) -> Result<Word> {
    let ready = match ready(live.subject) {
        Ok(ready) => ready,
        Err(problems) => return Ok(Word::Invalid(problems)),
    };
    // What is told is said before the flow goes on, which may be the end of this process.
    let say = |word: &Word| if matches!(word, Word::Told(_) | Word::Began(_)) { outbox.say(word) } else { outbox.put(word) };
    let world = Piped::new(&say, watch, questions, live.heard);
    // The flow sees to its time by itself, but not while an expression is evaluated.
    let time = live.budget.time.saturating_add(live.budget.time / 50);
    let mut flow = pin!(watch.over(live.evaluation, time, ready.run(&live.input, &world, live.budget)));
    // What is asked for at once is also said at once. Where the parent is gone, the next thing that is heard tells so.
    let mut flow = poll_fn(|context| {
        let polled = flow.as_mut().poll(context);
        if polled.is_pending() {
            let _ = outbox.flush();
        }
        polled
    });
    let (outcome, warnings) = loop {
        tokio::select! {
            biased;
            said = protocol::next(hearing) => match said.context("cannot read an answer")? {
                Some(Said::Answer(number, answer)) => world.answered(number, answer),
                Some(Said::Task(_) | Said::Pause) => bail!("a task came while another was being done"),
                None => bail!("the parent closed the pipe while a flow was running"),
            },
            outcome = &mut flow => break outcome,
        }
    };
    Ok(Word::Outcome { result: outcome.result.map_err(|fault| fault.to_json()), events: outcome.events, warnings })
}

fn ready(subject: Subject) -> Result<Ready, Vec<Problem>> {
    match subject {
        Subject::Workflow { file, content, secrets } => {
            Workflow::read(&file, &content.bytes()).map(|workflow| Ready::Workflow(Box::new(workflow), secrets))
        }
        Subject::Connector { connector, files, target, connection, validation } => {
            let bundle = Bundle::read(&connector, &unpack(files))?;
            let part = Part { program: Program::compile(&bundle)?, target, connection, validation };
            Ok(Ready::Connector(Box::new(part)))
        }
    }
}

impl Ready {
    /// How the flow ends, and what did not fit its schema where that is no error.
    async fn run(&self, input: &Value, world: &dyn World, budget: Budget) -> (Outcome, Vec<String>) {
        match self {
            Self::Workflow(workflow, secrets) => (workflow.run(input, secrets, world, budget).await, Vec::new()),
            Self::Connector(part) => part.run(input, world, budget).await,
        }
    }
}

impl Part {
    async fn run(&self, input: &Value, world: &dyn World, budget: Budget) -> (Outcome, Vec<String>) {
        let Self { program, target, connection, validation } = self;
        let mut warnings = Vec::new();
        let flaws = program.input_flaws(target, input);
        if let Err(fault) = judge(*validation, "input", &flaws, &mut warnings) {
            let fault = program.redactor(connection).fault(fault);
            return (Outcome { result: Err(fault), events: Vec::new() }, warnings);
        }
        let mut outcome = program.run(target, input, connection, world, budget).await;
        // What follows is an evaluation of its own.
        world.now();
        if let Ok(output) = &outcome.result {
            let flaws = program.output_flaws(target, output);
            outcome.result = judge(*validation, "output", &flaws, &mut warnings).and(outcome.result);
        }
        (outcome, warnings)
    }
}

/// Makes an error, or a warning, of what is wrong.
fn judge(validation: Validation, what: &str, flaws: &[String], warnings: &mut Vec<String>) -> Result<(), Fault> {
    if flaws.is_empty() {
        return Ok(());
    }
    let detail = format!("the {what} does not fit its schema: {}", flaws.join("; "));
    match validation {
        Validation::Strict => Err(Fault::invalid(detail).at_task("/")),
        Validation::Warn => {
            warnings.push(detail);
            Ok(())
        }
    }
}
