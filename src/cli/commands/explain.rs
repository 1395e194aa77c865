//! `explain`: tells more about a problem's code, a stage of the lifecycle, or why a connector stands where it stands.

use owo_colors::OwoColorize as _;
use serde::Serialize;

use crate::check;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Human;
use crate::cli::render::paint;
use crate::manifest::Code;
use crate::model::{Operation, Stage};

/// Flags of `explain`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A code such as SB020, a stage such as in-review, or a connector
    what: String,
}

/// A code, explained.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct CodeExplained {
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
    fix: &'static str,
}

impl Human for CodeExplained {
    fn human(&self) -> String {
        format!(
            "{}: {}\n\n{}\n\n{} {}\n",
            self.code.style(paint::STRONG),
            self.title,
            self.explanation,
            "Fix:".style(paint::HINT),
            self.fix
        )
    }
}

/// A stage, explained.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct StageExplained {
    stage: Stage,
    meaning: &'static str,
    operations: &'static [Operation],
    next: &'static str,
}

impl Human for StageExplained {
    fn human(&self) -> String {
        let operations: Vec<String> = self.operations.iter().map(ToString::to_string).collect();
        let stage = self.stage.to_string();
        format!("{}: {}\nAllowed: {}.\n{}\n", stage.style(paint::stage(self.stage)), self.meaning, operations.join(", "), self.next)
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let what = arguments.what.trim();
    if let Some(code) = check::explain(what) {
        let Code { id, title, explanation, fix } = *code;
        door.shell.result(&CodeExplained { code: id, title, explanation, fix })?;
        return Ok(Outcome::Done);
    }
    if let Some(stage) =
        Stage::ALL.into_iter().find(|stage| stage.to_string() == what.to_lowercase().replace('-', " ").replace("pre ", "pre-"))
    {
        door.shell.result(&explained(stage))?;
        return Ok(Outcome::Done);
    }
    if looks_like_a_code(what) {
        return Err(Failure::usage(format!("explain {what}"), "there is no such code").hint(codes_hint()));
    }
    super::show::explain(what, door).await
}

fn looks_like_a_code(text: &str) -> bool {
    text.len() == 5 && text[..].to_ascii_uppercase().starts_with("SB") && text[2..].chars().all(|c| c.is_ascii_digit())
}

fn codes_hint() -> String {
    match (check::catalogue().map(|code| code.id).min(), check::catalogue().map(|code| code.id).max()) {
        (Some(first), Some(last)) => format!("Codes run from {first} to {last}."),
        (_, _) => String::new(),
    }
}

fn explained(stage: Stage) -> StageExplained {
    let (meaning, next) = match stage {
        Stage::Editing => (
            "its present content stands in no environment.",
            "`switchboard pre-publish NAME --commit` deploys it for testing; `switchboard publish NAME --commit` asks for it to be published.",
        ),
        Stage::PrePublished => (
            "its present content stands in every non-production environment, where its tests run.",
            "`switchboard publish NAME --commit` asks for a review. An edit begins anew: tests never carry over to other content.",
        ),
        Stage::InReview => (
            "a review of it is open, and its content is frozen until the review ends.",
            "`switchboard review show ID` has the reviewer's whole case. An edit meanwhile is held; `switchboard withdraw NAME --commit` takes the wish back.",
        ),
        Stage::Rejected => (
            "a reviewer closed the review of its present content without approving it.",
            "That content is never proposed again. `switchboard show NAME` has the reason; new content starts over.",
        ),
        Stage::Published => (
            "its present content stands in every production environment.",
            "An edit leaves the published version serving, and needs a higher version to be published in turn.",
        ),
    };
    StageExplained { stage, meaning, operations: stage.operations(), next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_can_be_explained_in_any_case() {
        for code in check::catalogue() {
            assert_eq!(check::explain(&code.id.to_lowercase()).map(|found| found.id), Some(code.id));
            assert!(looks_like_a_code(code.id), "{}", code.id);
        }
    }
}
