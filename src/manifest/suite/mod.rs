//! A test suite, `tests/*.yaml`: cases that run a connector's flows against mocked exchanges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

mod case;
mod exchange;
mod expectation;
mod flaws;
mod hook;
mod recording;
mod selection;
mod trial;

use super::connector::Tasks;
use super::form;
use super::order::Ordered;

pub use case::{Case, Happening, Lifecycle, Poll, Unfit, WebhookRequest};
pub use exchange::{Exchange, ExpectedRequest, MockedResponse, ResponseFault};
pub use expectation::{Expectation, ExpectedAnswer, ExpectedError, ExpectedEvent};
pub use flaws::{SuiteFlaw, missing_file};
pub use hook::HookName;
pub use recording::Recording;
pub use selection::{Selection, Unmatched};
pub use trial::{Row, Trial, trials};

/// Cases that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Suite {
    /// What people see.
    #[schemars(regex(pattern = form::TEXT))]
    pub title: String,
    /// Values of connection properties for every case. Never real secrets: the file is for everybody who reads the repository.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub connection: Ordered<Value>,
    /// What all of its cases are about, such as `slow`: `test --tag slow` and `--skip-tag slow` choose by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = form::KEBAB)))]
    pub tags: Vec<String>,
    /// Runs once before all cases; they can read its output as `$beforeSuite`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_suite: Option<Hook>,
    /// Runs before each case; the case can read its output as `$beforeEach`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_each: Option<Hook>,
    /// Runs after each case, however it ended. It starts from `{ output, events, error }` of the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_each: Option<Hook>,
    /// Runs once after all cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_suite: Option<Hook>,
    /// The cases; they have no order.
    #[schemars(length(min = 1))]
    pub cases: Vec<Case>,
}

/// A flow beside the cases: what it sets up or takes down. It may call the connector's actions, private ones too, and send requests.
/// Its `$connection` holds the suite's values, not those of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hook {
    /// The requests that it is expected to send, in order, with their answers. A live run sends them to the service instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// The flow.
    #[serde(rename = "do")]
    pub tasks: Tasks,
}
