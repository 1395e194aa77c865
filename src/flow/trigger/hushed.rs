//! The secrets that a trigger has beside those of the connection: what it verifies requests with may come with its subscription, or be
//! one of its parameters. Nothing that is made of them is shown, nor told of a run.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::{Evaluate, Slot, Trigger};
use super::verify::plain;
use crate::flow::EXCERPT;
use crate::flow::data::REDACTED;
use crate::flow::exchange::{Body, Request, Response};
use crate::flow::points::Point;
use crate::flow::redact::Redactor;
use crate::flow::session::Sending;
use crate::flow::template::{Piece, Template};
use crate::flow::told::{Told, What};
use crate::flow::world::{Unanswered, World};

impl Trigger {
    /// What requests are verified and handshakes are signed with, where a subscription and parameters stand as in this map of
    /// `subscription` and `input`. None of it may be shown.
    pub fn secrets(&self, evaluate: &Evaluate<'_>, over: &Value) -> Vec<String> {
        let over = json!({ "subscription": over.get("subscription"), "input": over.get("input") });
        let slots = Slot::SECRETS.into_iter().filter(|slot| self.templates.contains_key(slot));
        slots.filter_map(|slot| plain(evaluate(slot, &over).ok()?)).filter(|secret| !secret.is_empty()).collect()
    }

    /// Whether one of its secrets comes with the subscription, so that the flow which makes it sees the secret before anybody knows
    /// which it is.
    pub(crate) fn keeps_secret(&self) -> bool {
        Slot::SECRETS.into_iter().filter_map(|slot| self.template(slot)).any(reads_subscription)
    }
}

fn reads_subscription(template: &Template) -> bool {
    match template {
        Template::Literal(_) | Template::Address(_) => false,
        Template::Expression(expression) | Template::Loose(expression, _) => expression.mentions("subscription"),
        Template::Text(pieces) => pieces.iter().any(|piece| match piece {
            Piece::Plain(_) => false,
            Piece::Expression(expression) | Piece::Step(expression) => expression.mentions("subscription"),
        }),
        Template::List(items) => items.iter().any(reads_subscription),
        Template::Map(entries) => entries.iter().any(|(_, value)| reads_subscription(value)),
    }
}

/// The same World, but whoever listens to it is told nothing of the trigger's secrets.
pub(crate) struct Hushed<'w> {
    pub(crate) world: &'w dyn World,
    pub(crate) redactor: &'w Redactor,
    /// Whether messages may hold a secret that is not known yet. Then queries and bodies of requests, and the contents of answers that are
    /// no errors, are not told at all.
    pub(crate) hides_messages: bool,
}

impl Hushed<'_> {
    fn hushed(&self, told: Told) -> Told {
        let what = match told.what {
            What::Started | What::Completed | What::Cancelled | What::Retried { .. } => told.what,
            What::Faulted(error) => What::Faulted(self.redactor.value(error)),
            What::Sent(request) => What::Sent(Box::new(self.redactor.request(self.opened(*request)))),
            What::Answered { status, headers, body } if self.hides_messages && status < 400 => What::Answered {
                status,
                headers: headers.into_iter().map(|(name, _)| (name, REDACTED.to_owned())).collect(),
                body: if body.is_empty() { body } else { REDACTED.to_owned() },
            },
            What::Answered { status, headers, body } => {
                What::Answered { status, headers: self.redactor.pairs(headers), body: self.beginning(&body) }
            }
            What::Unanswered(reason) => What::Unanswered(self.redactor.text(&reason)),
        };
        Told { what, ..told }
    }

    /// A request, without what is in it where that may be a secret.
    fn opened(&self, request: Request) -> Request {
        if !self.hides_messages {
            return request;
        }
        let mut url = request.url;
        url.set_query(url.query().map(|_| REDACTED));
        Request { url, body: request.body.map(|_| Body::Text(REDACTED.to_owned())), ..request }
    }

    /// A body that may have been cut off within a secret.
    fn beginning(&self, body: &str) -> String {
        if body.len() + 3 >= EXCERPT { self.redactor.beginning(body) } else { self.redactor.text(body) }
    }
}

#[async_trait(?Send)]
impl World for Hushed<'_> {
    async fn send(&self, sending: Sending) -> Result<Response, Unanswered> {
        self.world.send(sending).await
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(duration).await;
    }

    fn random(&self) -> u64 {
        self.world.random()
    }

    fn id(&self) -> String {
        self.world.id()
    }

    async fn file(&self, path: &str) -> Result<Vec<u8>, Unanswered> {
        self.world.file(path).await
    }

    fn begins(&self, reference: &str) {
        self.world.begins(reference);
    }

    fn hear(&self, tell: &dyn Fn() -> Told) {
        self.world.hear(&|| self.hushed(tell()));
    }

    fn reached(&self, point: Point) {
        self.world.reached(point);
    }
}

#[cfg(test)]
mod tests;
