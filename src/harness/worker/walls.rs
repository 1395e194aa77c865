//! The walls round a worker: once they stand it can compute, and talk to its parent through the pipes it has, and nothing else. No code
//! path of it does more; the walls hold whatever a bundle may make of that code. They hold for the superuser, too.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::libc;
use nix::unistd::close;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
    apply_filter_all_threads,
};

/// The last of the standard streams.
const STDERR: i32 = 2;

/// What takes memory and gives it back, lets threads wait for one another, tells the time and ends the process: by proc(5) and its kin,
/// nothing of it reaches beyond the process. What could is allowed for this process alone, below.
const COMPUTING: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
];

/// What reads and writes files that are open already, and waits for them.
const TALKING: &[libc::c_long] = &[
    libc::SYS_close,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
];

/// Closes what an ancestor left open: of all there is, a worker has use for its three pipes only.
pub(super) fn close_inherited() -> io::Result<()> {
    let entries = fs::read_dir("/proc/self/fd")?.map(|entry| entry.map(|entry| entry.file_name()));
    let names = entries.collect::<io::Result<Vec<_>>>()?;
    let open = names.iter().filter_map(|name| name.to_str()?.parse::<i32>().ok());
    for inherited in open.filter(|open| *open > STDERR) {
        // The one that the list was read through is closed already.
        let _ = close(inherited);
    }
    Ok(())
}

/// Raises the walls round all threads, for good. A kernel without walls goes without: the limits are there still.
pub(super) fn raise() -> Result<()> {
    let Ok(architecture) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(()) };
    let refused = SeccompAction::Errno(Errno::EPERM as u32);
    let filter = SeccompFilter::new(allowed()?, refused, SeccompAction::Allow, architecture)?;
    let filter = BpfProgram::try_from(filter)?;
    match apply_filter_all_threads(&filter) {
        Err(seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error)) if is_unknown(&error) => Ok(()),
        raised => raised.context("the kernel refuses the filter"),
    }
}

fn is_unknown(error: &io::Error) -> bool {
    [Errno::EINVAL, Errno::ENOSYS].into_iter().any(|unknown| error.raw_os_error() == Some(unknown as i32))
}

fn allowed() -> Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let mut allowed: BTreeMap<_, _> = COMPUTING.iter().chain(TALKING).map(|call| (*call, Vec::new())).collect();
    // Memory, and never code.
    let is_no_code = masked(2, libc::PROT_EXEC)?;
    allowed.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![is_no_code.clone()])?]);
    allowed.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![is_no_code])?]);
    // Limits of this process, and signals to it, such as an abort sends.
    allowed.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![is(0, 0)?])?]);
    allowed.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![is(0, u64::from(process::id()))?])?]);
    Ok(allowed)
}

/// An argument that is this.
fn is(argument: u8, value: u64) -> Result<SeccompCondition> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?)
}

/// An argument without these bits.
fn masked(argument: u8, bits: i32) -> Result<SeccompCondition> {
    let bits = u64::from(bits.unsigned_abs());
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bits), 0)?)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::process::{Command, exit};
    use std::thread;

    use super::*;

    /// Names the test that stands behind the walls, in the process where it does, and a service that it must not reach.
    const SERVICE: &str = "BEHIND_WALLS_OF";

    /// The test harness of this process must not be walled in, so the test is another process.
    #[test]
    fn behind_the_walls_there_is_computing_alone() {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        service.set_nonblocking(true).unwrap();
        let name = format!("{}::stands_behind_the_walls", module_path!().split_once("::").unwrap().1);
        let tests = std::env::current_exe().unwrap();
        let ran = Command::new(tests)
            .args(["--exact", &name, "--nocapture"])
            .env(SERVICE, service.local_addr().unwrap().to_string())
            .output()
            .unwrap();
        assert_eq!((ran.status.code(), String::from_utf8_lossy(&ran.stderr).as_ref()), (Some(7), ""));
        assert_eq!(service.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "only the test above tells where it is")]
    fn stands_behind_the_walls() {
        let Ok(service) = std::env::var(SERVICE) else { return };
        raise().unwrap();
        let refused = |what: &str, error: io::Error| assert_eq!(error.raw_os_error(), Some(Errno::EPERM as i32), "{what}: {error}");
        refused("a file is read", File::open("/etc/hostname").unwrap_err());
        refused("a file is written", fs::write("/tmp/behind-walls", "x").unwrap_err());
        refused("a file is removed", fs::remove_file("/tmp/behind-walls").unwrap_err());
        refused("a file is looked at", fs::metadata("/etc/hostname").unwrap_err());
        refused("a service is reached", TcpStream::connect(&service).unwrap_err());
        refused("a port is opened", TcpListener::bind("127.0.0.1:0").unwrap_err());
        refused("a datagram is sent", UdpSocket::bind("127.0.0.1:0").unwrap_err());
        refused("sockets are made", UnixStream::pair().unwrap_err());
        refused("a process is started", Command::new("/bin/true").status().unwrap_err());
        refused("a thread is started", thread::Builder::new().spawn(|| {}).unwrap_err());
        refused("the folder is changed", std::env::set_current_dir("/").unwrap_err());
        // Not by the way of a test, whose harness has things to do that are refused.
        exit(if vec![1_u8; 64 << 20].iter().map(|byte| usize::from(*byte)).sum::<usize>() == 64 << 20 { 7 } else { 8 });
    }
}
