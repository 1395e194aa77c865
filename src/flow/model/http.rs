//! Calls over HTTP: `call: http`, `call: request` and `call: openapi`, and the connection they share.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::request::{Again, Mapping, Policies};
use crate::flow::content::{BodyForm, ResponseForm};
use crate::flow::session::{ClientAuthentication, Grant, Rate};
use crate::flow::template::Template;
use crate::flow::uri::Address;

/// An HTTP request with what is made of its response: `call: http` and `call: request`.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) method: Template,
    pub(crate) address: Address,
    /// Whether the address is relative to the connection's base, and the connection's authentication is added.
    pub(crate) connection: bool,
    pub(crate) authentication: Option<Arc<Authentication>>,
    pub(crate) headers: Option<Template>,
    pub(crate) query: Option<Template>,
    pub(crate) body: Option<Template>,
    pub(crate) sends: BodyForm,
    pub(crate) reads: ResponseForm,
    pub(crate) output: HttpOutput,
    /// Whether a redirection is an answer like any other.
    pub(crate) redirect: bool,
    pub(crate) policies: Policies,
}

impl Http {
    /// Whether redirections are followed: `call: http` leaves them to whoever wrote the flow, as the DSL has it.
    pub(crate) fn follows(&self) -> bool {
        self.connection && !self.redirect
    }
}

/// What a call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HttpOutput {
    /// The body, deserialised where its type is known.
    Content,
    /// Request, status, headers and content.
    Response,
    /// The body in base64.
    Raw,
}

/// An operation of an OpenAPI description.
#[derive(Debug)]
pub(crate) struct OpenApi {
    pub(crate) document: Document,
    pub(crate) operation: String,
    pub(crate) parameters: Option<Template>,
    pub(crate) authentication: Option<Arc<Authentication>>,
    pub(crate) output: HttpOutput,
    pub(crate) redirect: bool,
}

/// A document of the bundle, beside the flow, or at an address; read once.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) endpoint: Address,
    pub(crate) authentication: Option<Arc<Authentication>>,
    pub(crate) contents: OnceCell<Arc<Vec<u8>>>,
}

/// How a request proves who it is.
#[derive(Debug)]
pub(crate) enum Authentication {
    Basic {
        username: Template,
        password: Template,
    },
    Bearer(Template),
    Digest {
        username: Template,
        password: Template,
    },
    OAuth2(Box<OAuth2Model>),
    /// A secret of the document holds what would stand here.
    OAuth2InSecret {
        secret: String,
        oidc: bool,
    },
    KeyInHeader {
        name: String,
        value: Template,
    },
    KeyInQuery {
        name: String,
        value: Template,
    },
}

/// The path below an authority at which it describes itself, OpenID Connect Discovery 1.0, section 4.
pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";

/// How a token is asked for, expressions included.
#[derive(Debug)]
pub(crate) struct OAuth2Model {
    pub(crate) authority: Address,
    /// The path of the token endpoint below the authority; nothing where discovery tells it.
    pub(crate) token_path: Option<String>,
    pub(crate) grant: Grant,
    pub(crate) client_id: Option<Template>,
    pub(crate) client_secret: Option<Template>,
    pub(crate) client_assertion: Option<Template>,
    pub(crate) client_authentication: ClientAuthentication,
    pub(crate) json: bool,
    pub(crate) scopes: Option<Template>,
    pub(crate) audiences: Option<Template>,
    pub(crate) issuers: Option<Template>,
    pub(crate) username: Option<Template>,
    pub(crate) password: Option<Template>,
    pub(crate) refresh_token: Option<Template>,
    pub(crate) subject: Option<TokenModel>,
    pub(crate) actor: Option<TokenModel>,
}

/// A token with its type.
#[derive(Debug)]
pub(crate) struct TokenModel {
    pub(crate) token: Template,
    pub(crate) kind: Template,
}

/// The connection that flows of one connector share.
#[derive(Debug, Default)]
pub(crate) struct ConnectionModel {
    pub(crate) base: Option<Template>,
    pub(crate) authentication: Option<Arc<Authentication>>,
    /// When requests are sent again, where a call does not say it.
    pub(crate) again: Option<Arc<Again>>,
    /// The rate that requests keep to, where a call does not say it.
    pub(crate) rate: Option<Arc<Rate>>,
    /// Responses that stand for declared errors, where none of a call's own fits.
    pub(crate) errors: Vec<Mapping>,
    /// The only hosts that may be reached; `None` where that is not the flow's to decide.
    pub(crate) hosts: Option<Vec<String>>,
}
