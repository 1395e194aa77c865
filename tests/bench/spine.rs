//! How fast the loop is on its own: the first plan, the pass that changes nothing, the commit that changes one connector.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use switchboard::assemble::assemble;
use switchboard::model::Status;
use switchboard::pass::{self, Memory};
use switchboard::settings::{Flags, Settings};
use tempfile::tempdir;

use crate::generate;
use crate::program::{Daemon, switchboard, timed};
use crate::table::{Table, median, show_memory};

const COUNTS: [usize; 2] = [1_000, 10_000];

/// The first plan of a repository that Switchboard has never seen, as a process of its own.
pub fn first_plan(table: &mut Table) -> Result<()> {
    for count in COUNTS {
        let folder = tempdir()?;
        let repository = folder.path().join("team.git");
        generate::commit(&repository, count, |_| Status::PrePublished)?;
        let mut costs = Vec::new();
        for run in 0..5 {
            let state = folder.path().join(format!("state-{run}"));
            costs.push(timed(switchboard(&repository, &state).arg("plan"))?);
        }
        let warm = (0..5).map(|_| timed(switchboard(&repository, &folder.path().join("state-0")).arg("plan")));
        let warm = warm.map(|cost| cost.map(|cost| cost.wall)).collect::<Result<Vec<_>>>()?;
        let peak = costs.iter().map(|cost| cost.peak).max().unwrap_or_default();
        let large = count == 10_000;
        table.time(
            format!("first plan of {count} connectors"),
            median(costs.iter().map(|cost| cost.wall).collect()),
            large.then_some(Duration::from_secs(5)),
        );
        let aim = if large { "< 200 MiB" } else { "" };
        table.row(format!("… its most memory, of {} runs", costs.len()), show_memory(peak), aim, large.then_some(peak < 200 << 10));
        table.time(format!("the same plan once more, of {count}"), median(warm), None);
    }
    Ok(())
}

/// With everything deployed and tested: a pass where nothing changed, and one commit from the ref moving to the step performed.
pub fn at_rest(table: &mut Table) -> Result<()> {
    for count in COUNTS {
        let folder = tempdir()?;
        let (team, state) = (folder.path().join("team.git"), folder.path().join("state"));
        let repository = generate::commit(&team, count, |_| Status::PrePublished)?;
        let first = timed(switchboard(&team, &state).arg("apply"))?;
        table.time(format!("apply: deploy and test {count} connectors from nothing"), first.wall, None);
        table.row("… its most memory", show_memory(first.peak), "< 200 MiB", Some(first.peak < 200 << 10));

        let nothing = tokio::runtime::Runtime::new()?.block_on(empty_passes(&team, &state))?;
        table.time(format!("a pass where nothing changed, of {count}"), median(nothing), Some(Duration::from_millis(50)));

        let daemon = Daemon::start(&team, &state)?;
        let mut times = Vec::new();
        for revision in 1..=11 {
            let index = revision as usize * 37 % count;
            // At rest, so that no other pass happens to see the change.
            thread::sleep(Duration::from_millis(500));
            generate::change(&repository, index, revision, Status::PrePublished)?;
            let moved = Instant::now();
            let done = daemon.wait_for(&format!("{}: deploy", generate::name(index)))?;
            daemon.wait_for(&format!("{}: run the tests", generate::name(index)))?;
            // The first change finds the daemon still starting.
            if revision > 1 {
                times.push(done.saturating_duration_since(moved));
            }
        }
        let peak = daemon.stop()?;
        table.time(
            format!("a commit that changes one of {count}, from the ref to the step"),
            median(times),
            Some(Duration::from_millis(200)),
        );
        table.row("… the daemon's most memory", show_memory(peak), "< 200 MiB", Some(peak < 200 << 10));
    }
    Ok(())
}

/// What each of several passes takes in one process, once everything is at rest.
async fn empty_passes(repository: &Path, state: &Path) -> Result<Vec<Duration>> {
    let flags = Flags { repo: Some(repository.display().to_string()), branch: None, state: Some(state.to_owned()) };
    let settings = Settings::read(&flags, None)?;
    let assembled = assemble(&settings, settings.site()?).await?;
    let epoch = assembled.world.store.begin_epoch(assembled.world.clock.now(), "the benchmark").await?;
    let mut memory = Memory::new();
    memory.lease_held = true;
    let mut times = Vec::new();
    for run in 0..31 {
        let start = Instant::now();
        let report = pass::run(&assembled.world, &mut memory, epoch).await?;
        let time = start.elapsed();
        report.is_at_rest().then_some(()).context("something was left to do")?;
        // The first pass reads everything.
        if run > 0 {
            times.push(time);
        }
    }
    assembled.close().await;
    Ok(times)
}
