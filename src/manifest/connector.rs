//! The manifest, `connector.yaml`: what one connector declares.

use std::borrow::Cow;

use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::de::whole;
use super::order::Ordered;
use super::{Connection, Trigger, form};
use crate::model::{Kind, Status};

/// The only `apiVersion` there is.
pub const API_VERSION: &str = "switchboard/v1";

/// One integration: its connection, what it can do, what it listens to, and what it speaks of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Always `switchboard/v1`.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// Lowercase letters, digits and single hyphens; equals the folder's name.
    #[schemars(regex(pattern = form::KEBAB), length(max = 63))]
    pub name: String,
    /// What people call it.
    #[schemars(regex(pattern = form::TEXT))]
    pub title: String,
    /// What it is for, in a sentence or two.
    #[schemars(regex(pattern = form::TEXT))]
    pub description: String,
    /// A picture in the connector's folder; a default stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = form::ICON))]
    pub icon: Option<String>,
    /// `saas`: the version is optional. `self-built`: it is required before the connector is pre-published.
    pub kind: Kind,
    /// Semantic version 2.0; branches and files are named after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", regex(pattern = form::SEMVER), length(max = 100))]
    pub version: Option<semver::Version>,
    /// What the author asks for.
    pub status: Status,
    /// Who may edit it, besides the administrators in `switchboard.yaml`: an address.
    #[schemars(regex(pattern = form::ADDRESS))]
    pub owner: String,
    /// Who may edit it too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = form::ADDRESS)))]
    pub shared_with: Vec<String>,
    /// What a connection needs, and where it may go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// What it can do, by name (kebab-case).
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": form::KEBAB, "maxLength": 63}))]
    pub actions: Ordered<Action>,
    /// What it listens to, by name (kebab-case).
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": form::KEBAB, "maxLength": 63}))]
    pub triggers: Ordered<Trigger>,
    /// JSON Schemas (2020-12) by name (PascalCase), referred to as `#/types/Name`.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": form::PASCAL, "maxLength": 63}))]
    pub types: Ordered<Schema>,
    /// What its flows can raise, by name (kebab-case), beside the standard errors.
    #[serde(default, skip_serializing_if = "Ordered::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": form::KEBAB, "maxLength": 63}))]
    pub errors: Ordered<DeclaredError>,
    /// Links for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<DocLinks>,
}

/// A JSON Schema (2020-12), as written; it may refer to the manifest's types as `#/types/Name`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(pub Value);

impl JsonSchema for Schema {
    fn schema_name() -> Cow<'static, str> {
        "Schema".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({
            "description": "A JSON Schema (2020-12); it may refer to the manifest's types as `#/types/Name`.",
            "type": ["object", "boolean"],
        })
    }
}

/// The test connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestConnection {
    /// Its flow.
    #[serde(rename = "do")]
    pub tasks: Tasks,
}

/// A flow: Open Workflow DSL 1.0 tasks as written. The engine parses them, with their places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tasks(pub Value);

impl JsonSchema for Tasks {
    fn schema_name() -> Cow<'static, str> {
        "Tasks".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({
            "description": "Open Workflow DSL 1.0 tasks: a list of one-key maps, each naming its task.",
            "type": "array",
            "minItems": 1,
            "items": { "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": { "type": "object" } },
        })
    }
}

/// Whether an action is for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody may call it.
    #[default]
    Public,
    /// Only the connector's own flows may call it.
    Private,
}

/// Something the connector can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// What people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The heading it is listed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Who may call it.
    #[serde(default)]
    pub visibility: Visibility,
    /// What it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Schema>,
    /// What it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Schema>,
    /// Which declared errors it can raise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = form::KEBAB)))]
    pub errors: Vec<String>,
    /// Its flow.
    #[serde(rename = "do", default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Tasks>,
}

/// An error the flows can raise, as a problem of RFC 7807.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclaredError {
    /// The HTTP status it stands for.
    #[schemars(range(min = 400, max = 599))]
    #[serde(deserialize_with = "whole")]
    pub status: u16,
    /// What people see.
    pub title: String,
    /// What it means and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Links for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DocLinks {
    /// The service's site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// The reference of the service's interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_reference: Option<String>,
}
