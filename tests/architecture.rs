//! The house keeps its shape: rooms import only rooms below them, the map in `lib.rs` names the rooms there are, files say
//! what they are for and stay short.

mod rust;

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, from the door down to the vocabulary. A room imports only rooms that stand after it.
const ROOMS: [&str; 18] = [
    "cli",
    "assemble",
    "settings",
    "daemon",
    "dashboard",
    "pass",
    "planning",
    "check",
    "docs",
    "import",
    "harness",
    "flow",
    "forge",
    "repository",
    "registry",
    "store",
    "manifest",
    "model",
];

/// What stands behind a port: `planning` knows none of them.
const PORTS: [&str; 5] = ["harness", "forge", "repository", "registry", "store"];

/// The rooms that may ask for settings; to all others they are passed as plain values.
const MAY_ASK_FOR_SETTINGS: [&str; 3] = ["cli", "assemble", "daemon"];

/// Aimed at are 250.
const LONGEST_FILE: usize = 400;

#[test]
fn rooms_import_only_rooms_below_them() {
    let wrong: Vec<String> = files_below("src").iter().flat_map(|file| wrong_imports(&module_of(file), &read(file))).collect();
    assert!(wrong.is_empty(), "imports that the house does not allow:\n{}", wrong.join("\n"));
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    for (module, source) in [
        ("model::name", "use crate::store;"),
        ("model::name", "use crate::{model::Digest, store::{Store, sqlite}};"),
        ("model", "use super::store::Store;"),
        ("store::sqlite", "fn f() { let x = super::super::pass::run(); }"),
        ("store", "mod tests { use super::super::cli; }"),
        ("manifest::edit", "fn f(x: &crate::flow::Flow) {}"),
        ("planning::plan", "use crate::forge::Forge;"),
        ("pass", "use crate::settings::Settings;"),
        ("repository", "use crate::forge::Review;"),
        ("store", "use crate::*;"),
        ("store", "/* \" */ use crate::cli; // \""),
        ("store", "fn f<'a>() -> &'a str { let _ = '\"'; crate::cli::NAME }"),
    ] {
        assert_eq!(wrong_imports(module, source).len(), 1, "{module}: {source}");
    }
}

#[test]
fn an_import_downward_or_within_the_room_is_none() {
    for (module, source) in [
        ("pass", "use crate::{forge, model::Digest, planning, pass::world::World};"),
        ("store::sqlite", "use super::Store; use super::super::model::Digest;"),
        ("store", "mod tests { use super::*; }"),
        ("forge", "use crate::repository::Repository;"),
        ("daemon", "use crate::settings::Settings;"),
        ("model", "// use crate::cli;\n/* crate::cli /* crate::cli */ crate::cli */ const X: &str = \"crate::cli\";"),
        ("model", "const X: &str = r#\"\" crate::cli \"#; pub(crate) struct Y;"),
    ] {
        assert_eq!(wrong_imports(module, source), Vec::<String>::new(), "{module}: {source}");
    }
}

#[test]
fn the_map_names_the_rooms_there_are() {
    let map = read(&root().join("src/lib.rs"));
    let named: Vec<&str> = map
        .lines()
        .filter_map(|line| line.strip_prefix("//! - [`"))
        .filter_map(|rest| rest.split_once('`').map(|(room, _)| room))
        .collect();
    let there: Vec<&str> = ROOMS.iter().copied().filter(|room| exists(room)).collect();
    assert_eq!(named, there, "the list of rooms at the top of src/lib.rs, against the rooms in src/, top to bottom");
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let room = name.strip_suffix(".rs").unwrap_or(&name);
        assert!(ROOMS.contains(&room) || ["lib", "main"].contains(&room), "src/{name} is no room of the house");
    }
}

#[test]
fn files_say_what_they_are_for_and_stay_short() {
    let mut wrong = Vec::new();
    for file in files_below("src").iter().chain(&files_below("tests")) {
        let text = read(file);
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        if !text.starts_with("//! ") {
            wrong.push(format!("{name} does not open with `//!`"));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!("{name} has {lines} lines; {LONGEST_FILE} is the most, 250 the aim"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_is_declared_where_the_formatter_sees_it() {
    let mut wrong = Vec::new();
    for file in files_below("src").into_iter().chain(files_below("tests")) {
        let (folder, name) = (file.parent().unwrap(), file.file_stem().unwrap().to_str().unwrap());
        let (folder, name) = match name {
            "lib" | "main" => continue,
            "mod" => (folder.parent().unwrap(), folder.file_name().unwrap().to_str().unwrap()),
            _ => (folder, name),
        };
        let parents = ["lib.rs", "main.rs", "mod.rs"].map(|parent| folder.join(parent)).into_iter().chain([folder.with_extension("rs")]);
        let declaration = format!("mod {name};");
        let is_declaration = |line: &str| line == declaration || (line.starts_with("pub") && line.ends_with(&format!(" {declaration}")));
        if !parents.into_iter().filter(|parent| parent.exists()).any(|parent| read(&parent).lines().any(is_declaration)) {
            wrong.push(format!("{} is not declared by a line `{declaration}`", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "a module that nothing declares is no part of the program, and one that a macro declares is not formatted:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn codes_of_problems_are_named_in_their_catalogues_alone() {
    let mut wrong = Vec::new();
    for file in files_below("src").iter().filter(|file| !file.ends_with("code.rs") && !file.ends_with("codes.rs")) {
        let text = read(file);
        let code = text.split("#[cfg(test)]").next().unwrap();
        let literal = code.split('"').find(|text| text.len() == 5 && text.starts_with("SB") && text[2..].parse::<u16>().is_ok());
        wrong.extend(literal.map(|literal| format!("{} writes {literal}", file.display())));
    }
    assert!(wrong.is_empty(), "what no catalogue has, `explain` cannot explain:\n{}", wrong.join("\n"));
}

fn wrong_imports(module: &str, source: &str) -> Vec<String> {
    let room = module.split("::").next().unwrap_or_default();
    let complaint = |import: rust::Import| {
        let why = objection(room, &import.room)?;
        Some(format!("{module}, line {}: `{room}` imports `{}`: {why}", import.line, import.room))
    };
    rust::imports(module, source).into_iter().filter_map(complaint).collect()
}

/// Why one room may not import another, if it may not. What is no room is an item of the crate's root, which is above all.
fn objection(room: &str, other: &str) -> Option<&'static str> {
    let height = |room: &str| ROOMS.iter().position(|known| *known == room).unwrap_or(0);
    if room.is_empty() || room == other {
        return None;
    }
    if other == "settings" {
        return (!MAY_ASK_FOR_SETTINGS.contains(&room)).then_some("it is not among those that may ask for settings");
    }
    if room == "planning" && PORTS.contains(&other) {
        return Some("planning knows no port");
    }
    (height(other) <= height(room)).then_some("it stands above")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn exists(room: &str) -> bool {
    let src = root().join("src");
    src.join(room).join("mod.rs").exists() || src.join(room).with_extension("rs").exists()
}

/// `src/store/sqlite.rs` is `store::sqlite`, `src/store/mod.rs` is `store`, the crate's root is nothing.
fn module_of(file: &Path) -> String {
    let path = file.strip_prefix(root().join("src")).unwrap().with_extension("");
    let mut segments: Vec<&str> = path.iter().map(|segment| segment.to_str().unwrap()).collect();
    segments.pop_if(|last| ["mod", "lib", "main"].contains(last));
    segments.join("::")
}

fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
