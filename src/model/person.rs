//! Who did something: an address, with a name where one is known.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A person, written `alice@example.com` or `Alice <alice@example.com>`, as git does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Person(String);

impl Person {
    /// Takes either form; surrounding blanks are dropped.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().trim().to_owned())
    }

    /// Joins a git identity's two parts.
    pub fn from_parts(name: &str, email: &str) -> Self {
        if name.is_empty() { Self::new(email) } else { Self::new(format!("{name} <{email}>")) }
    }

    /// Who Switchboard is in what it writes itself.
    pub fn switchboard() -> Self {
        Self::from_parts("Switchboard", "switchboard@localhost")
    }

    /// The address alone: what identity is compared by.
    pub fn email(&self) -> &str {
        match (self.0.rfind('<'), self.0.strip_suffix('>')) {
            (Some(at), Some(rest)) => &rest[at + 1..],
            _ => &self.0,
        }
    }

    /// The name alone, or the address where there is none.
    pub fn name(&self) -> &str {
        match self.0.split_once('<') {
            Some((name, _)) if !name.trim().is_empty() => name.trim(),
            _ => self.email(),
        }
    }

    /// Whether both are the same person: addresses compare without regard to case.
    pub fn is(&self, other: &Person) -> bool {
        self.email().eq_ignore_ascii_case(other.email())
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_one_person() {
        let full = Person::from_parts("Alice A", "Alice@example.com");
        assert_eq!((full.name(), full.email()), ("Alice A", "Alice@example.com"));
        assert!(full.is(&Person::new(" alice@example.com ")));
        assert!(!full.is(&Person::new("bob@example.com")));
    }
}
