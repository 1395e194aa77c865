//! The only way from a flow to the outside: requests, time, chance and files. A test answers from its suite, a live run from the network.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::exchange::{Request, Response};
use super::fault::Standard;
use super::points::Point;
use super::session::Sending;
use super::told::Told;

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{reason}")]
pub struct Unanswered {
    /// What kind of error it is to the flow.
    pub kind: UnansweredKind,
    /// Why, a lowercase fragment without secrets.
    pub reason: String,
    /// What an authority has said that gave no token.
    pub denial: Option<Box<Denial>>,
}

/// What an authority says that gives no token, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// 401 where what was shown to it is no good, and its own status where it may give a token another time.
    pub status: u16,
    /// The code of the error, RFC 6749, section 5.2.
    pub error: Option<String>,
    /// What it says of the error.
    pub description: Option<String>,
}

/// The kinds of reasons why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnansweredKind {
    /// The service could not be reached, or broke off.
    Communication,
    /// It took too long.
    Timeout,
    /// The request is not allowed, or cannot be sent as it is.
    Configuration,
    /// No credentials could be had for it.
    Authentication,
}

impl Unanswered {
    fn new(kind: UnansweredKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), denial: None }
    }

    /// The service could not be reached, or broke off.
    pub fn communication(reason: impl Into<String>) -> Self {
        Self::new(UnansweredKind::Communication, reason)
    }

    /// It took too long.
    pub fn timeout(reason: impl Into<String>) -> Self {
        Self::new(UnansweredKind::Timeout, reason)
    }

    /// The request is not allowed, or cannot be sent as it is.
    pub fn configuration(reason: impl Into<String>) -> Self {
        Self::new(UnansweredKind::Configuration, reason)
    }

    /// No credentials could be had for it.
    pub fn authentication(reason: impl Into<String>) -> Self {
        Self::new(UnansweredKind::Authentication, reason)
    }
}

impl Denial {
    /// The denial as an answer to the request that the token was for, as services give one to a bad token.
    pub(crate) fn as_response(&self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status: self.status, headers, body: body.to_string().into_bytes() }
    }
}

impl UnansweredKind {
    /// The standard error it is to the flow.
    pub(crate) fn standard(self) -> Standard {
        match self {
            Self::Communication => Standard::Communication,
            Self::Timeout => Standard::Timeout,
            Self::Configuration => Standard::Configuration,
            Self::Authentication => Standard::Authentication,
        }
    }
}

/// Guarantees: nothing reaches the outside but through these; a future that is dropped has no further effect.
/// Assumptions: whoever calls `send` has checked the host; whoever sends for real checks it again.
#[async_trait(?Send)]
pub trait World {
    /// Sends a request, with the credentials and at the rate it asks for. Redirections are answers like any other, and not followed.
    async fn send(&self, sending: Sending) -> Result<Response, Unanswered>;

    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Lets time pass.
    async fn sleep(&self, duration: Duration);

    /// A number by chance.
    fn random(&self) -> u64;

    /// An identifier that no other run or event has.
    fn id(&self) -> String;

    /// Reads a file that belongs to the flow: of its bundle, or beside its document. The path is relative and without `..`.
    async fn file(&self, path: &str) -> Result<Vec<u8>, Unanswered>;

    /// A task begins. Told even to those who do not listen, so that whoever watches the run knows where it is.
    fn begins(&self, _reference: &str) {}

    /// Hears what happens in the run. Most do not listen, and need not have it told.
    fn hear(&self, _: &dyn Fn() -> Told) {}

    /// The run came to a point of its connector. Only tests count them.
    fn reached(&self, _: Point) {}
}

/// What sends single requests as they are: what [`super::Session`] builds on. A mock, or an HTTP client.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request, exactly as it is, and does not follow redirections.
    async fn exchange(&self, request: Request) -> Result<Response, Unanswered>;

    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Lets time pass.
    async fn sleep(&self, duration: Duration);

    /// A number by chance.
    fn random(&self) -> u64;
}
