//! What files of a repository may have looked up where a flow runs: whoever runs it says so, and nobody who commits.

use std::path::PathBuf;

use secrecy::SecretString;

use super::variable;

/// What the variables begin with that a repository's files may name without being asked: nothing else has such names.
const OFFERED: &str = "CONNECTION_";

/// What the variables of Switchboard itself begin with.
const OWN: &str = "SWITCHBOARD_";

/// The flags that allow a repository's connections more, each also a `SWITCHBOARD_*` variable.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Secrets")]
pub struct SecretFlags {
    /// Let connections/NAME/CONNECTOR.yaml name this variable, or with NAME* all that begin so, beside those that begin
    /// with CONNECTION_ and the connector's name; may be repeated
    #[arg(long, env = "SWITCHBOARD_SECRET_ENV", value_name = "NAME", value_delimiter = ',')]
    pub secret_env: Vec<String>,

    /// Let it name the files below this folder, beside those below the repository's connections/; may be repeated
    #[arg(long, env = "SWITCHBOARD_SECRET_DIR", value_name = "DIR", value_delimiter = ':')]
    pub secret_dir: Vec<PathBuf>,
}

impl SecretFlags {
    /// Whether a repository's file with the values of a connector may name a variable.
    pub fn allows(&self, connector: &str, name: &str) -> bool {
        // What goes on with another underscore is meant for a connector with a longer name.
        name.strip_prefix(&offered(connector)).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('_'))
            || self.secret_env.iter().any(|allowed| match allowed.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == allowed,
            })
    }
}

/// What the variables begin with that are meant for a connector: two underscores stand for a hyphen of its name, so that no two connectors
/// share a variable.
pub fn offered(connector: &str) -> String {
    format!("{OFFERED}{}_", connector.to_ascii_uppercase().replace('-', "__"))
}

/// Whether a variable is one of Switchboard's own.
pub fn is_own(name: &str) -> bool {
    name.to_ascii_uppercase().starts_with(OWN)
}

/// The value of a variable that a connection's file names; the error says why there is none, a lowercase fragment.
/// Switchboard's own are refused: a commit must not be able to have the server's credentials sent somewhere.
pub fn connection_variable(name: &str) -> Result<SecretString, String> {
    if is_own(name) {
        return Err(format!("the variable `{name}` is one of Switchboard's own"));
    }
    // A name that no variable can have is as good as one that none has.
    variable(name).map(SecretString::from).ok_or_else(|| format!("the variable `{name}` is not set, or empty, or not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connectors_own_variables_and_those_that_are_listed_may_be_named() {
        let flags = SecretFlags { secret_env: vec!["CRM_TOKEN".to_owned(), "TEAM_*".to_owned()], secret_dir: Vec::new() };
        for name in ["CONNECTION_GITHUB__ISSUES_TOKEN", "CRM_TOKEN", "TEAM_A", "TEAM_"] {
            assert!(flags.allows("github-issues", name), "{name}");
        }
        for name in ["CONNECTION_CRM_TOKEN", "CONNECTION_GITHUB", "GITHUB_ISSUES_TOKEN", "CRM_TOKENS", "TEAM", "AWS_SECRET_ACCESS_KEY", ""]
        {
            assert!(!flags.allows("github-issues", name), "{name}");
        }
        for (connector, name) in [("crm", "CONNECTION_CRM__A_TOKEN"), ("crm", "CONNECTION_CRM_"), ("crm-a", "CONNECTION_CRM_A_TOKEN")] {
            assert!(!SecretFlags::default().allows(connector, name), "{connector}: {name}");
        }
        assert!(!SecretFlags::default().allows("aws", "AWS_SECRET_ACCESS_KEY"), "whoever commits chooses the connector's name");
    }
}
