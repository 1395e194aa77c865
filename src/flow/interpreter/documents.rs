//! What stands outside a flow's own text: schemas and OpenAPI descriptions, of the bundle or at an address.

use std::borrow::Cow;
use std::sync::Arc;

use jaq_json::Val;
use serde_json::{Value, json};
use url::Url;

use super::Run;
use super::arguments::Moment;
use super::call::expected;
use super::outgoing::{Exchange, Outgoing, Side, bare};
use super::turn::Going;
use crate::flow::content::ResponseForm;
use crate::flow::data::Data;
use crate::flow::exchange::Request;
use crate::flow::expression::value::to_jq;
use crate::flow::fault::{Fault, Standard};
use crate::flow::model::{Document, OpenApi, Schema, SchemaSource, Shape};
use crate::flow::openapi::Description;
use crate::flow::schema::Judge;

impl Run<'_> {
    /// Refuses data that does not fit its schema.
    pub(super) async fn fits(&self, shape: &Shape, data: &Data, what: &str, moment: &Moment<'_>) -> Result<(), Fault> {
        let Some(schema) = &shape.schema else { return Ok(()) };
        let judge = self.judge_of(schema, moment).await?;
        let value = self.bounded(data)?;
        let flaws = judge.flaws(&value);
        let Some(first) = flaws.first() else { return Ok(()) };
        // What is wrong is told with the values that are wrong.
        if data.is_secret() {
            // Another secret may fit, and what catches this would tell of it.
            return Err(Fault::invalid(format!("the {what} does not fit its schema")).fatal());
        }
        let detail = {
            let more = if flaws.len() > 1 { format!(" (and {} more)", flaws.len() - 1) } else { String::new() };
            format!("the {what} does not fit its schema: {first}{more}")
        };
        Err(Fault::invalid(detail))
    }

    async fn judge_of(&self, schema: &Schema, moment: &Moment<'_>) -> Result<Arc<Judge>, Fault> {
        let unusable = |error: String| Fault::standard(Standard::Configuration, "Unusable schema", error);
        let types = &self.setting.library.types;
        let document = match &schema.source {
            SchemaSource::Inline(written) => return schema.compiled(|| Judge::new(written, types)).map_err(unusable),
            SchemaSource::External(document) => document,
        };
        if let Some(judge) = schema.judge.get() {
            return judge.clone().map_err(unusable);
        }
        let contents = self.contents(document, &Data::null(), moment).await?;
        let judge = || {
            let written = serde_json::from_slice::<Value>(&contents).map_err(|error| format!("it is not JSON: {error}"))?;
            Judge::new(&written, types)
        };
        let judge = if document.endpoint.is_fixed() { schema.compiled(judge) } else { judge().map(Arc::new) };
        judge.map_err(unusable)
    }

    /// Reads a document: a file of the bundle where its address is relative, or what its address answers. A file is read once and for
    /// all, since bundles never change, unless which file it is depends on data; an address once a run.
    pub(super) async fn contents(&self, document: &Document, input: &Data, moment: &Moment<'_>) -> Result<Arc<Vec<u8>>, Fault> {
        if let Some(contents) = document.contents.get() {
            return Ok(Arc::clone(contents));
        }
        let (address, shown) = document.endpoint.evaluate(input, moment).map_err(Fault::expression)?;
        if let Some(contents) = self.meter.documents.borrow().get(&address) {
            return Ok(Arc::clone(contents));
        }
        if !address.contains("://") {
            let contents = Arc::new(self.file(&address, shown.as_deref()).await?);
            if document.endpoint.is_fixed() {
                return Ok(Arc::clone(document.contents.get_or_init(|| async { contents }).await));
            }
            self.meter.documents.borrow_mut().insert(address, Arc::clone(&contents));
            return Ok(contents);
        }
        let mut outgoing = asked(&address, shown.as_deref())?;
        if let Some(authentication) = &document.authentication {
            self.authenticate(&mut outgoing, authentication, input, &mut moment.clone())?;
        }
        let response = self.fetch(&outgoing).await?;
        let exchange = Exchange { outgoing: Cow::Owned(outgoing), response, impatience: None };
        expected(false, &exchange)?;
        let contents = Arc::new(exchange.response.body);
        self.meter.documents.borrow_mut().insert(address, Arc::clone(&contents));
        Ok(contents)
    }

    async fn file(&self, address: &str, shown: Option<&str>) -> Result<Vec<u8>, Fault> {
        let unread = |reason: &str| {
            let detail = shown.map_or_else(|| format!("`{address}`: {reason}"), |shown| format!("`{shown}` cannot be read"));
            let fault = Fault::standard(Standard::Configuration, "Unreadable document", detail);
            if shown.is_some() { fault.fatal() } else { fault }
        };
        let path = address.trim_start_matches("./");
        if path.is_empty() || path.split('/').any(|step| matches!(step, "" | "." | "..")) {
            return Err(unread("it is not the path of a file beside the flow"));
        }
        self.setting.world.file(path).await.map_err(|unanswered| unread(&unanswered.reason))
    }

    /// Calls an operation that an OpenAPI description describes.
    pub(super) async fn openapi(&self, call: &OpenApi, input: &Data, moment: &mut Moment<'_>, going: &Going<'_>) -> Result<Data, Fault> {
        let wrong = |why: String| Fault::standard(Standard::Configuration, "Not callable", why);
        let contents = self.contents(&call.document, input, moment).await?;
        let (address, shown_address) = call.document.endpoint.evaluate(input, moment).map_err(Fault::expression)?;
        let named = shown_address.as_ref().unwrap_or(&address);
        let description = Description::read(named, &contents).map_err(wrong)?;
        let parameters = match &call.parameters {
            None => Data::plain(to_jq(&json!({}))),
            Some(parameters) => self.evaluate(parameters, input, moment)?,
        };
        let request = |value: &Val, address: &str| {
            let Value::Object(parameters) = self.bounded_value(value)? else {
                return Err(Fault::expression("the parameters of an operation are a map"));
            };
            description.request(&call.operation, &parameters, Url::parse(address).ok().as_ref()).map_err(wrong)
        };
        let is_secret = parameters.is_secret() || shown_address.is_some();
        let shown = if is_secret { Some(request(&parameters.public(), named)) } else { None };
        let real = match (request(parameters.real(), &address), &shown) {
            (Err(_), Some(_)) => return Err(wrong("a secret makes a request that cannot be sent".to_owned()).fatal()),
            (request, _) => request?,
        };
        let shown = match shown {
            None => real.clone(),
            Some(shown) => shown.unwrap_or_else(|_| Request { headers: Vec::new(), body: None, url: bare(&real.url), ..real.clone() }),
        };
        let mut outgoing = Outgoing::new(real, shown);
        if let Some(authentication) = &call.authentication {
            self.authenticate(&mut outgoing, authentication, input, moment)?;
        }
        let response = self.deliver(&outgoing, going).await?;
        let exchange = Exchange { outgoing: Cow::Owned(outgoing), response, impatience: None };
        expected(call.redirect, &exchange)?;
        self.output(call.output, &ResponseForm::Auto, &exchange)
    }
}

/// The request for a document, whose address may have a secret in it.
fn asked(address: &str, shown: Option<&str>) -> Result<Outgoing, Fault> {
    let request = |url: Url| Request { method: "GET".to_owned(), url, headers: Vec::new(), body: None };
    let Some(shown) = shown else { return Side::parse(address).map(request).map(Outgoing::plain) };
    let real = Side::parse(address).map_err(|_| Fault::expression("a secret makes an address that cannot be called").fatal())?;
    let shown = Side::parse(shown).unwrap_or_else(|_| bare(&real));
    Ok(Outgoing::new(request(real), request(shown)))
}
