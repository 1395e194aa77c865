//! The way out: the result, and nothing else, on the standard output; notes and progress on the standard error stream.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};
use owo_colors::OwoColorize as _;
use serde::Serialize;

use super::render::columns::{escaped, harmless};
use super::render::paint;

/// Who reads the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// People: aligned, and coloured on a terminal.
    #[default]
    Human,
    /// Programs: a stable contract.
    Json,
}

/// What `--output` asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// People: aligned, and coloured on a terminal
    #[default]
    Human,
    /// Programs: a stable contract
    Json,
    /// `test`: JUnit's XML, which most CI systems show
    Junit,
    /// `test`: workflow commands, which GitHub Actions shows in the change
    Github,
    /// `test`: Markdown for a comment or a summary
    Markdown,
}

impl Output {
    /// Who is told of what is beside a report, such as a failure.
    pub fn format(self) -> Format {
        match self {
            Output::Json => Format::Json,
            Output::Human | Output::Junit | Output::Github | Output::Markdown => Format::Human,
        }
    }

    /// The report it is, where it is one.
    pub fn report(self) -> Option<ReportFormat> {
        match self {
            Output::Human | Output::Json => None,
            Output::Junit => Some(ReportFormat::Junit),
            Output::Github => Some(ReportFormat::Github),
            Output::Markdown => Some(ReportFormat::Markdown),
        }
    }
}

/// A report of tests, for another program to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// What `--output json` prints
    Json,
    /// JUnit's XML
    Junit,
    /// Workflow commands of GitHub Actions
    Github,
    /// Markdown
    Markdown,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Into pipes too
    Always,
    /// Nowhere
    Never,
}

/// A result that people can read.
pub trait Human {
    /// The text for people, with ANSI styles; it ends with a line break unless it is empty.
    fn human(&self) -> String;
}

/// Where a command writes.
#[derive(Debug, Clone, Copy)]
pub struct Shell {
    /// Who reads the result.
    pub format: Format,
}

impl Shell {
    /// Decides for the whole process whether output is coloured.
    pub fn new(format: Format, colour: Colour) -> Self {
        match colour {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::AlwaysAnsi,
            Colour::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self { format }
    }

    /// Writes the result.
    pub fn result<T: Serialize + Human>(self, value: &T) -> Result<()> {
        match self.format {
            Format::Human => self.text(&value.human()),
            Format::Json => self.json(value),
        }
    }

    /// Writes the result for programs.
    pub fn json<T: Serialize>(self, value: &T) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value).context("cannot write the result as JSON")?;
        text.push('\n');
        written(anstream::stdout().lock().write_all(text.as_bytes()))
    }

    /// Writes one of many results, in a line of its own. It fails too where the reader went away: nobody has got it then.
    pub fn line(self, value: &serde_json::Value) -> Result<()> {
        let mut out = anstream::stdout().lock();
        let line = format!("{}\n", escaped(value));
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).context("cannot write to the standard output")
    }

    /// Writes the result for people, or text that is the result itself.
    pub fn text(self, text: &str) -> Result<()> {
        let mut out = anstream::stdout().lock();
        written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Tells people what happened beside the result. It may be styled, so text from outside has to be made harmless before.
    pub fn note(self, text: impl AsRef<str>) {
        let _ = writeln!(anstream::stderr(), "{}", text.as_ref());
    }

    /// Tells people what to look out for; the text may be of anyone.
    pub fn warn(self, text: impl AsRef<str>) {
        self.note(format!("{} {}", "warning:".style(paint::WARN), harmless(text.as_ref())));
    }

    /// Whether people see the result as it comes.
    pub fn is_seen(self) -> bool {
        self.format == Format::Human && io::stdout().is_terminal()
    }

    /// Whether people watch the standard error stream.
    pub fn is_watched(self) -> bool {
        io::stderr().is_terminal()
    }
}

/// A reader that has seen enough and went away is no failure.
fn written(outcome: io::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write to the standard output"),
    }
}
