//! `apply`: runs passes until nothing is left to do now; with an id, confirms exactly that set of deletions first.

use anyhow::Context as _;

use crate::assemble::{Assembled, assemble};
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::render::plan::describe;
use crate::daemon::{self, Lease};
use crate::model::{Fact, Person};
use crate::pass::{self, Report};
use crate::planning::WaitingOn;
use crate::repository::request_wake;
use crate::store::NewFact;

/// Flags of `apply`.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Confirm this exact set of deletions, by the id that `plan` shows
    #[arg(long, value_name = "ID")]
    confirm_deletions: Option<String>,

    /// Who confirms [default: git's identity]
    #[arg(long, value_name = "PERSON", requires = "confirm_deletions")]
    by: Option<String>,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let assembled = assemble(&door.settings).await?;
    if let Some(id) = &arguments.confirm_deletions {
        confirm(&assembled, id, super::review::who(arguments.by.as_deref())?).await?;
        door.shell.note(format!("Confirmed the deletions {id}."));
        if Lease::holder(&assembled.site.state).is_some() {
            request_wake(&assembled.site.state).context("cannot wake the daemon")?;
            return Ok(Outcome::Done);
        }
    }
    let _lease = Lease::take(&assembled.site.state).map_err(|error| {
        Failure::refused("apply", error.to_string()).hint("It does what git asks for by itself; `switchboard plan` shows what is left.")
    })?;
    let world = &assembled.world;
    let epoch = world.store.begin_epoch(world.clock.now(), &format!("apply, process {}", std::process::id())).await?;
    let mut failed = 0;
    let mut last = None;
    daemon::run_to_rest(world, epoch, |report| {
        failed += tell(door, report);
        last = Some((report.plan.gaps.clone(), report.plan.holds.len()));
    })
    .await?;
    let (gaps, holds) = last.unwrap_or_default();
    gaps.iter().for_each(|gap| door.shell.warn(gap.to_string()));
    door.shell.note(format!("At rest. {holds} waiting; {failed} failed."));
    assembled.close().await;
    Ok(if failed > 0 || !gaps.is_empty() { Outcome::Findings } else { Outcome::Done })
}

/// Tells what a pass did, and returns how many steps failed.
pub(super) fn tell(door: &Door, report: &Report) -> usize {
    let mut failed = 0;
    for performed in &report.performed {
        let (name, step) = (&performed.planned.connector, describe(&performed.planned.step));
        let line = match &performed.outcome {
            Ok(()) => format!("{name}: {step}\n"),
            Err(error) => {
                failed += 1;
                format!("{name}: {step}: failed: {error:#}\n")
            }
        };
        let _ = door.shell.text(&line);
    }
    failed
}

async fn confirm(assembled: &Assembled, id: &str, by: Person) -> Result<(), Failure> {
    let mut memory = assembled.onlooker();
    let (_, plan) = pass::preview(&assembled.world, &mut memory).await?;
    let at = assembled.world.clock.now();
    let facts: Vec<NewFact> = plan
        .holds
        .into_iter()
        .filter(|hold| matches!(&hold.waiting_on, WaitingOn::Confirmation { id: asked, .. } if asked == id))
        .map(|hold| NewFact { at, connector: hold.connector, fact: Fact::DeletionConfirmed { id: id.to_owned(), by: by.clone() } })
        .collect();
    if facts.is_empty() {
        let refusal = Failure::refused(format!("confirm the deletions {id}"), "no deletions wait under this id");
        return Err(refusal.hint("`switchboard plan` shows what waits now; another set has another id."));
    }
    assembled.world.store.append(&facts).await?;
    Ok(())
}
