//! The child process: reads tasks on stdin, says what happens on stdout, and evaluates what its parent must not.

use std::io::{self, Read, Write};
use std::os::unix::process::parent_id;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

use super::limits;
use super::offline::Offline;
use super::protocol::{self, Limits, Task, Word};
use super::suite;
use crate::flow::{Budget, Workflow};

/// The stack that tasks run on. jq recurses; this leaves room for what is honest and ends what is endless soon.
const STACK: usize = 64 << 20;

/// How long a worker may outlive its parent.
const ORPHAN_CHECK: Duration = Duration::from_millis(250);

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
    let parent = parent_id();
    let orphanage = move || end_with(parent);
    thread::Builder::new().name("orphanage".to_owned()).spawn(orphanage).context("cannot watch for the parent's end")?;
    let engine = thread::Builder::new().name("engine".to_owned()).stack_size(STACK).spawn(move || serve(limits));
    let engine = engine.context("cannot start the engine")?;
    limits::no_more_processes().context("cannot take the limits on")?;
    // A panic has told of itself on stderr.
    engine.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the engine gave up")))
}

/// Ends the process once its parent has ended, however that came about: nobody is left to stop what runs on.
fn end_with(parent: u32) {
    while parent_id() == parent {
        thread::sleep(ORPHAN_CHECK);
    }
    process::exit(1);
}

fn serve(limits: Limits) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let (mut stdin, mut stdout) = (io::stdin().lock(), io::stdout().lock());
    while let Some(task) = next(&mut stdin)? {
        limits::grant_cpu(limits.cpu)?;
        perform(task, &runtime, &mut |word| Ok(protocol::write(&mut stdout, &word)?))?;
    }
    Ok(())
}

fn next(stdin: &mut impl Read) -> Result<Option<Task>> {
    protocol::read(stdin).context("cannot read the task")
}

fn perform(task: Task, runtime: &Runtime, say: &mut dyn FnMut(Word) -> Result<()>) -> Result<()> {
    match task {
        Task::Suites { connector, files, from } => suite::run(&connector, &protocol::unpack(files), from, runtime, say),
        Task::Flow { file, content, input, limit } => {
            let workflow = match Workflow::read(&file, &content.bytes()) {
                Ok(workflow) => workflow,
                Err(problems) => return say(Word::Invalid(problems)),
            };
            let budget = Budget { time: limit, ..Budget::default() };
            let outcome = runtime.block_on(workflow.run(&input, &serde_json::Map::new(), &Offline, budget));
            say(match outcome.result {
                Ok(output) => Word::Output(output),
                Err(fault) => Word::Fault(fault.to_json()),
            })
        }
    }
}
