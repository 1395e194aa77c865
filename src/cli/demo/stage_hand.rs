//! Runs the demo's commands as a user would, with this very program, and waits until the daemon has done what follows.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use owo_colors::OwoColorize as _;

use crate::assemble::Assembled;
use crate::cli::output::Shell;
use crate::cli::render::paint;
use crate::cli::standing::{self, Standing};
use crate::model::ReviewId;
use crate::pass::{self, Memory};
use crate::settings::STATE_FOLDER;

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs commands and waits for what follows.
pub struct StageHand<'a> {
    shell: Shell,
    root: &'a Path,
    assembled: &'a Assembled,
    memory: Memory,
}

/// The daemon's process; it is stopped when the demo ends, however it ends.
pub struct Daemon(Child);

impl Daemon {
    /// Starts the daemon on a repository. Its log goes nowhere: the demo tells what happens itself.
    pub fn start(root: &Path) -> Result<Self> {
        let mut command = program(root)?;
        command.arg("watch").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().context("cannot start the daemon")?))
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This program on the demo's own repository and state, whatever variables name for a real one.
fn program(root: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot tell where this program is")?);
    command.arg("--repo").arg(root).args(["--branch", "main"]).arg("--state").arg(root.join(STATE_FOLDER));
    Ok(command)
}

impl<'a> StageHand<'a> {
    /// Works on one repository.
    pub fn new(shell: Shell, root: &'a Path, assembled: &'a Assembled) -> Self {
        Self { shell, root, assembled, memory: Memory::new() }
    }

    /// Tells what happens next.
    pub fn tell(&self, text: &str) -> Result<()> {
        self.shell.text(&format!("\n{}\n", text.style(paint::STRONG)))
    }

    /// Shows a command, runs it with this very program, and shows what it says. Its failure ends the demo.
    pub fn run(&self, arguments: &[&str]) -> Result<()> {
        self.run_to(ExitStatus::success, arguments)
    }

    /// The same for a command that is to find something wrong.
    pub fn run_and_find(&self, arguments: &[&str]) -> Result<()> {
        self.run_to(|status| status.code() == Some(1), arguments)
    }

    fn run_to(&self, is_meant: fn(&ExitStatus) -> bool, arguments: &[&str]) -> Result<()> {
        let shown: Vec<String> =
            arguments.iter().map(|word| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() }).collect();
        self.shell.text(&format!("{}\n", format!("$ switchboard {}", shown.join(" ")).style(paint::HINT)))?;
        let colour = if std::io::IsTerminal::is_terminal(&std::io::stdout()) { "always" } else { "never" };
        let output = program(self.root)?
            .args(arguments)
            .args(["--color", colour])
            .stdin(Stdio::null())
            .output()
            .context("cannot run the command")?;
        self.shell.text(&String::from_utf8_lossy(&output.stdout))?;
        if !is_meant(&output.status) {
            bail!("`switchboard {}` ended otherwise than it should: {}", shown.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    /// Waits until a connector stands as told; `None`: until it is gone.
    pub async fn wait(&mut self, daemon: &mut Daemon, connector: &str, as_told: impl Fn(Option<&Standing>) -> bool) -> Result<()> {
        let began = Instant::now();
        loop {
            let (snapshot, plan) = pass::preview(&self.assembled.world, &mut self.memory).await?;
            let standing = standing::all(&snapshot, &plan);
            let of_connector = standing.iter().find(|standing| standing.connector.as_str() == connector);
            if as_told(of_connector) {
                return Ok(());
            }
            if daemon.has_ended() {
                bail!("the daemon has ended; run `switchboard watch` in the folder to see why");
            }
            if began.elapsed() > PATIENCE {
                bail!("{connector} does not get there: {of_connector:?}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The open review of a connector.
    pub async fn open_review(&self, connector: &str) -> Result<ReviewId> {
        let reviews = self.assembled.world.forge.reviews().await?;
        let open = reviews.iter().rev().find(|review| review.connector.as_str() == connector && review.is_open());
        Ok(open.with_context(|| format!("{connector} has no open review"))?.id)
    }
}
