//! The hooks of a suite: flows around its cases, each in a World of its own, or against the service.

use serde_json::Value;

use super::difference::pretty;
use super::judging::Judging;
use super::mock::{self, Mock};
use super::spot::Spot;
use super::stage::{RunHook, Stage};
use crate::flow::{Program, SuiteProgram, Variables};
use crate::manifest::{HookName, SuiteFile};
use crate::model::{BundleFiles, Failure};

/// A suite with what its hooks need.
#[derive(Clone, Copy)]
pub(super) struct Hooks<'a> {
    pub(super) program: &'a Program,
    pub(super) file: &'a SuiteFile,
    pub(super) suite: &'a SuiteProgram,
    pub(super) files: &'a BundleFiles,
    pub(super) stage: &'a Stage<'a>,
}

impl Hooks<'_> {
    /// Whether the suite has this hook.
    pub(super) fn has(&self, name: HookName) -> bool {
        self.file.suite.hook(name).is_some()
    }

    /// What a hook returns, or why it failed; null where the suite has none.
    pub(super) async fn run(&self, name: HookName, input: &Value, over: &Variables) -> Result<Value, Vec<Failure>> {
        let Some(hook) = self.file.suite.hook(name) else { return Ok(Value::Null) };
        let pointer = format!("/{}", name.key());
        let spot = Spot::new(&self.file.document, &self.file.path, &pointer);
        let judging = Judging { program: self.program, connection: &over.connection, variables: over, without_requests: false };
        let mock = || Mock::new(&hook.exchanges, spot.key("exchanges"), judging, self.files, mock::beginning());
        let run = RunHook { suite: self.suite, name, input, program: self.program, over };
        let told = |failure: Failure| Failure {
            message: format!("in the hook `{name}`: {}", failure.message),
            place: failure.place.or_else(|| Some(spot.place())),
        };
        let ended = self.stage.ran_hook(run, mock).await.map_err(|failures| failures.into_iter().map(told).collect::<Vec<_>>())?;
        let Some(outcome) = ended else { return Ok(Value::Null) };
        outcome
            .result
            .map_err(|fault| vec![spot.fails(format!("the hook `{name}` ended with an error:\n{}", pretty(&fault.to_json()).trim_end()))])
    }
}
