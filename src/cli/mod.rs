//! THE DOOR: one file per command: parse, call, render.

pub mod at_commit;
pub mod change;
mod commands;
pub mod demo;
pub mod failure;
pub mod given;
pub mod history;
pub mod identity;
pub mod lifecycle;
pub mod look;
pub mod output;
pub mod progress;
pub mod render;
pub mod source;
pub mod standing;
pub mod status;
pub mod stop;
pub mod tested;
pub mod trace;
pub mod working_files;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, Parser as _};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::EnvFilter;

pub use commands::{Command, output_schemas};
use failure::{Ended, Failure};
use output::{Colour, Format, Output, ReportFormat, Shell};
use render::problems;

use crate::assemble::{self, Assembled, assemble};
use crate::model::Problem;
use crate::settings::{Flags, Settings, Site};
use crate::store::SqlStore;

/// The command line as a whole.
#[derive(Debug, clap::Parser)]
#[command(
    name = "switchboard",
    version,
    about,
    max_term_width = 120,
    propagate_version = false,
    disable_help_subcommand = true,
    disable_help_flag = true
)]
#[command(help_template = commands::HELP)]
pub struct CommandLine {
    #[command(flatten)]
    flags: Flags,

    #[command(flatten)]
    appearance: Appearance,

    #[command(subcommand)]
    command: Command,
}

/// How results look.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Flags of every command")]
struct Appearance {
    /// Who reads the result: human or json; of `test` also junit, github or markdown
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", hide_default_value = true, hide_possible_values = true)]
    output: Output,

    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_default_value = true)]
    color: Colour,

    /// Log more: -v what is done, -vv how; SWITCHBOARD_LOG says it finer
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// Print help
    #[arg(short, long, global = true, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

/// What every command gets: what was decided outside, and the way out.
#[derive(Debug, Clone)]
pub struct Door {
    /// Flags and environment.
    pub settings: Settings,
    /// Where the result goes.
    pub shell: Shell,
    /// The report that the result is to be, of those that only some commands have.
    pub report: Option<ReportFormat>,
    /// Whether people want to be told more.
    pub is_verbose: bool,
}

impl Door {
    /// Finds the repository that a command needs for what it attempts.
    pub fn site(&self, attempt: &str) -> Result<Site, Failure> {
        self.settings.site().map_err(|error| {
            let is_owned_by_another = error.downcast_ref::<git2::Error>().is_some_and(|error| error.code() == git2::ErrorCode::Owner);
            Failure::refused(attempt, format!("{error:#}")).hint(if is_owned_by_another {
                "Run the command as that user, or allow the repository with `git config --global --add safe.directory PATH`."
            } else {
                "Run the command inside the team's repository, name it with --repo, or make one with `switchboard init`."
            })
        })
    }

    /// A refusal for what is wrong in files. Their lines are shown only where `source` is given: a secret may stand in them.
    pub fn refused(&self, attempt: &str, found: &[Problem], source: Option<&[u8]>) -> Failure {
        match self.shell.format {
            Format::Human => {
                found.iter().for_each(|found| self.shell.note(problems::problem(found, source).trim_end()));
                Failure::refused(attempt, format!("the files have {}", problems::counted(found.len(), 0)))
            }
            Format::Json => {
                let hint = |problem: &Problem| problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                let found: Vec<String> = found.iter().map(|problem| format!("{problem}{}", hint(problem))).collect();
                Failure::refused(attempt, found.join("; "))
            }
        }
    }

    /// Opens everything that a command needs for what it attempts.
    pub async fn assemble(&self, attempt: &str) -> Result<Assembled, Failure> {
        let site = self.bound_site(attempt)?;
        Ok(assemble(&self.settings, site).await?)
    }

    /// Opens the store alone.
    pub async fn store(&self, attempt: &str) -> Result<Arc<SqlStore>, Failure> {
        let site = self.bound_site(attempt)?;
        Ok(assemble::store(&site).await?)
    }

    /// The repository, with a state that is its own.
    fn bound_site(&self, attempt: &str) -> Result<Site, Failure> {
        let site = self.site(attempt)?;
        site.bond.check().map_err(|error| {
            Failure::refused(attempt, error.to_string())
                .hint("Name this repository's own state with --state. Where the repository has moved, `switchboard rebuild` begins anew.")
        })?;
        Ok(site)
    }
}

/// Parses arguments, runs the command, and tells how it ended.
pub fn start(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let line = match CommandLine::try_parse_from(&arguments) {
        Ok(line) => line,
        Err(error) => return misused(&arguments, &error),
    };
    let shell = Shell::new(line.appearance.output.format(), line.appearance.color);
    run(line, shell).map_or_else(|failure| report(shell, &failure), failure::Outcome::exit_code)
}

fn run(line: CommandLine, shell: Shell) -> Ended {
    let report = line.appearance.output.report();
    if report.is_some() && !line.command.has_reports() {
        return Err(Failure::usage("write the result", "only `test` has reports in junit, github and markdown")
            .hint("Every command has `--output human` and `--output json`."));
    }
    let settings = Settings::read(&line.flags, line.command.watch_flags())?;
    start_logging(&settings, line.appearance.verbose, line.command.is_daemon());
    let runtime = runtime(line.command.is_daemon()).map_err(anyhow::Error::from)?;
    let door = Door { settings, shell, report, is_verbose: line.appearance.verbose > 0 };
    let ended = runtime.block_on(line.command.run(&door));
    // What still runs in the background is of no use to anyone now, and must not keep the command from ending.
    runtime.shutdown_background();
    ended
}

/// A command does one thing, and a thread that hands it on to another loses time; a daemon does many at once.
fn runtime(is_daemon: bool) -> io::Result<Runtime> {
    let mut builder = if is_daemon { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build()
}

/// Tells of a command line that clap refuses, or prints the help that it asks for.
fn misused(arguments: &[OsString], error: &clap::Error) -> ExitCode {
    let for_programs =
        arguments.windows(2).any(|pair| pair == ["--output", "json"]) || arguments.iter().any(|flag| flag == "--output=json");
    if error.use_stderr() && for_programs {
        let text = error.render().to_string();
        let reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return report(Shell::new(Format::Json, Colour::Never), &Failure::usage("run this command line", reason));
    }
    // Printing fails only where nobody reads any more.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn report(shell: Shell, failure: &Failure) -> ExitCode {
    shell.note(failure.report(shell.format));
    failure.exit_code()
}

/// Logs go to the standard error stream: warnings, and for the daemon what it does, unless asked otherwise.
fn start_logging(settings: &Settings, verbose: u8, is_daemon: bool) {
    let usual = match (verbose, is_daemon) {
        // What the database takes its time with is no news to who waits for a command.
        (0, false) => "warn,sqlx=error",
        (0, true) | (1, _) => "warn,switchboard=info",
        (2, _) => "info,switchboard=debug",
        (_, _) => "debug,switchboard=trace",
    };
    let filter = EnvFilter::try_new(settings.log.as_deref().unwrap_or(usual)).unwrap_or_else(|_| EnvFilter::new(usual));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(verbose > 1);
    // A second subscriber in one process is refused; the first goes on.
    let _ = if settings.log_json {
        logs.json().try_init()
    } else {
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        logs.with_ansi(colour).try_init()
    };
}

/// The command line's own description, for completions and help.
pub fn description() -> clap::Command {
    CommandLine::command()
}
