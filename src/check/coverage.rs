//! What the tests did not exercise: the part of the report that only evidence can tell. It advises, and refuses nothing.

use super::codes::{NOT_EXERCISED, NOT_RUN};
use crate::model::{ConnectorName, Coverage, CoveragePoint, CoveragePointKind, Problem};

/// Warnings for what no case that passed exercised, in the order of the manifest. Of a flow that was not run at all, that alone is told.
pub fn untested(connector: &ConnectorName, coverage: &Coverage) -> Vec<Problem> {
    let idle: Vec<&str> = coverage.uncovered().filter(|point| point.kind.is_flow()).map(|point| point.target.as_str()).collect();
    let told = coverage.uncovered().filter(|point| point.kind.is_flow() || !idle.contains(&point.target.as_str()));
    told.map(|point| warning(connector, point)).collect()
}

/// The warnings that a report does not have yet: it says itself which flows have no case.
pub fn with_untested(mut report: Vec<Problem>, connector: &ConnectorName, coverage: &Coverage) -> Vec<Problem> {
    let is_new = |warning: &Problem| report.iter().all(|problem| problem.place != warning.place);
    let untested: Vec<Problem> =
        untested(connector, coverage).into_iter().filter(|warning| warning.code != NOT_RUN || is_new(warning)).collect();
    report.extend(untested);
    report.sort();
    report
}

fn warning(connector: &ConnectorName, CoveragePoint { kind, target, what, place, .. }: &CoveragePoint) -> Problem {
    let place = place.within(connector);
    let exercised = |hint: &str| Problem::warning(NOT_EXERCISED, place.clone(), format!("no test exercises {what} ({target})")).hint(hint);
    match kind {
        CoveragePointKind::Action | CoveragePointKind::Trigger | CoveragePointKind::TestConnection => {
            let message = format!("no test that passes runs {target}");
            Problem::warning(NOT_RUN, place, message).hint("Add a case that runs it, or mend the one that does.")
        }
        CoveragePointKind::Branch => exercised("Add a case whose data leads there."),
        CoveragePointKind::Catch => exercised("Add a case in which what is tried fails so."),
        CoveragePointKind::ErrorMapping => exercised("Add a case whose exchange answers so, and expect the error."),
        CoveragePointKind::Pagination => exercised("Add a case with several pages, the last of which says that it is the last."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Place;

    fn point(kind: CoveragePointKind, target: &str, what: &str, line: u32, covered: bool) -> CoveragePoint {
        let place = Place { file: "connector.yaml".into(), line, column: 3 };
        CoveragePoint { kind, target: target.into(), what: what.into(), place, covered }
    }

    fn coverage() -> Coverage {
        let points = vec![
            point(CoveragePointKind::ErrorMapping, "connection", "the mapping to `gone`", 2, true),
            point(CoveragePointKind::Action, "actions/a", "the flow", 4, true),
            point(CoveragePointKind::Branch, "actions/a", "the branch `x` of `t`", 6, false),
            point(CoveragePointKind::Action, "actions/b", "the flow", 8, false),
            point(CoveragePointKind::Catch, "actions/b", "an error caught by `t`", 9, false),
        ];
        Coverage { points }
    }

    fn shown(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_no_test_exercised_is_a_warning_and_what_was_not_run_is_told_once() {
        let found = untested(&"crm".parse().unwrap(), &coverage());
        assert_eq!(
            shown(&found),
            [
                "connectors/crm/connector.yaml:6:3: warning[SB205]: no test exercises the branch `x` of `t` (actions/a)",
                "connectors/crm/connector.yaml:8:3: warning[SB204]: no test that passes runs actions/b",
            ]
        );
        assert!(found.iter().all(|problem| !problem.is_error() && problem.hint.is_some()));
    }

    #[test]
    fn what_the_report_says_already_is_not_said_again() {
        let place = Place { file: "connectors/crm/connector.yaml".into(), line: 8, column: 3 };
        let report = vec![Problem::error("SB203", place, "no test case runs the action `b`")];
        let whole = with_untested(report, &"crm".parse().unwrap(), &coverage());
        assert_eq!(whole.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), ["SB205", "SB203"]);
    }
}
