//! `apply`: runs passes until nothing is left to do now; with an id, confirms exactly that set of deletions first.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde::Serialize;

use crate::assemble::Assembled;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::identity::who;
use crate::cli::output::Format;
use crate::cli::render::columns::one_line;
use crate::cli::render::plan::describe;
use crate::daemon::{self, Lease};
use crate::model::{Fact, Person};
use crate::pass::{self, Performed, Report};
use crate::planning::{Gap, Hold, PlannedStep, WaitingOn};
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

/// What was done, for programs.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Applied {
    performed: Vec<Told>,
    failed: usize,
    gaps: Vec<Gap>,
    waiting: Vec<Hold>,
    /// Whether too little could be read to plan anything.
    #[serde(skip)]
    is_blind: bool,
}

impl Applied {
    /// How many connectors wait for somebody to mend them: their tests fail, their manifest cannot be read.
    fn to_mend(&self) -> usize {
        let names: BTreeSet<_> = self.waiting.iter().filter(|hold| hold.waiting_on.is_fault()).map(|hold| &hold.connector).collect();
        names.len()
    }

    fn sentence(&self) -> String {
        if self.is_blind {
            return "Nothing could be planned: every environment keeps what it holds.".to_owned();
        }
        let again = match self.failed {
            0 => "",
            1 => " The next pass tries it again.",
            _ => " The next pass tries them again.",
        };
        let rest = format!("At rest. {} waiting; {} failed.{again}", self.waiting.len(), self.failed);
        match self.to_mend() {
            0 => rest,
            1 => format!("{rest} 1 connector has something to mend: `switchboard list` says what."),
            connectors => format!("{rest} {connectors} connectors have something to mend: `switchboard list` says what."),
        }
    }
}

/// One step and how it ended, for programs.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Told {
    #[serde(flatten)]
    planned: PlannedStep,
    summary: String,
    failure: Option<String>,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let assembled = door.assemble("apply").await?;
    if let Some(id) = &arguments.confirm_deletions {
        let by = who(door, arguments.by.as_deref(), &format!("confirm the deletions {id}"))?;
        confirm(&assembled, id, by).await?;
        door.shell.note(format!("Confirmed the deletions {id}."));
        if Lease::holder(&assembled.site.state).is_some() {
            request_wake(&assembled.site.state).context("cannot wake the daemon")?;
            door.shell.note("The daemon takes it from here.");
            assembled.close().await;
            return Ok(Outcome::Done);
        }
    }
    let _lease = Lease::take(&assembled.site.state).map_err(|error| {
        Failure::refused("apply", error.to_string()).hint("It does what git asks for by itself; `switchboard plan` shows what is left.")
    })?;
    assembled.site.settle()?;
    let world = &assembled.world;
    let epoch = world.store.begin_epoch(world.clock.now(), &format!("apply, process {}", std::process::id())).await?;
    let mut applied = Applied::default();
    daemon::run_to_rest(world, epoch, |report| {
        if door.shell.format == Format::Human {
            tell(door, report);
        }
        applied.failed += report.performed.iter().filter(|performed| performed.outcome.is_err()).count();
        applied.performed.extend(report.performed.iter().map(told));
        (applied.gaps, applied.waiting) = (report.plan.gaps.clone(), report.plan.holds.clone());
        applied.is_blind = report.snapshot.is_blind();
    })
    .await?;
    assembled.close().await;
    applied.gaps.iter().for_each(|gap| door.shell.warn(gap.to_string()));
    match door.shell.format {
        Format::Human => door.shell.note(applied.sentence()),
        Format::Json => door.shell.json(&applied)?,
    }
    Ok(if applied.failed > 0 || applied.to_mend() > 0 || !applied.gaps.is_empty() { Outcome::Findings } else { Outcome::Done })
}

/// Tells what a pass did: a line a step, for programs a line of JSON.
pub(super) fn tell(door: &Door, report: &Report) {
    for performed in &report.performed {
        let line = match door.shell.format {
            Format::Human => sentence(performed),
            Format::Json => serde_json::to_string(&told(performed)).unwrap_or_default(),
        };
        let _ = door.shell.text(&format!("{line}\n"));
    }
}

fn sentence(performed: &Performed) -> String {
    let (name, step) = (&performed.planned.connector, describe(&performed.planned.step));
    match &performed.outcome {
        Ok(()) => format!("{name}: {step}"),
        Err(error) => format!("{name}: {step}: failed: {}", one_line(&format!("{error:#}"))),
    }
}

fn told(performed: &Performed) -> Told {
    Told {
        planned: performed.planned.clone(),
        summary: describe(&performed.planned.step),
        failure: performed.outcome.as_ref().err().map(|error| format!("{error:#}")),
    }
}

async fn confirm(assembled: &Assembled, id: &str, by: Person) -> Result<(), Failure> {
    let (_, plan) = pass::preview(&assembled.world, &mut assembled.onlooker()).await?;
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
