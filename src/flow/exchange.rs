//! Requests and responses, as they travel and as tests compare them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// A request a flow sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The whole address; its host is one that the connection allows.
    pub url: Url,
    /// Headers as given, names in any case.
    pub headers: Vec<(String, String)>,
    /// What is sent along.
    pub body: Option<Body>,
}

/// What a request carries. The header that names its type is among the request's headers, but for [`Body::Multipart`], whose type
/// holds a boundary that only whoever sends it chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// Text as it is.
    Text(String),
    /// Fields of a form, `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// Parts of a form, `multipart/form-data`, RFC 7578.
    Multipart(Vec<Part>),
    /// Bytes as they are.
    Bytes(#[serde(with = "bytes")] Vec<u8>),
}

/// A part of a multipart form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, where it is a file.
    pub filename: Option<String>,
    /// Its media type, where one is given.
    pub content_type: Option<String>,
    /// Its bytes.
    #[serde(with = "bytes")]
    pub content: Vec<u8>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers as received.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
}

/// Whether a header can have this name: a token, RFC 9110, section 5.6.2.
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// Whether a header can have this value: text without control characters.
pub(crate) fn is_header_value(text: &str) -> bool {
    !text.chars().any(|char| char.is_control() && char != '\t')
}

/// Headers that belong to the connection, and would change what it means: whoever sends the request decides on them.
const REFUSED: [&str; 6] = ["expect", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"];

/// Whether no flow may set a header of this name.
pub(crate) fn is_refused(name: &str) -> bool {
    REFUSED.iter().any(|refused| refused.eq_ignore_ascii_case(name))
}

/// Why it may not.
pub(crate) fn refusal(name: &str) -> String {
    format!("the header `{name}` cannot be set: it belongs to the connection, not to the request, and would not be sent")
}

impl Request {
    /// The first header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }
}

impl Response {
    /// The first header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }
}

fn first<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Headers as a map, by their names as `named` spells them; those that come several times are one text with commas, RFC 9110, section 5.3.
pub(crate) fn joined(headers: &[(String, String)], named: impl Fn(&str) -> String) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in headers {
        match map.entry(named(name)).or_insert(Value::Null) {
            Value::String(before) => {
                before.push_str(", ");
                before.push_str(value);
            }
            empty => *empty = Value::String(value.clone()),
        }
    }
    map
}

/// Bytes between processes: as text where they are text, which is most often, and in base64 otherwise.
pub(crate) mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[derive(Serialize, Deserialize)]
    enum Wire<'a> {
        #[serde(rename = "t", borrow)]
        Text(std::borrow::Cow<'a, str>),
        #[serde(rename = "b")]
        Base64(String),
    }

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Wire::Text(text.into()),
            Err(_) => Wire::Base64(STANDARD.encode(bytes)),
        }
        .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Text(text) => Ok(text.into_owned().into_bytes()),
            Wire::Base64(text) => STANDARD.decode(text).map_err(de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_as_they_went() {
        for body in [b"text \"quoted\"".to_vec(), vec![0xff, 0, 7], Vec::new()] {
            let response = Response { status: 200, headers: vec![("A".to_owned(), "b".to_owned())], body };
            let wire = serde_json::to_string(&response).unwrap();
            assert_eq!(serde_json::from_str::<Response>(&wire).unwrap(), response);
        }
    }
}
