//! `switchboard.yaml`: what the team decides for the whole repository.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::de::whole;
use super::order::Ordered;
use super::{Document, code, form, hidden, typed};
use crate::model::Problem;

/// Environments, review and policy. Nothing here can redirect the daemon or read its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Always `switchboard/v1`.
    #[schemars(extend("const" = super::API_VERSION))]
    pub api_version: String,
    /// Environments by name; `test` (non-production) and `production` (production) where none is given.
    #[serde(default = "Config::default_environments")]
    #[schemars(extend("propertyNames" = {"pattern": form::KEBAB, "maxLength": 63}))]
    pub environments: Ordered<Environment>,
    /// Who may edit every connector: addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = form::ADDRESS)))]
    pub administrators: Vec<String>,
    /// How reviews are held.
    #[serde(default)]
    pub review: ReviewPolicy,
    /// How many deletions are taken as meant.
    #[serde(default)]
    pub deletions: DeletionPolicy,
}

/// A place that holds connector versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// Whether it holds published versions; otherwise it holds pre-published ones.
    #[serde(default)]
    pub production: bool,
    /// What becomes of an input or output that does not fit its schema: `strict` where this is not production, else `warn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
    /// Whether flows may reach private, loopback and other special addresses, of the hosts that their connections allow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_private_addresses: bool,
}

/// What becomes of an input or output that does not fit its schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// The run ends with a validation error.
    #[default]
    Strict,
    /// The run goes on, with a warning.
    Warn,
}

/// How reviews are held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReviewPolicy {
    /// Where reviews are held; `local` keeps them in the repository itself.
    #[serde(default)]
    pub provider: ReviewProvider,
    /// Whether who asked, or changed the connector since, may approve; `false` asks for another person.
    #[serde(default)]
    pub self_approval: bool,
}

/// Where reviews are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReviewProvider {
    /// In the repository itself, with `switchboard review`.
    #[default]
    Local,
}

/// Deletions above either bound are held until a person confirms them; a single one never is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeletionPolicy {
    /// How many connectors may go in one pass.
    #[serde(default = "DeletionPolicy::default_at_most", deserialize_with = "whole")]
    pub at_most: usize,
    /// Which share of all connectors may go in one pass, in percent.
    #[serde(default = "DeletionPolicy::default_at_most_percent", deserialize_with = "whole")]
    #[schemars(range(max = 100))]
    pub at_most_percent: usize,
}

/// The name of the repository's configuration, from its root.
pub const CONFIG: &str = "switchboard.yaml";

impl Config {
    /// Reads `switchboard.yaml`, or tells every problem in it.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let rules = |document: &Document, problems: &mut Vec<Problem>| {
            environments_of_both_kinds(document, problems);
            hidden::refuse(document, bytes, problems);
        };
        typed::read_with::<Self>(CONFIG, bytes, rules).map(|(config, _)| config)
    }

    fn default_environments() -> Ordered<Environment> {
        [("test", false), ("production", true)]
            .into_iter()
            .map(|(name, production)| (name.to_owned(), Environment { production, ..Environment::default() }))
            .collect()
    }
}

impl Environment {
    /// What becomes of an input or output that does not fit its schema. In production a service that begins to answer a little
    /// otherwise breaks nothing by that; everywhere else it is to be noticed.
    pub fn validation(&self) -> Validation {
        self.validation.unwrap_or(if self.production { Validation::Warn } else { Validation::Strict })
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_version: super::API_VERSION.to_owned(),
            environments: Self::default_environments(),
            administrators: Vec::new(),
            review: ReviewPolicy::default(),
            deletions: DeletionPolicy::default(),
        }
    }
}

impl DeletionPolicy {
    fn default_at_most() -> usize {
        5
    }

    fn default_at_most_percent() -> usize {
        10
    }
}

impl Default for DeletionPolicy {
    fn default() -> Self {
        Self { at_most: Self::default_at_most(), at_most_percent: Self::default_at_most_percent() }
    }
}

/// Connectors are tested in one kind of environment and published to the other, so both are needed.
fn environments_of_both_kinds(document: &Document, problems: &mut Vec<Problem>) {
    let Some(environments) = document.value().get("environments").and_then(serde_json::Value::as_object) else { return };
    for (production, kind) in [(false, "non-production"), (true, "production")] {
        let is_wanted = |environment: &serde_json::Value| {
            environment.get("production").map_or(!production, |given| given.as_bool().is_none_or(|given| given == production))
        };
        if !environments.values().any(is_wanted) {
            let problem =
                Problem::error(code::ENVIRONMENTS, document.key_place("/environments"), format!("no {kind} environment is declared"));
            problems.push(problem.hint(format!("Add one with `production: {production}`.")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_strict_unless_they_are_production_or_say_so() {
        let text = "apiVersion: switchboard/v1\nenvironments:\n  a: {}\n  b: { production: true }\n  c: { validation: warn }\n  d: { production: true, validation: strict, allowPrivateAddresses: true }\n";
        let config = Config::read(text.as_bytes()).unwrap();
        let of = |name: &str| config.environments.get(name).map(|it| (it.validation(), it.allow_private_addresses)).unwrap();
        assert_eq!(["a", "b", "c"].map(of), [(Validation::Strict, false), (Validation::Warn, false), (Validation::Warn, false)]);
        assert_eq!(of("d"), (Validation::Strict, true));
    }
}
