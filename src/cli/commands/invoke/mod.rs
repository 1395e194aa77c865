//! `invoke`: runs one action of a connector, its test connection, or one of its triggers, against the real service.

mod news;
mod trigger;
pub(in crate::cli::commands) mod values;

use std::path::PathBuf;

use serde_json::{Value, json};

use self::trigger::TriggerFlags;
use self::values::{ChosenConnection, ConnectionChoice};
use crate::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::given;
use crate::cli::output::Format;
use crate::cli::render::columns::escaped;
use crate::cli::render::plan::listed;
use crate::cli::source::{Source, SourceFlags};
use crate::cli::trace::Tracer;
use crate::flow::{Target, Told};
use crate::harness::live::{Ending, Files, HostMapping, Listener, LiveRun, Policy, Subject, Veil};
use crate::manifest::{Bundle, Manifest, Visibility, nearest};
use crate::settings::{LimitFlags, NetworkFlags, SecretFlags};

/// Flags of `invoke`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,

    /// Which of its actions
    #[arg(required_unless_present_any = ["test_connection", "trigger"], conflicts_with_all = ["test_connection", "trigger"])]
    action: Option<String>,

    /// Run the test connection
    #[arg(long, conflicts_with = "trigger")]
    test_connection: bool,

    /// The input: JSON, @FILE, or - for the standard input
    #[arg(long, value_name = "JSON", default_value = "{}", conflicts_with = "test_connection")]
    input: String,

    /// Take the connection's values of this environment, connections/NAME/CONNECTOR.yaml, and its policy
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,

    /// Take the connection's values from this file; secrets may stand in it as they are only where git does not have it
    #[arg(long, value_name = "FILE", conflicts_with = "environment")]
    connection: Option<PathBuf>,

    #[command(flatten)]
    source: SourceFlags,

    /// Show what each task did and how long it took, with its requests and their answers, on the standard error stream
    #[arg(long)]
    trace: bool,

    /// Let requests reach private, loopback and other special addresses of the connection's hosts
    #[arg(long)]
    allow_private: bool,

    /// Send requests for a host to another base address, such as api.example.com=http://127.0.0.1:8080; may be repeated
    #[arg(long, value_name = "HOST=URL", value_parser = HostMapping::parse)]
    map_host: Vec<HostMapping>,

    #[command(flatten)]
    secrets: SecretFlags,

    #[command(flatten)]
    network: NetworkFlags,

    #[command(flatten)]
    trigger: TriggerFlags,

    #[command(flatten)]
    limits: LimitFlags,
}

impl Arguments {
    fn choice(&self) -> ConnectionChoice<'_> {
        ConnectionChoice {
            environment: self.environment.as_deref(),
            file: self.connection.as_deref(),
            secrets: &self.secrets,
            allow_private: self.allow_private,
        }
    }
}

/// What is to run, and where it was found.
struct Job {
    attempt: String,
    bundle: Bundle,
    target: Target,
    chosen: ChosenConnection,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let input = given::input(&arguments.input)?;
    if let Some(name) = arguments.trigger.name().map(str::to_owned) {
        return trigger::run(&name, arguments, input, door).await;
    }
    let job = Job::find(&arguments, door).await?;
    let title = job.attempt.clone();
    let Job { bundle, target, chosen, .. } = job;
    let live = assemble::live(&door.settings, &arguments.network, &arguments.limits)?;
    let connector = bundle.manifest.name.clone();
    let session = live.session(&format!("{}/{connector}", chosen.name));
    let secrets: Vec<Value> = chosen.secrets(&bundle.manifest).cloned().collect();
    let mut veil = Veil::new(&secrets, session.clone());
    let mut tracer = arguments.trace.then(|| Tracer::new(door.shell, Veil::new(&secrets, session.clone())));
    let mut hear = |told: &Told| tracer.iter_mut().for_each(|tracer| tracer.hear(told));
    let listener: Option<Listener<'_>> = arguments.trace.then_some(&mut hear);
    let hosts = bundle.manifest.connection.as_ref().map(|connection| connection.hosts.clone()).unwrap_or_default();
    let outcome = live.run(LiveRun {
        policy: Policy { hosts: Some(hosts), addresses: chosen.addresses, mappings: arguments.map_host },
        subject: Subject::Connector {
            connector,
            files: bundle.files.clone(),
            target,
            connection: chosen.values,
            validation: chosen.validation,
        },
        input,
        session,
        files: Files::Bundle(bundle.files),
        listener,
        limits: assemble::run_limits(&arguments.limits),
    });
    let outcome = outcome.await?;
    tracer.into_iter().for_each(|tracer| tracer.end(&title));
    for warning in outcome.warnings {
        let warning = veil.text(&warning);
        match door.shell.format {
            Format::Human => door.shell.warn(warning),
            Format::Json => door.shell.note(escaped(&json!({ "warning": warning }))),
        }
    }
    match outcome.ending {
        Ending::Output(output) => {
            door.shell.json(&veil.value(output))?;
            Ok(Outcome::Done)
        }
        Ending::Fault(fault) => {
            door.shell.note(escaped(&veil.value(fault)));
            Ok(Outcome::Findings)
        }
        Ending::Invalid(found) => Err(door.refused(&title, &found, None)),
    }
}

impl Job {
    async fn find(arguments: &Arguments, door: &Door) -> Result<Self, Failure> {
        let name = arguments.connector.as_str();
        let attempt = match &arguments.action {
            Some(action) => format!("invoke {name} {action}"),
            None => format!("test the connection of {name}"),
        };
        let source = Source::open(&arguments.source, door, &attempt).await?;
        let files = source.bundle(name, &attempt).await?;
        let bundle = Bundle::read(name, &files).map_err(|found| door.refused(&attempt, &found, None))?;
        let target = target(&bundle.manifest, arguments.action.as_deref(), &attempt)?;
        let chosen = ChosenConnection::find(&arguments.choice(), &bundle.manifest, &source, door, &attempt).await?;
        Ok(Self { attempt, bundle, target, chosen })
    }
}

/// What is to run, if it can be run from outside.
fn target(manifest: &Manifest, action: Option<&str>, attempt: &str) -> Result<Target, Failure> {
    let refused = |reason: &str, hint: &str| Err(Failure::refused(attempt, reason).hint(hint));
    let Some(name) = action else {
        return match manifest.connection.as_ref().and_then(|connection| connection.test.as_ref()) {
            Some(_) => Ok(Target::TestConnection),
            None => refused("it has no test connection", "Add `test:` with a flow to its connection."),
        };
    };
    match manifest.actions.get(name) {
        None => Err(unknown_action(manifest, name, attempt)),
        Some(action) if action.visibility == Visibility::Private => {
            refused("the action is private: only the connector's own flows may call it", "Invoke an action that calls it.")
        }
        Some(action) if action.tasks.is_none() => refused("the action has no flow yet", "Add `do:` with the tasks of its flow."),
        Some(_) => Ok(Target::Action(name.to_owned())),
    }
}

fn unknown_action(manifest: &Manifest, name: &str, attempt: &str) -> Failure {
    let public = manifest.actions.iter().filter(|(_, action)| action.visibility == Visibility::Public);
    let known: Vec<&str> = public.map(|(name, _)| name).collect();
    unknown(Failure::usage(attempt, format!("{} has no action `{name}`", manifest.name)), name, &known)
}

/// A refusal with what was probably meant.
fn unknown(failure: Failure, name: &str, known: &[&str]) -> Failure {
    match nearest(name, known.iter().copied()) {
        Some(meant) => failure.hint(format!("Did you mean `{meant}`?")),
        None if known.is_empty() => failure.hint("It has none that can be invoked."),
        None => failure.hint(format!("There are: {}.", listed(known))),
    }
}
