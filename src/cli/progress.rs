//! Progress of long work, on the standard error stream and only where people watch it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Shell;

/// A bar that counts towards a known end.
pub fn bar(shell: Shell, what: &'static str, total: usize) -> ProgressBar {
    let bar = hidden_unless_watched(shell, ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX)));
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30.cyan/dim} {pos}/{len}") {
        bar.set_style(style);
    }
    bar.with_message(what)
}

/// A sign of life for work without a known end.
pub fn spinner(shell: Shell, what: &'static str) -> ProgressBar {
    let spinner = hidden_unless_watched(shell, ProgressBar::new_spinner());
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner.with_message(what)
}

fn hidden_unless_watched(shell: Shell, bar: ProgressBar) -> ProgressBar {
    if !shell.is_watched() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}
