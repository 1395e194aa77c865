//! The desired state: the files of a team's repository as types, parsed with the place of every problem, and edited in place.

mod authentication;
mod bundle;
pub mod code;
mod config;
mod connection;
mod connector;
mod de;
mod digest;
mod document;

pub mod edit;
mod excerpt;
mod form;
mod hidden;
mod order;
pub mod release;
mod scalar;
mod schemas;
mod suggestion;
mod suite;
mod syntax;
mod text;
mod tree;
mod trigger;
mod typed;
mod values;
mod violation;
mod webhook;
mod wording;

pub use authentication::{
    ApiKey, Authentication, Basic, Bearer, ClientProof, Endpoints, ExchangedToken, GrantKind, OAuth2, OAuth2Client, TokenRequest, Words,
};
pub use bundle::{Bundle, SuiteFile, without_suites};
pub use code::{CODES, Code};
pub use config::{CONFIG, Config, DeletionPolicy, Environment, ReviewPolicy, ReviewProvider, Validation};
pub use connection::{Connection, ConnectionValue, ConnectionValues, ErrorMappings, Property, PropertyType};
pub use connector::{API_VERSION, Action, DeclaredError, DocLinks, Manifest, Schema, Tasks, TestConnection, Visibility};
pub use digest::{MANIFEST, digest};
pub use document::Document;
pub(crate) use document::{escape, unescape};
pub(crate) use excerpt::{cut, of as excerpt};
pub use hidden::is_obeyed;
pub use order::Ordered;
pub(crate) use scalar::resolve as plain_scalar;
pub use schemas::{schema_text, schemas};
pub use suggestion::nearest;
pub(crate) use suggestion::nearest_or_known;
pub use suite::{
    Case, Exchange, Expectation, ExpectedAnswer, ExpectedError, ExpectedEvent, ExpectedRequest, Happening, Hook, HookName, Lifecycle,
    MockedResponse, Poll, Recording, ResponseFault, Row, Selection, Suite, SuiteFlaw, Trial, Unfit, Unmatched, WebhookRequest,
    missing_file, trials,
};
pub use text::LARGEST_FILE;
pub use trigger::{Overlap, Schedule, Start, Trigger};
pub use webhook::{Algorithm, Answer, Challenge, Encoding, Hmac, KeyEncoding, Method, Methods, Signing, Token, Verify, Webhook};
