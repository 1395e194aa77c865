//! `test`: runs the working files' test suites in worker processes.

use anyhow::Context as _;
use futures_util::StreamExt as _;
use serde::Serialize;

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Human;
use crate::cli::render;
use crate::cli::work_tree::{WorkTree, ignored_by, read_folder};
use crate::harness::{Job, Workers, WorkersConfig};
use crate::manifest::Bundle;
use crate::model::Evidence;

/// Flags of `test`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connectors [default: all]
    #[arg(value_name = "CONNECTOR")]
    connectors: Vec<String>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Tested(Vec<Evidence>);

impl Human for Tested {
    fn human(&self) -> String {
        let all: String = self.0.iter().map(render::evidence::evidence).collect();
        format!("{all}\n{}", render::evidence::summary(&self.0))
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let work_tree = WorkTree::open(door, "test")?;
    let names = if arguments.connectors.is_empty() { work_tree.connectors()? } else { arguments.connectors };
    let is_ignored = ignored_by(&work_tree.root);
    let mut jobs = Vec::new();
    for name in names {
        let connector = work_tree.find(&name, &format!("test {name}"))?;
        let files = read_folder(&work_tree.folder(connector.as_str()), &is_ignored)?;
        let bundle = Bundle::read(connector.as_str(), &files).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            Failure::refused(format!("test {name}"), format!("its files cannot be read: {first}")).hint("`switchboard validate` shows every problem.")
        })?;
        jobs.push(Job { connector, digest: bundle.digest, files });
    }
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let workers = Workers::new(WorkersConfig { concurrency: door.settings.workers, ..WorkersConfig::new(program) });
    let mut all: Vec<Evidence> = futures_util::stream::iter(jobs).map(|job| workers.run(job)).buffer_unordered(door.settings.workers).collect().await;
    all.sort_by(|one, other| one.connector.cmp(&other.connector));
    let is_good = all.iter().all(|evidence| evidence.verdict().is_good());
    door.shell.result(&Tested(all))?;
    Ok(if is_good { Outcome::Done } else { Outcome::Findings })
}
