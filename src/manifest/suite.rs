//! A test suite, `tests/*.yaml`: cases that run a connector's flows against mocked exchanges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::de::{given, whole, whole_if_given};
use super::form;
use super::order::Ordered;

/// Cases that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Suite {
    /// What people see.
    #[schemars(regex(pattern = form::TEXT))]
    pub title: String,
    /// Values of connection properties for every case. Never real secrets.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub connection: Ordered<Value>,
    /// The cases; they have no order.
    #[schemars(length(min = 1))]
    pub cases: Vec<Case>,
}

/// One run of one flow, and what is expected of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["action"]}, {"required": ["trigger"]}, {"required": ["testConnection"]}]))]
pub struct Case {
    /// What people see.
    #[schemars(regex(pattern = form::TEXT))]
    pub title: String,
    /// The action to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The trigger to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// Whether to run the test connection.
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
    /// The requests that the flow is expected to send, in order, with their answers.
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

/// One poll of a polled trigger.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Poll {
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
    #[schemars(regex(pattern = form::ELAPSED))]
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

/// A request the flow is expected to send, and the answer it gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exchange {
    /// What is expected.
    pub request: ExpectedRequest,
    /// What is answered.
    pub response: MockedResponse,
    /// How often it comes, one after the other: once where nothing is said.
    #[serde(default, deserialize_with = "whole_if_given", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub times: Option<u16>,
}

/// What a request must look like. What is not given is not compared, except the query, which is compared whole where it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedRequest {
    /// The method, in any case.
    pub method: String,
    /// The whole address without its query, where the path alone does not tell enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The path alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Query parameters by name; all of them where any is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Ordered<Value>>,
    /// Headers by name, in any case; others may be there too.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub headers: Ordered<String>,
    /// The whole body, as JSON or as text. A map also compares with a form's fields, in which a name that comes again has a list.
    /// A list of parts, or a map of them by name, compares with a multipart form: a part is described by `name`, `value` or `content`
    /// or `base64`, `filename` and `contentType`; what is not said of a part is not compared. Bytes compare with `{ base64: … }`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// The answer to an expected request; its body is given as `body` or as `bytes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["body"]},
    {"required": ["bytes"]},
    {"properties": {"body": false, "bytes": false}},
]))]
pub struct MockedResponse {
    /// The status.
    #[schemars(range(min = 100, max = 599))]
    #[serde(deserialize_with = "whole")]
    pub status: u16,
    /// Headers by name.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub headers: Ordered<String>,
    /// The body: text is sent as it is, anything else as JSON.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The body in base64, where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::BASE64))]
    pub bytes: Option<String>,
}

/// What is expected of a case in the end: an output, events or an error.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Expectation {
    /// The whole output.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// All events, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<ExpectedEvent>>,
    /// The error that ends the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ExpectedError>,
    /// For a webhook trigger: what the service is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ExpectedAnswer>,
    /// For a polled trigger: the cursor that is kept for the next poll.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Value>,
    /// How many requests were sent, those for tokens and those that were sent again among them.
    #[serde(default, deserialize_with = "whole_if_given", skip_serializing_if = "Option::is_none")]
    pub requests: Option<u16>,
    /// How long the flow took: the time that it waited, by itself, between attempts and for its rate. Everything else takes no time in a
    /// test. Several runs count together, without what lies between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::ELAPSED))]
    pub elapsed: Option<String>,
}

/// What a service is expected to be answered by a webhook; what is not given is not compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct ExpectedAnswer {
    /// The status.
    #[serde(default, deserialize_with = "whole_if_given", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// Headers by name, in any case; others may be there too.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    pub headers: Ordered<String>,
    /// The whole body, as JSON or as text.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// An event a trigger is expected to emit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedEvent {
    /// Its type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its whole data.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// The error a flow is expected to end with; what is not given is not compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct ExpectedError {
    /// The name of a declared error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type's URI.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The status.
    #[serde(default, deserialize_with = "whole_if_given", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// What it says happened, such as an error mapping's `detail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
