//! OpenAPI descriptions, 2.0 and 3.x: from an operation's id and named parameters to a request. Pure: the caller fetches the description,
//! checks the host of the request against the connection's, and sends it.

mod body;
mod call;
mod content;
mod parameter;
#[cfg(test)]
mod properties;
mod reference;
mod schema;
mod server;
mod source;
mod style;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use self::call::Operation;
use super::exchange::Request;
use crate::manifest::{excerpt, nearest};

/// The keys of a path item that are operations.
const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// How many paths and how many operations are read.
const MOST_PATHS: usize = 50_000;
const MOST_OPERATIONS: usize = 100_000;

/// Beyond these a name is not compared with others: comparing costs time, and no slip is that long.
const LONGEST_COMPARED: usize = 100;
const MOST_COMPARED: usize = 2_000;

/// A description that was read, with its operations by their ids.
#[derive(Debug)]
pub(crate) struct Description {
    name: String,
    root: Value,
    version: Version,
    operations: BTreeMap<String, Spot>,
    /// Why some path could not be read: what is missing may be there.
    unread: Option<String>,
}

/// The versions that differ in how a request is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Two,
    Three,
}

/// Where an operation stands.
#[derive(Debug)]
struct Spot {
    path: String,
    method: String,
    repeated: bool,
}

impl Description {
    /// Reads a description, JSON or YAML. An error says what `name` is not.
    pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Self, String> {
        let wrong = |why: String| format!("`{}` cannot be read as an OpenAPI description: {why}", excerpt(name));
        let root = source::read(bytes).map_err(wrong)?;
        let version = version(&root).map_err(wrong)?;
        let mut description = Self { name: excerpt(name), root, version, operations: BTreeMap::new(), unread: None };
        description.index().map_err(wrong)?;
        Ok(description)
    }

    /// The request that calls an operation. `at` is where the description came from, for addresses relative to it.
    pub(crate) fn request(&self, id: &str, parameters: &Map<String, Value>, at: Option<&Url>) -> Result<Request, String> {
        let operation = self.operation(id)?;
        operation
            .request(parameters, at)
            .map_err(|why| format!("the operation `{}` of `{}` cannot be called: {why}", excerpt(id), self.name))
    }

    fn operation(&self, id: &str) -> Result<Operation<'_>, String> {
        let spot = self.operations.get(id).ok_or_else(|| self.unknown(id))?;
        if spot.repeated {
            return Err(format!("`{}` has more than one operation `{}`", self.name, excerpt(id)));
        }
        let (path, item) =
            self.root["paths"].as_object().and_then(|paths| paths.get_key_value(&spot.path)).ok_or_else(|| self.unknown(id))?;
        let item = reference::follow(&self.root, item)?;
        let operation = item.get(&spot.method).or_else(|| item.get("additionalOperations")?.get(&spot.method));
        let operation = operation.ok_or_else(|| self.unknown(id))?;
        Ok(Operation { root: &self.root, version: self.version, path, method: &spot.method, item, operation })
    }

    fn unknown(&self, id: &str) -> String {
        let meant = meant(id, self.operations.keys().map(String::as_str));
        let unread = self.unread.as_ref().map(|why| format!("; not all of its paths could be read: {why}")).unwrap_or_default();
        format!("`{}` has no operation `{}`{meant}{unread}", self.name, excerpt(id))
    }

    fn index(&mut self) -> Result<(), String> {
        let Some(paths) = self.root["paths"].as_object() else { return Ok(()) };
        if paths.len() > MOST_PATHS {
            return Err(format!("it has more than {MOST_PATHS} paths"));
        }
        let mut operations = 0;
        for (path, item) in paths.iter().filter(|(path, _)| path.starts_with('/')) {
            let item = match reference::follow(&self.root, item) {
                Ok(item) => item,
                Err(why) => {
                    self.unread.get_or_insert(why);
                    continue;
                }
            };
            let fixed = METHODS.iter().filter_map(|method| Some((*method, item.get(*method)?)));
            let additional = item.get("additionalOperations").and_then(Value::as_object).into_iter().flatten();
            for (method, operation) in fixed.chain(additional.map(|(method, operation)| (method.as_str(), operation))) {
                operations += 1;
                if operations > MOST_OPERATIONS {
                    return Err(format!("it has more than {MOST_OPERATIONS} operations"));
                }
                if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                    let spot = || Spot { path: path.clone(), method: method.to_owned(), repeated: false };
                    self.operations.entry(id.to_owned()).and_modify(|spot| spot.repeated = true).or_insert_with(spot);
                }
            }
        }
        Ok(())
    }
}

fn version(root: &Value) -> Result<Version, String> {
    let (key, value) = match (root.get("openapi"), root.get("swagger")) {
        (Some(value), _) => ("openapi", value),
        (None, Some(value)) => ("swagger", value),
        (None, None) => return Err("it has neither `openapi` nor `swagger`".to_owned()),
    };
    let text = style::scalar(value).unwrap_or_default();
    let is = |version: &str| text == version || text.strip_prefix(version).is_some_and(|patch| patch.starts_with('.'));
    match key {
        "swagger" if text == "2.0" || text == "2" => Ok(Version::Two),
        "openapi" if ["3.0", "3.1", "3.2"].iter().any(|version| is(version)) => Ok(Version::Three),
        _ => Err(format!("its `{key}` is `{}`; the versions 2.0, 3.0, 3.1 and 3.2 are understood", excerpt(&text))),
    }
}

/// `; did you mean …?`, where some known name is near.
fn meant<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    let comparable = known.filter(|known| known.len() <= LONGEST_COMPARED).take(MOST_COMPARED);
    nearest(name, comparable).map(|near| format!("; did you mean `{}`?", excerpt(near))).unwrap_or_default()
}
