//! `review`: people's side of the embedded forge: look at reviews, approve, reject, reopen.

mod decide;
mod show;

pub(super) use decide::Decided;
pub(super) use show::Case;

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Human;
use crate::cli::render;
use crate::model::{Review, ReviewId};

/// Flags of `review`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List all reviews
    List {
        /// Only those that wait for people
        #[arg(long)]
        open: bool,
    },
    /// Show the record, the difference from the version published before, the check report and the test evidence
    Show {
        /// The review's number
        #[arg(value_parser = number)]
        review: u64,
    },
    /// Approve a review: its record is merged, and the merge publishes
    Approve {
        /// The review's number
        #[arg(value_parser = number)]
        review: u64,
        /// Who approves [default: git's identity]
        #[arg(long, value_name = "PERSON")]
        by: Option<String>,
        /// A word to the author
        #[arg(long, default_value = "", hide_default_value = true)]
        comment: String,
    },
    /// Close a review without merging: this content is never proposed again
    Reject {
        /// The review's number
        #[arg(value_parser = number)]
        review: u64,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who rejects [default: git's identity]
        #[arg(long, value_name = "PERSON")]
        by: Option<String>,
    },
    /// Bring a rejected review back
    Reopen {
        /// The review's number
        #[arg(value_parser = number)]
        review: u64,
        /// Who reopens [default: git's identity]
        #[arg(long, value_name = "PERSON")]
        by: Option<String>,
    },
}

/// Reviews are written `#3` everywhere, so `#3` is understood too.
fn number(text: &str) -> Result<u64, String> {
    text.trim_start_matches('#').parse().map_err(|_| "expected a review's number, such as 3".to_owned())
}

#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub(super) struct Listed(Vec<Review>);

impl Human for Listed {
    fn human(&self) -> String {
        if self.0.is_empty() { "No reviews.\n".to_owned() } else { render::connectors::reviews(&self.0) }
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let assembled = door.assemble("look at the reviews").await?;
    // Brings the mirror of a remote up to date.
    assembled.world.repository.head().await?;
    match arguments.what {
        What::List { open } => {
            let mut all = assembled.world.forge.reviews().await?;
            all.retain(|review| !open || review.is_open());
            door.shell.result(&Listed(all))?;
        }
        What::Show { review } => show::run(&assembled, door, ReviewId(review)).await?,
        What::Approve { review, by, comment } => decide::approve(&assembled, door, ReviewId(review), by.as_deref(), &comment).await?,
        What::Reject { review, reason, by } => decide::reject(&assembled, door, ReviewId(review), by.as_deref(), &reason).await?,
        What::Reopen { review, by } => decide::reopen(&assembled, door, ReviewId(review), by.as_deref()).await?,
    }
    assembled.close().await;
    Ok(Outcome::Done)
}

fn unknown(attempt: &str) -> Failure {
    Failure::usage(attempt, "there is no review of this number").hint("`switchboard review list` shows all.")
}
