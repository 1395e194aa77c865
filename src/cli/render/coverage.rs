//! What tests exercise, as people read it: a line for each connector, what is missing, and the whole table.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use super::columns::{Columns, one_line};
use super::paint;
use crate::model::{ConnectorName, Coverage, CoveragePoint, CoveragePointKind, Evidence};

/// How many points are listed that no test exercises.
const MOST: usize = 20;

/// What stands in the columns of the table: the kinds of points, under one title.
const KINDS: [(&str, &[CoveragePointKind]); 5] = [
    ("FLOWS", &[CoveragePointKind::Action, CoveragePointKind::Trigger, CoveragePointKind::TestConnection]),
    ("BRANCHES", &[CoveragePointKind::Branch]),
    ("CATCHES", &[CoveragePointKind::Catch]),
    ("ERRORS", &[CoveragePointKind::ErrorMapping]),
    ("PAGES", &[CoveragePointKind::Pagination]),
];

/// How much of the coverage people want to see, and how much there has to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct CoverageShown {
    /// Whether the whole table is shown.
    pub whole: bool,
    /// The least that suffices, in percent.
    pub least: Option<u8>,
}

impl CoverageShown {
    /// Whether a connector's tests exercise enough of it.
    pub fn suffices(self, evidence: &Evidence) -> bool {
        self.least.is_none_or(|least| evidence.coverage.percent() >= least)
    }

    /// The coverage of a connector's tests.
    pub fn of(self, evidence: &Evidence) -> String {
        let shown = if self.whole { whole } else { short };
        let mut text = shown(&evidence.connector, &evidence.coverage);
        if let (Some(least), false) = (self.least, self.suffices(evidence)) {
            let percent = evidence.coverage.percent();
            let _ = writeln!(text, "  {} {percent} % is covered, and {least} % has to be", "✗".style(paint::BAD));
        }
        text
    }
}

/// How much is covered, and what is not; nothing where nothing is known of it.
pub fn short(connector: &ConnectorName, coverage: &Coverage) -> String {
    if coverage.is_empty() {
        return String::new();
    }
    let (covered, all) = coverage.counts();
    let style = if covered == all { paint::GOOD } else { paint::WARN };
    let mut text = format!("  coverage {}\n", format!("{covered} of {all}").style(style));
    if covered < all {
        text.push_str(&by_kind(coverage));
        text.push_str(&missing(connector, coverage));
    }
    text
}

/// The same with a row for each flow, whether all of it is covered or not.
pub fn whole(connector: &ConnectorName, coverage: &Coverage) -> String {
    if coverage.is_empty() {
        return String::new();
    }
    let titles = KINDS.map(|(title, _)| title);
    let mut columns = Columns::with_heading(["COVERAGE", titles[0], titles[1], titles[2], titles[3], titles[4], "ALL", ""]);
    for target in targets(coverage) {
        row(&mut columns, target, coverage.points.iter().filter(|point| point.target == target).collect());
    }
    row(&mut columns, "all", coverage.points.iter().collect());
    let missing = missing(connector, coverage);
    columns.render(2) + &missing
}

fn row(columns: &mut Columns, target: &str, points: Vec<&CoveragePoint>) {
    let style = |(covered, all): (usize, usize)| match covered {
        _ if covered == all => Style::new(),
        0 => paint::BAD,
        _ => paint::WARN,
    };
    let cell = |kinds: &[CoveragePointKind]| match counts(&points, kinds) {
        (_, 0) => ("-".to_owned(), paint::FAINT),
        counts @ (covered, all) => (format!("{covered}/{all}"), style(counts)),
    };
    let [flows, branches, catches, errors, pages] = KINDS.map(|(_, kinds)| cell(kinds));
    let coverage = Coverage { points: points.iter().map(|point| (*point).clone()).collect() };
    let (covered, all) = coverage.counts();
    let percent = (format!("{} %", coverage.percent()), style((covered, all)));
    let all = (format!("{covered}/{all}"), style((covered, all)));
    columns.row([(target.to_owned(), paint::STRONG), flows, branches, catches, errors, pages, all, percent]);
}

/// The flows in the order of the manifest.
fn targets(coverage: &Coverage) -> Vec<&str> {
    let mut targets: Vec<&str> = Vec::new();
    for point in &coverage.points {
        // Those of a flow stand together.
        if !targets.iter().rev().any(|target| *target == point.target) {
            targets.push(&point.target);
        }
    }
    targets
}

fn counts(points: &[&CoveragePoint], kinds: &[CoveragePointKind]) -> (usize, usize) {
    let of_kind = || points.iter().filter(|point| kinds.contains(&point.kind));
    (of_kind().filter(|point| point.covered).count(), of_kind().count())
}

fn by_kind(coverage: &Coverage) -> String {
    let kinds = [
        ("actions", CoveragePointKind::Action),
        ("triggers", CoveragePointKind::Trigger),
        ("test connection", CoveragePointKind::TestConnection),
        ("branches", CoveragePointKind::Branch),
        ("catches", CoveragePointKind::Catch),
        ("error mappings", CoveragePointKind::ErrorMapping),
        ("pages", CoveragePointKind::Pagination),
    ];
    let points: Vec<&CoveragePoint> = coverage.points.iter().collect();
    let mut columns = Columns::default();
    for (name, kind) in kinds {
        let (covered, all) = counts(&points, &[kind]);
        if all > 0 {
            let style = if covered == all { paint::GOOD } else { paint::WARN };
            columns.row([(name.to_owned(), paint::FAINT), (format!("{covered} of {all}"), style)]);
        }
    }
    columns.render(4)
}

fn missing(connector: &ConnectorName, coverage: &Coverage) -> String {
    let mut text = String::new();
    for point in coverage.uncovered().take(MOST) {
        let place = point.place.within(connector).to_string();
        let what = format!("{} ({})", point.what, point.target);
        let _ = writeln!(text, "    {} {}: {}", "not covered:".style(paint::WARN), one_line(&place), one_line(&what));
    }
    match coverage.uncovered().count() {
        0..=MOST => {}
        count => {
            let _ = writeln!(text, "    and {} more", count - MOST);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Place;

    fn point(kind: CoveragePointKind, target: &str, what: &str, line: u32, covered: bool) -> CoveragePoint {
        let place = Place { file: "connector.yaml".into(), line, column: 3 };
        CoveragePoint { kind, target: target.into(), what: what.into(), place, covered }
    }

    fn coverage(covered: bool) -> Coverage {
        let points = vec![
            point(CoveragePointKind::TestConnection, "connection/test", "the flow", 4, true),
            point(CoveragePointKind::Action, "actions/find", "the flow", 8, true),
            point(CoveragePointKind::Branch, "actions/find", "the branch `x` of `t`", 12, covered),
            point(CoveragePointKind::ErrorMapping, "actions/find", "the mapping to `gone` in `t`", 14, covered),
            point(CoveragePointKind::ErrorMapping, "actions/find", "the mapping to `lost` in `t`", 15, true),
        ];
        Coverage { points }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn what_is_whole_is_one_line_and_what_is_not_says_what_is_missing() {
        let crm = "crm".parse().unwrap();
        assert_eq!(short(&crm, &Coverage::default()), "");
        assert_eq!(plain(&short(&crm, &coverage(true))), "  coverage 5 of 5\n");
        insta::assert_snapshot!(plain(&short(&crm, &coverage(false))), @r"
          coverage 3 of 5
            actions          1 of 1
            test connection  1 of 1
            branches         0 of 1
            error mappings   1 of 2
            not covered: connectors/crm/connector.yaml:12:3: the branch `x` of `t` (actions/find)
            not covered: connectors/crm/connector.yaml:14:3: the mapping to `gone` in `t` (actions/find)
        ");
    }

    #[test]
    fn the_table_has_a_row_for_each_flow() {
        insta::assert_snapshot!(plain(&whole(&"crm".parse().unwrap(), &coverage(false))), @r"
          COVERAGE         FLOWS  BRANCHES  CATCHES  ERRORS  PAGES  ALL
          connection/test  1/1    -         -        -       -      1/1  100 %
          actions/find     1/1    0/1       -        1/2     -      2/4  50 %
          all              2/2    0/1       -        1/2     -      3/5  60 %
            not covered: connectors/crm/connector.yaml:12:3: the branch `x` of `t` (actions/find)
            not covered: connectors/crm/connector.yaml:14:3: the mapping to `gone` in `t` (actions/find)
        ");
    }

    #[test]
    fn a_long_list_is_cut_off() {
        let points = (0..30).map(|line| point(CoveragePointKind::Catch, "actions/a", "an error caught by `t`", line, false)).collect();
        let text = plain(&short(&"crm".parse().unwrap(), &Coverage { points }));
        assert_eq!(text.matches("not covered:").count(), MOST);
        assert!(text.ends_with("    and 10 more\n"), "{text}");
    }
}
