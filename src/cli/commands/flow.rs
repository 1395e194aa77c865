//! `flow run`: runs a stand-alone workflow document in a worker process, with its requests on the network.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Outcome};
use crate::cli::given;
use crate::cli::render::columns::escaped;
use crate::cli::trace::Tracer;
use crate::flow::{Told, What as Happening};
use crate::harness::live::{Addresses, Ending, Files, HostMapping, Listener, LiveRun, Policy, Subject, Veil};
use crate::manifest::LARGEST_FILE;
use crate::settings::{LimitFlags, NetworkFlags};

/// Flags of `flow`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Run a workflow document, YAML or JSON
    Run(RunArguments),
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// The document
    file: PathBuf,

    /// The input: JSON, @FILE, or - for the standard input
    #[arg(long, default_value = "null")]
    input: String,

    /// The values of the document's secrets, by name: JSON, or @FILE, which other users of this machine do not see
    #[arg(long, value_name = "JSON", default_value = "{}", hide_default_value = true)]
    secrets: String,

    /// Send requests for a host to another base address, such as api.example.com=http://127.0.0.1:8080; may be repeated
    #[arg(long, value_name = "HOST=URL", value_parser = HostMapping::parse)]
    map_host: Vec<HostMapping>,

    /// Write a line of JSON to a file for everything that happens to a task
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,

    /// Write the events that the flow emits to a file, CloudEvents, a line of JSON each
    #[arg(long, value_name = "FILE")]
    emitted: Option<PathBuf>,

    /// Show what each task did and how long it took, with its requests and their answers, on the standard error stream
    #[arg(long)]
    trace: bool,

    /// Let requests reach private, loopback and other special addresses
    #[arg(long)]
    allow_private: bool,

    #[command(flatten)]
    network: NetworkFlags,

    #[command(flatten)]
    limits: LimitFlags,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let What::Run(arguments) = arguments.what;
    let input = given::input(&arguments.input)?;
    let secrets = given::secrets(&arguments.secrets)?;
    let content = given::file(&arguments.file, LARGEST_FILE)?;
    let (title, document) = (arguments.file.display().to_string(), content.clone());
    let mut events = arguments.events.as_deref().map(Lines::create).transpose()?;
    let mut emitted = arguments.emitted.as_deref().map(Lines::create).transpose()?;
    let live = assemble::live(&door.settings, &arguments.network, &arguments.limits)?;
    let session = live.session("");
    let mut veil = Veil::new(secrets.values(), session.clone());
    let mut tracer = arguments.trace.then(|| Tracer::new(door.shell, Veil::new(secrets.values(), session.clone())));
    let mut hear = |told: &Told| {
        if let (Some(events), Some(line)) = (&mut events, line(told)) {
            events.write(&line);
        }
        tracer.iter_mut().for_each(|tracer| tracer.hear(told));
    };
    let listener: Option<Listener<'_>> = (arguments.events.is_some() || arguments.trace).then_some(&mut hear);
    let folder = arguments.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let outcome = live.run(LiveRun {
        subject: Subject::Workflow { file: title.clone(), content, secrets },
        input,
        policy: Policy {
            hosts: None,
            addresses: if arguments.allow_private { Addresses::Any } else { Addresses::Public },
            mappings: arguments.map_host,
        },
        session,
        files: Files::Folder(folder.to_owned()),
        listener,
        limits: assemble::run_limits(&arguments.limits),
    });
    let outcome = outcome.await?;
    tracer.into_iter().for_each(|tracer| tracer.end(&title));
    if let Some(emitted) = &mut emitted {
        outcome.events.into_iter().for_each(|event| emitted.write(&veil.value(event)));
    }
    let ended = match outcome.ending {
        Ending::Output(output) => {
            door.shell.json(&veil.value(output))?;
            Outcome::Done
        }
        Ending::Fault(fault) => {
            door.shell.note(escaped(&veil.value(fault)));
            Outcome::Findings
        }
        Ending::Invalid(problems) => return Err(door.refused(&format!("run {title}"), &problems, Some(&document))),
    };
    events.into_iter().chain(emitted).try_for_each(Lines::end)?;
    Ok(ended)
}

/// A file of lines of JSON.
struct Lines {
    path: PathBuf,
    file: File,
    /// The first failure; after it nothing more is written, so that what is there has no gap.
    failure: Option<std::io::Error>,
}

impl Lines {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file, failure: None })
    }

    fn write(&mut self, line: &Value) {
        if self.failure.is_none() {
            self.failure = self.file.write_all(format!("{line}\n").as_bytes()).err();
        }
    }

    fn end(self) -> anyhow::Result<()> {
        self.failure.map_or(Ok(()), |failure| Err(failure).with_context(|| format!("cannot write {}", self.path.display())))
    }
}

/// One line for a task's lifecycle; none for what else a run tells.
fn line(told: &Told) -> Option<Value> {
    let event = match told.what {
        Happening::Started => "started",
        Happening::Completed => "completed",
        Happening::Faulted(_) => "faulted",
        Happening::Cancelled => "cancelled",
        Happening::Retried { .. } => "retried",
        Happening::Sent(_) | Happening::Answered { .. } | Happening::Unanswered(_) => return None,
    };
    Some(json!({ "task": told.turn.reference, "name": told.turn.name, "event": event, "time": told.at }))
}
