//! The values of a connection, against the properties that the manifest declares. No value is repeated: it may be a secret.

use serde_json::Value;

use super::codes::{MISSING_VALUE, OPEN_SECRET, UNKNOWN_VALUE, WRONG_VALUE};
use super::findings::did_you_mean;
use crate::flow::finding::At;
use crate::manifest::{ConnectionValue, ConnectionValues, Document, Ordered, Property, PropertyType};
use crate::model::{Place, Problem};

/// Whether secrets may be given as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenSecrets {
    /// Yes: nobody but whoever runs this command has the file.
    Allowed,
    /// No: the file is in git.
    Refused,
    /// No: git would take the file with the next `git add`.
    Unignored,
}

/// Everything that is wrong with the values of a connection, as far as that can be told without looking any of them up.
pub fn values(properties: &Ordered<Property>, given: &ConnectionValues, document: &Document, open: OpenSecrets) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, ConnectionValue(value)) in given.0.iter() {
        let at = At::base("").key(name).pointer();
        match properties.get(name) {
            None => {
                let message = format!("the connection has no property `{name}`");
                let known: Vec<&str> = properties.names().collect();
                let otherwise = format!("Declare it under `connection.properties`, or remove it. There are: {}.", known.join(", "));
                let hint = did_you_mean(name, known.iter().copied(), &otherwise);
                problems.push(Problem::error(UNKNOWN_VALUE, document.key_place(&at), message).hint(hint));
            }
            Some(_) if value.is_object() => {}
            Some(property) if property.secret && open != OpenSecrets::Allowed => problems.push(opened(name, document.place(&at), open)),
            Some(property) => problems.extend(misfit(name, property, value, document.place(&at))),
        }
    }
    let lacking = lacking(properties, |name| given.0.get(name).is_some());
    problems.extend(lacking.map(|name| {
        let message = format!("`{name}` has no value, and the manifest no default for it");
        Problem::error(MISSING_VALUE, Place::file(document.file()), message).hint(format!("Add `{name}:` with its value."))
    }));
    problems.sort();
    problems
}

/// What is said of a secret that stands in a file as it is.
fn opened(name: &str, place: Place, open: OpenSecrets) -> Problem {
    let (where_to, hint) = match open {
        OpenSecrets::Allowed | OpenSecrets::Refused => (
            "to everybody who can read the repository",
            "Name it with `{ env: NAME }` or `{ file: PATH }`. If the value was ever real, have it revoked.",
        ),
        OpenSecrets::Unignored => (
            "in a file of the repository which git does not ignore: the next `git add` would take it",
            "List the file in .gitignore, keep it outside of the repository, or name the secret with `{ env: NAME }` or `{ file: PATH }`.",
        ),
    };
    Problem::error(OPEN_SECRET, place, format!("the secret `{name}` is given openly, {where_to}")).hint(hint)
}

/// The properties that need a value and have neither one nor a default.
pub fn lacking(properties: &Ordered<Property>, is_given: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    let needed = properties.iter().filter(|(_, property)| property.default.is_none() && !property.optional);
    needed.map(|(name, _)| name).filter(move |name| !is_given(name))
}

/// What is wrong with one value.
pub fn misfit(name: &str, property: &Property, value: &Value, place: Place) -> Option<Problem> {
    if takes(property, value) {
        return None;
    }
    let expected = match property.kind {
        _ if !property.allowed.is_empty() => format!("one of {}", Value::from(property.allowed.clone())),
        PropertyType::String => "text".to_owned(),
        PropertyType::Integer => "a whole number".to_owned(),
        PropertyType::Number => "a number".to_owned(),
        PropertyType::Boolean => "`true` or `false`".to_owned(),
    };
    let message = format!("the value of `{name}` is not one that the property takes");
    Some(Problem::error(WRONG_VALUE, place, message).hint(format!("Expected is {expected}.")))
}

/// Whether a value is of the property's type and among those it may take.
pub(super) fn takes(property: &Property, value: &Value) -> bool {
    let typed = match property.kind {
        PropertyType::String => value.is_string(),
        PropertyType::Integer => value.is_i64() || value.is_u64(),
        PropertyType::Number => value.is_number(),
        PropertyType::Boolean => value.is_boolean(),
    };
    typed && (property.allowed.is_empty() || property.allowed.contains(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(text: &str, open: OpenSecrets) -> Vec<String> {
        let properties = json!({
            "token": { "title": "Token", "type": "string", "secret": true },
            "region": { "title": "Region", "type": "string", "enum": ["eu", "us"], "default": "eu" },
            "port": { "title": "Port", "type": "integer" },
        });
        let properties = serde_json::from_value(properties).unwrap();
        let (given, document) = ConnectionValues::read("c.yaml", text.as_bytes()).unwrap();
        let problems = values(&properties, &given, &document, open);
        assert!(problems.iter().all(|problem| !problem.to_string().contains("hush")), "{problems:?}");
        let shown = |problem: &Problem| format!("{} {}:{}", problem.code, problem.place.line, problem.place.column);
        problems.iter().map(shown).collect()
    }

    #[test]
    fn values_are_those_that_the_properties_take() {
        assert_eq!(found("token: { env: A }\nport: 80\n", OpenSecrets::Refused), Vec::<String>::new());
        assert_eq!(found("token: { file: /run/a }\nport: { env: P }\nregion: us\n", OpenSecrets::Refused), Vec::<String>::new());
        assert_eq!(found("token: { env: A }\nport: hush\nregion: hush\n", OpenSecrets::Refused), ["SB152 2:7", "SB152 3:9"]);
        assert_eq!(found("token: { env: A }\nport: 80\nprot: hush\n", OpenSecrets::Refused), ["SB151 3:1"]);
        assert_eq!(found("region: us\n", OpenSecrets::Refused), ["SB153 1:1", "SB153 1:1"]);
    }

    #[test]
    fn secrets_are_given_openly_only_where_that_is_allowed() {
        assert_eq!(found("token: hush\nport: 80\n", OpenSecrets::Refused), ["SB154 1:8"]);
        assert_eq!(found("token: hush\nport: 80\n", OpenSecrets::Allowed), Vec::<String>::new());
        assert_eq!(found("token: 7\nport: 80\n", OpenSecrets::Allowed), ["SB152 1:8"]);
    }
}
