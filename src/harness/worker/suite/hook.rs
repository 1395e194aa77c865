//! The hooks of a suite: flows around its cases, each in a World of its own.

use serde_json::Value;

use super::difference::pretty;
use super::judging::Judging;
use super::mock::{self, Mock};
use super::spot::Spot;
use crate::flow::{Budget, Program, SuiteProgram, Variables};
use crate::manifest::{HookName, SuiteFile};
use crate::model::{BundleFiles, Failure};

/// A suite with what its hooks need.
#[derive(Clone, Copy)]
pub(super) struct Hooks<'a> {
    pub(super) program: &'a Program,
    pub(super) file: &'a SuiteFile,
    pub(super) suite: &'a SuiteProgram,
    pub(super) files: &'a BundleFiles,
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
        let judging = Judging { program: self.program, connection: &over.connection, variables: over };
        let world = Mock::new(&hook.exchanges, spot.key("exchanges"), judging, self.files, mock::beginning());
        let world = world.map_err(|failure| vec![failure])?;
        let run = self.suite.run_hook(name, input, self.program, over, &world, Budget::default());
        let Some(outcome) = world.drive(run).await else { return Ok(Value::Null) };
        let failures = world.failures(&outcome);
        if !failures.is_empty() {
            let told = |failure: Failure| Failure { message: format!("in the hook `{name}`: {}", failure.message), ..failure };
            return Err(failures.into_iter().map(told).collect());
        }
        outcome
            .result
            .map_err(|fault| vec![spot.fails(format!("the hook `{name}` ended with an error:\n{}", pretty(&fault.to_json()).trim_end()))])
    }
}
