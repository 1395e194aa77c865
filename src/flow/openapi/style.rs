//! How a value is written as a parameter. Source: OpenAPI 3.2.0, "Style Values", and OpenAPI 2.0, `collectionFormat`.

use serde_json::{Map, Value};

use crate::flow::uri::percent_encode;

/// How deep maps in `deepObject` may be nested.
const DEEPEST: usize = 16;

/// The ways to write lists and maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    /// `spaceDelimited`, `pipeDelimited`, and what version 2 has.
    Delimited(char),
    DeepObject,
    /// Of cookies: like a form, but nothing is encoded.
    Cookie,
}

/// What becomes of characters that have a meaning where the value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// All that is not unreserved becomes `%XX`.
    Percent,
    /// These, and what is encoded already, stay.
    Keeping(&'static str),
    /// Everything stays: headers, and forms, which are encoded as a whole.
    Raw,
}

/// One way to write values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) style: Style,
    pub(super) explode: bool,
    pub(super) encoding: Encoding,
}

impl Encoding {
    pub(super) fn text(self, text: &str) -> String {
        match self {
            Self::Percent => percent_encode(text),
            Self::Raw => text.to_owned(),
            Self::Keeping(kept) => {
                let mut encoded = String::with_capacity(text.len());
                for (at, character) in text.char_indices() {
                    let is_triple = || text.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                    if kept.contains(character) || (character == '%' && is_triple()) {
                        encoded.push(character);
                    } else {
                        encoded.push_str(&percent_encode(character.encode_utf8(&mut [0; 4])));
                    }
                }
                encoded
            }
        }
    }

    fn delimiter(self, delimiter: char) -> String {
        match (self, delimiter) {
            (_, ',') => ",".to_owned(),
            (Self::Raw, other) => other.to_string(),
            (Self::Percent | Self::Keeping(_), other) => percent_encode(other.encode_utf8(&mut [0; 4])),
        }
    }
}

/// Text, a number or a boolean as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl Form {
    /// The value as one text: in a path or a header.
    pub(super) fn single(&self, name: &str, value: &Value) -> Result<String, String> {
        let name = self.encoding.text(name);
        let comma = |items: Vec<String>| items.join(&self.encoding.delimiter(self.delimiter()));
        let pairs = |map: &Map<String, Value>| self.entries(map, "=");
        Ok(match (self.style, value) {
            (Style::Label, Value::Array(list)) if self.explode => self.items(list)?.iter().map(|item| format!(".{item}")).collect(),
            (Style::Label, Value::Object(map)) if self.explode => pairs(map)?.iter().map(|pair| format!(".{pair}")).collect(),
            (Style::Matrix, Value::Array(list)) if self.explode => self.items(list)?.iter().map(|item| format!(";{name}={item}")).collect(),
            (Style::Matrix, Value::Object(map)) if self.explode => pairs(map)?.iter().map(|pair| format!(";{pair}")).collect(),
            (style, value) => {
                let text = match value {
                    Value::Array(list) => comma(self.items(list)?),
                    Value::Object(map) if self.explode => comma(pairs(map)?),
                    Value::Object(map) => comma(self.flat(map)?),
                    other => self.one(other)?,
                };
                match style {
                    Style::Label => format!(".{text}"),
                    Style::Matrix if text.is_empty() => format!(";{name}"),
                    Style::Matrix => format!(";{name}={text}"),
                    Style::Simple | Style::Form | Style::Delimited(_) | Style::DeepObject | Style::Cookie => text,
                }
            }
        })
    }

    /// The value as names and values: in a query, a cookie or a form.
    pub(super) fn pairs(&self, name: &str, value: &Value) -> Result<Vec<(String, String)>, String> {
        let encoded = self.encoding.text(name);
        let joined = |items: Vec<String>| {
            let text = items.join(&self.encoding.delimiter(self.delimiter()));
            if items.is_empty() { Vec::new() } else { vec![(encoded.clone(), text)] }
        };
        match value {
            Value::Array(_) | Value::Object(_) if self.style == Style::DeepObject => {
                let mut pairs = Vec::new();
                self.deep(name.to_owned(), value, 0, &mut pairs)?;
                Ok(pairs)
            }
            Value::Array(list) if self.explode => Ok(self.items(list)?.into_iter().map(|item| (encoded.clone(), item)).collect()),
            Value::Array(list) => Ok(joined(self.items(list)?)),
            Value::Object(map) if self.explode && !matches!(self.style, Style::Delimited(_)) => {
                given(map).map(|(key, value)| Ok((self.encoding.text(key), self.one(value)?))).collect()
            }
            Value::Object(map) => Ok(joined(self.flat(map)?)),
            other => Ok(vec![(encoded, self.one(other)?)]),
        }
    }

    fn delimiter(&self) -> char {
        match self.style {
            Style::Delimited(delimiter) => delimiter,
            Style::Simple | Style::Label | Style::Matrix | Style::Form | Style::DeepObject | Style::Cookie => ',',
        }
    }

    fn one(&self, value: &Value) -> Result<String, String> {
        let text = scalar(value).ok_or("a list or map within a list or map, which its style cannot hold")?;
        Ok(self.encoding.text(&text))
    }

    fn items(&self, list: &[Value]) -> Result<Vec<String>, String> {
        list.iter().filter(|item| !item.is_null()).map(|item| self.one(item)).collect()
    }

    fn entries(&self, map: &Map<String, Value>, between: &str) -> Result<Vec<String>, String> {
        given(map).map(|(key, value)| Ok(format!("{}{between}{}", self.encoding.text(key), self.one(value)?))).collect()
    }

    fn flat(&self, map: &Map<String, Value>) -> Result<Vec<String>, String> {
        let between = self.encoding.delimiter(self.delimiter());
        self.entries(map, &between)
    }

    /// `a[b][c]=d`; entries of lists as `a[]=b`, which the specification leaves open and most services that have it read so.
    fn deep(&self, name: String, value: &Value, depth: usize, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("maps nested more than {DEEPEST} levels deep"));
        }
        match value {
            Value::Object(map) => given(map).try_for_each(|(key, value)| self.deep(format!("{name}[{key}]"), value, depth + 1, pairs)),
            Value::Array(list) => {
                let name = self.encoding.text(&format!("{name}[]"));
                pairs.extend(self.items(list)?.into_iter().map(|item| (name.clone(), item)));
                Ok(())
            }
            other => {
                pairs.push((self.encoding.text(&name), self.one(other)?));
                Ok(())
            }
        }
    }
}

fn given(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.iter().filter(|(_, value)| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PERCENT: Encoding = Encoding::Percent;

    fn single(style: Style, explode: bool, value: &Value) -> String {
        Form { style, explode, encoding: PERCENT }.single("tag", value).unwrap()
    }

    fn pairs(style: Style, explode: bool, encoding: Encoding, value: &Value) -> String {
        let pairs = Form { style, explode, encoding }.pairs("tag", value).unwrap();
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    #[test]
    fn paths_and_headers() {
        let (one, list, map) = (json!("a b"), json!(["x", "y,z", 3]), json!({"k": 1, "l": "é", "m": null}));
        for (style, explode, texts) in [
            (Style::Simple, false, ["a%20b", "x,y%2Cz,3", "k,1,l,%C3%A9"]),
            (Style::Simple, true, ["a%20b", "x,y%2Cz,3", "k=1,l=%C3%A9"]),
            (Style::Label, false, [".a%20b", ".x,y%2Cz,3", ".k,1,l,%C3%A9"]),
            (Style::Label, true, [".a%20b", ".x.y%2Cz.3", ".k=1.l=%C3%A9"]),
            (Style::Matrix, false, [";tag=a%20b", ";tag=x,y%2Cz,3", ";tag=k,1,l,%C3%A9"]),
            (Style::Matrix, true, [";tag=a%20b", ";tag=x;tag=y%2Cz;tag=3", ";k=1;l=%C3%A9"]),
            (Style::Delimited('|'), false, ["a%20b", "x%7Cy%2Cz%7C3", "k%7C1%7Cl%7C%C3%A9"]),
        ] {
            let written = [&one, &list, &map].map(|value| single(style, explode, value));
            assert_eq!(written, texts, "{style:?} {explode}");
        }
        assert_eq!(single(Style::Matrix, false, &json!("")), ";tag");
    }

    #[test]
    fn queries() {
        let (one, list, map) = (json!(true), json!(["x", "y&z"]), json!({"k": 1, "l": "m"}));
        for (style, explode, texts) in [
            (Style::Form, true, ["tag=true", "tag=x&tag=y%26z", "k=1&l=m"]),
            (Style::Form, false, ["tag=true", "tag=x,y%26z", "tag=k,1,l,m"]),
            (Style::Delimited(' '), false, ["tag=true", "tag=x%20y%26z", "tag=k%201%20l%20m"]),
            (Style::Delimited('|'), false, ["tag=true", "tag=x%7Cy%26z", "tag=k%7C1%7Cl%7Cm"]),
            (Style::Delimited('\t'), false, ["tag=true", "tag=x%09y%26z", "tag=k%091%09l%09m"]),
            (Style::Delimited('|'), true, ["tag=true", "tag=x&tag=y%26z", "tag=k%7C1%7Cl%7Cm"]),
            (Style::DeepObject, true, ["tag=true", "tag%5B%5D=x&tag%5B%5D=y%26z", "tag%5Bk%5D=1&tag%5Bl%5D=m"]),
        ] {
            let written = [&one, &list, &map].map(|value| pairs(style, explode, PERCENT, value));
            assert_eq!(written, texts, "{style:?} {explode}");
        }
        let nested = json!({"a": {"b": [1, 2]}, "c": null});
        assert_eq!(pairs(Style::DeepObject, true, Encoding::Raw, &nested), "tag[a][b][]=1&tag[a][b][]=2");
        assert_eq!(pairs(Style::Form, false, PERCENT, &json!([])), "");
    }

    #[test]
    fn reserved_characters_stay_where_the_description_says_so() {
        let value = json!("a/b:c%2F%zz é#&d");
        assert_eq!(pairs(Style::Form, true, Encoding::Keeping(":/"), &value), "tag=a/b:c%2F%25zz%20%C3%A9%23%26d");
    }

    #[test]
    fn what_a_style_cannot_hold_is_refused() {
        let form = Form { style: Style::Form, explode: true, encoding: PERCENT };
        assert!(form.pairs("tag", &json!([[1]])).unwrap_err().contains("within"));
        assert!(form.single("tag", &json!({"a": {}})).unwrap_err().contains("within"));
        let deep = (0..40).fold(json!(1), |inner, _| json!({"a": inner}));
        assert!(Form { style: Style::DeepObject, ..form }.pairs("tag", &deep).unwrap_err().contains("nested"));
    }
}
