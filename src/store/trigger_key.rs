//! What a trigger's state belongs to: the trigger, and the connection whose values it runs with.

use std::fmt;
use std::str::FromStr;

use crate::model::{ConnectorName, EnvironmentName, NameError};

/// Which trigger, and by which connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TriggerKey {
    /// Whose values it runs with.
    pub connection: ConnectionName,
    /// The connector.
    pub connector: ConnectorName,
    /// The trigger's name in the manifest.
    pub trigger: String,
}

/// One of a connector's connections.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionName {
    /// That of an environment.
    Environment(EnvironmentName),
    /// That of a file, by its whole path.
    File(String),
    /// The one that has nothing but defaults.
    Defaults,
}

/// What a file's path stands after. No environment's name has a colon.
const FILE: &str = "file:";
const DEFAULTS: &str = "defaults:";

impl FromStr for ConnectionName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix(FILE) {
            Some(path) => Ok(Self::File(path.to_owned())),
            None if text == DEFAULTS => Ok(Self::Defaults),
            None => text.parse().map(Self::Environment),
        }
    }
}

impl ConnectionName {
    /// The name as it is stored.
    pub(super) fn stored(&self) -> String {
        match self {
            Self::Environment(name) => name.to_string(),
            Self::File(path) => format!("{FILE}{path}"),
            Self::Defaults => DEFAULTS.to_owned(),
        }
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "in {name}"),
            Self::File(path) => write!(f, "with the values of {path}"),
            Self::Defaults => f.write_str("with default values"),
        }
    }
}

impl fmt::Display for TriggerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the trigger {} of {} {}", self.trigger, self.connector, self.connection)
    }
}

impl TriggerKey {
    /// The columns that it is found by.
    pub(super) fn parts(&self) -> [String; 3] {
        [self.connection.stored(), self.connector.as_str().to_owned(), self.trigger.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_stored_by_names_that_no_two_share() {
        let all = [
            ConnectionName::Environment("defaults".parse().unwrap()),
            ConnectionName::Environment("file".parse().unwrap()),
            ConnectionName::File("/srv/values.yaml".to_owned()),
            ConnectionName::File(String::new()),
            ConnectionName::Defaults,
        ];
        let stored: std::collections::BTreeSet<String> = all.iter().map(ConnectionName::stored).collect();
        assert_eq!(stored.len(), all.len());
        for name in all {
            assert_eq!(name.stored().parse(), Ok(name));
        }
        assert!("Test:".parse::<ConnectionName>().is_err());
    }
}
