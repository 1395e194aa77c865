//! Which responses stand for which errors.

use std::cell::OnceCell;

use serde_json::{Value, json};

use super::Run;
use super::arguments::{Moment, object};
use super::call::{Undelivered, answered, expected};
use super::outgoing::Exchange;
use crate::flow::content::ResponseForm;
use crate::flow::data::Data;
use crate::flow::exchange::{Response, joined};
use crate::flow::expression::value::{text_of, to_jq};
use crate::flow::expression::{Expression, Unevaluated};
use crate::flow::fault::Fault;
use crate::flow::model::{HeaderTest, Http, Mapping, has};
use crate::flow::template::Template;
use crate::manifest::cut;

/// The longest `detail` that a mapping may give to an error, in characters.
const LONGEST: usize = 2000;

impl Run<'_> {
    /// Turns responses that stand for errors into errors: the first mapping that fits tells which.
    pub(super) fn judge(&self, http: &Http, exchange: &Exchange<'_>, moment: &Moment<'_>) -> Result<(), Fault> {
        match self.mapped(http, &exchange.response, || answered(exchange), moment)? {
            None => expected(http.redirect, exchange),
            Some(fault) => Err(fault),
        }
    }

    /// The error of a request that got no answer. Where an authority gave no token, the mappings are asked as if the service itself had
    /// answered so: to the caller it makes no difference.
    pub(super) fn denied(&self, http: &Http, undelivered: Undelivered, moment: &Moment<'_>) -> Result<Fault, Fault> {
        let Undelivered { fault, denial: Some(denial), .. } = undelivered else { return Ok(undelivered.fault) };
        let usual = || fault.detail.clone().unwrap_or_default();
        Ok(self.mapped(http, &denial.as_response(), usual, moment)?.unwrap_or(fault))
    }

    /// The error that a response stands for, by the first mapping that fits.
    fn mapped(
        &self,
        http: &Http,
        response: &Response,
        usual: impl FnOnce() -> String,
        moment: &Moment<'_>,
    ) -> Result<Option<Fault>, Fault> {
        let seen = OnceCell::new();
        let seen = || seen.get_or_init(|| self.seen(http, response));
        let usual_errors = if http.connection { self.setting.connection.errors.as_slice() } else { &[] };
        for mapping in http.policies.errors.iter().chain(usual_errors).filter(|mapping| fits(mapping, response)) {
            if self.judges(mapping.when.as_ref(), seen, moment)? {
                self.reached(mapping.point);
                let detail = mapping.detail.as_ref().map_or(Ok(None), |detail| told(detail, seen(), moment))?.unwrap_or_else(usual);
                return self.declared(&mapping.raise, Some(detail)).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether what was answered is as a condition says, where there is one. What cannot be judged is not, since an error's body may have
    /// any form; but what fails on a secret ends the flow.
    pub(super) fn judges<'d>(
        &self,
        condition: Option<&Expression>,
        seen: impl FnOnce() -> &'d Data,
        moment: &Moment<'_>,
    ) -> Result<bool, Fault> {
        match condition.map(|condition| condition.evaluate(seen(), moment)) {
            None => Ok(true),
            Some(Ok(truth)) => self.holds(&truth),
            Some(Err(why @ Unevaluated::OnSecret(_))) => Err(Fault::expression(why)),
            Some(Err(Unevaluated::Failed(_) | Unevaluated::NoSecret(_))) => Ok(false),
        }
    }

    /// A response as expressions see it, `{ statusCode, headers, content }`, even where its body is not what the call reads.
    pub(super) fn seen(&self, http: &Http, response: &Response) -> Data {
        // An error seldom has the form that was asked for; where it is JSON or XML, it can be told that it has.
        let is_told = matches!(http.reads, ResponseForm::Json | ResponseForm::Xml(_));
        let content = self.read(&http.reads, response).ok().filter(|_| is_told || (200..300).contains(&response.status));
        let content = content.or_else(|| self.read(&ResponseForm::Auto, response).ok());
        self.viewed(response, content.unwrap_or_else(Data::null))
    }

    /// A response as expressions see it, with its content. The names of headers are in lower case.
    pub(super) fn viewed(&self, response: &Response, content: Data) -> Data {
        object([
            ("statusCode", Data::plain(to_jq(&json!(response.status)))),
            ("headers", self.said(&Value::Object(joined(&response.headers, str::to_ascii_lowercase)))),
            ("content", content),
        ])
    }
}

fn fits(mapping: &Mapping, response: &Response) -> bool {
    (mapping.statuses.is_empty() || has(&mapping.statuses, response.status))
        && mapping.headers.iter().all(|(name, test)| match (test, response.header(name)) {
            (HeaderTest::Given(given), header) => *given == header.is_some(),
            (HeaderTest::Is(text), Some(header)) => header.trim() == text,
            (HeaderTest::Is(_), None) => false,
        })
}

fn told(detail: &Template, seen: &Data, moment: &Moment<'_>) -> Result<Option<String>, Fault> {
    let told = match detail.evaluate(seen, moment) {
        Ok(told) => told.shown()?,
        Err(why @ Unevaluated::OnSecret(_)) => return Err(Fault::expression(why)),
        Err(Unevaluated::Failed(_) | Unevaluated::NoSecret(_)) => return Ok(None),
    };
    let text: String = match told {
        jaq_json::Val::Null => return Ok(None),
        told => cut(&text_of(&told), LONGEST),
    };
    Ok((!text.trim().is_empty()).then_some(text))
}
