//! Why a bundle's cases are not run, or not to their end, in words that are the same whether they run mocked or live.

use crate::model::Problem;

/// How many workers the cases of one bundle may end before the rest is not run.
pub(super) const MOST_DEATHS: usize = 8;

/// So many have ended.
pub(super) fn too_many_deaths() -> String {
    format!("{MOST_DEATHS} cases ended their workers; the cases after them were not run")
}

/// A bundle that cannot be read has these problems.
pub(super) fn unread(problems: &[Problem]) -> String {
    const MOST: usize = 20;
    let mut lines: Vec<_> = problems.iter().take(MOST).map(ToString::to_string).collect();
    if problems.len() > MOST {
        lines.push(format!("and {} more", problems.len() - MOST));
    }
    format!("the connector has problems:\n{}", lines.join("\n"))
}
