//! Which cases `test` runs: parts of titles and tags on the command line.

use crate::cli::failure::Failure;
use crate::harness::{Chosen, Job};
use crate::manifest::{Selection, SuiteFile, Unmatched};

/// Flags that choose cases.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which cases")]
pub(super) struct SelectionFlags {
    /// Only suites whose title or path contains this
    #[arg(long, value_name = "TEXT")]
    suite: Option<String>,
    /// Only cases whose title, with the name of the row, contains this
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// Only cases with one of these tags
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// No cases with any of these tags
    #[arg(long = "skip-tag", value_name = "TAG")]
    skip_tags: Vec<String>,
}

impl SelectionFlags {
    /// Leaves the cases that are chosen, and the jobs that have any. What leads to nothing is a mistake.
    pub(super) fn apply(self, jobs: Vec<(Job, Vec<SuiteFile>)>) -> Result<Vec<Job>, Failure> {
        let selection = self.selection();
        // What cannot be read at all is told of instead.
        if selection.is_everything() || jobs.is_empty() {
            return Ok(jobs.into_iter().map(|(job, _)| job).collect());
        }
        let suites: Vec<&[SuiteFile]> = jobs.iter().map(|(_, suites)| suites.as_slice()).collect();
        if let Some(unmatched) = selection.unmatched(&suites) {
            return Err(mistake(unmatched));
        }
        Ok(jobs.into_iter().filter_map(|(job, suites)| narrowed(&selection, job, &suites)).collect())
    }

    /// Whether nothing is left out.
    pub(super) fn is_everything(&self) -> bool {
        let Self { suite, case, tags, skip_tags } = self;
        suite.is_none() && case.is_none() && tags.is_empty() && skip_tags.is_empty()
    }

    /// What is chosen.
    pub(super) fn selection(self) -> Selection {
        let Self { suite, case, tags, skip_tags } = self;
        Selection { suite, case, tags, skip_tags }
    }
}

/// The job with the cases that are chosen, if it has any.
pub(super) fn narrowed(selection: &Selection, job: Job, suites: &[SuiteFile]) -> Option<Job> {
    if selection.is_everything() {
        return Some(job);
    }
    let numbers = selection.numbers(suites);
    (!numbers.is_empty()).then_some(Job { chosen: Chosen::Only(numbers), ..job })
}

fn mistake(unmatched: Unmatched) -> Failure {
    let (reason, near, otherwise) = match unmatched {
        Unmatched::Suite(text, near) => {
            (format!("no suite has `{text}` in its title or path"), near, "Suites are the files of the connectors' `tests/`.")
        }
        Unmatched::Case(text, near) => (format!("no case has `{text}` in its title"), near, "`switchboard test` alone lists all cases."),
        Unmatched::Tag(tag, near) => {
            (format!("no suite or case has the tag `{tag}`"), near, "Tags stand under `tags` of a suite or a case.")
        }
        Unmatched::Together => ("no case is all of that at once".to_owned(), None, "Leave one of the flags out."),
    };
    let hint = near.map_or_else(|| otherwise.to_owned(), |near| format!("Did you mean `{near}`?"));
    Failure::usage("choose cases", reason).hint(hint)
}
