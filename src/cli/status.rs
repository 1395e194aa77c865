//! Setting a manifest's status: what `pre-publish`, `publish` and `withdraw` have in common.

use super::change::Change;
use super::failure::{Ended, Failure};
use super::working_files::{ignored_by, read_folder};
use crate::manifest::{Bundle, edit};
use crate::model::{Kind, Status};

/// Sets the status, refusing for a manifest that could not be deployed anyway.
pub fn set(mut change: Change<'_>, status: Status, verb: &str, next: &str) -> Ended {
    let before = change.manifest()?;
    refuse_undeployable(&change, status)?;
    let text = edit::set(&before, &["status"], &status.to_string()).map_err(|error| change.refused(error.to_string()))?;
    let changed = text != before;
    if changed {
        change.write_manifest(&text)?;
    }
    let name = change.connector.clone();
    let summary = if changed { format!("{name} asks to be {status}") } else { format!("{name} asks to be {status} already") };
    change.end(changed, &format!("{verb} {name}"), summary, next)
}

fn refuse_undeployable(change: &Change<'_>, status: Status) -> Result<(), Failure> {
    if status == Status::Editing {
        return Ok(());
    }
    let name = change.connector.as_str();
    let files = read_folder(&change.work_tree.folder(name), &ignored_by(&change.work_tree.root))?;
    let bundle = Bundle::read(name, &files).map_err(|problems| {
        let first = problems.first().map_or_else(String::new, |problem| format!(": {problem}"));
        change
            .refused(format!("it has {} problems{first}", problems.len()))
            .hint(format!("`switchboard validate {name}` shows all of them."))
    })?;
    if bundle.manifest.kind == Kind::SelfBuilt && bundle.manifest.version.is_none() {
        return Err(change
            .refused("it is self-built and has no version yet")
            .hint(format!("Give it one: `switchboard edit {name} --set version=1.0.0`.")));
    }
    Ok(())
}
