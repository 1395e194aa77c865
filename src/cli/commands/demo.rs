//! `demo`: a team's repository with three connectors and a daemon at work, in a minute.

use std::path::PathBuf;

use crate::assemble::assemble;
use crate::cli::Door;
use crate::cli::demo::folder::{Folder, Made};
use crate::cli::demo::stage_hand::{Daemon, StageHand};
use crate::cli::demo::walkthrough;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Format;
use crate::settings::Settings;

/// Flags of `demo`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder to make it in
    #[arg(default_value = "switchboard-demo")]
    folder: PathBuf,

    /// Walk through the whole lifecycle by itself, approving as a second person, and end
    #[arg(long)]
    walkthrough: bool,
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let attempt = format!("make the demo in {}", arguments.folder.display());
    if door.shell.format == Format::Json {
        return Err(Failure::usage(attempt, "the demo is for people to look at").hint("`switchboard watch --output json` is for programs."));
    }
    // The folder is named from here whatever --repo says.
    let root = door.settings.resolve(&arguments.folder).map_err(|reason| Failure::usage(attempt, reason))?;
    let (folder, made) = Folder::prepare(&root, arguments.walkthrough)?;
    match made {
        Made::Now => door.shell.note(format!("Made a team's repository in {}", arguments.folder.display())),
        Made::Earlier => door.shell.note(format!("Going on with the repository in {}", arguments.folder.display())),
    }
    if arguments.walkthrough { walk(door, &folder).await } else { serve(door, &folder).await }
}

async fn walk(door: &Door, folder: &Folder) -> Ended {
    let settings = Settings { repo: Some(folder.root().display().to_string()), branch: None, state: None, ..door.settings.clone() };
    let assembled = assemble(&settings, settings.site()?).await?;
    let mut daemon = Daemon::start(folder.root())?;
    let mut hand = StageHand::new(door.shell, folder.root(), &assembled);
    walkthrough::walk(&mut hand, &mut daemon, folder).await?;
    hand.tell("That was the whole lifecycle. The history is in git: `git log --graph`.")?;
    drop(daemon);
    assembled.close().await;
    Ok(Outcome::Done)
}

async fn serve(door: &Door, folder: &Folder) -> Ended {
    door.shell.text(&next_commands(folder))?;
    let settings = Settings { repo: Some(folder.root().display().to_string()), branch: None, state: None, ..door.settings.clone() };
    super::watch::serve(&Door { settings, ..door.clone() }).await
}

fn next_commands(folder: &Folder) -> String {
    let program = std::env::current_exe().map_or_else(|_| "switchboard".to_owned(), |path| path.display().to_string());
    format!(
        "\nThe daemon runs here; stop it with Ctrl-C. In another terminal, try:\n\
         \n  cd {}\
         \n  alias switchboard={program}\
         \n  switchboard list\
         \n  switchboard pre-publish github-issues --commit   # deployed and tested within a second\
         \n  switchboard publish github-issues --commit       # a review opens\
         \n  switchboard review list\
         \n  switchboard review approve 1 --by bob@example.com\
         \n  switchboard show github-issues\
         \n\nOr let it walk through the whole lifecycle by itself: demo --walkthrough\n\n",
        folder.root().display()
    )
}
