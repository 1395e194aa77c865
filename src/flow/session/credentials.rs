//! Credentials as they reach whoever sends: evaluated, and never shown.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// Credentials that take requests of their own.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OAuth2 {
    /// Where tokens are asked for. Not looked at where there is a `discovery_url`.
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
pub enum Grant {
    ClientCredentials,
    Password,
    RefreshToken,
    TokenExchange,
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ClientAuthentication {
    ClientSecretBasic,
    ClientSecretPost,
    ClientSecretJwt,
    PrivateKeyJwt,
    None,
}

impl OAuth2 {
    /// What no message may show.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let plain = [&self.client_secret, &self.client_assertion, &self.password, &self.refresh_token];
        let tokens = [&self.subject, &self.actor].into_iter().flatten().map(|(token, _)| token.as_str());
        plain.into_iter().filter_map(|secret| secret.as_deref()).chain(tokens)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest { .. } => f.debug_struct("Digest").finish_non_exhaustive(),
            Self::OAuth2(oauth2) => oauth2.fmt(f),
        }
    }
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = Url::parse(self.discovery_url.as_ref().unwrap_or(&self.token_url)).ok();
        f.debug_struct("OAuth2")
            .field("host", &url.as_ref().and_then(Url::host_str))
            .field("grant", &self.grant)
            .field("client_authentication", &self.client_authentication)
            .finish_non_exhaustive()
    }
}
