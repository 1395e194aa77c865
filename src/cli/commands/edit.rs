//! `edit`: sets values of a manifest in place, or opens it in an editor; then tells what is wrong with it.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::Context;

use crate::cli::Door;
use crate::cli::change::{Change, Commit};
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::render::problems;
use crate::cli::working_files::{ignored_by, read_folder};
use crate::manifest::{Bundle, MANIFEST, edit};
use crate::model::{BundleFiles, Operation};

use super::validate::problems_of;

/// Flags of `edit`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which connector
    connector: String,

    /// Set a text value; keys are joined by dots, such as `docs.website=https://example.com`. Comments and layout stay
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,

    #[command(flatten)]
    commit: Commit,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !key.split('.').any(str::is_empty) => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected KEY=VALUE, such as version=1.2.0".to_owned()),
    }
}

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let mut change = Change::begin(door, "edit", &arguments.connector, &arguments.commit)?;
    change.refuse_unless_allowed(Operation::Edit).await?;
    let before = change.manifest()?;
    if arguments.set.is_empty() {
        open_editor(door, &change)?;
    } else {
        let text = with_values(&change, &before, &arguments.set)?;
        refuse_new_problem(&change, &text)?;
        if text != before {
            change.write_manifest(&text)?;
        }
    }
    let changed = change.manifest()? != before;
    let has_errors = report_problems(door, &change)?;
    if has_errors && arguments.commit.commit {
        return Err(change
            .refused("the connector has errors, so nothing was committed; the change is in the working files")
            .hint("Mend the errors above and commit."));
    }
    let keys: Vec<&str> = arguments.set.iter().map(|(key, _)| key.as_str()).collect();
    let what = if keys.is_empty() { String::new() } else { format!(": set {}", keys.join(", ")) };
    let name = change.connector.clone();
    let summary = if changed { format!("Changed {name}{what}") } else { format!("Nothing changed in {name}") };
    change.end(changed, &format!("Edit {name}{what}"), summary, "")?;
    Ok(if has_errors { Outcome::Findings } else { Outcome::Done })
}

fn with_values(change: &Change<'_>, before: &str, values: &[(String, String)]) -> Result<String, Failure> {
    let mut text = before.to_owned();
    for (key, value) in values {
        let path: Vec<&str> = key.split('.').collect();
        text = edit::set(&text, &path, value)
            .map_err(|error| change.refused(error.to_string()).hint("Without --set, `switchboard edit` opens the file in your editor."))?;
    }
    Ok(text)
}

/// Setting values never breaks a manifest that can be read: nothing is written then.
fn refuse_new_problem(change: &Change<'_>, text: &str) -> Result<(), Failure> {
    let name = change.connector.as_str();
    let before = read_folder(&change.work_tree.folder(name), &ignored_by(&change.work_tree.root))?;
    let mut files: BTreeMap<String, Vec<u8>> = before.iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect();
    files.insert(MANIFEST.to_owned(), text.as_bytes().to_vec());
    let (Ok(_), Err(problems)) = (Bundle::read(name, &before), Bundle::read(name, &BundleFiles::new(files))) else { return Ok(()) };
    let Some(first) = problems.first() else { return Ok(()) };
    let failure = change.refused(format!("that would break the manifest: {}", first.message));
    Err(match &first.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure,
    })
}

/// Tells on the standard error stream what is wrong now; true where something blocks.
fn report_problems(door: &Door, change: &Change<'_>) -> Result<bool, Failure> {
    let root = &change.work_tree.root;
    let name = change.connector.as_str();
    let files = read_folder(&change.work_tree.folder(name), &ignored_by(root))?;
    let found = problems_of(name, &files);
    for problem in found.iter().filter(|problem| problem.is_error()) {
        let path = problem.place.file.strip_prefix(&format!("connectors/{name}/"));
        door.shell.note(problems::problem(problem, path.and_then(|path| files.get(path))).trim_end());
    }
    Ok(found.iter().any(crate::model::Problem::is_error))
}

fn open_editor(door: &Door, change: &Change<'_>) -> Result<(), Failure> {
    let Some(editor) = &door.settings.editor else {
        return Err(change.refused("no editor is known").hint("Set VISUAL or EDITOR, or use --set KEY=VALUE."));
    };
    // As git and others have it, the variable may hold arguments: `code --wait`.
    let mut words = editor.split_whitespace();
    let Some(program) = words.next() else {
        return Err(change.refused("no editor is known").hint("Set VISUAL or EDITOR, or use --set KEY=VALUE."));
    };
    let file = change.work_tree.manifest(change.connector.as_str());
    let status = Command::new(program).args(words).arg(&file).status().with_context(|| format!("cannot start the editor `{editor}`"))?;
    if status.success() {
        Ok(())
    } else {
        Err(change.refused(format!("the editor ended with {status}")).hint("The file is as the editor left it."))
    }
}
