//! What a worker denies itself before it reads anything of a bundle.

use std::fs;
use std::io;

use rlimit::Resource;

use crate::harness::protocol::Limits;

/// How many files a worker may have open: its three pipes, what its runtime waits with, and what the standard library opens for itself.
const OPEN_FILES: u64 = 24;
/// Ticks a second, in which the kernel counts CPU time for `/proc`.
const TICKS: u64 = 100;

/// Takes the limits on, for good.
pub(super) fn take(limits: Limits) -> io::Result<()> {
    for (resource, most) in [(Resource::AS, limits.memory), (Resource::CORE, 0), (Resource::FSIZE, 0), (Resource::NOFILE, OPEN_FILES)] {
        let most = most.min(resource.get_hard()?);
        resource.set(most, most)?;
    }
    Ok(())
}

/// Gives up starting processes and threads. Has no effect on the superuser's processes.
pub(super) fn no_more_processes() -> io::Result<()> {
    Resource::NPROC.set(0, 0)
}

/// Gives the next task its CPU time: the last defence, where the parent has gone and nobody else would end it.
pub(super) fn grant_cpu(seconds: u64) -> io::Result<()> {
    let inherited = Resource::CPU.get_hard()?;
    Resource::CPU.set(used().saturating_add(seconds).saturating_add(1).min(inherited), inherited)
}

/// CPU seconds used so far, from `/proc/self/stat`, proc(5).
fn used() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, is the only field that may hold blanks.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)).div_ceil(TICKS)
}
