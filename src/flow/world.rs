//! The only way from a flow to the outside: requests, time and chance. A test answers from its suite, a live run from the network.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

/// A request a flow sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The whole address; its host is one that the connection allows.
    pub url: Url,
    /// Headers as given, names in any case.
    pub headers: Vec<(String, String)>,
    /// What is sent along.
    pub body: Option<Body>,
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// Text as it is.
    Text(String),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers as received.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(pub String);

/// Guarantees: nothing reaches the outside but through these. Assumptions: whoever calls `send` has checked the host.
#[async_trait(?Send)]
pub trait World {
    /// Sends a request. Redirections are answers like any other, and not followed.
    async fn send(&self, request: Request) -> Result<Response, Unanswered>;

    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Lets time pass.
    async fn sleep(&self, duration: Duration);

    /// A number by chance.
    fn random(&self) -> u64;

    /// An identifier that no other run or event has.
    fn id(&self) -> String;
}

impl Response {
    /// The first header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
