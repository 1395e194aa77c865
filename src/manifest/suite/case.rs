//! A case whose expressions have given their values: it must still be a case.

use serde::Deserialize as _;
use serde_json::{Value, json};

use super::super::excerpt;
use super::super::schemas::Described as _;
use super::{Case, Suite};

/// Why a value is no case, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("with what its expressions give, it is no case: {0}")]
pub struct Unfit(String);

impl Case {
    /// Reads a case by the schema of its suite.
    pub fn read(value: Value) -> Result<Self, Unfit> {
        let suite = Suite::compiled().map_err(|error| Unfit(error.to_owned()))?;
        let whole = json!({ "title": "-", "cases": [value] });
        if let Some(error) = suite.validator.iter_errors(&whole).next() {
            let path = error.instance_path().as_str();
            return Err(Unfit(format!("`{}`: {}", path.strip_prefix("/cases/0").unwrap_or(path), excerpt::of_message(&error))));
        }
        Self::deserialize(&whole["cases"][0]).map_err(|error| Unfit(excerpt::of_message(&error)))
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
        let told = with(json!(4000)).unwrap_err().to_string();
        assert_eq!(told, "with what its expressions give, it is no case: `/expect/error/status`: 4000 is greater than the maximum of 599");
    }
}
