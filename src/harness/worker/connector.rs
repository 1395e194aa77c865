//! One of a connector's flows in the worker: what it starts from, what it must fit, and what its trigger says of it.

use serde_json::{Map, Value};

use crate::flow::trigger::{Answer, Evaluate, Received, Setting, Slot, Trigger};
use crate::flow::{Budget, Fault, Outcome, Program, Target, World};
use crate::harness::protocol::{Arrival, Settling, Start, Word};
use crate::manifest::Validation;

/// A flow that is ready to run.
pub(super) struct ConnectorFlow {
    pub(super) program: Program,
    pub(super) target: Target,
    pub(super) connection: Map<String, Value>,
    pub(super) validation: Validation,
}

impl ConnectorFlow {
    /// Runs it, unless it starts from a request that is none of its own; the word tells how that ended.
    pub(super) async fn run(&self, start: &Start, world: &dyn World, budget: Budget) -> Word {
        match start {
            Start::Input(input) => self.flow(input, None, world, budget).await,
            Start::Request(arrival) => match self.received(arrival, world) {
                Received::Run { input, answer } => self.flow(&input, Some(answer), world, budget).await,
                Received::Answered(answer) => Word::Turned { answer: self.veiled(answer), why: None },
                Received::Refused { answer, why } => Word::Turned { answer, why: Some(why.to_string()) },
            },
        }
    }

    fn received(&self, arrival: &Arrival, world: &dyn World) -> Received {
        let Arrival { incoming, input, subscription, now } = arrival;
        let Some(trigger) = self.trigger() else { return Received::Answered(Answer::empty(404)) };
        let evaluate = self.evaluator(trigger, world);
        trigger.receive(incoming, &Setting { input, subscription, now: *now, evaluate: &evaluate })
    }

    async fn flow(&self, input: &Value, answer: Option<Answer>, world: &dyn World, budget: Budget) -> Word {
        let mut warnings = Vec::new();
        let outcome = self.outcome(input, &mut warnings, world, budget).await;
        let settling = outcome.result.as_ref().ok().and_then(|output| self.settling(output, &outcome.events, answer, world).transpose());
        let (result, settling) = match settling {
            Some(Err(fault)) => (Err(fault), None),
            Some(Ok(settling)) => (outcome.result, Some(Box::new(settling))),
            None => (outcome.result, None),
        };
        Word::Outcome { result: result.map_err(|fault| fault.to_json()), events: outcome.events, warnings, settling }
    }

    async fn outcome(&self, input: &Value, warnings: &mut Vec<String>, world: &dyn World, budget: Budget) -> Outcome {
        let Self { program, target, connection, validation } = self;
        let flaws = self.input_flaws(input);
        if let Err(fault) = judge(*validation, "input", &flaws, warnings) {
            return Outcome { result: Err(program.redactor(connection).fault(fault)), events: Vec::new() };
        }
        // Each of these is an evaluation of its own.
        world.now();
        let mut outcome = program.run(target, input, connection, world, budget).await;
        world.now();
        let judged = match (&outcome.result, target) {
            (Err(_), _) => Ok(()),
            (Ok(_), Target::Trigger(_)) => outcome.events.iter().enumerate().try_for_each(|(index, event)| {
                let flaws = program.output_flaws(target, event.get("data").unwrap_or(&Value::Null));
                world.now();
                judge(*validation, &format!("data of event {}", index + 1), &flaws, warnings)
            }),
            (Ok(output), Target::Action(_) | Target::Subscribe(_) | Target::Unsubscribe(_) | Target::TestConnection) => {
                judge(*validation, "output", &program.output_flaws(target, output), warnings)
            }
        };
        outcome.result = judged.and(outcome.result);
        outcome
    }

    /// What is wrong with what the caller has given. Nothing keeps a subscription from being ended.
    fn input_flaws(&self, input: &Value) -> Vec<String> {
        let parameters = || input.get("input").unwrap_or(&Value::Null);
        match &self.target {
            Target::Action(_) | Target::TestConnection => self.program.input_flaws(&self.target, input),
            Target::Trigger(_) => self.program.input_flaws(&self.target, parameters()),
            Target::Subscribe(name) => self.program.input_flaws(&Target::Trigger(name.clone()), parameters()),
            Target::Unsubscribe(_) => Vec::new(),
        }
    }

    /// What the settlement of a run needs, where it is a trigger's. Nothing secret is in it, for it is stored.
    fn settling(&self, output: &Value, events: &[Value], answer: Option<Answer>, world: &dyn World) -> Result<Option<Settling>, Fault> {
        let Some(trigger) = self.trigger() else { return Ok(None) };
        let redactor = self.program.redactor(&self.connection);
        let evaluate = self.evaluator(trigger, world);
        let redacted = |slot: Slot, over: &Value| evaluate(slot, over).map(|value| redactor.value(value));
        let marks =
            trigger.mark(output, events, &redacted).map_err(|why| redactor.fault(Fault::expression(why.to_string()).at_task("/")))?;
        Ok(Some(Settling { marks, answer: answer.map(|answer| self.veiled(answer)) }))
    }

    /// The trigger, where the flow is that of one.
    fn trigger(&self) -> Option<&Trigger> {
        match &self.target {
            Target::Trigger(name) => self.program.trigger(name),
            Target::Action(_) | Target::Subscribe(_) | Target::Unsubscribe(_) | Target::TestConnection => None,
        }
    }

    /// Evaluates the trigger's expressions. Each is an evaluation of its own.
    fn evaluator<'a>(&'a self, trigger: &'a Trigger, world: &'a dyn World) -> Box<Evaluate<'a>> {
        let evaluate = trigger.evaluator(&self.connection);
        Box::new(move |slot, over| {
            world.now();
            evaluate(slot, over)
        })
    }

    /// An answer without the connection's secrets: whoever asks, it is a stranger.
    fn veiled(&self, answer: Answer) -> Answer {
        let redactor = self.program.redactor(&self.connection);
        let body = match String::from_utf8(answer.body) {
            Ok(text) => redactor.text(&text).into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        let headers = answer.headers.into_iter().map(|(name, value)| (name, redactor.text(&value))).collect();
        Answer { status: answer.status, headers, body }
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
