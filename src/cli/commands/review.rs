//! `review`: people's side of the embedded forge: look at reviews, approve, reject, reopen.

use crate::assemble::{Assembled, assemble};
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Format;
use crate::cli::render;
use crate::forge::{Approval, LocalReview, Rejection, Reopening};
use crate::model::{Person, ReviewId};
use crate::pass;

/// Flags of `review`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List all reviews
    List,
    /// Show the record, the difference from the version published before, the check report and the test evidence
    Show {
        /// The review's number
        review: u64,
    },
    /// Approve a review: its record is merged, and the merge publishes
    Approve {
        /// The review's number
        review: u64,
        /// Who approves [default: git's identity]
        #[arg(long)]
        by: Option<String>,
        /// A word to the author
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Close a review without merging: this content is never proposed again
    Reject {
        /// The review's number
        review: u64,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who rejects [default: git's identity]
        #[arg(long)]
        by: Option<String>,
    },
    /// Bring a rejected review back
    Reopen {
        /// The review's number
        review: u64,
        /// Who reopens [default: git's identity]
        #[arg(long)]
        by: Option<String>,
    },
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let assembled = assemble(&door.settings).await?;
    // Brings the mirror of a remote up to date.
    assembled.world.repository.head().await?;
    let now = assembled.world.clock.now();
    match arguments.what {
        What::List => {
            let all = assembled.world.forge.reviews().await?;
            match door.shell.format {
                Format::Human => door.shell.text(&render::connectors::reviews(&all))?,
                Format::Json => door.shell.json(&all)?,
            }
        }
        What::Show { review } => show(&assembled, door, ReviewId(review)).await?,
        What::Approve { review, by, comment } => {
            let (policy, _) = pass::preview(&assembled.world, &mut assembled.onlooker()).await?;
            let may_approve_own = policy.policy.self_approval;
            let by = who(by.as_deref())?;
            let approval = assembled.forge.approve(ReviewId(review), &by, &comment, now, may_approve_own).await?;
            door.shell.text(&approved(review, &by, approval)?)?;
        }
        What::Reject { review, reason, by } => {
            let rejection = assembled.forge.reject(ReviewId(review), &who(by.as_deref())?, &reason, now).await?;
            door.shell.text(&rejected(review, rejection)?)?;
        }
        What::Reopen { review, by } => {
            let reopening = assembled.forge.reopen(ReviewId(review), &who(by.as_deref())?, now).await?;
            door.shell.text(&reopened(review, reopening)?)?;
        }
    }
    assembled.close().await;
    Ok(Outcome::Done)
}

/// Who acts: the person named, or git's identity.
pub(super) fn who(by: Option<&str>) -> Result<Person, Failure> {
    if let Some(by) = by {
        return Ok(Person::new(by));
    }
    let identity = git2::Config::open_default().and_then(|mut config| {
        let config = config.snapshot()?;
        Ok(Person::from_parts(config.get_str("user.name").unwrap_or_default(), config.get_str("user.email")?))
    });
    identity.map_err(|_| Failure::refused("tell who you are", "git has no identity for you").hint("Name yourself with --by ADDRESS."))
}

async fn show(assembled: &Assembled, door: &Door, id: ReviewId) -> Result<(), Failure> {
    let found: LocalReview = assembled.forge.get(id).await?.ok_or_else(|| unknown("show", id.0))?;
    let (snapshot, plan) = pass::preview(&assembled.world, &mut assembled.onlooker()).await?;
    let review = &found.review;
    let after = assembled.world.registry.bundle(&review.digest).await?;
    let published = snapshot.policy.production.iter().find_map(|name| snapshot.connectors.get(&review.connector)?.holdings.get(name));
    let before = match published.filter(|held| held.digest != review.digest) {
        Some(held) => assembled.world.registry.bundle(&held.digest).await?,
        None => None,
    };
    let difference = render::difference::bundles(before.as_ref(), after.as_ref());
    let evidence = assembled.world.store.evidence(&review.digest).await?;
    let report = crate::cli::standing::details(&review.connector, &snapshot, &plan).map(|details| details.report).unwrap_or_default();
    if door.shell.format == Format::Json {
        let json = serde_json::json!({ "review": review, "record": found.record, "difference": difference, "report": report, "evidence": evidence });
        return Ok(door.shell.json(&json)?);
    }
    let (state, _) = render::connectors::review_state(&review.state);
    let mut text = format!("Review {id}: {} ({state})\n\nRecord:\n{}\nDifference from what is published:\n{difference}\n", found.title, found.record);
    let errors = report.iter().filter(|problem| problem.is_error()).count();
    text.push_str(&format!("Check report: {}\n", render::problems::counted(errors, report.len() - errors)));
    for problem in &report {
        text.push_str(&render::problems::problem(problem, None));
    }
    if let Some(evidence) = evidence {
        text.push_str(&format!("\nTests:\n{}", render::evidence::evidence(&evidence)));
    }
    Ok(door.shell.text(&text)?)
}

fn unknown(verb: &str, review: u64) -> Failure {
    Failure::usage(format!("{verb} review {review}"), "there is no review of this number").hint("`switchboard review list` shows all.")
}

fn approved(review: u64, by: &Person, approval: Approval) -> Result<String, Failure> {
    let refused = |reason: String| Failure::refused(format!("approve review {review}"), reason);
    match approval {
        Approval::Merged(commit) => Ok(format!("Review #{review} approved by {by}; merged as {}.\n", commit.short())),
        Approval::MergedBefore => Ok(format!("Review #{review} approved by {by}; its record was merged before.\n")),
        Approval::NotFound => Err(unknown("approve", review)),
        Approval::NotOpen(state) => Err(refused(format!("it is {} already", render::connectors::review_state(&state).0))),
        Approval::OwnRequest => Err(refused(format!("{by} asked for it, and a second person must approve"))
            .hint("Let somebody else approve, or set `review.selfApproval: true` in switchboard.yaml.")),
        Approval::Conflict(paths) => Err(refused(format!("the merge conflicts in {}", paths.join(", ")))),
        Approval::RecordChanged => Err(refused("its branch no longer carries the record as proposed".to_owned()).hint("Reject it; new content opens a new review.")),
        Approval::BranchGone => Err(refused("its branch is gone".to_owned()).hint("Withdraw and publish again to bring it back.")),
        Approval::Undone => Err(refused("it was merged before, and its record was taken out again".to_owned())),
        Approval::Busy => Err(refused("others kept moving the branches".to_owned()).hint("Try again.")),
    }
}

fn rejected(review: u64, rejection: Rejection) -> Result<String, Failure> {
    let refused = |reason: String| Failure::refused(format!("reject review {review}"), reason);
    match rejection {
        Rejection::Rejected(_) => Ok(format!("Review #{review} rejected; this content is never proposed again.\n")),
        Rejection::NotFound => Err(unknown("reject", review)),
        Rejection::NotOpen(state) => Err(refused(format!("it is {} already", render::connectors::review_state(&state).0))),
        Rejection::Busy => Err(refused("others kept moving the branches".to_owned()).hint("Try again.")),
    }
}

fn reopened(review: u64, reopening: Reopening) -> Result<String, Failure> {
    let refused = |reason: String| Failure::refused(format!("reopen review {review}"), reason);
    match reopening {
        Reopening::Reopened(_) => Ok(format!("Review #{review} waits for people again.\n")),
        Reopening::NotFound => Err(unknown("reopen", review)),
        Reopening::NotRejected(state) => Err(refused(format!("it is {}", render::connectors::review_state(&state).0))),
        Reopening::OtherOpen(other) => Err(refused(format!("review {other} of the connector is open"))),
        other => Err(refused(format!("{other:?}"))),
    }
}
