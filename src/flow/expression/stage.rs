//! Where in a flow an expression stands: which variables have a value there, dsl.md, "Runtime expression arguments".

use super::Argument;

/// A stage of a flow or a task, as the table of the specification names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The flow's `input.from`, and its time limit.
    BeforeFlow,
    /// A task's `if`, `input.from` and time limit.
    BeforeTask,
    /// A task's definition and its `output.as`.
    Within,
    /// A task's `export.as`.
    #[default]
    After,
    /// The flow's `output.as`.
    AfterFlow,
    /// What a trigger itself says, outside of its flow.
    Trigger,
    /// A test suite.
    Suite,
}

impl Stage {
    /// Whether a variable has a value there.
    pub(crate) fn has(self, argument: Argument) -> bool {
        match argument {
            Argument::Connection => true,
            Argument::Runtime | Argument::Workflow | Argument::Secrets => !matches!(self, Self::Trigger | Self::Suite),
            Argument::Context => !matches!(self, Self::BeforeFlow | Self::Trigger | Self::Suite),
            Argument::Task => matches!(self, Self::BeforeTask | Self::Within | Self::After),
            Argument::Input | Argument::Authorization => matches!(self, Self::Within | Self::After),
            Argument::Output => self == Self::After,
        }
    }

    /// What to read instead of what has none.
    pub(crate) fn instead(self) -> &'static str {
        match self {
            Self::BeforeFlow => "The flow's input, as it was given, is `.`.",
            Self::BeforeTask => "The task is not under way yet: what it is given is `.`.",
            Self::Within | Self::After => "The output is known to `export` alone; in `output.as` it is `.`.",
            Self::AfterFlow => "The output of the last task is `.`; what tasks exported is `$context`.",
            Self::Trigger => "Outside of its flow, a trigger's expressions read `.` and `$connection`.",
            Self::Suite => {
                "Tests read `$connection`, their row as `$each`, and what the suite's hooks give; assertions read `.` too. \
                 A hook can prepare anything else."
            }
        }
    }

    /// What to do instead of asking for the present moment, where there is none.
    pub(super) fn instead_of_now(self) -> Option<&'static str> {
        match self {
            Self::Trigger => Some("Use it in a task of the trigger's flow."),
            Self::Suite => {
                Some("Every test begins at 2025-01-01T00:00:00Z: compare with a moment after it, expect `elapsed`, or let a hook give it.")
            }
            Self::BeforeFlow | Self::BeforeTask | Self::Within | Self::After | Self::AfterFlow => None,
        }
    }
}
