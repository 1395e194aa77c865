//! How much a worker may use of anything: limits that it takes on before it reads anything of a bundle.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_gettime};

use crate::harness::protocol::Limits;

/// How many files a worker may have open: its three pipes, what its runtime waits with, and what the standard library opens for itself.
const OPEN_FILES: u64 = 24;

/// Takes the limits on, for good.
pub(super) fn take(limits: Limits) -> io::Result<()> {
    let all = [
        (Resource::RLIMIT_AS, limits.memory),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
    ];
    for (resource, most) in all {
        let most = most.min(getrlimit(resource)?.1);
        setrlimit(resource, most, most)?;
    }
    Ok(())
}

/// Gives up starting processes and threads. Has no effect on the superuser's processes, which the walls keep from it.
pub(super) fn no_more_processes() -> io::Result<()> {
    Ok(setrlimit(Resource::RLIMIT_NPROC, 0, 0)?)
}

/// Gives the next task its CPU time: the last defence, where the parent has gone and nobody else would end it.
pub(super) fn grant_cpu(seconds: u64) -> io::Result<()> {
    let (_, inherited) = getrlimit(Resource::RLIMIT_CPU)?;
    let used = u64::try_from(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.tv_sec()).unwrap_or(0);
    Ok(setrlimit(Resource::RLIMIT_CPU, used.saturating_add(seconds).saturating_add(2).min(inherited), inherited)?)
}
