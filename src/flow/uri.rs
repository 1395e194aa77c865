//! Addresses: URI templates as the DSL has them (RFC 6570, simple string expansion), and whole expressions.

use jaq_json::Val;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::data::Data;
use super::expression::value::{text_of, text_to_jq};
use super::expression::{Arguments, Unevaluated};
use super::template::Template;

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum Address {
    /// An expression gives it whole.
    Given(Template),
    /// Text with `{name}` in it; names are top-level properties of the task's input.
    Pattern(Vec<Part>),
}

/// A part of a URI template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Plain(String),
    /// A variable; nothing stands for it where it has no value, RFC 6570, section 3.2.1.
    Variable(String),
    /// A variable that must have a value: without it the address would be that of something else.
    Required(String),
}

/// Reads a URI template; an error says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return Err("a `{` has no `}`".to_owned());
        };
        if name.is_empty() || name.contains('{') {
            return Err(format!("`{{{name}}}` names no variable"));
        }
        if name.starts_with(['+', '#', '.', '/', ';', '?', '&']) {
            return Err(format!("`{{{name}}}`: only simple expansion, such as `{{{}}}`, is supported", &name[1..]));
        }
        if !plain.is_empty() {
            parts.push(Part::Plain(plain.to_owned()));
        }
        parts.push(Part::Variable(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Plain(rest.to_owned()));
    }
    Ok(parts)
}

/// What to do about a template that cannot be read.
pub(crate) const INSTEAD: &str = "Only `{name}` is replaced. Where a value is to keep its `/`, write an expression, such as \
     `${ \"/files/\" + .path }`; parameters go into `query`.";

/// The names of a template's variables; none where it is an expression or cannot be read.
pub(crate) fn variables_of(text: &str) -> Vec<String> {
    let parts = if text.contains("${") { Vec::new() } else { parse(text).unwrap_or_default() };
    let name = |part| match part {
        Part::Variable(name) | Part::Required(name) => Some(name),
        Part::Plain(_) => None,
    };
    parts.into_iter().filter_map(name).collect()
}

/// The same address, whose variables must have values.
pub(crate) fn required(parts: Vec<Part>) -> Vec<Part> {
    let require = |part| match part {
        Part::Variable(name) => Part::Required(name),
        Part::Plain(_) | Part::Required(_) => part,
    };
    parts.into_iter().map(require).collect()
}

impl Address {
    /// Whether it is the same whatever the data.
    pub(crate) fn is_fixed(&self) -> bool {
        match self {
            Self::Given(template) => matches!(template, Template::Literal(_)),
            Self::Pattern(parts) => parts.iter().all(|part| matches!(part, Part::Plain(_))),
        }
    }

    /// Whether the text itself says which host it is.
    pub(crate) fn names_host(&self) -> bool {
        let beginning = match self {
            Self::Given(template) => template.beginning(),
            Self::Pattern(parts) => match parts.first() {
                Some(Part::Plain(plain)) => Some(plain.clone()),
                Some(Part::Variable(_) | Part::Required(_)) | None => None,
            },
        };
        // Without the slash the host goes on with what data says.
        beginning.is_some_and(|text| text.split_once("://").is_some_and(|(_, rest)| rest.contains('/')))
    }

    /// The address as text, from the task's input; beside it what may be shown of it, where a secret is in it.
    pub(crate) fn evaluate(&self, input: &Data, arguments: &dyn Arguments) -> Result<(String, Option<String>), Unevaluated> {
        match self {
            Self::Given(template) => template.evaluate(input, arguments).map(|value| value.texts()),
            Self::Pattern(parts) => {
                let real: String = parts.iter().map(|part| part.expand(input.real())).collect::<Result<_, _>>()?;
                let shown = input.is_secret().then(|| parts.iter().map(|part| part.expand(&input.public())).collect::<Result<_, _>>());
                Ok((real, shown.map(|shown| shown.unwrap_or_else(|_| super::data::REDACTED.to_owned()))))
            }
        }
    }
}

/// An address that is a value like others.
pub(crate) fn expand(parts: &[Part], input: &Data) -> Result<Data, Unevaluated> {
    let text = |input: &Val| parts.iter().map(|part| part.expand(input)).collect::<Result<String, _>>();
    let real = text_to_jq(&text(input.real())?);
    let [one, other] = input.stand_ins().map(text);
    Ok(match one.and_then(|one| Ok([one, other?])) {
        Ok(stand_ins) => Data::new(real, stand_ins.map(|text| text_to_jq(&text))),
        Err(_) => Data::secret(real),
    })
}

impl Part {
    fn expand(&self, input: &Val) -> Result<String, String> {
        match self {
            Self::Plain(plain) => Ok(plain.clone()),
            Self::Variable(name) => value_of(name, input).map(|text| text.map(|text| percent_encode(&text)).unwrap_or_default()),
            Self::Required(name) => match value_of(name, input)? {
                Some(text) if !text.is_empty() => Ok(percent_encode(&text)),
                Some(_) => Err(format!("`{{{name}}}` of the path is empty text, so the request would go to another address")),
                None => Err(format!("`{{{name}}}` of the path has no value: the task's input has no `{name}`, or it is null")),
            },
        }
    }
}

/// The text that stands for a variable; nothing where it has no value.
fn value_of(name: &str, input: &Val) -> Result<Option<String>, String> {
    let value = match input {
        Val::Obj(entries) => entries.get(&text_to_jq(name)),
        Val::Null | Val::Bool(_) | Val::Num(_) | Val::BStr(_) | Val::TStr(_) | Val::Arr(_) => None,
    };
    match value {
        None | Some(Val::Null) => Ok(None),
        Some(value @ (Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_))) => match text_of(value) {
            // Even encoded, these would be taken for steps up the path.
            dots if dots == "." || dots == ".." => Err(format!("`{{{name}}}` is `{dots}`, which would lead to another address")),
            text => Ok(Some(text)),
        },
        Some(Val::Arr(_) | Val::Obj(_)) => Err(format!("`{{{name}}}` stands for a list or a map, which an address cannot hold")),
    }
}

/// What stands as `%XX`: all that is not unreserved, RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Every byte that is not unreserved as `%XX`.
pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flow::expression::value::to_jq;

    fn expand(text: &str, input: &serde_json::Value) -> Result<String, String> {
        parse(text)?.iter().map(|part| part.expand(&to_jq(input))).collect()
    }

    #[test]
    fn variables_come_from_the_input_percent_encoded() {
        let input = json!({"owner": "a/b", "n": 7, "pet.id": "x y", "list": []});
        assert_eq!(expand("/repos/{owner}/issues/{n}", &input).unwrap(), "/repos/a%2Fb/issues/7");
        assert_eq!(expand("/{pet.id}/{missing}", &input).unwrap(), "/x%20y/");
        assert!(expand("/{list}", &input).unwrap_err().contains("list"));
        assert!(expand("/a/{up}", &json!({"up": ".."})).unwrap_err().contains("another address"));
    }

    #[test]
    fn a_variable_that_is_required_has_a_value() {
        let expand = |input: serde_json::Value| {
            let parts = required(parse("/items/{id}").unwrap());
            parts.iter().map(|part| part.expand(&to_jq(&input))).collect::<Result<String, _>>()
        };
        assert_eq!(expand(json!({"id": 0})).unwrap(), "/items/0");
        for lacking in [json!({}), json!({"id": null}), json!({"id": ""}), json!(null)] {
            assert!(expand(lacking.clone()).unwrap_err().contains("`{id}` of the path"), "{lacking}");
        }
    }

    #[test]
    fn what_is_not_simple_expansion_is_refused() {
        for text in ["/{", "/{}", "/{+path}", "/{a{b}}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
