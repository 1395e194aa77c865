//! Runs a stand-alone workflow document, in a worker of its own.

use anyhow::Result;
use serde_json::{Value, json};

use super::pool::Pool;
use super::protocol::{Content, Task, Word};
use super::run;
use super::workers::WorkersConfig;
use crate::model::Problem;

/// How a stand-alone workflow ended.
#[derive(Debug, Clone, PartialEq)]
pub enum FlowOutcome {
    /// With its output.
    Output(Value),
    /// With an error, RFC 7807.
    Fault(Value),
    /// It was not run, for these reasons.
    Invalid(Vec<Problem>),
}

/// Runs a workflow, YAML or JSON; `file` names it in problems. Fails only where no worker can be started.
pub async fn run_flow(config: &WorkersConfig, file: &str, bytes: &[u8], input: Value) -> Result<FlowOutcome> {
    let pool = Pool::new(config.clone());
    let task = Task::Flow { file: file.to_owned(), content: Content::of(bytes), input, limit: config.case_deadline };
    Ok(match run::alone(&pool, &task).await? {
        Ok(Word::Output(output)) => FlowOutcome::Output(output),
        Ok(Word::Fault(fault)) => FlowOutcome::Fault(fault),
        Ok(Word::Invalid(problems)) => FlowOutcome::Invalid(problems),
        Ok(Word::Started(_) | Word::Ended(_) | Word::Done) => broken_off("it said what it was not asked"),
        Err(reason) => broken_off(&reason),
    })
}

fn broken_off(reason: &str) -> FlowOutcome {
    FlowOutcome::Fault(json!({
        "type": "https://open-workflow-specification.org/spec/1.0.0/errors/runtime",
        "status": 500,
        "title": "The flow's worker ended",
        "detail": reason,
        "instance": "/",
    }))
}
