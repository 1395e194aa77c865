//! What a request carries: which of the values given make up its body, and how the description wants it written.

use serde_json::{Map, Value};

use super::Version;
use super::call::{Given, Operation};
use super::content::{file, plain};
use super::parameter::{Parameter, Place};
use super::reference::follow;
use super::schema::{Shape, is_nullable};
use crate::flow::content::essence;
use crate::flow::exchange::Body;
use crate::manifest::excerpt;

/// What an operation's body is.
#[derive(Debug)]
pub(super) enum Payload<'d> {
    /// It has none.
    None,
    /// One value of a media type.
    Whole(Whole<'d>),
    /// Fields that are parameters of their own, in version 2.
    Fields { fields: Vec<&'d Parameter<'d>>, multipart: bool },
}

/// A body that one schema describes.
#[derive(Debug)]
pub(super) struct Whole<'d> {
    pub(super) root: &'d Value,
    /// The name it has besides `body`, in version 2.
    name: Option<&'d str>,
    required: bool,
    pub(super) media: String,
    pub(super) kind: Kind,
    pub(super) shape: Shape<'d>,
    /// How properties are written, by their names.
    pub(super) encoding: Option<&'d Map<String, Value>>,
}

/// How a media type is written, the most wanted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Json,
    LikeJson,
    Anything,
    Form,
    Multipart,
    Text,
    Bytes,
    Other,
}

impl Kind {
    fn of(media: &str) -> Self {
        match essence(media).as_str() {
            "application/json" => Self::Json,
            "text/json" => Self::LikeJson,
            "*/*" | "application/*" => Self::Anything,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart,
            "application/octet-stream" => Self::Bytes,
            other if other.ends_with("+json") => Self::LikeJson,
            other if other.starts_with("text/") => Self::Text,
            _ => Self::Other,
        }
    }
}

impl<'d> Payload<'d> {
    /// What an operation describes; `wanted` is the media type that the flow asks for.
    pub(super) fn of<'p: 'd>(operation: &Operation<'d>, parameters: &'p [Parameter<'d>], wanted: Option<&str>) -> Result<Self, String> {
        match operation.version {
            Version::Two => Self::two(operation, parameters, wanted),
            Version::Three => Self::three(operation, wanted),
        }
    }

    fn two<'p: 'd>(operation: &Operation<'d>, parameters: &'p [Parameter<'d>], wanted: Option<&str>) -> Result<Self, String> {
        let consumes = operation.operation.get("consumes").or_else(|| operation.root.get("consumes")).and_then(Value::as_array);
        let consumes: Vec<&str> = consumes.into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(body) = parameters.iter().find(|parameter| parameter.place == Place::Body) {
            let media = if consumes.is_empty() { wanted.unwrap_or("application/json") } else { choose(consumes.into_iter(), wanted)? };
            return Ok(Self::Whole(Whole {
                name: Some(body.name),
                required: body.required,
                ..Whole::new(operation.root, media, body.schema)
            }));
        }
        let fields: Vec<_> = parameters.iter().filter(|parameter| matches!(parameter.place, Place::Field | Place::File)).collect();
        if fields.is_empty() {
            return Ok(Self::None);
        }
        let takes = |kind| consumes.iter().any(|media| Kind::of(media) == kind);
        let asked = wanted.is_some_and(|wanted| Kind::of(wanted) == Kind::Multipart);
        let has_file = fields.iter().any(|field| field.place == Place::File);
        Ok(Self::Fields { fields, multipart: has_file || asked || (takes(Kind::Multipart) && !takes(Kind::Form)) })
    }

    fn three(operation: &Operation<'d>, wanted: Option<&str>) -> Result<Self, String> {
        let Some(body) = operation.operation.get("requestBody") else { return Ok(Self::None) };
        let body = follow(operation.root, body)?;
        let Some(content) = body.get("content").and_then(Value::as_object).filter(|content| !content.is_empty()) else {
            return Ok(Self::None);
        };
        let media = choose(content.keys().map(String::as_str), wanted)?;
        let described = follow(operation.root, &content[media])?;
        Ok(Self::Whole(Whole {
            required: body.get("required").and_then(Value::as_bool).unwrap_or(false),
            encoding: described.get("encoding").and_then(Value::as_object),
            ..Whole::new(operation.root, media, described.get("schema"))
        }))
    }

    /// The names that values for it can have, for whoever misspelt one.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let whole = if let Self::Whole(whole) = self { Some(whole) } else { None };
        whole.into_iter().flat_map(|whole| whole.shape.properties.keys().copied().chain(whole.name).chain(["body"]))
    }

    /// The body, from the values that nothing else has taken.
    pub(super) fn body(&self, given: &mut Given<'_>, headers: &mut Vec<(String, String)>) -> Result<Option<Body>, String> {
        match self {
            Self::None => Ok(None),
            Self::Fields { fields, multipart } => self::fields(fields, *multipart, given, headers),
            Self::Whole(whole) => {
                let Some(value) = whole.take(given)? else { return Ok(None) };
                let body = whole.write(value)?;
                if whole.kind != Kind::Multipart {
                    headers.push(("Content-Type".to_owned(), whole.media.clone()));
                }
                Ok(Some(body))
            }
        }
    }
}

/// The media type to send, among those that are described.
fn choose<'m>(described: impl Iterator<Item = &'m str>, wanted: Option<&str>) -> Result<&'m str, String> {
    let fits = |media: &str| wanted.is_none_or(|wanted| essence(wanted) == essence(media));
    let chosen = described.filter(|media| fits(media)).min_by_key(|media| Kind::of(media));
    chosen.ok_or_else(|| format!("its body is not described as `{}`", excerpt(wanted.unwrap_or_default())))
}

impl<'d> Whole<'d> {
    fn new(root: &'d Value, media: &str, schema: Option<&'d Value>) -> Self {
        let kind = Kind::of(media);
        let media = match (kind, media) {
            (Kind::Anything, _) => "application/json",
            (_, "text/*") => "text/plain",
            (_, other) => other,
        };
        let clean = media.chars().filter(|c| !c.is_control()).collect();
        Self { root, name: None, required: false, media: clean, kind, shape: Shape::of(root, schema), encoding: None }
    }

    /// The value of the body: given as a whole, or as one value for each of its properties.
    fn take(&self, given: &mut Given<'_>) -> Result<Option<Value>, String> {
        let rest: Vec<_> = given.rest().filter(|(_, value)| !value.is_null()).collect();
        let whole = self.name.into_iter().chain(["body"]).find_map(|name| {
            let value = rest.iter().find(|(given, _)| *given == name)?.1;
            // A property may have that very name.
            let is_property = self.shape.properties.contains_key(name) && (rest.len() > 1 || !value.is_object());
            (!is_property).then_some((name, value))
        });
        if let Some((name, value)) = whole {
            given.take(name);
            return Ok(Some(value.clone()));
        }
        let properties = if self.shape.is_map { self.properties(given)? } else { Map::new() };
        if properties.is_empty() && !self.required {
            return Ok(None);
        }
        let missing: Vec<_> = self.shape.required.iter().filter(|name| self.shape.is_map && !properties.contains_key(**name)).collect();
        for name in &missing {
            given.miss(name);
        }
        if properties.is_empty() && missing.is_empty() {
            given.miss(self.name.unwrap_or("body"));
        }
        Ok(Some(Value::Object(properties)))
    }

    fn properties(&self, given: &mut Given<'_>) -> Result<Map<String, Value>, String> {
        let mut properties = Map::new();
        let rest: Vec<_> = given.rest().collect();
        for (name, value) in rest {
            let property = self.shape.properties.get(name);
            let is_known = self.shape.is_open || property.is_some();
            let is_given = !value.is_null() || property.is_some_and(|property| is_nullable(self.root, property));
            if is_known && is_given {
                given.take(name);
                properties.insert(name.to_owned(), value.clone());
            }
        }
        match &self.shape.unread {
            Some(why) if !properties.is_empty() || self.required => {
                Err(format!("its body is not fully described: {why}; give it whole, as `body`"))
            }
            Some(_) | None => Ok(properties),
        }
    }
}

/// The fields of a form in version 2.
fn fields(
    fields: &[&Parameter<'_>],
    multipart: bool,
    given: &mut Given<'_>,
    headers: &mut Vec<(String, String)>,
) -> Result<Option<Body>, String> {
    let (mut form, mut parts) = (Vec::new(), Vec::new());
    for field in fields {
        let name = field.name;
        let wrong = |why| format!("the parameter `{}` {why}", excerpt(name));
        match given.take(name) {
            Some(value) if field.place == Place::File => {
                parts.push(file(name, value).ok_or_else(|| wrong("has to be text, or a map with `base64`".to_owned()))?);
            }
            Some(value) => {
                let pairs = field.form.pairs(name, value).map_err(|why| wrong(format!("holds {why}")))?;
                if multipart {
                    parts.extend(pairs.into_iter().map(|(name, text)| plain(&name, text, None)));
                } else {
                    form.extend(pairs);
                }
            }
            None if field.required => drop(given.miss(name)),
            None => {}
        }
    }
    if multipart && !parts.is_empty() {
        return Ok(Some(Body::Multipart(parts)));
    }
    if form.is_empty() {
        return Ok(None);
    }
    headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    Ok(Some(Body::Form(form)))
}
