//! Secrets beyond the values of expressions: what a flow decides by them, and what services repeat of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use jaq_core::ValT as _;
use jaq_json::Val;
use serde_json::Value;
use url::Url;

use super::Run;
use super::outgoing::Outgoing;
use crate::flow::data::Data;
use crate::flow::exchange::{Body, Request, Response};
use crate::flow::expression::value::to_jq;
use crate::flow::fault::{Fault, Standard};
use crate::flow::redact::Redactor;
use crate::flow::told::{EXCERPT, What};

/// How many texts made of secrets one run remembers.
const MOST_KNOWN: usize = 1000;
/// How many texts that are too short to be looked for may go out at once: more of them can be a secret in pieces.
const MOST_SHORT: usize = 2;
/// How many bytes such a text has to have to be looked for in what services say.
const KNOWN_LENGTHS: std::ops::Range<usize> = 4..(64 << 10);

/// The secrets of a run, and what was made of them and sent.
#[derive(Debug)]
pub(super) struct Secrecy {
    redactor: RefCell<Redactor>,
    known: RefCell<BTreeSet<String>>,
    /// More was made of secrets than can be looked for, so that whatever services say may repeat it.
    overfull: Cell<bool>,
}

impl Secrecy {
    pub(super) fn of(redactor: Redactor) -> Self {
        Self { redactor: RefCell::new(redactor), known: RefCell::default(), overfull: Cell::default() }
    }

    /// What takes all of it out of whatever is shown.
    pub(super) fn redactor(self) -> Redactor {
        self.redactor.into_inner()
    }

    /// Remembers what was made of a secret so that the secret itself cannot be found in it, such as its letters in upper case.
    fn learn(&self, texts: Vec<String>) {
        let mut known = self.known.borrow_mut();
        let short = texts.iter().filter(|text| text.len() < KNOWN_LENGTHS.start).count();
        if short > MOST_SHORT || texts.iter().any(|text| text.len() >= KNOWN_LENGTHS.end) || known.len() + texts.len() > MOST_KNOWN {
            self.overfull.set(true);
        }
        let is_new = |text: &String| {
            let is_hidden = KNOWN_LENGTHS.contains(&text.len()) && self.redactor.borrow().text(text) == *text;
            is_hidden && known.len() < MOST_KNOWN && known.insert(text.clone())
        };
        let new: Vec<String> = texts.into_iter().filter(is_new).collect();
        if !new.is_empty() {
            let before = self.redactor.take();
            self.redactor.replace(before.and(new));
        }
    }
}

impl Run<'_> {
    /// Whether a condition holds. Where that depends on a secret the flow ends: what it did next would tell something about the secret.
    pub(super) fn holds(&self, truth: &Data) -> Result<bool, Fault> {
        self.decided(truth, |truth| truth.as_bool())
    }

    /// What is decided by a value, if another secret would decide the same.
    pub(super) fn decided<T: PartialEq>(&self, data: &Data, decide: impl Fn(&Val) -> T) -> Result<T, Fault> {
        data.decides(decide).ok_or_else(|| {
            let detail = "a condition depends on the value of a secret, so that what the flow does next would tell of it; \
                          decide by a property that is no secret";
            Fault::standard(Standard::Runtime, "Decided by a secret", detail).fatal()
        })
    }

    /// What a service answered, as a value. Where it repeats a secret, that stays secret.
    pub(super) fn said(&self, value: &Value) -> Data {
        let redactor = self.meter.secrecy.redactor.borrow();
        if self.meter.secrecy.overfull.get() {
            Data::secret(to_jq(value))
        } else if redactor.finds(value) {
            redactor.data(value)
        } else {
            Data::plain(to_jq(value))
        }
    }

    /// What is told of a response.
    pub(super) fn told(&self, response: &Response) -> What {
        let redactor = self.meter.secrecy.redactor.borrow();
        let end = response.body.len().min(EXCERPT);
        let text = String::from_utf8_lossy(&response.body[..end]);
        let body = if end < response.body.len() { redactor.beginning(&text) } else { redactor.text(&text) };
        let headers = response.headers.iter().map(|(name, value)| (name.clone(), redactor.text(value))).collect();
        What::Answered { status: response.status, headers, body }
    }

    /// Remembers which texts made of secrets are sent with a request.
    pub(super) fn sends(&self, outgoing: &Outgoing) {
        if outgoing.real != outgoing.shown {
            self.meter.secrecy.learn(hidden(&outgoing.real, &outgoing.shown));
        }
    }
}

/// The texts of a request that may not be shown.
fn hidden(real: &Request, shown: &Request) -> Vec<String> {
    let mut texts = Vec::new();
    differing(in_url(&real.url), &in_url(&shown.url), &mut texts);
    differing(
        real.headers.iter().map(|(_, value)| value.clone()),
        &shown.headers.iter().map(|(_, value)| value.clone()).collect(),
        &mut texts,
    );
    if real.body != shown.body {
        let shown = shown.body.as_ref().map(in_body).unwrap_or_default();
        differing(real.body.as_ref().map(in_body).unwrap_or_default(), &shown, &mut texts);
    }
    texts
}

fn differing(real: impl IntoIterator<Item = String>, shown: &BTreeSet<String>, into: &mut Vec<String>) {
    into.extend(real.into_iter().filter(|text| !shown.contains(text)));
}

fn in_url(url: &Url) -> BTreeSet<String> {
    let path = url.path_segments().into_iter().flatten().map(str::to_owned);
    path.chain(url.query_pairs().map(|(_, value)| value.into_owned())).collect()
}

fn in_body(body: &Body) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    match body {
        Body::Json(value) => in_value(value, &mut texts),
        Body::Text(text) => texts.extend([text.clone()]),
        Body::Form(fields) => texts.extend(fields.iter().map(|(_, value)| value.clone())),
        Body::Multipart(parts) => texts.extend(parts.iter().map(|part| String::from_utf8_lossy(&part.content).into_owned())),
        Body::Bytes(bytes) => texts.extend([String::from_utf8_lossy(bytes).into_owned()]),
    }
    texts
}

fn in_value(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => into.extend([text.clone()]),
        Value::Number(number) => into.extend([number.to_string()]),
        Value::Array(items) => items.iter().for_each(|item| in_value(item, into)),
        Value::Object(map) => map.values().for_each(|value| in_value(value, into)),
        Value::Null | Value::Bool(_) => {}
    }
}
