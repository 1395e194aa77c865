//! The parameters that an operation declares, of either version, as one kind of thing.

use serde_json::Value;

use super::Version;
use super::call::Operation;
use super::reference::follow;
use super::style::{Encoding, Form, Style};
use crate::manifest::excerpt;

/// How many parameters an operation may have.
const MOST: usize = 1_000;

/// What `allowReserved` keeps in a query: not what would end it or its entry.
const RESERVED_IN_QUERY: &str = ":/?[]@!$'()*,;=";
/// And in a path: not what would end its segment.
const RESERVED_IN_PATH: &str = ":[]@!$&'()*+,;=";

/// A declared parameter.
#[derive(Debug)]
pub(super) struct Parameter<'d> {
    pub(super) name: &'d str,
    pub(super) place: Place,
    pub(super) required: bool,
    pub(super) form: Form,
    /// The media type of its content, where it has one instead of a style.
    pub(super) media: Option<&'d str>,
    pub(super) schema: Option<&'d Value>,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    /// The query as a whole.
    QueryString,
    Header,
    Cookie,
    /// The body as a whole, in version 2.
    Body,
    /// A field of a form, in version 2.
    Field,
    /// A file in a form, in version 2.
    File,
}

/// The parameters of an operation: its own, and those of its path that it does not override.
pub(super) fn declared<'d>(operation: &Operation<'d>) -> Result<Vec<Parameter<'d>>, String> {
    let lists = [operation.item, operation.operation].map(|holder| holder.get("parameters").and_then(Value::as_array));
    if lists.iter().flatten().map(|list| list.len()).sum::<usize>() > MOST {
        return Err(format!("it has more than {MOST} parameters"));
    }
    let mut parameters: Vec<Parameter<'d>> = Vec::new();
    for value in lists.into_iter().flatten().flatten() {
        let value = follow(operation.root, value)?;
        let name = value.get("name").and_then(Value::as_str).ok_or("one of its parameters has no name")?;
        let parameter = read(operation, name, value).map_err(|why| format!("its parameter `{}` {why}", excerpt(name)))?;
        match parameters.iter_mut().find(|known| known.name == name && known.place == parameter.place) {
            Some(overridden) => *overridden = parameter,
            None => parameters.push(parameter),
        }
    }
    Ok(parameters)
}

fn read<'d>(operation: &Operation<'d>, name: &'d str, value: &'d Value) -> Result<Parameter<'d>, String> {
    let place = place(operation.version, value)?;
    // What names the body's type, and who asks, is said elsewhere; still it may be given.
    let said_elsewhere = ["accept", "authorization", "content-type"].iter().any(|said| name.eq_ignore_ascii_case(said));
    let required = place == Place::Path || (flag(value, "required") && !(place == Place::Header && said_elsewhere));
    let form = match operation.version {
        Version::Two => collection(place, value)?,
        Version::Three => styled(place, value)?,
    };
    let content = value.get("content").and_then(Value::as_object);
    let media = content.and_then(|content| content.keys().next()).map(String::as_str);
    Ok(Parameter { name, place, required, form, media, schema: value.get("schema") })
}

fn place(version: Version, value: &Value) -> Result<Place, String> {
    let text = value.get("in").and_then(Value::as_str).unwrap_or_default();
    let is_file = value.get("type").and_then(Value::as_str) == Some("file");
    match (text, version) {
        ("path", _) => Ok(Place::Path),
        ("query", _) => Ok(Place::Query),
        ("header", _) => Ok(Place::Header),
        ("querystring", Version::Three) => Ok(Place::QueryString),
        ("cookie", Version::Three) => Ok(Place::Cookie),
        ("body", Version::Two) => Ok(Place::Body),
        ("formData", Version::Two) if is_file => Ok(Place::File),
        ("formData", Version::Two) => Ok(Place::Field),
        _ => Err(format!("is in `{}`, which is no place for one", excerpt(text))),
    }
}

/// Version 2: `collectionFormat`.
fn collection(place: Place, value: &Value) -> Result<Form, String> {
    let (style, explode) = match value.get("collectionFormat").and_then(Value::as_str).unwrap_or("csv") {
        "csv" => (Style::Form, false),
        "ssv" => (Style::Delimited(' '), false),
        "tsv" => (Style::Delimited('\t'), false),
        "pipes" => (Style::Delimited('|'), false),
        "multi" if matches!(place, Place::Query | Place::Field) => (Style::Form, true),
        other => return Err(format!("has the collection format `{}`, which is not for its place", excerpt(other))),
    };
    let encoding = if matches!(place, Place::Path | Place::Query) { Encoding::Percent } else { Encoding::Raw };
    Ok(Form { style, explode, encoding })
}

/// Version 3: `style`, `explode` and `allowReserved`.
fn styled(place: Place, value: &Value) -> Result<Form, String> {
    let default = match place {
        Place::Path | Place::Header => "simple",
        Place::Query | Place::QueryString | Place::Cookie | Place::Body | Place::Field | Place::File => "form",
    };
    let name = value.get("style").and_then(Value::as_str).unwrap_or(default);
    let style = style(name)?;
    let fits = match place {
        Place::Path => matches!(style, Style::Simple | Style::Label | Style::Matrix),
        Place::Header => style == Style::Simple,
        Place::Cookie => matches!(style, Style::Form | Style::Cookie),
        Place::Query | Place::QueryString | Place::Body | Place::Field | Place::File => {
            matches!(style, Style::Form | Style::Delimited(_) | Style::DeepObject)
        }
    };
    if !fits {
        return Err(format!("has the style `{name}`, which is not for its place"));
    }
    let reserved = flag(value, "allowReserved");
    let encoding = match place {
        Place::Header => Encoding::Raw,
        Place::Cookie if style == Style::Cookie => Encoding::Raw,
        Place::Path if reserved => Encoding::Keeping(RESERVED_IN_PATH),
        Place::Query if reserved => Encoding::Keeping(RESERVED_IN_QUERY),
        Place::Path | Place::Query | Place::QueryString | Place::Cookie | Place::Body | Place::Field | Place::File => Encoding::Percent,
    };
    Ok(Form { style, explode: explodes(value, style), encoding })
}

/// A style by its name in version 3.
pub(super) fn style(name: &str) -> Result<Style, String> {
    match name {
        "simple" => Ok(Style::Simple),
        "label" => Ok(Style::Label),
        "matrix" => Ok(Style::Matrix),
        "form" => Ok(Style::Form),
        "spaceDelimited" => Ok(Style::Delimited(' ')),
        "pipeDelimited" => Ok(Style::Delimited('|')),
        "deepObject" => Ok(Style::DeepObject),
        "cookie" => Ok(Style::Cookie),
        other => Err(format!("has the style `{}`, which is not known", excerpt(other))),
    }
}

/// Whether entries of lists and maps stand each on its own.
pub(super) fn explodes(value: &Value, style: Style) -> bool {
    value.get("explode").and_then(Value::as_bool).unwrap_or(matches!(style, Style::Form | Style::Cookie))
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}
