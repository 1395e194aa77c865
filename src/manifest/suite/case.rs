//! A case whose expressions have given their values: it must still be a case.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::super::schemas::Described as _;
use super::super::wording::{bound, found_in_words, types, types_in_words};
use super::super::{excerpt, form};
use super::{Case, Suite};

/// Why a value is no case, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("with what its expressions give, it is no case: {message}")]
pub struct Unfit {
    /// Where in the case, as a JSON Pointer.
    pub pointer: String,
    message: String,
}

impl Case {
    /// Reads a case by the schema of its suite.
    pub fn read(value: Value) -> Result<Self, Unfit> {
        let whole = |message: String| Unfit { pointer: String::new(), message };
        let suite = Suite::compiled().map_err(|error| whole(error.to_owned()))?;
        let written = json!({ "title": "-", "cases": [value] });
        if let Some(error) = suite.validator.iter_errors(&written).next() {
            let path = error.instance_path().as_str();
            let pointer = path.strip_prefix("/cases/0").unwrap_or_default().to_owned();
            let name = pointer.rsplit('/').next().unwrap_or_default();
            return Err(Unfit { message: format!("`{}`: {}", excerpt::of(name), in_words(&error)), pointer });
        }
        Self::deserialize(&written["cases"][0]).map_err(|error| whole(excerpt::of_message(&error)))
    }
}

fn in_words(error: &ValidationError<'_>) -> String {
    let found = found_in_words(error.instance());
    match error.kind() {
        ValidationErrorKind::Pattern { pattern } if *pattern == form::EXPRESSION => format!("expected a number, found {found}"),
        ValidationErrorKind::Pattern { pattern } if form::in_words(pattern).is_some() => {
            format!("expected {}, found {found}", form::in_words(pattern).unwrap_or_default())
        }
        ValidationErrorKind::Type { .. } if error.instance().is_null() => "its expression gives nothing".to_owned(),
        ValidationErrorKind::Type { kind } => format!("expected {}, found {found}", types_in_words(&types(kind))),
        kind => bound(kind).map_or_else(|| excerpt::of_message(error), |(_, message)| format!("{message}, found {found}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_expressions_give_is_held_to_the_schema() {
        let with = |status: Value| Case::read(json!({ "title": "x", "action": "a", "expect": { "error": { "status": status } } }));
        assert_eq!(with(json!(404)).unwrap().expect.error.unwrap().status, Some(404));
        assert_eq!(with(json!("${ 404 }")).unwrap().expect.error.unwrap().status, None);
        let told = |status: Value| {
            let unfit = with(status).unwrap_err();
            assert_eq!(unfit.pointer, "/expect/error/status");
            unfit.to_string().rsplit_once(": `status`: ").unwrap().1.to_owned()
        };
        assert_eq!(told(json!(4000)), "expected at most 599, found the number 4000");
        assert_eq!(told(json!("gone")), "expected a number, found the text `gone`");
        assert_eq!(told(Value::Null), "its expression gives nothing");
    }
}
