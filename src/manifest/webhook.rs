//! Webhooks: where a service's requests arrive, how they prove where they come from, and what they are answered.

use std::borrow::Cow;

use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::de::{given, whole_if_given};
use super::order::Ordered;
use super::{Basic, Bearer, TestConnection, form};

/// Requests that the service sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// The path below the connector's own address.
    #[schemars(regex(pattern = form::PATH))]
    pub path: String,
    /// The method of the requests, or a list of methods: `post` where nothing is given.
    #[serde(default, skip_serializing_if = "Methods::is_usual")]
    pub method: Methods,
    /// How a request proves that it comes from the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    /// How the service's handshake is answered: a request with which it asks whether somebody listens. It starts no flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// What a request is answered that starts the flow: status 202 and no body where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respond: Option<Answer>,
    /// The flow that asks the service to send requests: from `{ callbackUrl, subscription, input }`. Its output is kept, and is
    /// `.subscription` from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<TestConnection>,
    /// The flow that asks it to stop: from `{ callbackUrl, subscription, input }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<TestConnection>,
    /// How often `subscribe` runs again, for subscriptions that expire: an ISO 8601 duration of a minute or more, such as `P2D`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::DURATION))]
    pub renew_every: Option<String>,
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "HTTP's own names")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
    Options,
}

impl Method {
    const ALL: [Self; 7] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Head, Self::Options];

    /// Its name in lowercase.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Head => "head",
            Self::Options => "options",
        }
    }
}

/// One method or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods(pub Vec<Method>);

impl Methods {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Methods {
    fn default() -> Self {
        Self(vec![Method::Post])
    }
}

impl Serialize for Methods {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let list = if value.is_array() { value } else { Value::Array(vec![value]) };
        serde_json::from_value(list).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Methods {
    fn schema_name() -> Cow<'static, str> {
        "Methods".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({
            "description": "A method, or a list of methods.",
            "type": ["string", "array"],
            "pattern": form::METHOD,
            "minItems": 1,
            "uniqueItems": true,
            "items": { "enum": Method::ALL.map(Method::as_str) },
        })
    }
}

/// How a request proves that it comes from the service; exactly one of these is given. Secrets are text or expressions: `$connection`
/// holds the connection's properties, `.subscription` what `subscribe` returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Verify {
    /// A signature in a header, RFC 2104.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac: Option<Hmac>,
    /// HTTP Basic, RFC 7617.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<Basic>,
    /// A bearer token, RFC 6750.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<Bearer>,
    /// A secret that the service sends back as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// A signature in a header: the HMAC of the request's body, or of what `payload` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hmac {
    /// The key: text or an expression.
    pub secret: String,
    /// How the key is written.
    #[serde(default)]
    pub secret_encoding: KeyEncoding,
    /// The header with the signature. Several signatures may stand in it, with blanks between them; one that is right is enough.
    #[schemars(regex(pattern = form::HEADER))]
    pub header: String,
    /// Where the header is a list such as `t=1700000000,v1=5257a8…`: the name of the signature's part, such as `v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::TEXT))]
    pub part: Option<String>,
    /// The hash function.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands before the signature, such as `sha256=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What is signed, where it is not the body alone: a text with expressions over `{ method, url, path, headers, query, body, form,
    /// timestamp, subscription }`, in which `body` is the body's text and `form` its fields, such as `${ .timestamp }.${ .body }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The header that says when the request was signed: in seconds or milliseconds since 1970, or as in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::HEADER))]
    pub timestamp_header: Option<String>,
    /// The name of the part that says it, where that header is a list: `t` in the example above. Without `timestampHeader` it is a part of
    /// `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::TEXT))]
    pub timestamp_part: Option<String>,
    /// How long ago that may be, against requests that are sent again by others: `PT5M` where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::DURATION))]
    pub tolerance: Option<String>,
}

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyEncoding {
    /// The text is the key.
    #[default]
    Text,
    /// Hexadecimal digits.
    Hex,
    /// Base64, RFC 4648.
    Base64,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits.
    #[default]
    Hex,
    /// Base64, RFC 4648.
    Base64,
}

/// The hash function of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-1, for services that have nothing better.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// A secret that the service sends back as it is; exactly one place is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["header"]}, {"required": ["query"]}, {"required": ["from"]}]))]
pub struct Token {
    /// The header it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::HEADER))]
    pub header: Option<String>,
    /// The query parameter it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// An expression over the request that gives it, such as `.body.clientState`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it must be: text or an expression.
    pub value: String,
}

/// How a service's handshake is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Challenge {
    /// An expression over the request, whatever its method: whether it is the handshake.
    pub when: String,
    /// Whether the handshake too must prove where it comes from, as `verify` says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// A signature that the service wants to see: it is `.signature` in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Signing>,
    /// The answer: status 200 where none is given.
    pub respond: Answer,
}

/// A signature to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signing {
    /// The key: text or an expression.
    pub secret: String,
    /// What is signed: text or an expression over the request.
    pub payload: String,
    /// The hash function.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
}

/// The answer to a request. Expressions in it see the request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The status.
    #[serde(default, deserialize_with = "whole_if_given", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 200, max = 599))]
    pub status: Option<u16>,
    /// Headers by name: text or expressions.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": form::HEADER, "maxLength": 100}))]
    pub headers: Ordered<String>,
    /// The body: text is sent as it is, anything else as JSON.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}
