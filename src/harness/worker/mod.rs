//! The child process: reads tasks on stdin, says what happens on stdout, and evaluates what its parent must not.
//!
//! - `limits` and `walls` are what it may use and do: little of everything, and nothing beyond its pipes.
//! - `outbox` is what it says; `watch` is a thread beside the engine, which ends the process where a flow overstays or the parent is gone.
//! - `suite` runs suites; `live` one flow, of a `connector` or a document, and `cases` suites whose every effect is the parent's: `piped`
//!   is their World.

mod cases;
mod connector;
mod limits;
mod live;
mod outbox;
mod piped;
mod suite;
mod walls;
mod watch;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::os::unix::process::parent_id;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, bail};
use futures_util::FutureExt as _;
use tokio::net::unix::pipe;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use self::outbox::Outbox;
use self::suite::{Stage, Transcript};
use self::watch::Watch;
use super::protocol::{self, Frames, Limits, Said, Task, Word};

/// The stack that tasks run on. jq recurses; this leaves room for what is honest and ends what is endless soon.
const STACK: usize = 64 << 20;
/// The stack of the threads beside it.
const SMALL_STACK: usize = 1 << 20;

/// What the parent says, in its order.
pub(super) type Hearing = Frames<pipe::Receiver>;

/// Serves tasks until stdin ends.
pub fn run() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    walls::close_inherited().context("cannot close what is open")?;
    // Unbuffered, so that nothing is taken from the tasks.
    let mut stdin = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let Some(limits) = protocol::read::<Limits>(&mut stdin).context("cannot read the limits")? else {
        return Ok(());
    };
    limits::take(limits).context("cannot take the limits on")?;
    let (parent, watch, outbox) = (parent_id(), Arc::new(Watch::default()), Arc::new(Outbox::stdout()?));
    let (watching, telling) = (Arc::clone(&watch), Arc::clone(&outbox));
    beside("watchdog", move || watching.look_on(parent, &telling))?;
    let engine = move || serve(limits, stdin, &watch, &outbox);
    let engine = thread::Builder::new().name("engine".to_owned()).stack_size(STACK).spawn(engine);
    let engine = engine.context("cannot start the engine")?;
    // A panic has told of itself on stderr.
    engine.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the engine gave up")))
}

fn beside(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = thread::Builder::new().name(name.to_owned()).stack_size(SMALL_STACK).spawn(work);
    started.map(drop).with_context(|| format!("cannot start the {name}"))
}

fn serve(limits: Limits, stdin: File, watch: &Watch, outbox: &Outbox) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (questions, mut suites) = (Cell::new(0), None);
    let mut hearing = {
        let _entered = runtime.enter();
        protocol::frames(pipe::Receiver::from_file(stdin).context("the standard input is no pipe")?)
    };
    // All threads are there, and all that is open is.
    limits::no_more_processes().context("cannot take the limits on")?;
    walls::raise().context("cannot raise the walls")?;
    while let Some(said) = runtime.block_on(protocol::next(&mut hearing)).context("cannot read the task")? {
        match said {
            Said::Task(task) => {
                limits::grant_cpu(limits.cpu)?;
                match task {
                    Task::Live(live) => {
                        suites = None;
                        outbox.say(&runtime.block_on(live::run(*live, &mut hearing, watch, outbox, &questions))?)?;
                    }
                    Task::Suites(task) => {
                        // What was read before makes room first.
                        drop(suites.take());
                        let mut parent = Parent { hearing: &mut hearing, runtime: &runtime, outbox };
                        suites = suite::begin(*task, &Stage::Mocked, &mut parent)?;
                    }
                    Task::More(units) => match &mut suites {
                        Some(ready) => {
                            ready.run(&units, &Stage::Mocked, &mut Parent { hearing: &mut hearing, runtime: &runtime, outbox })?;
                        }
                        None => bail!("the parent asked for more of what was not read"),
                    },
                    Task::Cases(cases) => {
                        suites = None;
                        cases::run(*cases, &runtime, &mut hearing, watch, outbox, &questions)?;
                    }
                    Task::Rehearse(rehearsal) => {
                        suites = None;
                        let transcript = rehearsal.transcript.map(Transcript::new);
                        let stage = transcript.as_ref().map_or(Stage::Mocked, Stage::Rehearsal);
                        suite::begin(rehearsal.suites, &stage, &mut Parent { hearing: &mut hearing, runtime: &runtime, outbox })?;
                    }
                }
            }
            // It was for a run that has ended.
            Said::Answer(..) | Said::Pause => {}
        }
    }
    Ok(())
}

/// The parent, during suites.
struct Parent<'a> {
    hearing: &'a mut Hearing,
    runtime: &'a Runtime,
    outbox: &'a Outbox,
}

impl suite::Parent for Parent<'_> {
    fn say(&mut self, word: Word) -> Result<()> {
        Ok(self.outbox.say(&word)?)
    }

    fn put(&mut self, word: Word) -> Result<()> {
        Ok(self.outbox.put(&word)?)
    }

    fn wants_a_pause(&mut self) -> Result<bool> {
        let said = self.runtime.block_on(async {
            // Only a runtime that comes to rest looks at its pipes.
            yield_now().await;
            protocol::next(self.hearing).now_or_never()
        });
        match said.transpose().context("cannot read what the parent says")?.flatten() {
            Some(Said::Pause) => Ok(true),
            Some(Said::Task(_) | Said::Answer(..)) => bail!("the parent said what belongs to no suite"),
            // A parent that is gone is noticed elsewhere.
            None => Ok(false),
        }
    }

    fn drive(&mut self, work: Pin<&mut dyn Future<Output = ()>>) -> Result<()> {
        self.runtime.block_on(work);
        Ok(())
    }
}
