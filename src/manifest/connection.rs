//! What a connection needs, as the manifest declares it, and the values that one environment gives.

use std::borrow::Cow;

use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::de::given;
use super::order::Ordered;
use super::{Authentication, Document, TestConnection, form, typed};
use crate::model::Problem;

/// Connection properties, shared by every action and trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connection {
    /// The only hosts its flows may reach: exact names, or `*.example.com` for every name below one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = form::HOST)))]
    pub hosts: Vec<String>,
    /// What relative paths of `call: request` are resolved against: text or an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The properties by name (camelCase); one without a default is required, unless it is optional.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": form::CAMEL, "maxLength": 63}))]
    pub properties: Ordered<Property>,
    /// How requests prove who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// When requests are sent again: `retry` of `call: request`, for calls that do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub retry: Option<Value>,
    /// The rate that requests keep to: `rateLimit` of `call: request`, for calls that do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub rate_limit: Option<Value>,
    /// Which responses stand for which declared errors: `errors` of `call: request`, for all of them. A call's own come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorMappings>,
    /// The test connection: a flow that may use the properties only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestConnection>,
}

/// Responses that stand for declared errors; the first that fits does. Its form is the flows' own to check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorMappings(pub Value);

impl JsonSchema for ErrorMappings {
    fn schema_name() -> Cow<'static, str> {
        "ErrorMappings".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        let status = json!({ "anyOf": [
            { "type": "integer", "minimum": 200, "maximum": 599 },
            { "type": "string", "enum": ["2xx", "3xx", "4xx", "5xx"] },
        ] });
        json_schema!({
            "description": "Responses that stand for declared errors; the first that fits does. A token that an authority refuses is judged \
                            as a response, too, of status 401 with `error` and `error_description` as its content.",
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["raise"],
                "properties": {
                    "status": {
                        "description": "A status, a class such as `4xx`, or a list of them.",
                        "anyOf": [status, { "type": "array", "minItems": 1, "items": status }],
                    },
                    "headers": {
                        "description": "Headers by name: text that they must be, or `true` where they must only be there.",
                        "type": "object",
                        "additionalProperties": { "type": ["string", "number", "boolean"] },
                    },
                    "when": {
                        "description": "A condition over `{ statusCode, headers, content }`; names of headers are in lower case.",
                        "type": "string",
                    },
                    "raise": { "description": "The declared error.", "type": "string" },
                    "detail": { "description": "What happened: text or an expression over the same.", "type": "string" },
                },
            },
        })
    }
}

/// One connection property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Property {
    /// What people see.
    pub title: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its JSON type.
    #[serde(rename = "type")]
    pub kind: PropertyType,
    /// A JSON Schema format, such as `uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The values it may take.
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("minItems" = 1, "uniqueItems" = true))]
    pub allowed: Vec<Value>,
    /// Its value where none is given.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether it must never be shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// Whether it can do without a value; then it is null to expressions, and requests whose credentials it is go without any.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What a value looks like.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
}

/// The JSON type of a connection property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "JSON's own names")]
pub enum PropertyType {
    String,
    Integer,
    Number,
    Boolean,
}

/// `connections/<environment>/<connector>.yaml`: the values of one connector's connection properties in one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("propertyNames" = {"pattern": form::CAMEL, "maxLength": 63}))]
pub struct ConnectionValues(pub Ordered<ConnectionValue>);

impl ConnectionValues {
    /// Reads the values of a connection; `file` is the path from the repository's root.
    pub fn read(file: &str, bytes: &[u8]) -> Result<(Self, Document), Vec<Problem>> {
        typed::read(file, bytes)
    }
}

/// A value of a connection property: text, a number or a boolean given openly, or a reference to a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectionValue(pub Value);

impl JsonSchema for ConnectionValue {
    fn schema_name() -> Cow<'static, str> {
        "ConnectionValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({
            "description": "A value given openly, or a reference to a secret: `{ env: NAME }` or `{ file: PATH }`.",
            "type": ["string", "number", "boolean", "object"],
            "properties": {
                "env": { "type": "string", "description": "The variable of the server's environment that holds the value." },
                "file": { "type": "string", "description": "The file on the server that holds the value." },
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
        })
    }
}
