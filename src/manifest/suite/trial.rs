//! The runs that cases ask for: one of each case, or one of each of its rows.

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
    /// The row, where the case has any.
    pub row: Option<Row<'a>>,
}

/// A row of a case.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Where it stands among those of its case.
    pub index: usize,
    /// The name that people see.
    pub name: &'a str,
}

/// Every run that suites ask for, in the order in which they are written.
pub fn trials(suites: &[SuiteFile]) -> impl Iterator<Item = Trial<'_>> {
    let cases = suites.iter().flat_map(|file| file.suite.cases.iter().enumerate().map(move |(index, case)| (file, index, case)));
    cases.flat_map(|(file, index, case)| {
        let alone = case.each.is_empty().then_some(None);
        let rows = case.each.names().enumerate().map(|(index, name)| Some(Row { index, name }));
        alone.into_iter().chain(rows).map(move |row| Trial { file, index, case, row })
    })
}

impl Case {
    /// The title of one run of it.
    pub(crate) fn title_with(&self, row: Option<Row<'_>>) -> String {
        match row {
            None => self.title.clone(),
            Some(row) => format!("{} › {}", self.title, row.name),
        }
    }
}

impl Trial<'_> {
    /// What people see: the case's title, and after it the row's name.
    pub fn title(&self) -> String {
        self.case.title_with(self.row)
    }

    /// What it is about: its own tags and its suite's.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.file.suite.tags.iter().chain(&self.case.tags).map(String::as_str)
    }
}
