//! Connectors as people read them: the table of `list` and the page of `show`.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use super::columns::{Columns, one_line};
use super::{paint, problems};
use crate::cli::standing::{Details, Failed, Standing};
use crate::cli::tested::TestRun;
use crate::model::{Operation, Recorded, Review, ReviewState};
use crate::planning::Undeclared;

/// Whether the tracked branch could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It could: what is not listed is not there.
    All,
    /// It could not.
    Nothing,
}

/// A table: one line a connector.
pub fn list(connectors: &[Standing], undeclared: &[Undeclared], seen: Seen) -> String {
    match seen {
        Seen::All if connectors.is_empty() => {
            return "No connector is committed yet. `switchboard new NAME --kind saas` adds one; commit it to see it here.\n".to_owned();
        }
        Seen::Nothing if connectors.is_empty() => return "Nothing is known of any connector.\n".to_owned(),
        Seen::All | Seen::Nothing => {}
    }
    let mut columns = Columns::with_heading(["CONNECTOR", "OWNER", "KIND", "VERSION", "STAGE", "ALLOWED", "WAITS ON"]);
    for connector in connectors {
        columns.row([
            (connector.connector.to_string(), paint::STRONG),
            (connector.owner.as_ref().map_or_else(dash, |owner| owner.email().to_owned()), Style::new()),
            (connector.kind.map_or_else(dash, |kind| kind.to_string()), Style::new()),
            (connector.version.as_ref().map_or_else(dash, ToString::to_string), Style::new()),
            (connector.stage.to_string(), paint::stage(connector.stage)),
            (operations(&connector.operations), paint::FAINT),
            (waits_on(connector), Style::new()),
        ]);
    }
    let mut text = columns.render(0);
    super::plan::undeclared(&mut text, undeclared);
    text
}

fn waits_on(connector: &Standing) -> String {
    let holds: Vec<&str> = connector.waiting_on.iter().map(|waiting| waiting.summary.as_str()).collect();
    match &connector.next {
        _ if !holds.is_empty() => holds.join("; "),
        Some(next) => format!("the next pass: {}{}", next.summary, connector.failed.as_ref().map_or_else(String::new, failed_before)),
        None => String::new(),
    }
}

fn failed_before(failed: &Failed) -> String {
    format!(", which failed at {:.0}: {}", failed.retry.failed_at, failed.retry.failure)
}

/// A page: everything there is to know of one connector.
pub fn show(details: &Details, runs: &[TestRun], history: &[Recorded]) -> String {
    let connector = &details.standing;
    let title = connector.title.as_deref().map(one_line).unwrap_or_default();
    let mut text = format!("{}  {title}\n", connector.connector.style(paint::STRONG));
    text.push_str(&properties(details));
    if !connector.environments.is_empty() {
        heading(&mut text, "Environments");
        let mut columns = Columns::default();
        for (environment, held) in &connector.environments {
            let mut held_there = held.digest.short();
            if connector.undeclared.contains(environment) {
                held_there.push_str(", not in switchboard.yaml any more: it keeps this");
            }
            columns.row([(environment.to_string(), Style::new()), (held.version.to_string(), paint::GOOD), (held_there, paint::FAINT)]);
        }
        text.push_str(&columns.render(2));
    }
    if let Some(next) = &connector.next {
        heading(&mut text, "Next");
        let _ = writeln!(text, "  {}: {}", next.summary, one_line(&next.step.reason));
    }
    if let Some(Failed { retry, summary }) = &connector.failed {
        heading(&mut text, "Last failure");
        let times = if retry.failures == 1 { String::new() } else { format!(" {} times in a row, last", retry.failures) };
        let _ = writeln!(text, "  {summary}: failed{times} at {:.0}: {}", retry.failed_at, one_line(&retry.failure));
        let again = if connector.next.is_some() { "by the next pass".to_owned() } else { format!("at {:.0}", retry.at) };
        let _ = writeln!(text, "  It is tried again {again}.");
    }
    if !connector.waiting_on.is_empty() {
        heading(&mut text, "Waiting on");
        for waiting in &connector.waiting_on {
            let _ = writeln!(text, "  {}", one_line(&waiting.summary));
        }
    }
    if !details.report.is_empty() {
        heading(&mut text, "Report");
        for problem in &details.report {
            text.push_str(&problems::problem(problem, None));
        }
    }
    if !runs.is_empty() {
        heading(&mut text, "Tests of this content");
        text.push_str(&super::evidence::runs(runs));
    }
    if !details.reviews.is_empty() {
        heading(&mut text, "Reviews");
        text.push_str(&reviews(&details.reviews));
    }
    if !history.is_empty() {
        heading(&mut text, "History");
        text.push_str(&facts(history));
    }
    text
}

fn properties(details: &Details) -> String {
    let connector = &details.standing;
    let mut columns = Columns::default();
    let mut row = |name: &str, value: Option<String>, style: Style| {
        if let Some(value) = value {
            columns.row([(name.to_owned(), paint::FAINT), (value, style)]);
        }
    };
    row("stage", Some(connector.stage.to_string()), paint::stage(connector.stage));
    row("allowed", Some(operations(&connector.operations)), Style::new());
    row("status", connector.status.map(|status| status.to_string()), Style::new());
    row("owner", connector.owner.as_ref().map(ToString::to_string), Style::new());
    let shared: Vec<&str> = details.shared_with.iter().map(crate::model::Person::email).collect();
    row("shared with", (!shared.is_empty()).then(|| shared.join(", ")), Style::new());
    row("kind", connector.kind.map(|kind| kind.to_string()), Style::new());
    row("version", connector.version.as_ref().map(ToString::to_string), Style::new());
    row("digest", details.digest.clone(), Style::new());
    let style = if details.tests.is_some_and(crate::model::Verdict::is_good) { paint::GOOD } else { paint::BAD };
    row("tests", details.tests.map(|verdict| verdict.to_string()), style);
    columns.render(2)
}

/// Reviews as a table.
pub fn reviews(reviews: &[Review]) -> String {
    let mut columns = Columns::default();
    for review in reviews {
        let (state, style) = review_state(&review.state);
        columns.row([
            (review.id.to_string(), paint::STRONG),
            (review.connector.to_string(), Style::new()),
            (review.version.to_string(), Style::new()),
            (state, style),
            (format!("asked for by {}, {:.0}", review.requested_by, review.opened_at), paint::FAINT),
        ]);
    }
    columns.render(2)
}

/// How a review stands, in words.
pub fn review_state(state: &ReviewState) -> (String, Style) {
    match state {
        ReviewState::Open => ("open".to_owned(), paint::WARN),
        ReviewState::Merged { by, .. } => (format!("approved by {by}"), paint::GOOD),
        ReviewState::Rejected { by, reason, .. } => (format!("rejected by {by}: {reason}"), paint::BAD),
        ReviewState::Withdrawn { .. } => ("withdrawn".to_owned(), paint::FAINT),
    }
}

/// What happened, one line a fact.
pub fn facts(history: &[Recorded]) -> String {
    let mut columns = Columns::default();
    for recorded in history {
        columns.row([(format!("{:.0}", recorded.at), paint::FAINT), (super::facts::happened(&recorded.fact), Style::new())]);
    }
    columns.render(2)
}

fn operations(operations: &[Operation]) -> String {
    operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn heading(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n{}", title.style(paint::STRONG));
}

fn dash() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cli::standing::{Next, Waiting};
    use crate::cli::tested::Covered;
    use crate::model::{Digest, Kind, Person, Place, Problem, ReviewId, Stage, Status, Verdict};
    use crate::planning::{Cause, Held, PlannedStep, Step, WaitingOn};

    fn standing() -> Standing {
        let on = WaitingOn::Review { review: ReviewId(3) };
        Standing {
            connector: "github-issues".parse().unwrap(),
            title: Some("GitHub Issues".into()),
            owner: Some(Person::new("Alice <alice@example.com>")),
            kind: Some(Kind::Saas),
            version: Some("1.2.0".parse().unwrap()),
            status: Some(Status::Published),
            stage: Stage::InReview,
            operations: Stage::InReview.operations().to_vec(),
            environments: BTreeMap::from([("test".parse().unwrap(), Held { version: "1.2.0".parse().unwrap(), digest: Digest::of(b"x") })]),
            undeclared: vec![],
            next: None,
            waiting_on: vec![Waiting { summary: on.to_string(), on }],
            failed: None,
        }
    }

    fn fresh() -> Standing {
        let step = Step::RunTests { digest: Digest::of(b"x"), tree: crate::model::TreeId::new("t") };
        let planned = PlannedStep { connector: "crm".parse().unwrap(), step, cause: Cause::Change, reason: "never tested".into() };
        Standing {
            connector: "crm".parse().unwrap(),
            title: None,
            owner: None,
            kind: Some(Kind::SelfBuilt),
            version: None,
            stage: Stage::Editing,
            operations: Stage::Editing.operations().to_vec(),
            environments: BTreeMap::new(),
            next: Some(Next { summary: super::super::plan::describe(&planned.step), step: planned }),
            waiting_on: vec![],
            ..standing()
        }
    }

    #[test]
    fn the_table_lines_up() {
        let text = anstream::adapter::strip_str(&list(&[fresh(), standing()], &[], Seen::All)).to_string();
        insta::assert_snapshot!(text, @r"
        CONNECTOR      OWNER              KIND        VERSION  STAGE      ALLOWED                       WAITS ON
        crm            -                  self-built  -        editing    share, publish, edit, delete  the next pass: run the tests of 2d711642b726
        github-issues  alice@example.com  saas        1.2.0    in review  withdraw, view                review #3
        ");
    }

    #[test]
    fn a_page_tells_everything() {
        let details = Details {
            standing: standing(),
            digest: Some(Digest::of(b"x").to_string()),
            shared_with: vec![Person::new("bob@example.com")],
            tests: Some(Verdict { passed: 3, failed: 0 }),
            report: vec![Problem::warning("SB120", Place::file("connectors/github-issues/connector.yaml"), "no icon").hint("Add one.")],
            reviews: vec![],
        };
        let run = TestRun {
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            millis: 12,
            runner: "0.1.0".into(),
            passed: 3,
            failed: 0,
            skipped: 1,
            coverage: Some(Covered { covered: 8, total: 12 }),
        };
        let text = anstream::adapter::strip_str(&show(&details, &[run], &[])).to_string();
        insta::assert_snapshot!(text, @r"
        github-issues  GitHub Issues
          stage        in review
          allowed      withdraw, view
          status       published
          owner        Alice <alice@example.com>
          shared with  bob@example.com
          kind         saas
          version      1.2.0
          digest       2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
          tests        3 passed, 0 failed

        Environments
          test  1.2.0  2d711642b726

        Waiting on
          review #3

        Report
        connectors/github-issues/connector.yaml:1:1: warning[SB120]: no icon
            hint: Add one.

        Tests of this content
          2026-01-01T00:00:00Z  3 passed, 0 failed, 1 skipped  in 12 ms  by 0.1.0  coverage 8 of 12
        ");
    }

    #[test]
    fn json_names_are_the_contract() {
        let json = serde_json::to_value(standing()).unwrap();
        assert_eq!(json["stage"], "in-review");
        assert_eq!(json["operations"], serde_json::json!(["withdraw", "view"]));
        assert_eq!(json["waitingOn"], serde_json::json!([{ "kind": "review", "review": 3, "summary": "review #3" }]));
        assert_eq!(json["environments"]["test"]["version"], "1.2.0");
    }
}
