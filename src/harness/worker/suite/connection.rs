//! The connection's values in a case: defaults, over them the suite's or, in a live run, the environment's, over them the case's.

use serde_json::{Map, Value};

use crate::manifest::{Manifest, Property, PropertyType, Suite, nearest};

/// What is there without any case: defaults, over them the suite's. Something may be missing.
pub(super) fn of_suite(manifest: &Manifest, suite: &Suite) -> Map<String, Value> {
    let declared = || manifest.connection.iter().flat_map(|connection| connection.properties.iter());
    let defaults = declared().filter_map(|(name, property)| Some((name.to_owned(), property.default.clone()?)));
    let given = suite.connection.iter().filter(|(name, _)| declared().any(|(known, _)| known == *name));
    defaults.chain(given.map(|(name, value)| (name.to_owned(), value.clone()))).collect()
}

/// The values, or what is wrong with them. What is given later counts more.
pub(super) fn values<'v>(
    manifest: &Manifest,
    given: impl IntoIterator<Item = (&'v str, &'v Value)>,
) -> Result<Map<String, Value>, Vec<String>> {
    let declared: Vec<(&str, &Property)> = manifest.connection.iter().flat_map(|connection| connection.properties.iter()).collect();
    let mut values: Map<String, Value> =
        declared.iter().filter_map(|(name, property)| Some(((*name).to_owned(), property.default.clone()?))).collect();
    let mut failures = Vec::new();
    for (name, value) in given {
        match declared.iter().find(|(known, _)| *known == name) {
            Some(_) => {
                values.insert(name.to_owned(), value.clone());
            }
            None => {
                let near = nearest(name, declared.iter().map(|(known, _)| *known));
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                failures.push(format!("the connection has no property `{name}`{hint}"));
            }
        }
    }
    for (name, property) in declared {
        match values.get(name) {
            None if property.optional => {}
            None => failures
                .push(format!("the connection property `{name}` has no default: give it under `connection`, in the suite or the case")),
            Some(value) => failures.extend(misfit(name, property, value)),
        }
    }
    if failures.is_empty() { Ok(values) } else { Err(failures) }
}

fn misfit(name: &str, property: &Property, value: &Value) -> Option<String> {
    let (fits, kind) = match property.kind {
        PropertyType::String => (value.is_string(), "text"),
        PropertyType::Integer => (value.is_i64() || value.is_u64(), "an integer"),
        PropertyType::Number => (value.is_number(), "a number"),
        PropertyType::Boolean => (value.is_boolean(), "true or false"),
    };
    if !fits {
        return Some(format!("the connection property `{name}` must be {kind}"));
    }
    let allowed = property.allowed.is_empty() || property.allowed.contains(value);
    (!allowed).then(|| format!("the connection property `{name}` must be one of its `enum`"))
}
