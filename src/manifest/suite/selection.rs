//! Which runs are chosen, by parts of titles and by tags.

use std::collections::BTreeSet;

use super::super::bundle::SuiteFile;
use super::super::suggestion::nearest;
use super::{Trial, trials};

/// What is asked for; what is not said chooses all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// A part of the suite's title or path, in any case.
    pub suite: Option<String>,
    /// A part of the case's title with its row, in any case.
    pub case: Option<String>,
    /// Tags, of which it has one.
    pub tags: Vec<String>,
    /// Tags, of which it has none.
    pub skip_tags: Vec<String>,
}

/// What of a selection leads to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmatched {
    /// No suite is called so; one that may be meant.
    Suite(String, Option<String>),
    /// No case is called so; one that may be meant.
    Case(String, Option<String>),
    /// Nothing has this tag; one that may be meant.
    Tag(String, Option<String>),
    /// Each leads to something, but nothing is all of it at once.
    Together,
}

impl Selection {
    /// Whether it chooses everything.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// The numbers of what it chooses, counted through all suites of a bundle.
    pub fn numbers(&self, suites: &[SuiteFile]) -> BTreeSet<usize> {
        trials(suites).enumerate().filter(|(_, trial)| self.chooses(trial)).map(|(number, _)| number).collect()
    }

    /// What of it leads to nothing in any of these suites, where nothing is chosen or a tag is unknown.
    pub fn unmatched(&self, suites: &[&[SuiteFile]]) -> Option<Unmatched> {
        let all = || suites.iter().flat_map(|suites| trials(suites));
        for tag in self.tags.iter().chain(&self.skip_tags) {
            if !all().any(|trial| has(&trial, tag)) {
                let near = all().flat_map(|trial| trial.tags().map(str::to_owned).collect::<Vec<_>>()).collect::<Vec<_>>();
                return Some(Unmatched::Tag(tag.clone(), nearest(tag, near.iter().map(String::as_str)).map(str::to_owned)));
            }
        }
        if let Some(suite) = self.suite.as_ref().filter(|suite| !all().any(|trial| is_in(suite, &trial))) {
            let near = nearest(suite, suites.iter().flat_map(|suites| suites.iter().map(|file| file.suite.title.as_str())));
            return Some(Unmatched::Suite(suite.clone(), near.map(str::to_owned)));
        }
        if let Some(case) = self.case.as_ref().filter(|case| !all().any(|trial| holds(&trial.title(), case))) {
            let titles: Vec<String> = all().map(|trial| trial.title()).collect();
            let near = nearest(case, titles.iter().map(String::as_str)).map(str::to_owned);
            return Some(Unmatched::Case(case.clone(), near));
        }
        (!self.is_everything() && !all().any(|trial| self.chooses(&trial))).then_some(Unmatched::Together)
    }

    fn chooses(&self, trial: &Trial<'_>) -> bool {
        self.suite.as_ref().is_none_or(|suite| is_in(suite, trial))
            && self.case.as_ref().is_none_or(|case| holds(&trial.title(), case))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| has(trial, tag)))
            && !self.skip_tags.iter().any(|tag| has(trial, tag))
    }
}

fn has(trial: &Trial<'_>, tag: &str) -> bool {
    trial.tags().any(|known| known == tag)
}

fn is_in(suite: &str, trial: &Trial<'_>) -> bool {
    holds(&trial.file.suite.title, suite) || holds(&trial.file.path, suite)
}

fn holds(title: &str, part: &str) -> bool {
    title.to_lowercase().contains(&part.to_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::Document;
    use super::*;

    fn suites() -> Vec<SuiteFile> {
        let suite = json!({
            "title": "Issues", "tags": ["issues"],
            "cases": [
                { "title": "Reads one", "tags": ["quick"], "action": "a", "expect": {} },
                { "title": "Fails", "each": { "missing": 404, "gone": 410 }, "action": "a", "expect": {} },
                { "title": "Reads many", "tags": ["slow"], "action": "a", "expect": {} },
            ],
        });
        let document = Document::parse("tests/issues.yaml", b"{}").unwrap();
        vec![SuiteFile { path: "tests/issues.yaml".to_owned(), suite: serde_json::from_value(suite).unwrap(), document }]
    }

    fn chosen(change: impl FnOnce(&mut Selection)) -> Vec<usize> {
        let mut selection = Selection::default();
        change(&mut selection);
        selection.numbers(&suites()).into_iter().collect()
    }

    #[test]
    fn titles_rows_and_tags_choose() {
        assert_eq!(chosen(|_| {}), [0, 1, 2, 3]);
        assert_eq!(chosen(|selection| selection.case = Some("reads".to_owned())), [0, 3]);
        assert_eq!(chosen(|selection| selection.case = Some("Fails › gone".to_owned())), [2]);
        assert_eq!(chosen(|selection| selection.suite = Some("tests/ISSUES".to_owned())), [0, 1, 2, 3]);
        assert_eq!(chosen(|selection| selection.tags = vec!["quick".to_owned(), "slow".to_owned()]), [0, 3]);
        assert_eq!(
            chosen(|selection| (selection.tags, selection.skip_tags) = (vec!["issues".to_owned()], vec!["slow".to_owned()])),
            [0, 1, 2]
        );
    }

    #[test]
    fn what_leads_to_nothing_is_told_with_what_may_be_meant() {
        let suites = suites();
        let unmatched = |selection: Selection| selection.unmatched(&[&suites]);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(unmatched(Selection::default()), None);
        let tags = vec!["quik".to_owned()];
        assert_eq!(
            unmatched(Selection { tags: tags.clone(), ..Selection::default() }),
            Some(Unmatched::Tag("quik".to_owned(), some("quick")))
        );
        assert_eq!(
            unmatched(Selection { skip_tags: tags, ..Selection::default() }),
            Some(Unmatched::Tag("quik".to_owned(), some("quick")))
        );
        let suite = Selection { suite: some("isues"), ..Selection::default() };
        assert_eq!(unmatched(suite), Some(Unmatched::Suite("isues".to_owned(), some("Issues"))));
        let case = Selection { case: some("reads won"), ..Selection::default() };
        assert_eq!(unmatched(case), Some(Unmatched::Case("reads won".to_owned(), some("Reads one"))));
        let both = Selection { case: some("many"), tags: vec!["quick".to_owned()], ..Selection::default() };
        assert_eq!(unmatched(both), Some(Unmatched::Together));
    }
}
