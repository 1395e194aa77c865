//! The lifecycle's words, and the one table that says which operations each stage allows.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the author asks for, in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nothing is deployed.
    Editing,
    /// Deployed to the non-production environments, and tested there.
    PrePublished,
    /// All of that, then reviewed, then deployed to the production environments.
    Published,
}

/// How a connector came to be, which decides when it needs a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A connector to a hosted service; the version is optional.
    Saas,
    /// A connector to something of one's own; a version is required before it is pre-published.
    SelfBuilt,
}

/// Where a connector stands. Derived from facts, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Its present content stands in no environment.
    Editing,
    /// Its present content stands in every non-production environment.
    PrePublished,
    /// A review of it is open, and its content is frozen.
    InReview,
    /// A review of its present content was closed without merging.
    Rejected,
    /// Its present content stands in every production environment.
    Published,
}

/// What a person may do with a connector; each is a change in git.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Read it.
    View,
    /// Let others edit it.
    Share,
    /// Ask for it to be published.
    Publish,
    /// Take back the wish to publish it.
    Withdraw,
    /// Change its content.
    Edit,
    /// Remove it, from git and from every environment.
    Delete,
}

impl Stage {
    /// Every stage, in the order of the lifecycle.
    pub const ALL: [Stage; 5] = [Stage::Editing, Stage::PrePublished, Stage::InReview, Stage::Rejected, Stage::Published];

    /// The table of the lifecycle: the operations this stage allows. `list`, `show`, pages and refusals all read it.
    pub fn operations(self) -> &'static [Operation] {
        match self {
            Stage::Editing => &[Operation::Share, Operation::Publish, Operation::Edit, Operation::Delete],
            Stage::PrePublished => &[Operation::Publish, Operation::Edit, Operation::Delete],
            Stage::InReview => &[Operation::Withdraw, Operation::View],
            Stage::Rejected => &[Operation::Edit, Operation::Delete],
            Stage::Published => &[Operation::View, Operation::Share, Operation::Edit, Operation::Delete],
        }
    }

    /// Whether this stage allows the operation.
    pub fn allows(self, operation: Operation) -> bool {
        self.operations().contains(&operation)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::Editing => "editing",
            Status::PrePublished => "pre-published",
            Status::Published => "published",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Saas => "saas",
            Kind::SelfBuilt => "self-built",
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Stage::Editing => "editing",
            Stage::PrePublished => "pre-published",
            Stage::InReview => "in review",
            Stage::Rejected => "rejected",
            Stage::Published => "published",
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Operation::View => "view",
            Operation::Share => "share",
            Operation::Publish => "publish",
            Operation::Withdraw => "withdraw",
            Operation::Edit => "edit",
            Operation::Delete => "delete",
        })
    }
}
