//! Mocked exchanges: which requests a case expects, and what it answers to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::connector::Schema;
use super::super::de::{given, whole_or_expression};
use super::super::form;
use super::super::order::Ordered;

/// Requests the flow is expected to send, and the answers they get: one request, or several that come in any order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["request", "response"]}, {"required": ["inAnyOrder"]}]))]
pub struct Exchange {
    /// What is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<ExpectedRequest>,
    /// What is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<MockedResponse>,
    /// How often it comes, one after the other: once where nothing is said.
    #[serde(default, deserialize_with = "whole_or_expression", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value", extend("type" = ["integer", "string"], "minimum" = 1, "maximum" = 1000, "pattern" = form::EXPRESSION))]
    pub times: Option<u16>,
    /// Exchanges of which each comes, in whatever order; those after them come when all of these have come. A request is taken for the
    /// first that it fits and that is still to come. Groups do not nest; one with `times` comes as a whole that often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub in_any_order: Vec<Self>,
}

/// What a request must look like. What is not given is not compared. Schemas and assertions are judged where everything else is as
/// expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedRequest {
    /// The method, such as `get`, in any case.
    pub method: String,
    /// The whole address without its query, where the path alone does not tell enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The path alone, that of `baseUrl` with it, such as `/v1/items/item-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Query parameters by name, all of them: text, or a list of texts where a name comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Ordered<Value>>,
    /// Query parameters by name; others may be there too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_includes: Option<Ordered<Value>>,
    /// Headers by name, in any case; others may be there too. One that is null must not be there.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    #[schemars(extend("additionalProperties" = {"type": ["null", "string"]}))]
    pub headers: Ordered<Option<String>>,
    /// The whole body, as JSON or as text. A map also compares with a form's fields, in which a name that comes again has a list.
    /// A list of parts, or a map of them by name, compares with a multipart form: a part is described by `name`, `value` or `content`
    /// or `base64`, `filename` and `contentType`; what is not said of a part is not compared. Bytes compare with `{ base64: … }`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// A part of the body: maps may have other members too, at any depth; lists and everything else compare whole. A map also compares
    /// with some of a form's fields, or with some of the parts of a multipart form; one that is null must not be there.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub body_includes: Option<Value>,
    /// A JSON Schema (2020-12) that the body must fit; it may refer to the manifest's types as `#/types/Name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_schema: Option<Schema>,
    /// Expressions (jq) that must be true, with or without `${ }`, over `{ method, url, path, query, headers, body }`: the method and
    /// names of headers in lower case, the address without its query, JSON and forms as values. They can read `$connection`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assert: Vec<String>,
}

/// The answer to an expected request; its body is given as `body`, as `bytes` or as a `file`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["body"]},
    {"required": ["bytes"]},
    {"required": ["file"]},
    {"properties": {"body": false, "bytes": false, "file": false}},
], "anyOf" = [{"required": ["status"]}, {"required": ["fault"]}]))]
pub struct MockedResponse {
    /// The status.
    #[serde(default, deserialize_with = "whole_or_expression", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value", extend("type" = ["integer", "string"], "minimum" = 100, "maximum" = 599, "pattern" = form::EXPRESSION))]
    pub status: Option<u16>,
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
    /// The file that holds the body: its path within the connector's folder, such as `tests/files/issue.json`. Its type is told by its
    /// name where it ends with json, xml, csv or txt; any other is bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How long it takes to come, such as `PT2S`, by the test's clock. A flow waits two minutes at most, as it does live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::GIVEN_ELAPSED))]
    pub delay: Option<String>,
    /// What goes wrong instead of, or in, the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<ResponseFault>,
}

/// What goes wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResponseFault {
    /// The connection breaks off before anything is answered.
    Reset,
    /// Nothing is ever answered: the flow waits two minutes by the test's clock, as a live one would.
    Timeout,
    /// The body breaks off halfway, so that it cannot be read as what its type says.
    Malformed,
}
