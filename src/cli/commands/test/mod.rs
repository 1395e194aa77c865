//! `test`: runs the working files' test suites in worker processes.

mod live;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use crate::assemble;
use crate::cli::commands::validate;
use crate::cli::failure::{Ended, Outcome};
use crate::cli::output::Human;
use crate::cli::working_files::{WorkingFiles, ignored_by, read_folder};
use crate::cli::{Door, progress, render};
use crate::harness::{Job, Workers};
use crate::manifest::Bundle;
use crate::model::{Evidence, Problem};

/// Flags of `test`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connectors [default: all]
    #[arg(value_name = "CONNECTOR")]
    connectors: Vec<String>,

    #[command(flatten)]
    live: live::LiveFlags,
}

/// What the tests showed, and why some connectors could not be tested.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Tested {
    /// The environment whose services the cases ran against, where they ran live. What they showed is no evidence to publish on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    passed: u32,
    failed: u32,
    evidence: Vec<Evidence>,
    problems: Vec<Problem>,
    /// The recordings that were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recordings: Vec<live::WrittenRecording>,
}

impl Human for Tested {
    fn human(&self) -> String {
        let all: String = self.evidence.iter().map(render::evidence::evidence).collect();
        let unread: String = self.problems.iter().map(|problem| render::problems::problem(problem, None)).collect();
        let recordings: String = self.recordings.iter().map(live::WrittenRecording::human).collect();
        let environment = self.environment.as_deref().map(live::against).unwrap_or_default();
        format!("{environment}{all}{unread}{recordings}\n{}", render::evidence::summary(&self.evidence))
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let work_tree = WorkingFiles::open(door, "test the working files")?;
    for name in &arguments.connectors {
        work_tree.find(name, &format!("test {name}"))?;
    }
    let names = if arguments.connectors.is_empty() { work_tree.connectors()? } else { arguments.connectors.clone() };
    if let Some(run) = arguments.live.run() {
        return live::run(run, &arguments.live, &work_tree, &names, door).await;
    }
    let (jobs, problems) = jobs(&work_tree, &names);
    let workers = Workers::new(assemble::workers(&door.settings)?);
    let bar = progress::bar(door.shell, "Testing", jobs.len());
    let run = |job| {
        let (workers, bar) = (&workers, &bar);
        async move {
            let ended = workers.run(job).await;
            bar.inc(1);
            ended
        }
    };
    let ended = futures_util::stream::iter(jobs).map(run).buffer_unordered(door.settings.workers.max(1));
    let evidence = ended.try_collect::<Vec<Evidence>>().await;
    bar.finish_and_clear();
    let mut evidence = evidence.map_err(anyhow::Error::new)?;
    evidence.sort_by(|one, other| one.connector.cmp(&other.connector));
    let (passed, failed) = evidence.iter().map(Evidence::verdict).fold((0, 0), |(p, f), verdict| (p + verdict.passed, f + verdict.failed));
    let is_good = failed == 0 && problems.is_empty();
    door.shell.result(&Tested { environment: None, passed, failed, evidence, problems, recordings: Vec::new() })?;
    Ok(if is_good { Outcome::Done } else { Outcome::Findings })
}

/// What can be tested, and every problem of what cannot be read: one bad connector keeps no other from its tests.
fn jobs(work_tree: &WorkingFiles, names: &[String]) -> (Vec<Job>, Vec<Problem>) {
    let is_ignored = ignored_by(&work_tree.root);
    let (mut jobs, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        let files = match read_folder(&work_tree.folder(name), &is_ignored) {
            Ok(files) => files,
            Err(error) => {
                problems.push(validate::unreadable(name, &error));
                continue;
            }
        };
        match (Bundle::read(name, &files), name.parse()) {
            (Ok(bundle), Ok(connector)) => jobs.push(Job { connector, digest: bundle.digest, files }),
            (Err(found), _) => problems.extend(found),
            (Ok(_), Err(_)) => {}
        }
    }
    (jobs, problems)
}
