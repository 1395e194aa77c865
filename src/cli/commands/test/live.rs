//! `test --live` and `test --record`: cases run against the real service of an environment, to be judged there, or to be recorded.

use futures_util::StreamExt as _;

use crate::assemble;
use crate::cli::commands::invoke::values::{ChosenConnection, ConnectionChoice, environment};
use crate::cli::failure::Failure;
use crate::cli::source::Source;
use crate::cli::tested::{Shown, Tested, WrittenRecording};
use crate::cli::working_files::WorkingFiles;
use crate::cli::{Door, progress};
use crate::harness::live::{CasesSetup, HostMapping, Live, Policy, Recorded, RecordedCases};
use crate::harness::{Chosen, Job};
use crate::manifest::{Bundle, Case, Environment, trials};
use crate::model::{ConnectorName, Evidence, Problem};
use crate::settings::{LimitFlags, NetworkFlags, SecretFlags};

/// Flags of runs against the real service.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Against the real service")]
pub(super) struct LiveFlags {
    /// Run the cases that are marked `live: true`, and no others, against the real service of an environment
    #[arg(long, group = "against", requires = "environment")]
    live: bool,

    /// Run the cases that name a `recording` against the real service of an environment, and write the exchanges there: free of the
    /// secrets of the connection, for which the values of the suite's `connection` stand
    #[arg(long, group = "against", requires = "environment")]
    record: bool,

    /// Take the connections' values of this environment, connections/NAME/CONNECTOR.yaml, and its policy
    #[arg(long, value_name = "NAME", requires = "against")]
    environment: Option<String>,

    /// Run them though the environment is production: cases may create, change and delete what people work with
    #[arg(long, requires = "against")]
    allow_production: bool,

    /// Let requests reach private, loopback and other special addresses of the connections' hosts
    #[arg(long, requires = "against")]
    allow_private: bool,

    /// Send requests for a host to another base address, such as api.example.com=http://127.0.0.1:8080; may be repeated
    #[arg(long, value_name = "HOST=URL", value_parser = HostMapping::parse, requires = "against")]
    map_host: Vec<HostMapping>,

    #[command(flatten)]
    secrets: SecretFlags,

    #[command(flatten)]
    network: NetworkFlags,

    #[command(flatten)]
    limits: LimitFlags,
}

/// What is done against the service of an environment.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    purpose: Purpose,
    environment: &'a str,
}

/// What for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Live,
    Record,
}

impl LiveFlags {
    /// What is to be done, where the flags ask for it.
    pub(super) fn run(&self) -> Option<Run<'_>> {
        let purpose = if self.record { Purpose::Record } else { Purpose::Live };
        let environment = self.environment.as_deref().filter(|_| self.live || self.record)?;
        Some(Run { purpose, environment })
    }
}

impl Purpose {
    fn means(self, case: &Case) -> bool {
        match self {
            Self::Live => case.live,
            Self::Record => case.recording.is_some(),
        }
    }

    fn attempt(self) -> &'static str {
        match self {
            Self::Live => "test against the real service",
            Self::Record => "record",
        }
    }

    fn none(self) -> Failure {
        let attempt = self.attempt();
        match self {
            Self::Live => Failure::usage(attempt, "no case is marked for it")
                .hint("Write `live: true` in the cases that may be run against the real service: those that leave it as they found it."),
            Self::Record => Failure::usage(attempt, "no case names a recording")
                .hint("Write `recording: tests/recordings/NAME.yaml` in a case, in the place of `exchanges`."),
        }
    }
}

/// What came of one connector.
struct Came {
    evidence: Evidence,
    recordings: Vec<Recorded>,
}

/// Runs the cases of the connectors that are meant.
pub(super) async fn run(
    run: Run<'_>,
    flags: &LiveFlags,
    files: &WorkingFiles,
    (jobs, problems): (Vec<Job>, Vec<Problem>),
    door: &Door,
) -> Result<Tested, Failure> {
    let attempt = run.purpose.attempt();
    let source = Source::Working(WorkingFiles::open(door, attempt)?);
    let place = environment(run.environment, &source, door, attempt).await?;
    refuse_production(run, &place, flags)?;
    let mut setups = Vec::new();
    for Job { connector, files, chosen, .. } in jobs {
        let Ok(bundle) = Bundle::read(connector.as_str(), &files) else { continue };
        if trials(&bundle.suites).enumerate().any(|(number, trial)| chosen.has(number) && run.purpose.means(trial.case)) {
            setups.push(setup(run, flags, (connector, bundle, chosen), &source, door).await?);
        }
    }
    if setups.is_empty() && problems.is_empty() {
        return Err(run.purpose.none());
    }
    let runner = assemble::live(&door.settings, &flags.network, &flags.limits)?;
    let bar = progress::bar(door.shell, "Testing against the service", setups.len());
    let came: Vec<_> = futures_util::stream::iter(&setups)
        .map(async |setup| {
            let came = came(&runner, run.purpose, setup).await;
            bar.inc(1);
            came
        })
        .buffer_unordered(door.settings.workers.max(1))
        .collect()
        .await;
    bar.finish_and_clear();
    let (mut evidence, mut recordings) = (Vec::new(), Vec::new());
    for came in came {
        let Came { evidence: next, recordings: recorded } = came?;
        for Recorded { path, text, exchanges } in recorded {
            let path = format!("connectors/{}/{path}", next.connector);
            files.files.write(&path, text.as_bytes())?;
            recordings.push(WrittenRecording { path, exchanges });
        }
        evidence.push(Shown { evidence: next, reused: false });
    }
    recordings.sort_by(|one: &WrittenRecording, other| one.path.cmp(&other.path));
    Ok(Tested { environment: Some(run.environment.to_owned()), recordings, ..Tested::new(evidence, problems) })
}

fn refuse_production(run: Run<'_>, place: &Environment, flags: &LiveFlags) -> Result<(), Failure> {
    if !place.production || flags.allow_production {
        return Ok(());
    }
    let reason =
        format!("the environment `{}` is production, where cases could create, change and delete what people work with", run.environment);
    Err(Failure::refused(run.purpose.attempt(), reason).hint("Name another environment, or add `--allow-production`."))
}

async fn setup(
    run: Run<'_>,
    flags: &LiveFlags,
    (connector, bundle, chosen): (ConnectorName, Bundle, Chosen),
    source: &Source,
    door: &Door,
) -> Result<CasesSetup, Failure> {
    let attempt = format!("{} of {connector}", run.purpose.attempt());
    let choice =
        ConnectionChoice { environment: Some(run.environment), file: None, secrets: &flags.secrets, allow_private: flags.allow_private };
    let connection = ChosenConnection::find(&choice, &bundle.manifest, source, door, &attempt).await?;
    let hosts = bundle.manifest.connection.as_ref().map(|connection| connection.hosts.clone()).unwrap_or_default();
    Ok(CasesSetup {
        connector,
        bundle,
        chosen,
        connection: connection.values,
        referenced: connection.referenced,
        policy: Policy { hosts: Some(hosts), addresses: connection.addresses, mappings: flags.map_host.clone() },
        limits: assemble::run_limits(&flags.limits),
    })
}

async fn came(runner: &Live, purpose: Purpose, setup: &CasesSetup) -> Result<Came, Failure> {
    match purpose {
        Purpose::Live => Ok(Came { evidence: runner.cases(setup).await?, recordings: Vec::new() }),
        Purpose::Record => {
            let RecordedCases { evidence, recordings } = runner.record(setup).await?;
            Ok(Came { evidence, recordings })
        }
    }
}
