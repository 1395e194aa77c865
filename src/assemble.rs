//! Builds the World from settings: the only place that picks backends.

mod connection;
mod lookup;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::daemon::Lease;
use crate::flow::Budget;
use crate::forge::LocalForge;
use crate::harness::live::{Authorities, ExchangeLimits, Live, Network, RunLimits, SystemResolver};
use crate::harness::{Workers, WorkersConfig};
use crate::model::SystemClock;
use crate::pass::{Memory, RetryPolicy, World};
use crate::registry::SqlRegistry;
use crate::repository::{Credentials, GitOptions, GitRepository, Location};
use crate::settings::{LimitFlags, NetworkFlags, Settings, Site};
use crate::store::{Database, SqlStore};

pub use connection::{GivenValues, connection_values};
pub use lookup::{Reach, SecretFiles};

/// How many steps a pass performs at once: enough that a slow forge delays nobody, few enough that it is not flooded.
const STEPS_AT_ONCE: usize = 16;
const STEP_DEADLINE: Duration = Duration::from_secs(60);
/// How many flows of one trigger run at once.
const FLOWS_AT_ONCE: usize = 16;

/// The World on the embedded defaults, with what only commands for people need beside it.
pub struct Assembled {
    /// The ports.
    pub world: World,
    /// Where repository and state are.
    pub site: Site,
    /// The repository's place, for watching it.
    pub location: Location,
    /// The repository, for what the port does not offer.
    pub repository: GitRepository,
    /// The embedded forge, where people approve and reject.
    pub forge: Arc<LocalForge>,
    database: Database,
}

/// Opens everything that settings name. Nothing is fetched and no worker starts before it is needed.
pub async fn assemble(settings: &Settings, site: Site) -> Result<Assembled> {
    prepare_state(&site.state)?;
    let location = match &site.location {
        crate::settings::SiteLocation::Local { git, work_tree } => Location::Local(work_tree.clone().unwrap_or_else(|| git.clone())),
        crate::settings::SiteLocation::Remote { url } => Location::parse(url)?,
    };
    let credentials = settings.git_token.clone().map_or(Credentials::None, Credentials::Token);
    let options = GitOptions { credentials, ..GitOptions::default() };
    let mirror = site.state.join("mirror.git");
    let repository = GitRepository::open(&location, site.branch.as_deref(), &mirror, &options)?;
    let database = Database::open(&site.state.join("switchboard.db")).await?;
    let clock = Arc::new(SystemClock);
    let forge = Arc::new(LocalForge::new(repository.clone(), clock.clone()));
    let workers = Workers::new(workers(settings)?);
    let world = World {
        repository: Arc::new(repository.clone()),
        forge: forge.clone(),
        registry: Arc::new(SqlRegistry::new(&database)),
        store: Arc::new(SqlStore::new(&database)),
        harness: Arc::new(workers),
        clock,
        concurrency: STEPS_AT_ONCE,
        step_deadline: STEP_DEADLINE,
        retry: RetryPolicy::default(),
    };
    Ok(Assembled { world, site, location, repository, forge, database })
}

/// How this program runs its workers, which are the same program.
pub fn workers(settings: &Settings) -> Result<WorkersConfig> {
    let program = std::env::current_exe().context("cannot tell where this program is, to start its workers")?;
    Ok(WorkersConfig { concurrency: settings.workers, run_limit: settings.test_time, ..WorkersConfig::new(program) })
}

/// The store of a site alone, for who needs nothing else of the World.
pub async fn store(site: &Site) -> Result<Arc<SqlStore>> {
    prepare_state(&site.state)?;
    let database = Database::open(&site.state.join("switchboard.db")).await?;
    Ok(Arc::new(SqlStore::new(&database)))
}

/// The store of a site that has a state already. Nothing is made where there is none.
pub async fn existing_store(site: &Site) -> Result<Option<SqlStore>> {
    let file = site.state.join("switchboard.db");
    if !file.is_file() {
        return Ok(None);
    }
    Ok(Some(SqlStore::new(&Database::open(&file).await?)))
}

/// What runs flows live, on the machine's own network.
pub fn live(settings: &Settings, network: &NetworkFlags, limits: &LimitFlags) -> Result<Live> {
    live_at_once(settings, network, limits, settings.workers)
}

/// The same for a trigger that goes on: its flows wait for services more than they work, and one that waits keeps no other from running.
pub fn live_trigger(settings: &Settings, network: &NetworkFlags, limits: &LimitFlags) -> Result<Live> {
    live_at_once(settings, network, limits, settings.workers.max(FLOWS_AT_ONCE))
}

fn live_at_once(settings: &Settings, network: &NetworkFlags, limits: &LimitFlags, concurrency: usize) -> Result<Live> {
    let memory = u64::from(limits.flow_memory) << 20;
    let config = WorkersConfig { memory, case_deadline: limits.flow_time, concurrency, ..workers(settings)? };
    Ok(Live::new(config, Network::new(Arc::new(SystemResolver), authorities(settings, network)?)))
}

fn authorities(settings: &Settings, network: &NetworkFlags) -> Result<Authorities> {
    let Some(file) = &network.ca_file else { return Ok(Authorities::default()) };
    let attempt = || format!("cannot trust the authorities in {}", file.display());
    let pem = std::fs::read(settings.current_folder.join(file)).with_context(attempt)?;
    Authorities::read(&pem).map_err(|why| anyhow!("{}: {why}", attempt()))
}

/// What each of these flows may use.
pub fn run_limits(limits: &LimitFlags) -> RunLimits {
    let size = (limits.message_size as usize) << 20;
    let budget = Budget {
        steps: limits.flow_steps,
        turns: limits.flow_turns,
        calls: limits.flow_calls,
        branches: limits.flow_branches,
        time: limits.flow_time,
        size,
        response: size,
        events: limits.flow_events as usize,
    };
    RunLimits {
        budget,
        evaluation: limits.evaluation_time,
        exchange: ExchangeLimits { time: limits.request_time, request: size, response: size },
    }
}

impl Assembled {
    /// The memory of a command that only looks: it knows whether a daemon is at work beside it.
    pub fn onlooker(&self) -> Memory {
        let mut memory = Memory::new();
        memory.others_at_work = Lease::holder(&self.site.state).is_some();
        memory
    }

    /// Ends cleanly: what was written is on disk, and the database's own files are tidied up.
    pub async fn close(self) {
        self.database.close().await;
    }
}

/// The state folder ignores itself, so that no work tree ever shows it.
fn prepare_state(state: &Path) -> Result<()> {
    let context = || format!("cannot prepare the state folder {}", state.display());
    if let Some(parent) = state.parent() {
        std::fs::create_dir_all(parent).with_context(context)?;
    }
    // What services hand out for their subscriptions, the secrets of signatures among it, is nobody else's business.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state).with_context(context)?;
    let ignore = state.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(ignore, "*\n").with_context(context)?;
    }
    Ok(())
}
