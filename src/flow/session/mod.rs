//! What requests of one connection share beyond a single exchange: credentials that are asked for first, and the rate they keep to.

use serde::{Deserialize, Serialize};

use super::exchange::{Request, Response};
use super::world::{Transport, Unanswered};

/// A request with what whoever sends it adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sending {
    /// The request as the flow wrote it; basic, bearer and key authentication are in its headers or query already.
    pub request: Request,
    /// Credentials that take requests of their own.
    pub credentials: Option<Credentials>,
    /// The rate that requests of this connection keep to.
    pub rate: Option<Rate>,
}

/// Credentials that take requests of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credentials {
    /// HTTP Digest, RFC 7616.
    Digest {
        /// The user's name.
        username: String,
        /// The password.
        password: String,
    },
    /// A token of an OAuth 2.0 authority, RFC 6749.
    OAuth2(Box<OAuth2>),
}

/// How a token is asked for: the DSL's `oauth2`, all expressions evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OAuth2 {
    /// Where tokens are asked for.
    pub token_url: String,
    /// Where the token's address is found first, where only an OpenID Connect discovery document is known.
    pub discovery_url: Option<String>,
    /// The kind of grant.
    pub grant: Grant,
    /// The client's identifier.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<String>,
    /// A signed assertion that stands for the secret.
    pub client_assertion: Option<String>,
    /// How the client proves who it is.
    pub client_authentication: ClientAuthentication,
    /// Whether the token request is JSON instead of a form.
    pub json: bool,
    /// What the token is to allow.
    pub scopes: Vec<String>,
    /// For whom the token is.
    pub audiences: Vec<String>,
    /// Issuers that are accepted; empty for any.
    pub issuers: Vec<String>,
    /// The user's name, for the password grant.
    pub username: Option<String>,
    /// The password, for the password grant.
    pub password: Option<String>,
    /// The refresh token, for the refresh grant.
    pub refresh_token: Option<String>,
    /// The token exchanged, and its type, for token exchange, RFC 8693.
    pub subject: Option<(String, String)>,
    /// The acting party's token, and its type, for token exchange.
    pub actor: Option<(String, String)>,
}

/// The kinds of grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum Grant {
    ClientCredentials,
    Password,
    RefreshToken,
    TokenExchange,
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the standard")]
pub enum ClientAuthentication {
    ClientSecretBasic,
    ClientSecretPost,
    ClientSecretJwt,
    PrivateKeyJwt,
    None,
}

/// A token bucket: so many requests in so much time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// What shares the bucket, within the connection.
    pub bucket: String,
    /// How many requests.
    pub requests: u32,
    /// In how many milliseconds.
    pub per_millis: u64,
}

/// Sends requests for one connection. Shared by all of its runs.
#[derive(Debug, Default)]
pub struct Session {}

impl Session {
    /// Sends a request with its credentials, at its rate.
    pub async fn send(&self, transport: &dyn Transport, sending: Sending) -> Result<Response, Unanswered> {
        transport.exchange(sending.request).await
    }
}
