//! A case, what happens in it, and how it is read once its expressions have given their values.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::de::{given, whole_or_expression};
use super::super::order::Ordered;
use super::super::schemas::Described as _;
use super::super::wording::{bound, found_in_words, types, types_in_words};
use super::super::{excerpt, form};
use super::{Exchange, Expectation, Suite};

/// How many rows one case may have: each of them is a run and a report of its own.
const MOST_ROWS: usize = 1000;

/// One run of one flow, and what is expected of it.
///
/// A text in its values that is an expression as a whole, such as `${ $each.id }`, stands for what it gives. It can read `$each`,
/// `$beforeSuite`, `$beforeEach` and `$connection`. What is asserted, and schemas, are left as they are. A text that looks like an
/// expression and means itself is written as one: `${ "${ … }" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["action"]}, {"required": ["trigger"]}, {"required": ["testConnection"]}]))]
pub struct Case {
    /// What people see.
    #[schemars(regex(pattern = form::TEXT))]
    pub title: String,
    /// What it is about, such as `slow`: `test --tag slow` and `--skip-tag slow` choose by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = form::KEBAB)))]
    pub tags: Vec<String>,
    /// Why it is not run. It is shown, and counts as neither passed nor failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::TEXT))]
    pub skip: Option<String>,
    /// Runs the case once for each of these rows, by the name that people see, such as `unknown: { status: 404 }`; the case reads its row
    /// as `$each`, such as `${ $each.status }`.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = MOST_ROWS))]
    pub each: Ordered<Value>,
    /// Whether `test --live --environment NAME` may run it against the real service: it leaves that as it found it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
    /// The file that holds its exchanges, which `test --record` writes: its path within the connector's folder, such as
    /// `tests/recordings/get-issue.yaml`. It has no `exchanges` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::RECORDING))]
    pub recording: Option<String>,
    /// The action to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The trigger to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// Whether to run the test connection, `connection.test`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("const" = true))]
    pub test_connection: bool,
    /// Values of connection properties, over the suite's.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub connection: Ordered<Value>,
    /// The action's input, or the trigger's parameters.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// For a webhook trigger: the request that the service sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<WebhookRequest>,
    /// For a webhook trigger: its flow that is run, instead of the one that a request starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// For a webhook trigger: what `subscribe` returned before.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Value>,
    /// For a polled trigger: the cursor that it begins with.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Value>,
    /// For a polled trigger: its polls, one after the other, each from what the one before has left. One where none is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub polls: Vec<Poll>,
    /// For a webhook trigger: what happens to it, one after the other, each from what the one before has left: the events that were passed
    /// on, and the subscription.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequence: Vec<Happening>,
    /// The requests that the flow is expected to send, in order, with their answers. One that is not among them fails the case, and so does
    /// one of them that never comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// What is expected in the end.
    pub expect: Expectation,
}

/// The flows of a webhook's subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// The one that asks the service to send requests.
    Subscribe,
    /// The one that asks it to stop.
    Unsubscribe,
}

/// One poll of a polled trigger, or several alike.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Poll {
    /// How often it is done, one after the other, each time when the schedule is due again: once where nothing is said. The exchanges and
    /// what is expected are the same each time.
    #[serde(default, deserialize_with = "whole_or_expression", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value", extend("type" = ["integer", "string"], "minimum" = 1, "maximum" = 1000, "pattern" = form::EXPRESSION))]
    pub times: Option<u16>,
    /// The requests that it is expected to send, in order, with their answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// What is expected of this poll; its events are those that were not passed on before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectation>,
}

/// What happens to a webhook trigger: a request reaches it, or a flow of its subscription is run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["request"]}, {"required": ["lifecycle"]}]))]
pub struct Happening {
    /// The request that the service sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<WebhookRequest>,
    /// The flow of its subscription that is run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// How much time has passed since what happened before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::GIVEN_ELAPSED))]
    pub after: Option<String>,
    /// The requests that the flow is expected to send, in order, with their answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// What is expected of it; its events are those that were not passed on before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectation>,
}

/// A request that reaches a webhook trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookRequest {
    /// The method, `post` where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Headers by name.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub headers: Ordered<String>,
    /// Query parameters by name.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub query: Ordered<Value>,
    /// The body: text is sent as it is, anything else as JSON.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Whether it proves where it comes from, as the trigger's `verify` asks: true where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<bool>,
}

/// Why a value is no case, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("with what its expressions give, it is no case: {message}")]
pub struct Unfit {
    /// Where in the case, as a JSON Pointer.
    pub pointer: String,
    message: String,
}

impl Case {
    /// Reads a case by the schema of its suite.
    pub fn read(value: Value) -> Result<Self, Unfit> {
        let whole = |message: String| Unfit { pointer: String::new(), message };
        let suite = Suite::compiled().map_err(|error| whole(error.to_owned()))?;
        let written = json!({ "title": "-", "cases": [value] });
        if let Some(error) = suite.validator.iter_errors(&written).next() {
            let path = error.instance_path().as_str();
            let pointer = path.strip_prefix("/cases/0").unwrap_or_default().to_owned();
            let name = pointer.rsplit('/').next().unwrap_or_default();
            return Err(Unfit { message: format!("`{}`: {}", excerpt::of(name), in_words(&error)), pointer });
        }
        Self::deserialize(&written["cases"][0]).map_err(|error| whole(excerpt::of_message(&error)))
    }
}

fn in_words(error: &ValidationError<'_>) -> String {
    let found = found_in_words(error.instance());
    match error.kind() {
        ValidationErrorKind::Pattern { pattern } if *pattern == form::EXPRESSION => format!("expected a number, found {found}"),
        ValidationErrorKind::Pattern { pattern } if form::in_words(pattern).is_some() => {
            format!("expected {}, found {found}", form::in_words(pattern).unwrap_or_default())
        }
        ValidationErrorKind::Type { .. } if error.instance().is_null() => "its expression gives nothing".to_owned(),
        ValidationErrorKind::Type { kind } => format!("expected {}, found {found}", types_in_words(&types(kind))),
        kind => bound(kind).map_or_else(|| excerpt::of_message(error), |(_, message)| format!("{message}, found {found}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_expressions_give_is_held_to_the_schema() {
        let with = |status: Value| Case::read(json!({ "title": "x", "action": "a", "expect": { "error": { "status": status } } }));
        assert_eq!(with(json!(404)).unwrap().expect.error.unwrap().status, Some(404));
        assert_eq!(with(json!("${ 404 }")).unwrap().expect.error.unwrap().status, None);
        let told = |status: Value| {
            let unfit = with(status).unwrap_err();
            assert_eq!(unfit.pointer, "/expect/error/status");
            unfit.to_string().rsplit_once(": `status`: ").unwrap().1.to_owned()
        };
        assert_eq!(told(json!(4000)), "expected at most 599, found the number 4000");
        assert_eq!(told(json!("gone")), "expected a number, found the text `gone`");
        assert_eq!(told(Value::Null), "its expression gives nothing");
    }
}
