//! How a connection's requests prove who they are.

use std::borrow::Cow;

use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How `call: request` proves who it is; at most one of these is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Authentication {
    /// HTTP Basic, RFC 7617.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<Basic>,
    /// Bearer token, RFC 6750.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<Bearer>,
    /// HTTP Digest, RFC 7616.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Basic>,
    /// A token of an OAuth 2.0 authority, RFC 6749.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<Box<OAuth2>>,
    /// A key in a header or in the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
}

/// A user's credentials: text or expressions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basic {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// A bearer token: text or an expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bearer {
    /// The token.
    pub token: String,
}

/// A key that goes into a header or into the query; exactly one of the two is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["header"]}, {"required": ["query"]}]))]
pub struct ApiKey {
    /// The header that carries the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The query parameter that carries the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The key: text or an expression.
    pub value: String,
}

/// How a token is asked for, as the DSL's `oauth2`: text or expressions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OAuth2 {
    /// The address of the authority, or of its OpenID Connect discovery document.
    pub authority: String,
    /// What stands for the right to have a token.
    pub grant: GrantKind,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<OAuth2Client>,
    /// How it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<TokenRequest>,
    /// Where it is asked, below the authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// The issuers that are accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuers: Option<Words>,
    /// What the token is to allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Words>,
    /// For whom the token is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audiences: Option<Words>,
    /// The user's name, for the grant `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password, for the grant `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The refresh token, for the grant `refresh_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The token that is exchanged, RFC 8693.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<ExchangedToken>,
    /// The acting party's token, RFC 8693.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ExchangedToken>,
}

/// What stands for the right to have a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// The client itself, RFC 6749, section 4.4.
    ClientCredentials,
    /// A user's password, RFC 6749, section 4.3.
    Password,
    /// A refresh token, RFC 6749, section 6.
    RefreshToken,
    /// Another token, RFC 8693.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

/// The client that asks for a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OAuth2Client {
    /// Its identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// A signed assertion that stands for the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<String>,
    /// How it proves who it is: `client_secret_post` where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<ClientProof>,
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum ClientProof {
    ClientSecretBasic,
    ClientSecretPost,
    ClientSecretJwt,
    PrivateKeyJwt,
    None,
}

/// How a token is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRequest {
    /// The form of the request's body: a form where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["application/x-www-form-urlencoded", "application/json"]))]
    pub encoding: Option<String>,
}

/// Where an authority is asked, as paths below it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoints {
    /// For tokens: `/oauth2/token` where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// For the revocation of tokens; it is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<String>,
    /// For what a token allows; it is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection: Option<String>,
}

/// A token that is exchanged for another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExchangedToken {
    /// The token.
    pub token: String,
    /// Its type, a URI.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A list of texts, or an expression that gives one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(pub Value);

impl JsonSchema for Words {
    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({
            "description": "A list of texts, or an expression that gives one.",
            "type": ["array", "string"],
            "items": { "type": "string" },
        })
    }
}
