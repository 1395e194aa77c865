//! Every file in `valid/` is understood; every file in `invalid/` gives exactly the problems in the `.expected` file beside it.
//! A file's name ends with what it is: `.connector.yaml` (of the folder `demo`), `.suite.yaml`, `.recording.yaml`,
//! `.switchboard.yaml`, `.release.yaml` or `.connection.yaml`.

#![expect(clippy::unwrap_used, reason = "a test stops where something it relies on is not there")]

mod bombs;
mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use switchboard::manifest::{Bundle, CODES, Config, ConnectionValues, Recording, release};
use switchboard::model::{BundleFiles, Problem};

/// What a file of this folder is, by its name.
pub fn kind_of(path: &Path) -> &str {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.strip_suffix(".yaml").and_then(|stem| stem.rsplit_once('.')).map(|(_, kind)| kind).unwrap()
}

/// The YAML files of a folder of this folder, in order.
pub fn files_in(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests").join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    files.sort();
    files
}

/// A manifest of the connector `demo` that is understood.
pub const DEMO: &str = include_str!("valid/smallest.connector.yaml");

/// The problems of a file of some kind.
pub fn problems_of(kind: &str, bytes: &[u8]) -> Vec<Problem> {
    let demo = |path: &str| {
        let mut files = BTreeMap::from([("connector.yaml".to_owned(), DEMO.as_bytes().to_vec())]);
        files.insert(path.to_owned(), bytes.to_vec());
        Bundle::read("demo", &BundleFiles::new(files)).err()
    };
    let problems = match kind {
        "connector" => demo("connector.yaml"),
        "suite" => demo("tests/suite.yaml"),
        "recording" => Recording::read("connectors/demo/tests/recordings/item.yaml", bytes).err(),
        "switchboard" => Config::read(bytes).err(),
        "release" => release::read("releases/demo/1.2.0.yaml", bytes).err(),
        "connection" => ConnectionValues::read("connections/test/demo.yaml", bytes).err(),
        other => panic!("no file is a {other}"),
    };
    problems.unwrap_or_default()
}

fn rendered(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        writeln!(text, "{problem}").unwrap();
        if let Some(hint) = &problem.hint {
            writeln!(text, "  {hint}").unwrap();
        }
    }
    text
}

#[test]
fn valid_files_are_understood() {
    for path in files_in("valid") {
        let problems = problems_of(kind_of(&path), &std::fs::read(&path).unwrap());
        assert_eq!(rendered(&problems), "", "{}", path.display());
    }
}

#[test]
fn invalid_files_give_exactly_the_expected_problems() {
    let mut wrong = String::new();
    for path in files_in("invalid") {
        let found = rendered(&problems_of(kind_of(&path), &std::fs::read(&path).unwrap()));
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        if found.is_empty() || found != expected {
            let name = path.file_name().unwrap().to_str().unwrap();
            writeln!(wrong, "--- {name}, expected:\n{expected}--- {name}, found:\n{found}").unwrap();
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("found");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(name).with_extension("expected"), found).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nWhat was found is in {}/found.", env!("CARGO_TARGET_TMPDIR"));
}

/// Codes that no single file can give: those of a folder or a repository, and the one that ends a long list.
const ELSEWHERE: [&str; 6] = ["SB032", "SB033", "SB040", "SB041", "SB042", "SB099"];

#[test]
fn a_folder_declares_a_connector_under_its_own_name() {
    let missing = Bundle::read("demo", &BundleFiles::default()).unwrap_err();
    assert_eq!(missing[0].to_string(), "connectors/demo/connector.yaml:1:1: error[SB032]: `connector.yaml` is missing");
    let files = BundleFiles::new([("connector.yaml".to_owned(), DEMO.replace("name: demo", "name: Demo").into_bytes())].into());
    let misnamed: Vec<String> = Bundle::read("Demo", &files).unwrap_err().into_iter().map(|problem| problem.code).collect();
    assert_eq!(misnamed, ["SB033", "SB024"]);
}

#[test]
fn every_code_has_a_file_that_gives_it() {
    let mut given: BTreeSet<String> = bombs::codes();
    given.extend(ELSEWHERE.map(str::to_owned));
    for path in files_in("invalid") {
        given.extend(problems_of(kind_of(&path), &std::fs::read(&path).unwrap()).into_iter().map(|problem| problem.code));
    }
    let missing: Vec<&str> = CODES.iter().map(|code| code.id).filter(|id| !given.contains(*id)).collect();
    assert!(missing.is_empty(), "nothing in tests/manifests gives {missing:?}");
}
