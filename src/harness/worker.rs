//! The child process: reads tasks on stdin, says what happens on stdout, and evaluates what its parent must not.

use std::cell::Cell;
use std::io::{self, Write};
use std::os::unix::process::parent_id;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, bail};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::limits;
use super::live_task;
use super::protocol::{self, Limits, Said, Task, Word};
use super::suite;
use super::watch::Watch;

/// The stack that tasks run on. jq recurses; this leaves room for what is honest and ends what is endless soon.
const STACK: usize = 64 << 20;
/// The stack of the threads beside it.
const SMALL_STACK: usize = 1 << 20;

/// What the parent says, in its order, or why it cannot be read.
pub(super) type Hearing = UnboundedReceiver<io::Result<Said>>;

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
    let Some(limits) = protocol::read::<Limits>(&mut io::stdin().lock()).context("cannot read the limits")? else {
        return Ok(());
    };
    limits::take(limits).context("cannot take the limits on")?;
    let (parent, watch) = (parent_id(), Arc::new(Watch::default()));
    let watching = Arc::clone(&watch);
    beside("orphanage", move || watching.look_on(parent))?;
    let (said, hearing) = unbounded_channel();
    beside("ear", move || listen(&said))?;
    let engine = thread::Builder::new().name("engine".to_owned()).stack_size(STACK).spawn(move || serve(limits, hearing, &watch));
    let engine = engine.context("cannot start the engine")?;
    limits::no_more_processes().context("cannot take the limits on")?;
    // A panic has told of itself on stderr.
    engine.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the engine gave up")))
}

fn beside(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = thread::Builder::new().name(name.to_owned()).stack_size(SMALL_STACK).spawn(work);
    started.map(drop).with_context(|| format!("cannot start the {name}"))
}

/// Reads all that the parent says, while the engine is at work too.
fn listen(said: &UnboundedSender<io::Result<Said>>) {
    while let Some(heard) = protocol::read(&mut io::stdin().lock()).transpose() {
        let broken = heard.is_err();
        if said.send(heard).is_err() || broken {
            break;
        }
    }
}

fn serve(limits: Limits, mut hearing: Hearing, watch: &Watch) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let questions = Cell::new(0);
    while let Some(said) = hearing.blocking_recv() {
        match said.context("cannot read the task")? {
            Said::Task(task) => {
                limits::grant_cpu(limits.cpu)?;
                perform(task, &runtime, &mut hearing, watch, &questions)?;
            }
            // It was for a run that has ended.
            Said::Answer(..) | Said::Pause => {}
        }
    }
    Ok(())
}

fn perform(task: Task, runtime: &Runtime, hearing: &mut Hearing, watch: &Watch, questions: &Cell<u64>) -> Result<()> {
    match task {
        Task::Suites { connector, files, from } => suite::run(&connector, &protocol::unpack(files), from, runtime, &mut Parent { hearing }),
        Task::Live(live) => say(runtime.block_on(live_task::run(*live, hearing, watch, questions))?),
    }
}

/// The parent, during suites.
struct Parent<'a> {
    hearing: &'a mut Hearing,
}

impl suite::Parent for Parent<'_> {
    fn say(&mut self, word: Word) -> Result<()> {
        say(word)
    }

    fn wants_a_pause(&mut self) -> Result<bool> {
        match self.hearing.try_recv() {
            Ok(said) => match said.context("cannot read what the parent says")? {
                Said::Pause => Ok(true),
                Said::Task(_) | Said::Answer(..) => bail!("the parent said what belongs to no suite"),
            },
            // A parent that is gone is noticed elsewhere.
            Err(_) => Ok(false),
        }
    }
}

fn say(word: Word) -> Result<()> {
    Ok(protocol::write(&mut io::stdout().lock(), &word)?)
}
