//! The runs that cases ask for: one of each case, or one of each of its rows.

use serde_json::Value;

use super::super::bundle::SuiteFile;
use super::Case;

/// One run of a case: of one of its rows, where it has `each`.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// The suite that the case is part of.
    pub file: &'a SuiteFile,
    /// Where the case stands among those of its suite.
    pub index: usize,
    /// The case.
    pub case: &'a Case,
    /// The row, by the name that people see.
    pub row: Option<(&'a str, &'a Value)>,
}

/// Every run that suites ask for, in the order in which they are written.
pub fn trials(suites: &[SuiteFile]) -> impl Iterator<Item = Trial<'_>> {
    let cases = suites.iter().flat_map(|file| file.suite.cases.iter().enumerate().map(move |(index, case)| (file, index, case)));
    cases.flat_map(|(file, index, case)| {
        let alone = case.each.is_empty().then_some(None);
        alone.into_iter().chain(case.each.iter().map(Some)).map(move |row| Trial { file, index, case, row })
    })
}

impl Trial<'_> {
    /// What people see: the case's title, and after it the row's name.
    pub fn title(&self) -> String {
        match self.row {
            None => self.case.title.clone(),
            Some((row, _)) => format!("{} › {row}", self.case.title),
        }
    }

    /// What it is about: its own tags and its suite's.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.file.suite.tags.iter().chain(&self.case.tags).map(String::as_str)
    }
}
