//! How a command ends: kinds of outcome and failure, their exit codes, and what people read when something was refused.

use std::fmt::Write as _;
use std::process::ExitCode;

use owo_colors::OwoColorize as _;
use serde::Serialize;

use super::output::Format;
use super::render::columns::harmless;
use super::render::paint;

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong.
    Done,
    /// It found what it looks for: problems, failed tests.
    Findings,
    /// Changes are pending, and the caller asked to be told by exit code.
    Changes,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for something that does not exist or does not make sense.
    Usage(Refusal),
    /// What was asked for is not allowed or not possible as things stand.
    Refused(Refusal),
    /// Something failed on the way.
    Other(anyhow::Error),
}

/// What was attempted, why not, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was attempted, after "cannot": `publish github-issues`.
    pub attempt: String,
    /// Why not, a lowercase fragment.
    pub reason: String,
    /// What to do instead, a sentence.
    pub hint: Option<String>,
}

/// A failure, for programs.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ErrorReport {
    /// The failure.
    pub error: ErrorDetails,
}

/// What a program may want to know of a failure.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ErrorDetails {
    /// Its kind.
    pub kind: ErrorKind,
    /// What was attempted, after "cannot": `publish github-issues`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// Why not, a lowercase fragment.
    pub reason: String,
    /// What to do instead, a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A failure's kind.
#[derive(Debug, Clone, Copy, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// The command line makes no sense: exit code 2.
    Usage,
    /// It is not allowed or not possible as things stand: exit code 1.
    Refused,
    /// Something failed on the way: exit code 1.
    Failed,
}

impl Outcome {
    /// The exit code that tells it.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Outcome::Done => 0,
            Outcome::Findings => 1,
            Outcome::Changes => 2,
        })
    }
}

impl Failure {
    /// A command line that does not make sense: exit code 2.
    pub fn usage(attempt: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Usage(Refusal { attempt: attempt.into(), reason: reason.into(), hint: None })
    }

    /// Something that is not allowed or not possible now: exit code 1.
    pub fn refused(attempt: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused(Refusal { attempt: attempt.into(), reason: reason.into(), hint: None })
    }

    /// Adds what to do instead.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        let with = |refusal: Refusal| Refusal { hint: Some(hint.into()), ..refusal };
        match self {
            Failure::Usage(refusal) => Failure::Usage(with(refusal)),
            Failure::Refused(refusal) => Failure::Refused(with(refusal)),
            Failure::Other(_) => self,
        }
    }

    /// The exit code that tells it.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Usage(_) => 2,
            Failure::Refused(_) | Failure::Other(_) => 1,
        })
    }

    /// What goes to the standard error stream: sentences for people, one line of JSON for programs.
    pub fn report(&self, format: Format) -> String {
        match format {
            Format::Human => self.sentences(),
            Format::Json => serde_json::to_string(&ErrorReport { error: self.details() }).unwrap_or_default(),
        }
    }

    fn details(&self) -> ErrorDetails {
        let refusal = |kind, refusal: &Refusal| {
            let Refusal { attempt, reason, hint } = refusal.clone();
            ErrorDetails { kind, attempt: Some(attempt), reason, hint }
        };
        match self {
            Failure::Usage(usage) => refusal(ErrorKind::Usage, usage),
            Failure::Refused(refused) => refusal(ErrorKind::Refused, refused),
            Failure::Other(error) => ErrorDetails { kind: ErrorKind::Failed, attempt: None, reason: format!("{error:#}"), hint: None },
        }
    }

    fn sentences(&self) -> String {
        let mut text = format!("{} ", "error:".style(paint::BAD));
        match self {
            Failure::Usage(refusal) | Failure::Refused(refusal) => {
                let _ = write!(text, "cannot {}: {}", harmless(&refusal.attempt), harmless(&refusal.reason));
                if let Some(hint) = &refusal.hint {
                    let _ = write!(text, "\n{} {}", " hint:".style(paint::HINT), harmless(hint));
                }
            }
            Failure::Other(error) => {
                text.push_str(&harmless(&error.to_string()));
                for cause in error.chain().skip(1) {
                    let _ = write!(text, "\n{} {}", "cause:".style(paint::FAINT), harmless(&cause.to_string()));
                }
            }
        }
        text
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Refusal>() {
            Ok(refusal) => Failure::Refused(refusal),
            Err(error) => Failure::Other(error),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {}: {}", self.attempt, self.reason)
    }
}

impl std::error::Error for Refusal {}

/// What a command comes back with.
pub type Ended = Result<Outcome, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_why_and_what_instead() {
        let failure = Failure::refused("publish crm", "it is in review").hint("Withdraw it first.");
        let text = anstream::adapter::strip_str(&failure.report(Format::Human)).to_string();
        assert_eq!(text, "error: cannot publish crm: it is in review\n hint: Withdraw it first.");
        let json: serde_json::Value = serde_json::from_str(&failure.report(Format::Json)).unwrap();
        assert_eq!(json["error"]["kind"], "refused");
        assert_eq!(json["error"]["hint"], "Withdraw it first.");
    }

    #[test]
    fn causes_are_listed_below_the_failure() {
        let failure = Failure::from(anyhow::anyhow!("disk full").context("cannot write x"));
        let text = anstream::adapter::strip_str(&failure.report(Format::Human)).to_string();
        assert_eq!(text, "error: cannot write x\ncause: disk full");
    }
}
