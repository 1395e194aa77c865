//! What can be tested of the working files.

use crate::cli::commands::validate;
use crate::cli::working_files::{WorkingFiles, ignored_by, read_folder};
use crate::harness::{Chosen, Job};
use crate::manifest::{Bundle, SuiteFile};
use crate::model::Problem;

/// Reads connectors, each with its suites, and finds every problem of what cannot be read: one bad connector keeps no other from its tests.
pub(super) fn read(work_tree: &WorkingFiles, names: &[String]) -> (Vec<(Job, Vec<SuiteFile>)>, Vec<Problem>) {
    let is_ignored = ignored_by(&work_tree.root);
    let (mut jobs, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        let files = match read_folder(&work_tree.folder(name), &is_ignored) {
            Ok(files) => files,
            Err(error) => {
                problems.push(validate::unreadable(name, &error));
                continue;
            }
        };
        match (Bundle::read(name, &files), name.parse()) {
            (Ok(bundle), Ok(connector)) => {
                let job = Job { connector, digest: bundle.digest, files, chosen: Chosen::All };
                jobs.push((job, bundle.suites));
            }
            (Err(found), _) => problems.extend(found),
            (Ok(_), Err(_)) => {}
        }
    }
    (jobs, problems)
}
