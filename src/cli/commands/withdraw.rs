//! `withdraw`: takes back the wish to publish. The review is closed; the content stands where the evidence says.

use crate::cli::Door;
use crate::cli::change::{Change, Commit};
use crate::cli::failure::Ended;
use crate::cli::status;
use crate::model::{Operation, Status};

/// Flags of `withdraw`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,

    #[command(flatten)]
    commit: Commit,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let change = Change::begin(door, "withdraw", &arguments.connector, &arguments.commit)?;
    change.refuse_unless_allowed(Operation::Withdraw).await?;
    status::set(change, Status::PrePublished, "Withdraw", "The next pass closes its review.")
}
