//! Every command, one file each; this file only lists them.

// Written out, not made by the macro below: the formatter follows only what it can read.
mod apply;
mod completions;
mod contract;
mod delete;
mod demo;
mod edit;
mod explain;
mod flow;
mod init;
mod invoke;
mod list;
mod new;
mod plan;
mod pre_publish;
mod publish;
mod rebuild;
mod restore;
mod review;
mod schema;
mod share;
mod show;
mod test;
mod validate;
mod watch;
mod withdraw;

pub use contract::schemas as output_schemas;

use super::Door;
use super::failure::Ended;
use crate::settings::WatchFlags;

macro_rules! commands {
    ($($(#[$doc:meta])* $module:ident $variant:ident)*) => {
        /// What is to be done.
        #[derive(Debug, clap::Subcommand)]
        pub enum Command {
            $($(#[$doc])* $variant(Box<$module::Arguments>),)*
        }

        impl Command {
            /// Does it.
            pub async fn run(self, door: &Door) -> Ended {
                match self {
                    $(Command::$variant(arguments) => $module::run(*arguments, door).await,)*
                }
            }
        }
    };
}

commands! {
    /// Make a team's repository: switchboard.yaml, folders, schemas for editors
    init Init
    /// Add a connector that validates and whose test passes
    new New
    /// Find every problem in the files
    validate Validate
    /// Set values of a manifest, or open it in an editor
    edit Edit
    /// Run the test suites of the working files
    test Test
    /// Run an action, a trigger or the test connection against the real service
    invoke Invoke
    /// Ask for a connector to be deployed for testing
    pre_publish PrePublish
    /// Ask for a connector to be published
    publish Publish
    /// Take back the wish to publish a connector
    withdraw Withdraw
    /// Let somebody else edit a connector too
    share Share
    /// Delete a connector, from git and so from every environment
    delete Delete
    /// Bring a deleted or changed connector back from git's history
    restore Restore
    /// Show every connector: stage, operations, what it waits on
    list List
    /// Show one connector in full
    show Show
    /// Show what the next pass would do, and why
    plan Plan
    /// Look at reviews, approve or reject them
    review Review
    /// Do what git asks for, until nothing is left to do now
    apply Apply
    /// Run the daemon: follow the tracked branch until told to stop
    watch Watch
    /// Re-create lost state from git and the forge
    rebuild Rebuild
    /// Run a stand-alone workflow document
    flow Flow
    /// Make a team's repository to play with, and serve it
    demo Demo
    /// Explain a problem's code, a stage, or where a connector stands and why
    explain Explain
    /// Print or write the JSON Schemas of the files a team writes
    schema Schema
    /// Print completions for a shell
    completions Completions
}

impl Command {
    /// The daemon's flags, for the daemon's command.
    pub fn watch_flags(&self) -> Option<&WatchFlags> {
        if let Command::Watch(arguments) = self { Some(&arguments.flags) } else { None }
    }

    /// Whether its result can be one of the reports that other programs show.
    pub fn has_reports(&self) -> bool {
        matches!(self, Command::Test(_))
    }

    /// Whether this is the daemon, which logs what it does.
    pub fn is_daemon(&self) -> bool {
        self.watch_flags().is_some()
    }
}

/// The help: commands by what people are about to do. A test makes sure that it lists every command.
pub const HELP: &str = "\
{about}

Usage: switchboard <COMMAND> [FLAGS]

Write connectors:
  init           Make a team's repository: switchboard.yaml, folders, schemas for editors
  new            Add a connector that validates and whose test passes
  edit           Set values of a manifest, or open it in an editor
  validate       Find every problem in the files
  test           Run the test suites of the working files
  invoke         Run an action, a trigger or the test connection against the real service
  schema         Print or write the JSON Schemas of the files a team writes

Take them through their lifecycle (each is a change in git):
  pre-publish    Ask for a connector to be deployed for testing
  publish        Ask for a connector to be published
  withdraw       Take back the wish to publish a connector
  share          Let somebody else edit a connector too
  delete         Delete a connector, from git and so from every environment
  restore        Bring a deleted or changed connector back from git's history

See how things stand:
  list           Show every connector: stage, operations, what it waits on
  show           Show one connector in full
  plan           Show what the next pass would do, and why
  review         Look at reviews, approve or reject them
  explain        Explain a problem's code, a stage, or where a connector stands and why

Run the server:
  watch          Run the daemon: follow the tracked branch until told to stop
  apply          Do what git asks for, until nothing is left to do now
  rebuild        Re-create lost state from git and the forge

Others:
  demo           Make a team's repository to play with, and serve it
  flow           Run a stand-alone workflow document
  completions    Print completions for a shell

Flags of every command:
{options}

`switchboard COMMAND --help` tells more. Exit codes: 0 done, nothing wrong; 1 findings or failure; 2 wrong usage.
";

#[cfg(test)]
mod tests {
    use crate::cli::description;

    #[test]
    fn the_command_line_is_sound() {
        description().debug_assert();
    }

    #[test]
    fn help_lists_every_command_with_its_own_words() {
        for command in description().get_subcommands().filter(|command| !command.is_hide_set()) {
            let line = format!("  {:<14} {}\n", command.get_name(), command.get_about().unwrap());
            assert!(super::HELP.contains(&line), "help lacks: {line}");
        }
    }
}
