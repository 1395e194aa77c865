//! `share`: lets somebody else edit a connector too, or no longer.

use crate::cli::Door;
use crate::cli::change::{Change, Commit};
use crate::cli::failure::{Ended, Failure};
use crate::cli::identity::is_address;
use crate::manifest::edit;
use crate::model::{Operation, Person};

/// Flags of `share`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,

    /// Whom: an address
    person: String,

    /// Take the right to edit back
    #[arg(long)]
    remove: bool,

    #[command(flatten)]
    commit: Commit,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let mut change = Change::begin(door, "share", &arguments.connector, &arguments.commit)?;
    let person = Person::new(&arguments.person);
    let email = person.email().to_owned();
    if !is_address(&email) {
        return Err(
            Failure::usage(change.attempt, format!("`{}` is not an address", arguments.person)).hint("Write it like bob@example.com.")
        );
    }
    change.refuse_unless_allowed(Operation::Share).await?;
    let before = change.manifest()?;
    let text = if arguments.remove {
        edit::remove_from_list(&before, &["sharedWith"], &email)
    } else {
        edit::add_to_list(&before, &["sharedWith"], &email)
    };
    let text = text.map_err(|error| change.refused(error.to_string()))?;
    let changed = text != before;
    if changed {
        change.write_manifest(&text)?;
    }
    let name = change.connector.clone();
    let (summary, message) = match (arguments.remove, changed) {
        (false, true) => (format!("{email} may edit {name} too"), format!("Share {name} with {email}")),
        (false, false) => (format!("{email} may edit {name} already"), format!("Share {name} with {email}")),
        (true, true) => (format!("{email} may no longer edit {name}"), format!("Stop sharing {name} with {email}")),
        (true, false) => (format!("{name} was not shared with {email}"), format!("Stop sharing {name} with {email}")),
    };
    change.end(changed, &message, summary, "")
}
