//! A connector's folder, read as a whole: manifest, test suites and the identity of its content.

use std::collections::BTreeMap;

use serde_json::Value;

use super::digest::{self, MANIFEST};
use super::{Document, Manifest, Recording, Suite, code, excerpt, hidden, typed};
use crate::model::{BundleFiles, ConnectorName, Digest, Place, Problem};

/// Everything in one connector's folder, understood.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// What the connector declares.
    pub manifest: Manifest,
    /// The manifest's places.
    pub document: Document,
    /// The test suites, in the order of their paths.
    pub suites: Vec<SuiteFile>,
    /// The recordings that are there of those that cases name, by their paths relative to the connector's folder.
    pub recordings: BTreeMap<String, Recording>,
    /// The files as they were read.
    pub files: BundleFiles,
    /// The identity of the content.
    pub digest: Digest,
}

/// One test suite.
#[derive(Debug, Clone)]
pub struct SuiteFile {
    /// Its path relative to the connector's folder, such as `tests/issues.yaml`.
    pub path: String,
    /// What it holds.
    pub suite: Suite,
    /// Its places; their file is the path from the repository's root.
    pub document: Document,
}

impl Bundle {
    /// Reads the files of `connectors/<folder>/`, or tells every problem in every one of them.
    pub fn read(folder: &str, files: &BundleFiles) -> Result<Self, Vec<Problem>> {
        let root = format!("connectors/{folder}");
        let mut problems = Vec::new();
        let manifest = read_manifest(folder, &root, files).map_err(|found| problems.extend(found)).ok();
        let mut suites = Vec::new();
        for (path, bytes) in files.iter().filter(|(path, _)| is_suite(path)) {
            let rules = |document: &Document, problems: &mut Vec<Problem>| hidden::refuse_in_titles(document, bytes, problems);
            match typed::read_with::<Suite>(&format!("{root}/{path}"), bytes, rules) {
                Ok((suite, document)) => suites.push(SuiteFile { path: path.to_owned(), suite, document }),
                Err(found) => problems.extend(found),
            }
        }
        let recordings = recordings(&root, &suites, files).unwrap_or_else(|found| {
            problems.extend(found);
            BTreeMap::new()
        });
        match manifest {
            Some((manifest, document)) if problems.is_empty() => {
                let digest = digest::of(files, &document);
                Ok(Self { manifest, document, suites, recordings, files: files.clone(), digest })
            }
            _ => Err(problems),
        }
    }
}

/// A connector's files but its test suites.
pub fn without_suites(files: &BundleFiles) -> BundleFiles {
    let others = files.iter().filter(|(path, _)| !is_suite(path));
    BundleFiles::new(others.map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect())
}

/// Whether a path within a connector's folder is a test suite's: directly in `tests/`, and YAML.
fn is_suite(path: &str) -> bool {
    path.strip_prefix("tests/").is_some_and(|name| !name.contains('/') && (name.ends_with(".yaml") || name.ends_with(".yml")))
}

fn recordings(root: &str, suites: &[SuiteFile], files: &BundleFiles) -> Result<BTreeMap<String, Recording>, Vec<Problem>> {
    let (mut found, mut problems) = (BTreeMap::new(), Vec::new());
    let named = suites.iter().flat_map(|file| &file.suite.cases).filter_map(|case| case.recording.as_deref());
    for path in named {
        let Some(bytes) = files.get(path).filter(|_| !found.contains_key(path)) else { continue };
        let recording = Recording::read(&format!("{root}/{path}"), bytes).map(|(recording, _)| recording);
        found.insert(
            path.to_owned(),
            recording.unwrap_or_else(|told| {
                problems.extend(told);
                Recording::default()
            }),
        );
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn read_manifest(folder: &str, root: &str, files: &BundleFiles) -> Result<(Manifest, Document), Vec<Problem>> {
    let file = format!("{root}/{MANIFEST}");
    let Some(bytes) = files.get(MANIFEST) else {
        let problem = Problem::error(code::NO_MANIFEST, Place::file(file), format!("`{MANIFEST}` is missing"));
        return Err(vec![problem.hint("Add it, or delete the folder's other files to delete the connector.")]);
    };
    let mut problems = Vec::new();
    if folder.parse::<ConnectorName>().is_err() {
        let message = format!("the folder's name `{}` is not a connector's name", excerpt::of(folder));
        let hint = "Use lowercase letters, digits and single hyphens, beginning with a letter; at most 63 characters.";
        problems.push(Problem::error(code::FOLDER_NAME, Place::file(file.as_str()), message).hint(hint));
    }
    match typed::read_with::<Manifest>(&file, bytes, |document, problems| {
        name_is_folder(folder, document, problems);
        version_fits(document, problems);
        hidden::refuse(document, bytes, problems);
    }) {
        Ok(read) if problems.is_empty() => Ok(read),
        Ok(_) => Err(problems),
        Err(found) => Err(problems.into_iter().chain(found).collect()),
    }
}

fn name_is_folder(folder: &str, document: &Document, problems: &mut Vec<Problem>) {
    let place = document.place("/name");
    let name = document.value().get("name").and_then(Value::as_str).unwrap_or(folder);
    if name != folder && !problems.iter().any(|problem| problem.place == place) {
        let folder = excerpt::of(folder);
        let message = format!("`name` is `{}`, but the folder is `{folder}`", excerpt::of(name));
        let problem = Problem::error(code::NAME_IS_NOT_FOLDER, place, message);
        problems.push(problem.hint(format!("Write `name: {folder}`, or rename the folder.")));
    }
}

/// A version can have the right form and numbers beyond what is compared.
fn version_fits(document: &Document, problems: &mut Vec<Problem>) {
    let place = document.place("/version");
    let version = document.value().get("version").and_then(Value::as_str).map(str::parse::<semver::Version>);
    if let Some(Err(error)) = version
        && !problems.iter().any(|problem| problem.place == place)
    {
        problems.push(
            Problem::error(code::VERSION, place, format!("the version cannot be compared: {}", excerpt::of_message(&error)))
                .hint("Write smaller numbers."),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const MANIFEST_TEXT: &str = "\
apiVersion: switchboard/v1
name: demo
title: Demo
description: Shows something.
kind: saas
status: editing # soon
owner: a@example.com
";

    fn files(manifest: &str) -> BundleFiles {
        BundleFiles::new(BTreeMap::from([(MANIFEST.to_owned(), manifest.as_bytes().to_vec())]))
    }

    #[test]
    fn the_digest_does_not_depend_on_the_status() {
        let digest = |text: &str| Bundle::read("demo", &files(text)).unwrap().digest;
        let first = digest(MANIFEST_TEXT);
        for status in ["status: published", "status: 'pre-published'", "\"status\": \"editing\"   # x", "status:\n  published"] {
            assert_eq!(digest(&MANIFEST_TEXT.replace("status: editing # soon", status)), first, "{status}");
        }
        assert_ne!(digest(&MANIFEST_TEXT.replace("Demo", "Other")), first);
        let crlf = MANIFEST_TEXT.replace('\n', "\r\n");
        assert_eq!(digest(&crlf), digest(&crlf.replace("editing", "published")));
    }

    #[test]
    fn a_status_that_shares_its_line_is_left_out_alone() {
        let digest = |text: &str| Bundle::read("demo", &files(text)).unwrap().digest;
        let entries: Vec<&str> = MANIFEST_TEXT.lines().map(|line| line.split(" #").next().unwrap()).collect();
        let one_line = format!("{{{}}}", entries.join(", "));
        let explicit = MANIFEST_TEXT.replace("status: editing", "? status\n: editing");
        for text in [one_line.as_str(), &explicit] {
            assert_eq!(digest(text), digest(&text.replace("editing", "'published'")), "{text}");
            assert_ne!(digest(text), digest(&text.replace("Demo", "Other")), "{text}");
        }
    }

    #[test]
    fn problems_are_told_all_at_once() {
        let text =
            MANIFEST_TEXT.replace("title", "titel").replace("saas", "sass").replace("name: demo", "name: other").replace("editing", "3");
        let problems = Bundle::read("demo", &files(&text)).unwrap_err();
        let told: Vec<_> = problems
            .iter()
            .map(|problem| format!("{}:{} {} {}", problem.place.line, problem.place.column, problem.code, problem.message))
            .collect();
        assert_eq!(
            told,
            [
                "2:7 SB030 `name` is `other`, but the folder is `demo`",
                "3:1 SB020 unknown key `titel`",
                "5:7 SB023 `kind`: expected one of `saas`, `self-built`, found the text `sass`",
                "6:9 SB023 `status`: expected one of `editing`, `pre-published`, `published`, found the number 3",
            ]
        );
    }
}
