//! How a body is written: JSON, forms, text, or bytes, and each property of a form as the description says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::body::{Kind, Whole};
use super::parameter;
use super::reference::follow;
use super::schema::is_binary;
use super::style::{Encoding, Form, scalar};
use crate::flow::exchange::{Body, Part};
use crate::manifest::excerpt;

impl Whole<'_> {
    /// The value as the media type has it.
    pub(super) fn write(&self, value: Value) -> Result<Body, String> {
        let wrong = |what: &str| format!("its body is sent as `{}`, and has to be {what}", excerpt(&self.media));
        match (self.kind, value) {
            (Kind::Json | Kind::LikeJson | Kind::Anything, value) => Ok(Body::Json(value)),
            (Kind::Form, Value::Object(entries)) => {
                let fields = entries.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| self.field(name, value));
                Ok(Body::Form(fields.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()))
            }
            (Kind::Multipart, Value::Object(entries)) => {
                let parts = entries.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| self.parts(name, value));
                Ok(Body::Multipart(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()))
            }
            (Kind::Form | Kind::Multipart, _) => Err(wrong("a map")),
            (Kind::Text, value) => scalar(&value).map(Body::Text).ok_or_else(|| wrong("text")),
            (Kind::Bytes | Kind::Other, Value::String(text)) => Ok(Body::Text(text)),
            (Kind::Bytes | Kind::Other, value) => {
                let part = file("body", &value).ok_or_else(|| wrong("text, or a map with `base64`"))?;
                Ok(Body::Bytes(part.content))
            }
        }
    }

    /// A property in a form. Where nothing is said, lists are repeated and maps are JSON.
    fn field(&self, name: &str, value: &Value) -> Result<Vec<(String, String)>, String> {
        let said = self.encoding.and_then(|encoding| encoding.get(name));
        let has_style = said.is_some_and(|said| ["style", "explode", "allowReserved"].iter().any(|key| said.get(*key).is_some()));
        match said.filter(|_| has_style) {
            Some(said) => {
                let style = parameter::style(said.get("style").and_then(Value::as_str).unwrap_or("form"));
                let wrong = |why| format!("its field `{}` {why}", excerpt(name));
                let style = style.map_err(wrong)?;
                let form = Form { style, explode: parameter::explodes(said, style), encoding: Encoding::Raw };
                form.pairs(name, value).map_err(|why| wrong(format!("holds {why}")))
            }
            None => Ok(each(value).map(|item| (name.to_owned(), scalar(item).unwrap_or_else(|| item.to_string()))).collect()),
        }
    }

    fn parts(&self, name: &str, value: &Value) -> Result<Vec<Part>, String> {
        let said = self.encoding.and_then(|encoding| encoding.get(name)?.get("contentType")?.as_str());
        let said = said.and_then(|said| said.split(',').map(str::trim).find(|said| !said.contains('*'))).map(str::to_owned);
        let property = self.shape.properties.get(name).and_then(|property| follow(self.root, property).ok());
        let is_file = property.is_some_and(|property| {
            is_binary(self.root, property) || property.get("items").is_some_and(|items| is_binary(self.root, items))
        });
        let part = |item: &Value| match scalar(item) {
            _ if is_file => {
                let part =
                    file(name, item).ok_or_else(|| format!("its part `{}` has to be text, or a map with `base64`", excerpt(name)))?;
                Ok(Part {
                    content_type: part.content_type.or_else(|| said.clone()).or_else(|| Some("application/octet-stream".to_owned())),
                    ..part
                })
            }
            Some(text) => Ok(plain(name, text, said.clone())),
            None => Ok(plain(name, item.to_string(), said.clone().or_else(|| Some("application/json".to_owned())))),
        };
        each(value).map(part).collect()
    }
}

/// The entries of a list that are given, or the one value.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let one = std::slice::from_ref(value);
    value.as_array().map_or(one, Vec::as_slice).iter().filter(|item| !item.is_null())
}

/// A part without a file's name.
pub(super) fn plain(name: &str, text: String, content_type: Option<String>) -> Part {
    Part { name: name.to_owned(), filename: None, content_type, content: text.into_bytes() }
}

/// A file: its text, or a map of `base64` or `content` with, if need be, `filename` and `contentType`.
pub(super) fn file(name: &str, value: &Value) -> Option<Part> {
    let told = |key: &str| value.get(key).and_then(Value::as_str);
    let content = match (scalar(value), told("base64"), told("content")) {
        (Some(text), _, _) => text.into_bytes(),
        (None, Some(base64), _) => STANDARD.decode(base64).ok()?,
        (None, None, Some(text)) => text.as_bytes().to_vec(),
        (None, None, None) => return None,
    };
    let filename = told("filename").unwrap_or(name).to_owned();
    Some(Part { name: name.to_owned(), filename: Some(filename), content_type: told("contentType").map(str::to_owned), content })
}
