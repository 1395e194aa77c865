//! The values of a connection: read, checked, and looked up where the connection's file only names them.

use serde_json::{Map, Value};

use super::lookup::{Reach, SecretFiles, Unread};
use crate::check::{self, OpenSecrets, UNREADABLE_VALUE};
use crate::manifest::{ConnectionValue, ConnectionValues, Document, Ordered, Property, PropertyType, code};
use crate::model::Problem;

/// The file that gives a connection's values.
#[derive(Debug, Clone, Copy)]
pub struct GivenValues<'a> {
    /// What problems call it.
    pub file: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
    /// Whether secrets may be in it as they are.
    pub open: OpenSecrets,
    /// What may be looked up for it.
    pub reach: Reach<'a>,
}

/// The values of a connection with the defaults that stand in for what is not given; or everything that is wrong.
pub fn connection_values(
    properties: &Ordered<Property>,
    given: GivenValues<'_>,
    files: &SecretFiles,
) -> Result<Map<String, Value>, Vec<Problem>> {
    let hushed = |problems: Vec<Problem>| problems.into_iter().map(hushed).collect::<Vec<_>>();
    let (written, document) = ConnectionValues::read(given.file, given.bytes).map_err(hushed)?;
    let mut problems = check::values(properties, &written, &document, given.open);
    let mut values = Map::new();
    for (name, property) in properties.iter() {
        let value = match written.0.get(name) {
            Some(ConnectionValue(value)) => {
                looked_up(name, property, value, &document, (files, given.reach)).map_err(|problem| problems.push(problem)).ok()
            }
            None => property.default.clone(),
        };
        values.extend(value.map(|value| (name.to_owned(), value)));
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// A problem that does not repeat what stands where a value belongs: it may be a secret that was written down without quotes, or the
/// file may be one that holds nothing else.
fn hushed(problem: Problem) -> Problem {
    if ![code::TAG, code::WRONG_TYPE].contains(&problem.code.as_str()) {
        return problem;
    }
    let parts: Vec<&str> = problem.message.split('`').enumerate().map(|(index, part)| if index % 2 == 1 { "…" } else { part }).collect();
    Problem { message: parts.join("`"), ..problem }
}

fn looked_up(
    name: &str,
    property: &Property,
    value: &Value,
    document: &Document,
    (files, reach): (&SecretFiles, Reach<'_>),
) -> Result<Value, Problem> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let held = match (text("env"), text("file")) {
        (Some(variable), _) => reach.variable(variable),
        (None, Some(path)) => files.held(path, reach),
        (None, None) => return Ok(value.clone()),
    };
    // Property names are camelCase, so none has to be escaped.
    let place = document.place(&format!("/{name}"));
    let held = held.map_err(|Unread { reason, hint }| {
        Problem::error(UNREADABLE_VALUE, place.clone(), format!("the value of `{name}` cannot be looked up: {reason}")).hint(hint)
    })?;
    let value = of_kind(property.kind, held);
    check::misfit(name, property, &value, place).map_or(Ok(value), Err)
}

/// What a variable or a file holds is text; other types are read from it.
fn of_kind(kind: PropertyType, text: String) -> Value {
    let read = match kind {
        PropertyType::String => None,
        PropertyType::Integer | PropertyType::Number => serde_json::from_str(text.trim()).ok().filter(Value::is_number),
        PropertyType::Boolean => text.trim().parse().ok().map(Value::Bool),
    };
    read.unwrap_or(Value::String(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lookup::tests::Repository;
    use super::*;

    #[test]
    fn no_mistake_makes_a_secret_seen() {
        for text in [
            "hush",
            "token: !hush x",
            "token: [hush",
            "token: \"hush",
            "token: hush: x",
            "token: @hush",
            "token: *hush",
            "- hush",
            "token: hush\ntoken: hush",
        ] {
            let given = GivenValues { file: "c.yaml", bytes: text.as_bytes(), open: OpenSecrets::Allowed, reach: Reach::Any };
            let found = connection_values(&Ordered::default(), given, &SecretFiles::default()).unwrap_err();
            assert!(!format!("{found:?}").contains("hush"), "{text}: {found:?}");
        }
    }

    #[test]
    fn values_are_looked_up_and_read_as_their_type() {
        let repository = Repository::new();
        let properties = json!({
            "token": { "title": "Token", "type": "string", "secret": true },
            "port": { "title": "Port", "type": "integer" },
            "region": { "title": "Region", "type": "string", "enum": ["eu", "us"], "default": "eu" },
        });
        let properties: Ordered<Property> = serde_json::from_value(properties).unwrap();
        let values = |text: String| {
            let given = GivenValues { file: "c.yaml", bytes: text.as_bytes(), open: OpenSecrets::Refused, reach: Reach::Any };
            connection_values(&properties, given, &repository.files)
        };
        let given = format!("token: {{ file: token }}\nport: {{ file: {} }}\n", repository.outside());
        assert_eq!(Value::Object(values(given).unwrap()), json!({ "token": "t0ps3cret", "port": 8080, "region": "eu" }));
        let wrong = values("token: { env: SWITCHBOARD_GIT_TOKEN }\nport: { file: token }\nregion: { env: NO_SUCH_VARIABLE }\n".to_owned());
        let found: Vec<String> = wrong.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "c.yaml:1:8: error[SB155]: the value of `token` cannot be looked up: the variable `SWITCHBOARD_GIT_TOKEN` is one of Switchboard's own",
                "c.yaml:2:7: error[SB152]: the value of `port` is not one that the property takes",
                "c.yaml:3:9: error[SB155]: the value of `region` cannot be looked up: the variable `NO_SUCH_VARIABLE` is not set, or empty, or not UTF-8",
            ]
        );
    }
}
