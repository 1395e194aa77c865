//! What a case expects in the end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::connector::Schema;
use super::super::de::{given, whole_or_expression};
use super::super::form;
use super::super::order::Ordered;

/// What is expected of a case in the end: an output, events or an error. Where no error is expected, one that ends the flow is a failure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Expectation {
    /// The whole output.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// A part of the output: maps may have other members too, at any depth; lists and everything else compare whole.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub output_includes: Option<Value>,
    /// A JSON Schema (2020-12) that the output must fit; it may refer to the manifest's types as `#/types/Name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Schema>,
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
    #[serde(default, deserialize_with = "whole_or_expression", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value", extend("type" = ["integer", "string"], "minimum" = 0, "maximum" = 65535, "pattern" = form::EXPRESSION))]
    pub requests: Option<u16>,
    /// How many times something was tried again: requests that were sent again, and tasks of a `try` with `retry`.
    #[serde(default, deserialize_with = "whole_or_expression", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value", extend("type" = ["integer", "string"], "minimum" = 0, "maximum" = 65535, "pattern" = form::EXPRESSION))]
    pub retries: Option<u16>,
    /// How long the flow took, such as `PT3S`: the time that it waited, by itself, between attempts and for its rate. Everything else takes no time in a
    /// test. Several runs count together, without what lies between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::GIVEN_ELAPSED))]
    pub elapsed: Option<String>,
    /// Expressions (jq) that must be true, with or without `${ }`, over `{ output, events, error, requests }`; `requests` are those that
    /// were sent, each `{ method, url, path, query, headers, body }`: the method and names of headers in lower case, the address without
    /// its query. What there is not is null. They can read `$connection`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assert: Vec<String>,
}

/// What a service is expected to be answered by a webhook; what is not given is not compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct ExpectedAnswer {
    /// The status.
    #[serde(default, deserialize_with = "whole_or_expression", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value", extend("type" = ["integer", "string"], "minimum" = 100, "maximum" = 599, "pattern" = form::EXPRESSION))]
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
    /// A part of its data: maps may have other members too, at any depth; lists and everything else compare whole.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub data_includes: Option<Value>,
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
    #[serde(default, deserialize_with = "whole_or_expression", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value", extend("type" = ["integer", "string"], "minimum" = 100, "maximum" = 599, "pattern" = form::EXPRESSION))]
    pub status: Option<u16>,
    /// What it says happened, such as an error mapping's `detail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
