//! `pre-publish`: asks for a connector to be deployed to the non-production environments and tested there.

use crate::cli::Door;
use crate::cli::change::{Change, Commit};
use crate::cli::failure::Ended;
use crate::cli::status;
use crate::model::{Operation, Status};

/// Flags of `pre-publish`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,

    #[command(flatten)]
    commit: Commit,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let change = Change::begin(door, "pre-publish", &arguments.connector, &arguments.commit)?;
    // Deploying for testing shows content to nobody else, so whoever may edit may ask for it.
    change.refuse_unless_allowed(Operation::Edit).await?;
    status::set(change, Status::PrePublished, "Pre-publish", "The next pass deploys it for testing and runs its tests.")
}
