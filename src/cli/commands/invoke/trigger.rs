//! `invoke --trigger`: polls once, or goes on: by the schedule, or with the requests that reach the webhook.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

use super::news::{Traced, Writer, say};
use super::values::ChosenConnection;
use super::{Arguments, unknown};
use crate::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::render::columns::escaped;
use crate::cli::source::Source;
use crate::cli::stop::Stop;
use crate::harness::live::Policy;
use crate::harness::live::trigger::{LiveTrigger, Memory, Place, Polled, Served, TriggerSetup, Unopened, WhenDone};
use crate::manifest::{Bundle, Trigger, Webhook};
use crate::store::TriggerKey;

/// Flags of triggers.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Triggers")]
pub(super) struct TriggerFlags {
    /// Run this trigger: poll once now, from where the last poll ended, and print the new events, a line of JSON each. With
    /// --listen it goes on until it is stopped
    #[arg(long, value_name = "NAME")]
    trigger: Option<String>,

    /// Go on: poll by the schedule; or serve the webhook at ADDRESS, such as 127.0.0.1:8080 (port 0: any that is free)
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "", requires = "trigger", conflicts_with_all = ["action", "test_connection"])]
    listen: Option<String>,

    /// The address under which the service reaches the webhook; the trigger's path is added to it
    #[arg(long, value_name = "URL", requires = "listen", value_parser = public_url)]
    public_url: Option<Url>,

    /// Leave the subscription as it is at the end, so that the service goes on sending
    #[arg(long, requires = "listen")]
    keep_subscription: bool,

    /// Begin anew: forget the cursor and the events that were seen
    #[arg(long, requires = "trigger", conflicts_with_all = ["action", "test_connection"])]
    reset: bool,
}

impl TriggerFlags {
    /// The trigger to run, if any.
    pub(super) fn name(&self) -> Option<&str> {
        self.trigger.as_deref()
    }
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not an address: {error}"))?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "http" | "https") && is_plain {
        Ok(url)
    } else {
        Err("expected an address such as https://hooks.example.com".to_owned())
    }
}

/// What is to be done with the trigger.
enum Way {
    Poll,
    Follow,
    Serve { listener: TcpListener, local: SocketAddr, place: Place, when_done: WhenDone },
}

pub(super) async fn run(name: &str, arguments: Arguments, input: Value, door: &Door) -> Ended {
    let connector = arguments.connector.as_str();
    let attempt = format!("run the trigger {name} of {connector}");
    let source = Source::open(&arguments.source, door, &attempt).await?;
    let bundle =
        Bundle::read(connector, &source.bundle(connector, &attempt).await?).map_err(|found| door.refused(&attempt, &found, None))?;
    let trigger = declared(&bundle, name, &attempt)?;
    let chosen = ChosenConnection::find(&arguments.choice(), &bundle.manifest, &source, door, &attempt).await?;
    let way = way(trigger, &arguments.trigger, &attempt, door).await?;
    let stop = Stop::listen()?;
    let trigger = Arc::new(open(Wanted { name, arguments, bundle, chosen, input }, door, &attempt).await?);
    let ended = tokio::select! {
        ended = go(&trigger, way, &stop, door) => ended,
        () = stop.insisted.cancelled() => Err(Failure::refused(&attempt, "it was stopped before it had ended")),
    };
    let closed = trigger.close().await;
    let outcome = ended?;
    closed?;
    Ok(outcome)
}

async fn go(trigger: &Arc<LiveTrigger>, way: Way, stop: &Stop, door: &Door) -> Ended {
    let failed = |fault: Value| {
        door.shell.note(escaped(&fault));
        Ok(Outcome::Findings)
    };
    match way {
        Way::Poll => tokio::select! {
            polled = trigger.poll() => match polled? {
                Polled::Settled => Ok(Outcome::Done),
                Polled::Failed(fault) => failed(fault),
            },
            () = stop.asked.cancelled() => Err(Failure::refused("end the poll", "it was stopped before").hint("Poll again: nothing is lost.")),
        },
        Way::Follow => {
            say(door.shell, "Polling by the schedule. Stop with Ctrl-C.");
            trigger.follow(&stop.asked).await?;
            say(door.shell, "Stopped.");
            Ok(Outcome::Done)
        }
        Way::Serve { listener, local, place, when_done } => {
            say(door.shell, &format!("Listening at http://{local}{}. Stop with Ctrl-C.", place.path));
            match trigger.serve(listener, place, when_done, &stop.asked).await? {
                Served::Stopped => {
                    say(door.shell, "Stopped.");
                    Ok(Outcome::Done)
                }
                Served::Failed(fault) => failed(fault),
            }
        }
    }
}

/// The trigger, where it can be run.
fn declared<'b>(bundle: &'b Bundle, name: &str, attempt: &str) -> Result<&'b Trigger, Failure> {
    let manifest = &bundle.manifest;
    match manifest.triggers.get(name) {
        Some(trigger) if trigger.tasks.is_none() => {
            Err(Failure::refused(attempt, "the trigger has no flow yet").hint("Add `do:` with the tasks of its flow."))
        }
        Some(trigger) => Ok(trigger),
        None => {
            let known: Vec<&str> = manifest.triggers.names().collect();
            Err(unknown(Failure::usage(attempt, format!("{} has no trigger `{name}`", manifest.name)), name, &known))
        }
    }
}

async fn way(trigger: &Trigger, flags: &TriggerFlags, attempt: &str, door: &Door) -> Result<Way, Failure> {
    match (&trigger.on.webhook, flags.listen.as_deref()) {
        (None, None) => Ok(Way::Poll),
        (None, Some("")) if flags.public_url.is_none() => Ok(Way::Follow),
        (None, Some(_)) => Err(Failure::usage(attempt, "it runs by a schedule, which has no address").hint("Give --listen alone.")),
        (Some(_), None) => {
            let hint = "Serve it with --listen ADDRESS, such as 127.0.0.1:8080, and send it requests.";
            Err(Failure::usage(attempt, "it is a webhook: it runs when a request reaches it").hint(hint))
        }
        (Some(_), Some("")) => {
            let hint = "Give one, such as --listen 127.0.0.1:8080; port 0 takes any that is free.";
            Err(Failure::usage(attempt, "it is a webhook, and --listen has no address").hint(hint))
        }
        (Some(webhook), Some(address)) => serve(webhook, address, flags, attempt, door).await,
    }
}

async fn serve(webhook: &Webhook, address: &str, flags: &TriggerFlags, attempt: &str, door: &Door) -> Result<Way, Failure> {
    if webhook.subscribe.is_some() && flags.public_url.is_none() {
        let hint = "Give the address under which the service reaches this machine with --public-url URL.";
        return Err(Failure::usage(attempt, "the service has to be told where to send its requests").hint(hint));
    }
    let cannot = |error: std::io::Error| Failure::refused(attempt, format!("cannot listen at {address}: {error}"));
    let hint = "Give an address and a port, such as 127.0.0.1:8080; port 0 is any that is free.";
    let listener = TcpListener::bind(address).await.map_err(|error| cannot(error).hint(hint))?;
    let local = listener.local_addr().map_err(cannot)?;
    let public = match &flags.public_url {
        Some(url) => url.clone(),
        None => Url::parse(&format!("http://{local}")).map_err(anyhow::Error::from)?,
    };
    if webhook.verify.is_none() {
        door.shell.warn("the trigger has no `verify`: whoever reaches the address starts its flow");
    }
    let when_done = if flags.keep_subscription { WhenDone::Keep } else { WhenDone::Unsubscribe };
    Ok(Way::Serve { listener, local, place: Place { path: webhook.path.clone(), public }, when_done })
}

/// What the command line and the files ask for.
struct Wanted<'a> {
    name: &'a str,
    arguments: Arguments,
    bundle: Bundle,
    chosen: ChosenConnection,
    input: Value,
}

async fn open(wanted: Wanted<'_>, door: &Door, attempt: &str) -> Result<LiveTrigger, Failure> {
    let Wanted { name, arguments, bundle, chosen, input } = wanted;
    let memory = if arguments.trigger.reset { Memory::Forgotten } else { Memory::Kept };
    let store = door.store(attempt).await?;
    let live = assemble::live_trigger(&door.settings, &arguments.network, &arguments.limits)?;
    let manifest = &bundle.manifest;
    let session = live.session(&format!("{}/{}", chosen.name, manifest.name));
    let secrets = chosen.secrets(manifest).cloned().collect();
    let traced = arguments.trace.then(|| Traced { secrets, session: Arc::clone(&session) });
    let report = Arc::new(Writer { shell: door.shell, connector: manifest.name.clone(), traced });
    let hosts = manifest.connection.as_ref().map(|connection| connection.hosts.clone()).unwrap_or_default();
    let setup = TriggerSetup {
        key: TriggerKey {
            connection: chosen.connection,
            connector: manifest.name.parse().map_err(anyhow::Error::from)?,
            trigger: name.to_owned(),
        },
        input,
        connection: chosen.values,
        validation: chosen.validation,
        policy: Policy { hosts: Some(hosts), addresses: chosen.addresses, mappings: arguments.map_host },
        session,
        limits: assemble::run_limits(&arguments.limits),
        bundle,
    };
    let opened = LiveTrigger::open(live, setup, store, memory, report).await;
    opened.map_err(|why| match why {
        Unopened::Invalid(found) => door.refused(attempt, &found, None),
        Unopened::Held { holder, until } => Failure::refused(attempt, format!("another switchboard ({holder}) runs it"))
            .hint(format!("Stop that one first. If it was killed, wait until {until:.0}.")),
        Unopened::State(error) => Failure::refused(attempt, error.to_string()).hint("Begin anew with --reset."),
        Unopened::Other(error) => error.into(),
    })
}
