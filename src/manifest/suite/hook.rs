//! Which hook of a suite.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Hook, Suite};

/// Which of a suite's hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HookName {
    /// The one before all cases.
    BeforeSuite,
    /// The one before each case.
    BeforeEach,
    /// The one after each case.
    AfterEach,
    /// The one after all cases.
    AfterSuite,
}

impl HookName {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 4] = [Self::BeforeSuite, Self::BeforeEach, Self::AfterEach, Self::AfterSuite];

    /// Its key in the suite file.
    pub fn key(self) -> &'static str {
        match self {
            Self::BeforeSuite => "beforeSuite",
            Self::BeforeEach => "beforeEach",
            Self::AfterEach => "afterEach",
            Self::AfterSuite => "afterSuite",
        }
    }
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Suite {
    /// A hook, where the suite has it.
    pub fn hook(&self, name: HookName) -> Option<&Hook> {
        match name {
            HookName::BeforeSuite => self.before_suite.as_ref(),
            HookName::BeforeEach => self.before_each.as_ref(),
            HookName::AfterEach => self.after_each.as_ref(),
            HookName::AfterSuite => self.after_suite.as_ref(),
        }
    }
}
