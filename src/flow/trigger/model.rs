//! A trigger, parsed: what of it is fixed, and the expressions that are evaluated when something happens.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::flow::template::Template;
use crate::manifest::{Algorithm, Encoding, KeyEncoding, Method, Overlap};

/// Which of a trigger's expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// `verify.hmac.secret`, over `{ subscription, input }`.
    Secret,
    /// `verify.hmac.payload`, over the signed request.
    Payload,
    /// `verify.basic.username`, over `{ subscription, input }`.
    Username,
    /// `verify.basic.password`, over `{ subscription, input }`.
    Password,
    /// `verify.bearer.token` or `verify.token.value`, over `{ subscription, input }`.
    Token,
    /// `verify.token.from`, over the request.
    TokenFrom,
    /// `challenge.when`, over the request.
    ChallengeWhen,
    /// `challenge.sign.secret`, over `{ subscription, input }`.
    SigningSecret,
    /// `challenge.sign.payload`, over the request.
    SigningPayload,
    /// `challenge.respond.headers`, over the request and `.signature`.
    ChallengeHeaders,
    /// `challenge.respond.body`, over the request and `.signature`.
    ChallengeBody,
    /// `respond.headers`, over the request.
    AnswerHeaders,
    /// `respond.body`, over the request.
    AnswerBody,
    /// `cursor`, over the flow's output.
    Cursor,
    /// `deduplicateBy`, over an event's data.
    DeduplicateBy,
}

impl Slot {
    /// Those that give secrets.
    pub(crate) const SECRETS: [Self; 4] = [Self::Secret, Self::Password, Self::Token, Self::SigningSecret];

    /// Where it stands in the trigger.
    pub fn key(self) -> &'static str {
        match self {
            Self::Secret => "verify.hmac.secret",
            Self::Payload => "verify.hmac.payload",
            Self::Username => "verify.basic.username",
            Self::Password => "verify.basic.password",
            Self::Token => "the token of verify",
            Self::TokenFrom => "verify.token.from",
            Self::ChallengeWhen => "challenge.when",
            Self::SigningSecret => "challenge.sign.secret",
            Self::SigningPayload => "challenge.sign.payload",
            Self::ChallengeHeaders => "challenge.respond.headers",
            Self::ChallengeBody => "challenge.respond.body",
            Self::AnswerHeaders => "respond.headers",
            Self::AnswerBody => "respond.body",
            Self::Cursor => "cursor",
            Self::DeduplicateBy => "deduplicateBy",
        }
    }
}

/// Evaluates one of the trigger's expressions over a value. The error may hold secrets: it is shown nowhere.
pub type Evaluate<'a> = dyn Fn(Slot, &Value) -> Result<Value, String> + 'a;

/// A trigger, ready to decide.
#[derive(Debug)]
pub struct Trigger {
    pub(super) start: Start,
    /// How many values of `deduplicateBy` are remembered; `None` where every event is passed on.
    pub(super) remembers: Option<usize>,
    pub(super) keeps_cursor: bool,
    pub(super) templates: BTreeMap<Slot, Template>,
    /// The connection's secret properties.
    pub(in crate::flow) hidden: Vec<String>,
}

impl Trigger {
    /// One of its expressions, or a value with expressions in it.
    pub(crate) fn template(&self, slot: Slot) -> Option<&Template> {
        self.templates.get(&slot)
    }
}

/// What starts its flow.
#[derive(Debug)]
pub(super) enum Start {
    Webhook(Box<Webhook>),
    Poll(Poll),
}

#[derive(Debug)]
pub(super) struct Webhook {
    pub(super) methods: Vec<Method>,
    pub(super) verify: Option<Verify>,
    pub(super) challenge: Option<Challenge>,
    pub(super) respond: AnswerShape,
    pub(super) subscribes: bool,
    pub(super) unsubscribes: bool,
    pub(super) renew_every: Option<SignedDuration>,
}

#[derive(Debug)]
pub(super) enum Verify {
    Hmac(Hmac),
    Basic,
    Bearer,
    Token(TokenPlace),
}

#[derive(Debug)]
pub(super) struct Hmac {
    pub(super) key: KeyEncoding,
    pub(super) header: String,
    pub(super) part: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Encoding,
    pub(super) prefix: String,
    pub(super) stamp: Option<Stamp>,
    /// Whether a payload of its own is signed, rather than the body.
    pub(super) has_payload: bool,
}

/// Where it says when the request was signed.
#[derive(Debug)]
pub(super) struct Stamp {
    pub(super) header: String,
    pub(super) part: Option<String>,
    pub(super) tolerance: SignedDuration,
}

#[derive(Debug)]
pub(super) enum TokenPlace {
    Header(String),
    Query(String),
    Expression,
}

#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) verified: bool,
    pub(super) sign: Option<(Algorithm, Encoding)>,
    pub(super) respond: AnswerShape,
}

/// What of an answer is known before a request comes.
#[derive(Debug)]
pub(super) struct AnswerShape {
    pub(super) status: u16,
    pub(super) has_headers: bool,
    pub(super) has_body: bool,
}

/// When a polled trigger runs.
#[derive(Debug)]
pub(super) struct Poll {
    pub(super) rhythm: Rhythm,
    pub(super) overlap: Overlap,
}

#[derive(Debug)]
pub(super) enum Rhythm {
    /// Every so often.
    Every(SignedDuration),
    /// When the local time is one that the cron line names.
    Cron(Box<croner::Cron>, TimeZone),
}
