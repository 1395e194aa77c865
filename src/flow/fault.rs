//! Errors of flows, as problems of RFC 7807.

use serde_json::{Map, Value, json};

use super::data::Telling;
use super::expression::Unevaluated;

/// Where the types of the standard errors begin.
const STANDARD: &str = "https://open-workflow-specification.org/spec/1.0.0/errors/";
/// Where else they begin: the specification's examples and its older editions spell them in these ways, and mean the same.
const STANDARD_TOO: [&str; 4] = [
    "https://open-workflow-specification.org/dsl/errors/types/",
    "https://serverlessworkflow.io/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/dsl/errors/types/",
    "https://serverlessworkflow.io/errors/types/",
];
/// The names of the standard errors. A type of another name is somebody's own, wherever it begins.
const STANDARD_NAMES: [&str; 8] =
    ["configuration", "validation", "expression", "authentication", "authorization", "timeout", "communication", "runtime"];

/// The error that ends a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A URI that says which kind of error it is.
    pub kind: String,
    /// The HTTP status it stands for.
    pub status: u16,
    /// A short summary.
    pub title: Option<String>,
    /// What happened this time.
    pub detail: Option<String>,
    /// The task it comes from, as a JSON Pointer into the flow.
    pub instance: Option<String>,
    /// The name it is declared under, where it is declared.
    pub name: Option<Box<str>>,
    /// Whether it ends the flow whatever is caught: a budget is used up.
    pub(crate) fatal: bool,
}

/// The kinds of errors that the DSL defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standard {
    Configuration,
    Validation,
    Expression,
    Authentication,
    Authorization,
    Timeout,
    Communication,
    Runtime,
}

impl Standard {
    fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Validation => "validation",
            Self::Expression => "expression",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Communication => "communication",
            Self::Timeout => "timeout",
            Self::Runtime => "runtime",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::Configuration | Self::Validation | Self::Expression => 400,
            Self::Authentication => 401,
            Self::Authorization => 403,
            Self::Timeout => 408,
            Self::Communication | Self::Runtime => 500,
        }
    }
}

impl Fault {
    /// An error of a kind, of which nothing else is known.
    pub(crate) fn of(kind: String) -> Self {
        Self { kind, status: Standard::Runtime.status(), title: None, detail: None, instance: None, name: None, fatal: false }
    }

    /// A standard error with the status that is usual for it.
    pub(crate) fn standard(kind: Standard, title: &str, detail: impl Into<String>) -> Self {
        let fault = Self::of(format!("{STANDARD}{}", kind.name()));
        Self { status: kind.status(), title: Some(title.to_owned()), detail: Some(detail.into()), ..fault }
    }

    /// The same, but nothing catches it.
    pub(crate) fn fatal(self) -> Self {
        Self { fatal: true, ..self }
    }

    /// Whether nothing catches it.
    pub(crate) fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// An expression that could not be evaluated.
    pub(crate) fn expression(why: impl Into<Unevaluated>) -> Self {
        match why.into() {
            Unevaluated::Failed(detail) => Self::standard(Standard::Expression, "Expression failed", detail),
            // What catches it would tell of the secret.
            failed @ Unevaluated::OnSecret(_) => Self::standard(Standard::Expression, "Expression failed", failed.to_string()).fatal(),
            missing @ Unevaluated::NoSecret(_) => Self::standard(Standard::Authorization, "Secret not available", missing.to_string()),
        }
    }

    /// Data that does not fit its schema.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::standard(Standard::Validation, "Invalid data", detail)
    }

    /// Says which task it comes from, where that is not known yet.
    pub(crate) fn at_task(mut self, reference: &str) -> Self {
        self.instance.get_or_insert_with(|| reference.to_owned());
        self
    }

    /// Says where the flow stands that its task is part of.
    pub(crate) fn below(mut self, place: &str) -> Self {
        // What was called from there has said it already.
        if let Some(instance) = self.instance.as_mut().filter(|instance| *instance == "/do" || instance.starts_with("/do/")) {
            instance.insert_str(0, place);
        }
        self
    }

    /// Whether its type is this one; the two spellings of the standard types are one.
    pub fn is(&self, kind: &str) -> bool {
        bare(&self.kind) == bare(kind)
    }

    /// The problem as JSON, RFC 7807.
    pub fn to_json(&self) -> Value {
        let mut problem = Map::new();
        problem.insert("type".to_owned(), json!(self.kind));
        problem.insert("status".to_owned(), json!(self.status));
        for (key, value) in [("title", &self.title), ("detail", &self.detail), ("instance", &self.instance)] {
            if let Some(value) = value {
                problem.insert(key.to_owned(), json!(value));
            }
        }
        Value::Object(problem)
    }

    /// Its texts, to be rewritten; a standard type is none of its own.
    pub(crate) fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let kind = (bare(&self.kind) == self.kind).then_some(&mut self.kind);
        [kind, self.title.as_mut(), self.detail.as_mut(), self.instance.as_mut()].into_iter().flatten()
    }
}

/// What cannot be shown ends the flow: whoever caught it would learn of the secret.
impl From<Telling> for Fault {
    fn from(telling: Telling) -> Self {
        Self::standard(Standard::Runtime, "Tells of a secret", telling.to_string()).fatal()
    }
}

fn bare(kind: &str) -> &str {
    let beginnings = std::iter::once(STANDARD).chain(STANDARD_TOO);
    let name = beginnings.filter_map(|beginning| kind.strip_prefix(beginning)).find(|name| STANDARD_NAMES.contains(name));
    name.unwrap_or(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_standard_type_is_one() {
        let fault = Fault::expression("x").at_task("/do/0/a").at_task("/do/1/b");
        for beginning in STANDARD_TOO {
            assert!(fault.is(&format!("{beginning}expression")), "{beginning}");
        }
        assert_ne!(bare(&format!("{STANDARD}mine")), bare(&format!("{}mine", STANDARD_TOO[0])));
        assert!(!fault.is("https://serverlessworkflow.io/spec/1.0.0/errors/runtime"));
        assert_eq!(fault.to_json()["instance"], "/do/0/a");
    }
}
