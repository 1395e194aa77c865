//! `test`: runs the working files' test suites in worker processes, or shows what they have shown before for the same content.

mod jobs;
mod kept;
mod live;
mod report;
mod runs;
mod selection;
mod watch;

use std::cell::RefCell;

use self::kept::Kept;
use self::report::ReportFile;
use self::runs::{Performed, Runs};
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Format;
use crate::cli::render::coverage::CoverageShown;
use crate::cli::render::evidence::{Detail, against, shown, slowest};
use crate::cli::tested::{Shown, Tested};
use crate::cli::working_files::WorkingFiles;
use crate::cli::{Door, render};
use crate::harness::Chosen;
use crate::model::{Clock as _, SystemClock};

/// Of how many connectors every case is listed.
const LISTED: usize = 3;

/// What is kept, and what is not.
const EVIDENCE: &str = "\
Where this repository has a state, what passed is shown from there and not run again, and what is run is kept there as evidence: the daemon \
does not run it again. `-v` lists every case of many connectors, and the slowest. The flags for secrets and limits are those of runs against \
the real service.";

/// Flags of `test`.
#[derive(Debug, clap::Args)]
#[command(after_help = EVIDENCE)]
pub struct Arguments {
    /// Which connectors [default: all]
    #[arg(value_name = "CONNECTOR")]
    connectors: Vec<String>,
    #[command(flatten)]
    selection: selection::SelectionFlags,

    /// Run what has passed before, too
    #[arg(long, help_heading = "Runs and reports")]
    again: bool,

    /// Write a report to a file, too: json=FILE, junit=FILE, github=FILE or markdown=FILE; may be given several times
    #[arg(long, help_heading = "Runs and reports", value_name = "FORMAT=FILE", value_parser = ReportFile::parse)]
    report: Vec<ReportFile>,

    /// Go on until Ctrl-C: run what a change of the files affects. Nothing is kept. With --output json, a line a run
    #[arg(long, help_heading = "Runs and reports", conflicts_with_all = ["again", "report", "min_coverage", "against"])]
    watch: bool,

    /// Show the whole table of what the tests exercise
    #[arg(long, help_heading = "Runs and reports", conflicts_with = "against")]
    coverage: bool,

    /// Fail where the tests of a connector exercise less than this, in percent
    #[arg(long, help_heading = "Runs and reports", value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
    #[arg(conflicts_with_all = ["suite", "case", "tags", "skip_tags", "against"])]
    min_coverage: Option<u8>,

    #[command(flatten)]
    live: live::LiveFlags,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let work_tree = WorkingFiles::open(door, "test the working files")?;
    for name in &arguments.connectors {
        work_tree.find(name, &format!("test {name}"))?;
    }
    if arguments.watch {
        let shows = CoverageShown { whole: arguments.coverage, least: None };
        return watch::run(work_tree, arguments.connectors, arguments.selection.selection(), shows, door).await;
    }
    let names = if arguments.connectors.is_empty() { work_tree.connectors()? } else { arguments.connectors };
    let live = arguments.live.run();
    let (jobs, mut problems) = if live.is_none() && arguments.selection.is_everything() {
        jobs::find(&work_tree, &names)
    } else {
        let (jobs, problems) = jobs::read(&work_tree, &names);
        (arguments.selection.apply(jobs)?, problems)
    };
    let is_told = is_told(door);
    if let Some(run) = live {
        let tested = live::run(run, &arguments.live, &work_tree, (jobs, problems), door).await?;
        if is_told {
            let environment = tested.environment.as_deref().map(against).unwrap_or_default();
            let each: String = tested.evidence.iter().map(|one| shown(one, Detail::Cases, SystemClock.now())).collect();
            door.shell.text(&format!("{environment}{each}"))?;
        }
        tell_whole(&tested, &arguments.report, door)?;
        return Ok(if tested.is_good() { Outcome::Done } else { Outcome::Findings });
    }
    // What some of the cases show is no evidence.
    let is_whole = jobs.iter().all(|job| job.chosen == Chosen::All);
    let kept = if is_whole { Kept::open(door).await } else { Kept::default() };
    let runs = Runs { door, kept: &kept, again: arguments.again };
    let shows = CoverageShown { whole: arguments.coverage, least: arguments.min_coverage };
    let detail = if jobs.len() <= LISTED || door.is_verbose { Detail::Cases } else { Detail::Counts };
    let failed_to_tell = RefCell::new(None);
    let tell = |one: &Shown| {
        if is_told && let Err(error) = door.shell.text(&told(one, detail, shows)) {
            failed_to_tell.replace(Some(error));
        }
    };
    let Performed { evidence, problems: found, aborted } = runs.perform(jobs, tell).await?;
    problems.extend(found);
    problems.sort();
    kept.close(door).await;
    failed_to_tell.into_inner().map_or(Ok(()), Err)?;
    let tested = Tested::new(evidence, problems);
    tell_whole(&tested, &arguments.report, door)?;
    match aborted.into_iter().next() {
        Some(aborted) => Err(Failure::Other(anyhow::Error::new(aborted))),
        None if tested.is_good() && tested.evidence.iter().all(|one| shows.suffices(&one.evidence)) => Ok(Outcome::Done),
        None => Ok(Outcome::Findings),
    }
}

/// One connector's evidence as people see it, and what of the connector it covers. Where something failed, or only some of the cases were
/// run, that is told to those alone who ask.
fn told(one: &Shown, detail: Detail, shows: CoverageShown) -> String {
    let text = shown(one, detail, SystemClock.now());
    let is_asked_for = shows.whole || shows.least.is_some();
    let is_usual = detail == Detail::Cases && !one.evidence.partial && one.evidence.verdict().is_good();
    if is_asked_for || is_usual { text + &shows.of(&one.evidence) } else { text }
}

/// Whether people are told as it comes.
fn is_told(door: &Door) -> bool {
    door.shell.format == Format::Human && door.report.is_none()
}

/// Tells what all connectors' tests have shown, as it was asked for.
fn tell_whole(tested: &Tested, reports: &[ReportFile], door: &Door) -> Result<(), Failure> {
    match door.report {
        Some(format) => door.shell.text(&render::report::report(format, tested)?)?,
        None => door.shell.result(tested)?,
    }
    if is_told(door) && door.is_verbose {
        door.shell.text(&slowest(tested))?;
    }
    Ok(reports.iter().try_for_each(|report| report.write(door, tested))?)
}
