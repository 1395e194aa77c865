//! `watch`: the daemon. It follows the tracked branch until it is told to stop.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::stop::Stop;
use crate::daemon::{self, Heartbeat, Lease};
use crate::repository::Watch;
use crate::settings::WatchFlags;

/// What only the environment can say.
const VARIABLES: &str = "\
Variables without a flag:
  SWITCHBOARD_GIT_TOKEN   The token for a remote repository; a flag would be seen by every user of the machine
  SWITCHBOARD_LOG         What is logged, such as debug or switchboard::pass=trace
  SWITCHBOARD_LOG_FORMAT  json: logs are lines of JSON";

/// Flags of `watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = VARIABLES)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) flags: WatchFlags,
}

pub(super) async fn run(_arguments: Arguments, door: &Door) -> Ended {
    serve(door).await
}

/// Serves the repository until SIGINT or SIGTERM.
pub(super) async fn serve(door: &Door) -> Ended {
    let stop = Stop::listen()?.asked;
    let assembled = door.assemble("watch").await?;
    let _lease = Lease::take(&assembled.site.state)
        .map_err(|error| Failure::refused("watch", error.to_string()).hint("Stop it first, or name another folder with --state."))?;
    assembled.site.settle()?;
    let world = &assembled.world;
    let epoch = world.store.begin_epoch(world.clock.now(), &format!("watch, process {}", std::process::id())).await?;
    let wake = Arc::new(Notify::new());
    let _watch = Watch::start(&assembled.location, &assembled.site.state, wake.clone())?;
    door.shell.note(format!("Watching; state in {}. Stop with Ctrl-C.", assembled.site.state.display()));
    let heartbeat = Heartbeat { interval: door.settings.poll_interval, ..Heartbeat::default() };
    let mut shown = Vec::new();
    daemon::run(world, epoch, &heartbeat, wake, stop, |report| match report {
        Ok(report) => {
            super::apply::tell(door, report);
            if shown != report.plan.gaps {
                report.plan.gaps.iter().for_each(|gap| door.shell.warn(gap.to_string()));
                shown.clone_from(&report.plan.gaps);
            }
        }
        Err(error) => door.shell.warn(format!("the pass failed and is tried again: {error:#}")),
    })
    .await;
    door.shell.note("Stopped.");
    Ok(Outcome::Done)
}
