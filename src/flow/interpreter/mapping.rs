//! Which responses stand for which errors.

use std::cell::OnceCell;

use jaq_core::ValT as _;
use serde_json::{Value, json};

use super::arguments::{Moment, object};
use super::call::{answered, expected};
use super::outgoing::Exchange;
use super::{Run, content};
use crate::flow::content::ResponseForm;
use crate::flow::data::Data;
use crate::flow::exchange::{Response, joined};
use crate::flow::expression::value::{text_of, to_jq};
use crate::flow::fault::Fault;
use crate::flow::model::{HeaderTest, Http, Mapping, has};
use crate::flow::template::Template;
use crate::manifest::cut;

/// How long the detail may be that a flow makes of a response, in characters.
const LONGEST: usize = 2000;

impl Run<'_> {
    /// Turns responses that stand for errors into errors: the first mapping that fits tells which.
    pub(super) fn judge(&self, http: &Http, exchange: &Exchange<'_>, moment: &Moment<'_>) -> Result<(), Fault> {
        let seen = OnceCell::new();
        let seen = || seen.get_or_init(|| self.seen(http, &exchange.response));
        let mapping = http.policies.errors.iter().find(|mapping| {
            fits(mapping, &exchange.response)
                // What cannot be judged does not fit: an error's body may have any form.
                && mapping.when.as_ref().is_none_or(|when| when.evaluate(seen(), moment).is_ok_and(|truth| truth.real().as_bool()))
        });
        let Some(mapping) = mapping else { return expected(http.redirect, exchange) };
        let detail = mapping.detail.as_ref().and_then(|detail| told(detail, seen(), moment));
        let detail = detail.unwrap_or_else(|| answered(exchange));
        Err(self.declared(&mapping.raise, Some(detail))?)
    }

    /// A response as expressions see it, `{ statusCode, headers, content }`, even where its body is not what the call reads.
    pub(super) fn seen(&self, http: &Http, response: &Response) -> Data {
        // An error seldom has the form that was asked for; where it is JSON or XML, it can be told that it has.
        let is_told = matches!(http.reads, ResponseForm::Json | ResponseForm::Xml(_));
        let content = content::read(&http.reads, response).ok().filter(|_| is_told || (200..300).contains(&response.status));
        let content = content.or_else(|| content::read(&ResponseForm::Auto, response).ok());
        viewed(response, content.map_or_else(Data::null, Data::plain))
    }
}

/// A response as expressions see it, with its content. The names of headers are in lower case.
pub(super) fn viewed(response: &Response, content: Data) -> Data {
    object([
        ("statusCode", Data::plain(to_jq(&json!(response.status)))),
        ("headers", Data::plain(to_jq(&Value::Object(joined(&response.headers, str::to_ascii_lowercase))))),
        ("content", content),
    ])
}

fn fits(mapping: &Mapping, response: &Response) -> bool {
    (mapping.statuses.is_empty() || has(&mapping.statuses, response.status))
        && mapping.headers.iter().all(|(name, test)| match (test, response.header(name)) {
            (HeaderTest::Given(given), header) => *given == header.is_some(),
            (HeaderTest::Is(text), Some(header)) => header.trim() == text,
            (HeaderTest::Is(_), None) => false,
        })
}

fn told(detail: &Template, seen: &Data, moment: &Moment<'_>) -> Option<String> {
    let told = detail.evaluate(seen, moment).ok()?.masked();
    let text: String = match told {
        jaq_json::Val::Null => return None,
        told => cut(&text_of(&told), LONGEST),
    };
    (!text.trim().is_empty()).then_some(text)
}
