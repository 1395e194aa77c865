//! `plan`: what the next pass would do, and what waits on what. The same code as a pass, up to the plan.

use std::collections::BTreeMap;

use crate::assemble::assemble;
use crate::cli::Door;
use crate::cli::failure::{Ended, Outcome};
use crate::cli::output::{Format, Human};
use crate::cli::render;
use crate::model::ConnectorName;
use crate::pass;
use crate::planning::{Plan, Step};

/// Flags of `plan`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Exit with 0 in sync, 2 changes pending, 1 failure
    #[arg(long)]
    detailed_exitcode: bool,

    /// Show the differing lines of each deployment
    #[arg(long)]
    diff: bool,
}

struct Shown<'p>(&'p Plan, BTreeMap<ConnectorName, String>);

impl Human for Shown<'_> {
    fn human(&self) -> String {
        render::plan::plan(self.0, &self.1)
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let assembled = assemble(&door.settings).await?;
    let mut memory = assembled.onlooker();
    let (snapshot, plan) = pass::preview(&assembled.world, &mut memory).await?;
    let mut differences = BTreeMap::new();
    if arguments.diff {
        for planned in &plan.steps {
            if let Step::Deploy { tree, environment, .. } = &planned.step {
                let after = assembled.world.repository.read_bundles(std::slice::from_ref(tree)).await.pop().and_then(Result::ok);
                let held = snapshot.connectors.get(&planned.connector).and_then(|connector| connector.holdings.get(environment));
                let before = match held {
                    Some(held) => assembled.world.registry.bundle(&held.digest).await?,
                    None => None,
                };
                differences.insert(planned.connector.clone(), render::difference::bundles(before.as_ref(), after.as_ref()));
            }
        }
    }
    match door.shell.format {
        Format::Human => door.shell.text(&Shown(&plan, differences).human())?,
        Format::Json => door.shell.json(&plan)?,
    }
    assembled.close().await;
    Ok(match (plan.gaps.is_empty(), arguments.detailed_exitcode && !plan.is_empty()) {
        (false, _) => Outcome::Findings,
        (true, true) => Outcome::Changes,
        (true, false) => Outcome::Done,
    })
}
