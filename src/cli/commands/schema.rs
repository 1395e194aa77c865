//! `schema`: prints the JSON Schemas of the files a team writes and of what commands print, or writes them where editors find them.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use crate::cli::Door;
use crate::cli::failure::{Ended, Failure, Outcome};
use crate::cli::output::Format;
use crate::manifest;

/// Flags of `schema`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which one: connector, suite, switchboard, release, connection, or a command's output such as output/list [default: list them]
    name: Option<String>,

    /// Write all of them, or the one named, into a folder
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

const ENDING: &str = ".schema.json";

pub(super) async fn run(arguments: Arguments, door: &Door) -> Ended {
    let mut all = manifest::schemas();
    all.extend(super::contract::schemas());
    let names: Vec<&str> = all.iter().map(|(file, _)| file.trim_end_matches(ENDING)).collect();
    let chosen: Vec<&(&str, Value)> = match &arguments.name {
        None => all.iter().collect(),
        Some(name) => {
            let wanted = name.trim_end_matches(ENDING);
            match all.iter().find(|(file, _)| file.trim_end_matches(ENDING) == wanted) {
                Some(found) => vec![found],
                None => {
                    return Err(Failure::usage(format!("find the schema `{name}`"), "there is none of that name")
                        .hint(format!("There are: {}.", names.join(", "))));
                }
            }
        }
    };
    match (&arguments.write, &arguments.name) {
        (Some(folder), _) => {
            let folder = door.settings.current_folder.join(folder);
            for (file, schema) in &chosen {
                let path = folder.join(file);
                let parent = path.parent().unwrap_or(&folder);
                fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
                fs::write(&path, manifest::schema_text(schema)).with_context(|| format!("cannot write {file}"))?;
            }
            door.shell.note(format!("Wrote {} schemas into {}", chosen.len(), folder.display()));
        }
        (None, Some(_)) => door.shell.text(&chosen.iter().map(|(_, schema)| format!("{schema:#}\n")).collect::<String>())?,
        (None, None) if door.shell.format == Format::Json => {
            door.shell.json(&all.iter().cloned().collect::<std::collections::BTreeMap<_, _>>())?;
        }
        (None, None) => door.shell.text(&names.iter().map(|name| format!("{name}\n")).collect::<String>())?,
    }
    Ok(Outcome::Done)
}
