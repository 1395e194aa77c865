//! The hooks of a suite: flows around its cases, each in a World of its own.

use serde_json::Value;

use super::difference::pretty;
use super::mock::{self, Mock};
use crate::flow::{Budget, Program, SuiteProgram, Variables};
use crate::manifest::{HookName, SuiteFile};
use crate::model::BundleFiles;

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
    pub(super) async fn run(&self, name: HookName, input: &Value, over: &Variables) -> Result<Value, Vec<String>> {
        let Some(hook) = self.file.suite.hook(name) else { return Ok(Value::Null) };
        let world = Mock::new(&hook.exchanges, self.files, mock::beginning());
        let run = self.suite.run_hook(name, input, self.program, over, &world, Budget::default());
        let ended = world.drive(run).await.map(|outcome| outcome.result);
        let failures = world.failures();
        if !failures.is_empty() {
            return Err(failures.into_iter().map(|failure| format!("in the hook `{name}`: {failure}")).collect());
        }
        match ended {
            None => Ok(Value::Null),
            Some(Ok(output)) => Ok(output),
            Some(Err(fault)) => Err(vec![format!("the hook `{name}` ended with an error:\n{}", pretty(&fault.to_json()).trim_end())]),
        }
    }
}
