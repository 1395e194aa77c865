//! Queries, and what is made and told of bodies.

use serde_json::Value;
use url::Url;

use super::Run;
use crate::flow::content::{self, BodyForm, ResponseForm};
use crate::flow::data::Data;
use crate::flow::exchange::{Body, Response};
use crate::flow::fault::{Fault, Standard};

/// A value as it stands in a header or in a query; nothing for null.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}

/// Adds a parameter to an address: once for each entry of a list, not at all for null.
pub(super) fn append_query(url: &mut Url, name: &str, value: &Value) {
    let single = std::slice::from_ref(value);
    let texts: Vec<_> = value.as_array().map_or(single, Vec::as_slice).iter().filter_map(scalar).collect();
    if !texts.is_empty() {
        url.query_pairs_mut().extend_pairs(texts.iter().map(|text| (name, text)));
    }
}

/// Sets a parameter of an address; those of the same name give way.
pub(super) fn set_query(url: &mut Url, name: &str, value: &Value) {
    if url.query_pairs().any(|(known, _)| known == name) {
        let others: Vec<_> =
            url.query_pairs().filter(|(known, _)| known != name).map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(others);
        }
    }
    append_query(url, name, value);
}

/// The body of a request, with the header that says what it is where the flow does not say it.
pub(super) fn write(form: BodyForm, body: &Value, headers: &mut Vec<(String, String)>) -> Result<Option<Body>, Fault> {
    let given = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, value)| value.as_str());
    let Some((body, kind)) = content::encode(form, body, given).map_err(Fault::expression)? else { return Ok(None) };
    if let Some(kind) = kind {
        headers.push(("content-type".to_owned(), kind));
    }
    Ok(Some(body))
}

impl Run<'_> {
    /// The body of a response as a value.
    pub(super) fn read(&self, form: &ResponseForm, response: &Response) -> Result<Data, Fault> {
        let value = content::decode(form, response);
        value.map(|value| self.said(&value)).map_err(|why| Fault::standard(Standard::Communication, "Unreadable response", why))
    }
}
