//! Flags and environment, read once: where the team's repository is, where state is kept, and how the server behaves.
//! Nothing of this comes from the repository, so that no commit can redirect the daemon or read its credentials.

mod branch;
mod network;
mod secrets;
mod served;

use std::env;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use secrecy::SecretString;

use crate::model::Digest;
use crate::repository::Location;

pub use network::NetworkFlags;
pub use secrets::{SecretFlags, connection_variable, is_own, offered};
pub use served::{Bond, BondError};

/// The folder that holds Switchboard's state, beside the repository's git directory.
pub const STATE_FOLDER: &str = ".switchboard";

/// The flags that every command takes, each also a `SWITCHBOARD_*` variable.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Flags of every command")]
pub struct Flags {
    /// The team's repository: a path or a URL [default: the repository around the current folder]
    #[arg(long, global = true, env = "SWITCHBOARD_REPO", value_name = "PATH|URL", hide_env_values = true)]
    pub repo: Option<String>,

    /// The tracked branch: what is committed there is what the team asks for [default: the one followed
    /// so far; at first main, or what HEAD names]
    #[arg(long, global = true, env = "SWITCHBOARD_BRANCH", value_name = "NAME")]
    pub branch: Option<String>,

    /// Where state is kept [default: .switchboard beside the repository's git directory]
    #[arg(long, global = true, env = "SWITCHBOARD_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// The flags of the daemon, each also a `SWITCHBOARD_*` variable.
#[derive(Debug, Clone, clap::Args)]
pub struct WatchFlags {
    /// How often to look without being woken, such as 30s or 5m
    #[arg(long, env = "SWITCHBOARD_POLL_INTERVAL", value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub poll_interval: Duration,

    /// How many test suites run at once [default: one a core]
    #[arg(long, env = "SWITCHBOARD_WORKERS", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,

    /// How long the tests of one connector may run in all; what is not run by then has failed. The variable
    /// counts for `test`, `apply` and `rebuild`, too
    #[arg(long, env = TEST_TIME_VARIABLE, value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub test_time: Duration,
}

const TEST_TIME_VARIABLE: &str = "SWITCHBOARD_TEST_TIME";
const TEST_TIME: Duration = Duration::from_mins(2);

/// The limits of flows that run live, each also a `SWITCHBOARD_*` variable.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitFlags {
    /// How long a flow may take as a whole, such as 30s or 5m
    #[arg(long, env = "SWITCHBOARD_FLOW_TIME", value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub flow_time: Duration,

    /// How long one evaluation of an expression may take
    #[arg(long, env = "SWITCHBOARD_EVALUATION_TIME", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub evaluation_time: Duration,

    /// How long one request may take
    #[arg(long, env = "SWITCHBOARD_REQUEST_TIME", value_name = "TIME", default_value = "2m", value_parser = duration)]
    pub request_time: Duration,

    /// How many tasks a flow may run
    #[arg(long, env = "SWITCHBOARD_FLOW_STEPS", value_name = "COUNT", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..))]
    pub flow_steps: u32,

    /// How many turns all loops of a flow may take together
    #[arg(long, env = "SWITCHBOARD_FLOW_TURNS", value_name = "COUNT", default_value = "10000", value_parser = clap::value_parser!(u32).range(1..))]
    pub flow_turns: u32,

    /// How deep actions and functions of a flow may call each other
    #[arg(long, env = "SWITCHBOARD_FLOW_CALLS", value_name = "COUNT", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub flow_calls: u32,

    /// How many branches of a flow may be open at once
    #[arg(long, env = "SWITCHBOARD_FLOW_BRANCHES", value_name = "COUNT", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub flow_branches: u32,

    /// How many events a flow may emit
    #[arg(long, env = "SWITCHBOARD_FLOW_EVENTS", value_name = "COUNT", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..))]
    pub flow_events: u32,

    /// How big a request, a response, an event or an output may be, in MiB
    #[arg(long, env = "SWITCHBOARD_MESSAGE_SIZE", value_name = "MIB", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=32))]
    pub message_size: u32,

    /// How much memory a flow's process may use, in MiB
    #[arg(long, env = "SWITCHBOARD_FLOW_MEMORY", value_name = "MIB", default_value = "512", value_parser = clap::value_parser!(u32).range(256..=65536))]
    pub flow_memory: u32,
}

/// Everything that flags and environment decide.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The team's repository as given; `None`: the one around the current folder.
    pub repo: Option<String>,
    /// The tracked branch as given; see [`Site::branch`].
    pub branch: Option<String>,
    /// Where state is kept, as given.
    pub state: Option<PathBuf>,
    /// The folder the command was started in.
    pub current_folder: PathBuf,
    /// The token for a remote repository, from `SWITCHBOARD_GIT_TOKEN`. Never a flag: flags are seen by every user of a machine.
    pub git_token: Option<SecretString>,
    /// How often the daemon looks without being woken.
    pub poll_interval: Duration,
    /// How many test suites run at once.
    pub workers: usize,
    /// How long the tests of one connector may run in all.
    pub test_time: Duration,
    /// What opens a file for editing: `VISUAL`, else `EDITOR`.
    pub editor: Option<String>,
    /// What is logged: `SWITCHBOARD_LOG`, in the syntax of `tracing`, such as `debug` or `switchboard::pass=trace`.
    pub log: Option<String>,
    /// Whether logs are lines of JSON: `SWITCHBOARD_LOG_FORMAT=json`.
    pub log_json: bool,
}

/// Where the team's repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteLocation {
    /// On this machine.
    Local {
        /// The git directory that all work trees share.
        git: PathBuf,
        /// The files people edit, unless the repository is bare.
        work_tree: Option<PathBuf>,
    },
    /// Elsewhere: mirrored into the state folder.
    Remote {
        /// Its address.
        url: String,
    },
}

/// Where the repository and the state are, made sure of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The repository.
    pub location: SiteLocation,
    /// The tracked branch; `None`: the one that a remote's HEAD names.
    pub branch: Option<String>,
    /// The state folder; it need not exist yet.
    pub state: PathBuf,
    /// What the state folder serves.
    pub bond: Bond,
    /// Whether the branch was named by flag or variable, this time.
    is_branch_given: bool,
}

impl Settings {
    /// Joins the flags with the environment. `watch` is `None` for every command but the daemon's.
    pub fn read(flags: &Flags, watch: Option<&WatchFlags>) -> Result<Self> {
        let test_time = match (watch, variable(TEST_TIME_VARIABLE)) {
            (Some(flags), _) => flags.test_time,
            (None, Some(text)) => duration(&text).map_err(|error| anyhow::anyhow!("cannot read {TEST_TIME_VARIABLE}: {error}"))?,
            (None, None) => TEST_TIME,
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            repo: flags.repo.clone(),
            branch: flags.branch.clone(),
            state: flags.state.clone(),
            current_folder: env::current_dir().context("cannot tell the current folder")?,
            git_token: variable("SWITCHBOARD_GIT_TOKEN").map(SecretString::from),
            poll_interval: watch.map_or(Duration::from_secs(30), |flags| flags.poll_interval),
            test_time,
            workers: watch.and_then(|flags| flags.workers).map_or(cores, usize::from),
            editor: variable("VISUAL").or_else(|| variable("EDITOR")),
            log: variable("SWITCHBOARD_LOG"),
            log_json: variable("SWITCHBOARD_LOG_FORMAT").is_some_and(|format| format == "json"),
        })
    }

    /// Finds the repository, and the state folder that belongs to it.
    pub fn site(&self) -> Result<Site> {
        let location = match &self.repo {
            Some(url) if is_url(url) => SiteLocation::Remote { url: url.clone() },
            Some(path) => open(&self.current_folder.join(path))?,
            None => discover(&self.current_folder)?,
        };
        let beside = state_beside(&location, &self.current_folder);
        let state = self.state.as_ref().map_or_else(|| beside.clone(), |folder| self.current_folder.join(folder));
        let bond = Bond::read(&state, &location, state == beside);
        let followed = || bond.branch().map(str::to_owned);
        let branch = self.branch.clone().or_else(followed).or_else(|| branch::usual(&location));
        Ok(Site { location, branch, state, bond, is_branch_given: self.branch.is_some() })
    }

    /// The whole path of a folder that is named from the current one and need not exist, with links and `..` resolved.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf, String> {
        let whole = self.current_folder.join(path);
        let existing = whole.ancestors().find_map(|existing| Some((existing, existing.canonicalize().ok()?)));
        let Some((existing, mut resolved)) = existing else { return Ok(whole) };
        for part in whole.strip_prefix(existing).unwrap_or(&whole).components() {
            match part {
                Component::Normal(name) => resolved.push(name),
                // What `..` leads back from must exist, or it means something else once it does.
                _ => return Err(format!("{} does not exist", resolved.display())),
            }
        }
        Ok(resolved)
    }
}

impl Site {
    /// Writes down what the state folder serves from now on. A branch that was named this time changes nothing for the next, unless there
    /// is no other to follow.
    pub fn settle(&self) -> Result<()> {
        let followed = self.bond.branch().filter(|branch| !branch::is_gone(&self.location, branch)).map(str::to_owned);
        let branch = match &self.branch {
            Some(named) if self.is_branch_given => followed.or_else(|| branch::main(&self.location)).or_else(|| Some(named.clone())),
            usual => usual.clone(),
        };
        self.bond.write(branch.as_deref()).with_context(|| format!("cannot write down what the state in {} serves", self.state.display()))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The longest time between two looks; what is longer is a slip, and beyond what clocks can count.
const LONGEST_INTERVAL: Duration = Duration::from_hours(30 * 24);

/// Reads a length of time as people write it: `30s`, `5m`, `1h 30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| "expected a length of time, such as 30s or 5m".to_owned())?;
    match Duration::try_from(span) {
        Ok(span) if span > LONGEST_INTERVAL => Err("expected at most 30 days".to_owned()),
        Ok(span) if !span.is_zero() => Ok(span),
        Ok(_) | Err(_) => Err("expected a length of time above zero".to_owned()),
    }
}

/// Whether a repository is named by its address: `scheme://…`, or `host:path` as ssh has it.
fn is_url(text: &str) -> bool {
    !text.is_empty() && !matches!(Location::parse(text), Ok(Location::Local(_)))
}

fn discover(folder: &Path) -> Result<SiteLocation> {
    match git2::Repository::discover(folder) {
        Ok(repository) => Ok(local(&repository)),
        Err(error) if error.code() == git2::ErrorCode::NotFound => {
            bail!("there is no git repository around {}", folder.display())
        }
        Err(error) => Err(error).with_context(|| format!("cannot open the git repository around {}", folder.display())),
    }
}

fn open(path: &Path) -> Result<SiteLocation> {
    if !path.exists() {
        bail!("there is no folder {}", path.display());
    }
    match git2::Repository::open(path) {
        Ok(repository) => Ok(local(&repository)),
        Err(error) if error.code() == git2::ErrorCode::NotFound => bail!("{} is not a git repository", path.display()),
        Err(error) => Err(error).with_context(|| format!("cannot open the git repository {}", path.display())),
    }
}

fn local(repository: &git2::Repository) -> SiteLocation {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    SiteLocation::Local { git: whole(repository.commondir()), work_tree: repository.workdir().map(whole) }
}

/// `/r/.git` has its state in `/r/.switchboard`, a bare `/srv/x.git` in `/srv/.switchboard/x.git`, a remote below the current folder.
fn state_beside(location: &SiteLocation, current_folder: &Path) -> PathBuf {
    match location {
        SiteLocation::Remote { url } => current_folder.join(STATE_FOLDER).join(slug(url)),
        SiteLocation::Local { git, .. } => {
            let beside = git.parent().unwrap_or(git).join(STATE_FOLDER);
            match git.file_name() {
                Some(name) if name != ".git" => beside.join(name),
                Some(_) | None => beside,
            }
        }
    }
}

/// A folder name that tells people which address it belongs to, and that no two addresses share.
fn slug(url: &str) -> String {
    let address = url.split_once("://").map_or(url, |(_, rest)| rest);
    let address = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
    let words: Vec<&str> = address.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-").trim_matches('.').to_owned();
    name.truncate(60);
    format!("{name}-{}", &Digest::of(url.as_bytes()).short()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for url in ["https://example.com/x", "ssh://git@host/x", "file:///srv/x.git", "git@example.com:team/x.git"] {
            assert!(is_url(url), "{url}");
        }
        for path in [".", "/srv/x.git", "../x", "./user@host:x", "/a:b"] {
            assert!(!is_url(path), "{path}");
        }
    }

    #[test]
    fn state_stands_beside_the_git_directory() {
        let at = |git: &str| SiteLocation::Local { git: git.into(), work_tree: None };
        let here = Path::new("/home/u");
        assert_eq!(state_beside(&at("/r/.git"), here), Path::new("/r/.switchboard"));
        assert_eq!(state_beside(&at("/srv/x.git"), here), Path::new("/srv/.switchboard/x.git"));
        let remote = SiteLocation::Remote { url: "https://token@example.com/team/x.git".into() };
        let state = state_beside(&remote, here);
        let name = state.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("example.com-team-x.git-"), "{name}");
        assert!(!name.contains("token"), "{name}");
    }

    #[test]
    fn slugs_stay_inside_their_folder() {
        for url in ["https://../..", "file:///", "ssh://a/../../etc", "git@h:../x"] {
            let slug = slug(url);
            assert!(!slug.contains('/') && !slug.starts_with('.'), "{url} gives {slug}");
        }
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "30", "-5s", "0s", "soon", "721h", "2562047788015215h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
