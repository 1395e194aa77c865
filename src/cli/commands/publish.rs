//! `publish`: asks for a connector to be published. A review decides; nothing else publishes.

use crate::cli::Door;
use crate::cli::change::{Change, Commit};
use crate::cli::failure::Ended;
use crate::cli::status;
use crate::model::{Operation, Status};

/// Flags of `publish`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,

    #[command(flatten)]
    commit: Commit,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let change = Change::begin(door, "publish", &arguments.connector, &arguments.commit)?;
    change.refuse_unless_allowed(Operation::Publish).await?;
    status::set(change, Status::Published, "Publish", "The next passes deploy it for testing, run its tests and open a review.")
}
