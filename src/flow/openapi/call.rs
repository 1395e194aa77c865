//! One operation and the values given for it: into one request.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use url::Url;

use super::body::Payload;
use super::parameter::{self, Parameter, Place};
use super::server;
use super::style::{Encoding, Form, Style, scalar};
use super::{Version, meant};
use crate::flow::exchange::{self, Request};
use crate::flow::uri;
use crate::manifest::excerpt;

/// How a variable of the path is written that no parameter describes.
const SIMPLE: Form = Form { style: Style::Simple, explode: false, encoding: Encoding::Percent };

/// How many names of one kind a message tells.
const MOST_TOLD: usize = 50;

/// An operation where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation<'d> {
    pub(super) root: &'d Value,
    pub(super) version: Version,
    pub(super) path: &'d str,
    pub(super) method: &'d str,
    pub(super) item: &'d Value,
    pub(super) operation: &'d Value,
}

/// The values given, and what became of them.
#[derive(Debug)]
pub(super) struct Given<'g> {
    values: &'g Map<String, Value>,
    declared: BTreeSet<&'g str>,
    used: BTreeSet<&'g str>,
    missing: Vec<String>,
}

/// The parts of a request that parameters go to.
#[derive(Debug, Default)]
struct Draft {
    path: Map<String, Value>,
    query: Vec<String>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    /// The media type asked for the body.
    media: Option<String>,
}

impl Operation<'_> {
    pub(super) fn request(&self, values: &Map<String, Value>, at: Option<&Url>) -> Result<Request, String> {
        let parameters = parameter::declared(self)?;
        let mut given = Given::new(values, &parameters);
        let mut draft = Draft::default();
        for parameter in &parameters {
            draft.take(parameter, &parameters, &mut given)?;
        }
        let mut url = server::base(self, at, &mut given)?;
        self.lead(&mut url, &mut draft, &mut given)?;
        let payload = Payload::of(self, &parameters, draft.media.as_deref())?;
        let mut headers = draft.headers;
        let body = payload.body(&mut given, &mut headers)?;
        given.settle(&parameters, &payload)?;
        if !draft.cookies.is_empty() {
            headers.push(header("Cookie", draft.cookies.join("; "))?);
        }
        if let Some(media) = draft.media.filter(|_| body.is_none()) {
            headers.push(header("Content-Type", media)?);
        }
        Ok(Request { method: self.method.to_ascii_uppercase(), url, headers, body })
    }

    /// Leads the server's address to the operation: its path, and the query.
    fn lead(&self, url: &mut Url, draft: &mut Draft, given: &mut Given<'_>) -> Result<(), String> {
        if self.path.len() > server::LONGEST {
            return Err(server::too_long());
        }
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let parts = uri::parse(path).map_err(|why| format!("its path `{}`: {why}", excerpt(path)))?;
        let path = server::expand(&parts, |name| match draft.path.get(name).and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => match given.undeclared(name) {
                Some(value) => in_path(name, value, &SIMPLE).map_err(|why| format!("the parameter `{}` {why}", excerpt(name))),
                None => Ok(given.miss(name)),
            },
        })?;
        server::steps_nowhere(&path)?;
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        if !query.is_empty() {
            draft.query.insert(0, query.to_owned());
        }
        if !draft.query.is_empty() {
            url.set_query(Some(&draft.query.join("&")));
        }
        if url.as_str().len() > server::LONGEST { Err(server::too_long()) } else { Ok(()) }
    }
}

impl Draft {
    /// Puts the value given for a parameter where it goes.
    fn take(&mut self, parameter: &Parameter<'_>, all: &[Parameter<'_>], given: &mut Given<'_>) -> Result<(), String> {
        let name = parameter.name;
        if matches!(parameter.place, Place::Body | Place::Field | Place::File) {
            return Ok(());
        }
        // Two parameters of one name differ in their place only: the value is for the one that needs it.
        if !parameter.required && all.iter().any(|other| other.required && other.name == name) {
            return Ok(());
        }
        match given.take(name) {
            Some(value) => self.put(parameter, value).map_err(|why| format!("the parameter `{}` {why}", excerpt(name))),
            None if parameter.required => {
                given.miss(name);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn put(&mut self, parameter: &Parameter<'_>, value: &Value) -> Result<(), String> {
        let (name, form) = (parameter.name, &parameter.form);
        let written;
        let value = match parameter.media {
            Some(media) if parameter.place != Place::QueryString => {
                written = content(media, value);
                &written
            }
            Some(_) | None => value,
        };
        let holds = |why| format!("holds {why}");
        let pairs = || -> Result<_, String> {
            Ok(form.pairs(name, value).map_err(holds)?.into_iter().map(|(name, value)| format!("{name}={value}")))
        };
        match parameter.place {
            Place::Path => {
                let text = in_path(name, value, form)?;
                self.path.insert(name.to_owned(), Value::String(text));
            }
            Place::Query => self.query.extend(pairs()?),
            Place::QueryString => self.query.extend(whole_query(parameter, value)?),
            Place::Cookie => {
                let pairs: Vec<_> = pairs()?.collect();
                let breaks_out = |c: char| c.is_control() || c.is_whitespace() || ";,\"\\".contains(c);
                if form.encoding == Encoding::Raw && pairs.iter().any(|pair| pair.contains(breaks_out)) {
                    return Err("has characters that a cookie cannot hold".to_owned());
                }
                self.cookies.extend(pairs);
            }
            Place::Header if name.eq_ignore_ascii_case("content-type") => {
                self.media = Some(scalar(value).ok_or("has to be a media type")?);
            }
            Place::Header => {
                let nothing = value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
                if !nothing {
                    self.headers.push(header(name, form.single(name, value).map_err(holds)?)?);
                }
            }
            Place::Body | Place::Field | Place::File => {}
        }
        Ok(())
    }
}

/// A value as text of a media type, which is JSON most often.
fn content(media: &str, value: &Value) -> Value {
    match value {
        Value::String(_) if !media.contains("json") => value.clone(),
        other => Value::String(other.to_string()),
    }
}

/// A query that one parameter gives as a whole.
fn whole_query(parameter: &Parameter<'_>, value: &Value) -> Result<Vec<String>, String> {
    let is_form = parameter.media.is_none_or(|media| media.contains("x-www-form-urlencoded"));
    let form = Form { style: Style::Form, explode: true, encoding: Encoding::Percent };
    match value {
        Value::Object(fields) if is_form => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| form.pairs(name, value));
            let pairs = fields.collect::<Result<Vec<_>, _>>().map_err(|why| format!("holds {why}"))?;
            Ok(pairs.into_iter().flatten().map(|(name, value)| format!("{name}={value}")).collect())
        }
        Value::String(text) if is_form => Ok(vec![text.trim_start_matches('?').replace('#', "%23")]),
        other => Ok(vec![uri::percent_encode(&other.as_str().map_or_else(|| other.to_string(), str::to_owned))]),
    }
}

/// A value in a path, where nothing at all would be another path.
fn in_path(name: &str, value: &Value, form: &Form) -> Result<String, String> {
    let text = form.single(name, value).map_err(|why| format!("holds {why}"))?;
    if text.is_empty() { Err("is empty, which would lead to another address".to_owned()) } else { Ok(text) }
}

fn header(name: &str, text: String) -> Result<(String, String), String> {
    if !exchange::is_header_name(name) {
        return Err("has a name that no header can have".to_owned());
    }
    if exchange::is_refused(name) {
        return Err("names a header that belongs to the connection, and would not be sent".to_owned());
    }
    if !exchange::is_header_value(&text) {
        return Err("has control characters, which a header cannot hold".to_owned());
    }
    Ok((name.to_owned(), text))
}

impl<'g> Given<'g> {
    fn new(values: &'g Map<String, Value>, parameters: &[Parameter<'g>]) -> Self {
        let declared = parameters.iter().map(|parameter| parameter.name).collect();
        Self { values, declared, used: BTreeSet::new(), missing: Vec::new() }
    }

    /// The value of a name, if one other than null is given; it is known from then on.
    pub(super) fn take(&mut self, name: &str) -> Option<&'g Value> {
        let (name, value) = self.values.get_key_value(name)?;
        self.used.insert(name);
        Some(value).filter(|value| !value.is_null())
    }

    /// The same, for names that are no declared parameters.
    pub(super) fn undeclared(&mut self, name: &str) -> Option<&'g Value> {
        if self.declared.contains(name) { None } else { self.take(name) }
    }

    /// What nobody has taken; null, too, has a meaning to some.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&'g str, &'g Value)> {
        let rest = self.values.iter().filter(|(name, _)| !self.used.contains(name.as_str()));
        rest.map(|(name, value)| (name.as_str(), value))
    }

    /// Remembers that a value is missing.
    pub(super) fn miss(&mut self, name: &str) -> String {
        // One more than is told, so that it is known that there are more.
        if self.missing.len() <= MOST_TOLD && !self.missing.iter().any(|known| known == name) {
            self.missing.push(name.to_owned());
        }
        String::new()
    }

    /// Tells everything that is missing, or what was given in vain.
    fn settle(&self, parameters: &[Parameter<'_>], payload: &Payload<'_>) -> Result<(), String> {
        if !self.missing.is_empty() {
            let names: Vec<_> = self.missing.iter().take(MOST_TOLD).map(|name| format!("`{}`", excerpt(name))).collect();
            let more = if self.missing.len() > MOST_TOLD { " and more" } else { "" };
            let plural = if names.len() == 1 { "" } else { "s" };
            return Err(format!("required parameter{plural} missing: {}{more}", names.join(", ")));
        }
        match self.rest().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => {
                let known = parameters.iter().map(|parameter| parameter.name).chain(payload.names());
                let free = known.filter(|known| !self.used.contains(known));
                Err(format!("it has no parameter `{}`{}", excerpt(name), meant(name, free)))
            }
        }
    }
}
