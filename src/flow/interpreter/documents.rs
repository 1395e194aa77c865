//! What stands outside a flow's own text: schemas and OpenAPI descriptions, of the bundle or at an address.

use std::borrow::Cow;
use std::sync::Arc;

use jaq_json::Val;
use serde_json::{Value, json};
use url::Url;

use super::Run;
use super::arguments::Moment;
use super::call::{expected, output};
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
        let value = self.bounded_value(data.real())?;
        let flaws = judge.flaws(&value);
        let Some(first) = flaws.first() else { return Ok(()) };
        // What is wrong is told with the values that are wrong.
        let detail = if data.is_secret() {
            format!("the {what} does not fit its schema")
        } else {
            let more = if flaws.len() > 1 { format!(" (and {} more)", flaws.len() - 1) } else { String::new() };
            format!("the {what} does not fit its schema: {first}{more}")
        };
        Err(Fault::invalid(detail))
    }

    async fn judge_of<'s>(&self, schema: &'s Schema, moment: &Moment<'_>) -> Result<&'s Judge, Fault> {
        let unusable = |error: &String| Fault::standard(Standard::Configuration, "Unusable schema", error.clone());
        if let Some(judge) = schema.judge.get() {
            return judge.as_ref().map_err(unusable);
        }
        let judge = match &schema.source {
            SchemaSource::Inline(schema) => Judge::new(schema, &self.setting.library.types),
            SchemaSource::External(document) => {
                let contents = self.contents(document, &Data::null(), moment).await?;
                let parsed = serde_json::from_slice::<Value>(&contents).map_err(|error| format!("it is not JSON: {error}"));
                parsed.and_then(|schema| Judge::new(&schema, &self.setting.library.types))
            }
        };
        schema.judge.get_or_init(|| judge).as_ref().map_err(unusable)
    }

    /// Reads a document: a file of the bundle where its address is relative, or what its address answers. A file is read once and for
    /// all, since bundles never change; an address once a run.
    pub(super) async fn contents(&self, document: &Document, input: &Data, moment: &Moment<'_>) -> Result<Arc<Vec<u8>>, Fault> {
        if let Some(contents) = document.contents.get() {
            return Ok(Arc::clone(contents));
        }
        let (address, _) = document.endpoint.evaluate(input, moment).map_err(Fault::expression)?;
        if !address.contains("://") {
            let contents = self.file(&address).await?;
            return Ok(Arc::clone(document.contents.get_or_init(|| async { Arc::new(contents) }).await));
        }
        if let Some(contents) = self.meter.documents.borrow().get(&address) {
            return Ok(Arc::clone(contents));
        }
        let request = Request { method: "GET".to_owned(), url: Side::parse(&address)?, headers: Vec::new(), body: None };
        let mut outgoing = Outgoing::plain(request);
        if let Some(authentication) = &document.authentication {
            self.authenticate(&mut outgoing, authentication, input, &mut moment.clone())?;
        }
        let response = self.fetch(&outgoing).await?;
        expected(false, &outgoing, &response)?;
        let contents = Arc::new(response.body);
        self.meter.documents.borrow_mut().insert(address, Arc::clone(&contents));
        Ok(contents)
    }

    async fn file(&self, address: &str) -> Result<Vec<u8>, Fault> {
        let unread = |reason: &str| Fault::standard(Standard::Configuration, "Unreadable document", format!("`{address}`: {reason}"));
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
        let (address, _) = call.document.endpoint.evaluate(input, moment).map_err(Fault::expression)?;
        let description = Description::read(&address, &contents).map_err(wrong)?;
        let parameters = match &call.parameters {
            None => Data::plain(to_jq(&json!({}))),
            Some(parameters) => self.evaluate(parameters, input, moment)?,
        };
        let request = |value: &Val| {
            let Value::Object(parameters) = self.bounded_value(value)? else {
                return Err(Fault::expression("the parameters of an operation are a map"));
            };
            description.request(&call.operation, &parameters, Url::parse(&address).ok().as_ref()).map_err(wrong)
        };
        let shown = if parameters.is_secret() { Some(request(&parameters.masked())) } else { None };
        let real = match (request(parameters.real()), &shown) {
            (Err(_), Some(_)) => return Err(wrong("a secret makes a request that cannot be sent".to_owned())),
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
        expected(call.redirect, &outgoing, &response)?;
        output(call.output, &ResponseForm::Auto, &Exchange { outgoing: Cow::Owned(outgoing), response })
    }
}
