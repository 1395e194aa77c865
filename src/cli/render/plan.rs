//! A plan as people read it: one line a step with a sign for its kind, deletions first, drift apart from change,
//! what waits and on what, and a summary line.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use super::columns::{Columns, one_line};
use super::paint;
use crate::model::{ConnectorName, Version};
use crate::planning::{Cause, Gap, Hold, Plan, PlannedStep, Step, Undeclared, WaitingOn};

/// How many names are listed before the rest is counted.
const NAMES_SHOWN: usize = 8;

/// The whole plan; `differences` holds the differing lines of the connectors they were asked for.
pub fn plan(plan: &Plan, differences: &BTreeMap<ConnectorName, String>) -> String {
    let mut text = String::new();
    for gap in &plan.gaps {
        let _ = writeln!(text, "{} {}", "unreadable:".style(paint::BAD), gap_text(gap));
    }
    for oddity in &plan.oddities {
        text.push_str(&super::problems::problem(oddity, None));
    }
    section(&mut text, None, plan, Cause::Change, differences);
    section(&mut text, Some("Drift: an environment no longer holds what it was given"), plan, Cause::Drift, differences);
    waiting(&mut text, &plan.holds);
    undeclared(&mut text, &plan.undeclared);
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(plan));
    text.push('\n');
    text
}

/// The last line: how much is to be done, and how much waits.
pub fn summary(plan: &Plan) -> String {
    let at = plan.commit.as_ref().map_or_else(|| "no commit".to_owned(), |commit| commit.short().to_owned());
    let waiting = if plan.holds.is_empty() { String::new() } else { format!("; {} waiting", plan.holds.len()) };
    if plan.is_empty() {
        return if plan.gaps.is_empty() {
            format!("{}{waiting}.", format!("In sync with {at}: nothing to do").style(paint::GOOD))
        } else {
            format!("{}{waiting}.", "Nothing can be planned for what could not be read".style(paint::BAD))
        };
    }
    let count = |verb: &str| plan.steps.iter().filter(|planned| planned.step.verb() == verb).count();
    let counts: Vec<String> = ["deploy", "test", "review", "publish", "withdraw", "delete"]
        .into_iter()
        .map(|verb| (verb, count(verb)))
        .filter(|(verb, count)| *count > 0 || matches!(*verb, "deploy" | "publish" | "delete"))
        .map(|(verb, count)| format!("{count} to {verb}"))
        .collect();
    format!("{} {}{waiting}.", "Plan:".style(paint::STRONG), counts.join(", "))
}

fn section(text: &mut String, title: Option<&str>, plan: &Plan, cause: Cause, differences: &BTreeMap<ConnectorName, String>) {
    let steps: Vec<&PlannedStep> = plan.steps.iter().filter(|planned| planned.cause == cause).collect();
    if steps.is_empty() {
        return;
    }
    if let Some(title) = title {
        gap_line(text);
        let _ = writeln!(text, "{}", title.style(paint::STRONG));
    }
    let mut columns = Columns::default();
    for planned in &steps {
        let (sign, style) = sign(&planned.step);
        columns.row([
            (sign.to_owned(), style),
            (planned.connector.to_string(), paint::STRONG),
            (describe(&planned.step), style),
            (planned.reason.clone(), paint::FAINT),
        ]);
    }
    for (line, planned) in columns.render(0).lines().zip(&steps) {
        text.push_str(line);
        text.push('\n');
        if let Some(difference) = differences.get(&planned.connector) {
            for line in difference.lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
}

/// One sign a kind of step, with its colour.
pub fn sign(step: &Step) -> (&'static str, Style) {
    match step {
        Step::Delete { .. } => ("-", paint::BAD),
        Step::Publish { replaces: None, .. } | Step::Deploy { replaces: None, .. } => ("+", paint::GOOD),
        Step::Publish { replaces: Some(_), .. } | Step::Deploy { replaces: Some(_), .. } => ("~", paint::WARN),
        Step::RunTests { .. } => ("?", paint::HINT),
        Step::OpenReview { .. } => (">", paint::HINT),
        Step::Withdraw { .. } => ("<", paint::WARN),
    }
}

/// What a step does, as an imperative fragment.
pub fn describe(step: &Step) -> String {
    match step {
        Step::Delete { environment, version, .. } => format!("delete {version} from {environment}"),
        Step::Publish { environment, version, replaces, review, .. } => {
            format!("publish {version} to {environment}{} by review {review}", replacing(replaces.as_ref(), version))
        }
        Step::Withdraw { review, .. } => format!("withdraw review {review}"),
        Step::Deploy { environment, version, replaces, .. } => {
            format!("deploy {version} to {environment}{}", replacing(replaces.as_ref(), version))
        }
        Step::RunTests { digest, .. } => format!("run the tests of {}", digest.short()),
        Step::OpenReview { version, replaces, .. } => format!("open the review of {version}{}", replacing(replaces.as_ref(), version)),
    }
}

fn replacing(replaces: Option<&Version>, by: &Version) -> String {
    match replaces {
        Some(version) if version == by => " anew".to_owned(),
        Some(version) => format!(", replacing {version}"),
        None => String::new(),
    }
}

fn gap_text(gap: &Gap) -> String {
    match gap {
        Gap::Repository(reason) => format!("the repository: {}", one_line(reason)),
        Gap::EmptyTree => "the commit holds neither switchboard.yaml nor a connector: nothing is deleted for that".to_owned(),
        Gap::Config(problems) => {
            let first = problems.first().map_or_else(String::new, |problem| format!(": {}", one_line(&problem.to_string())));
            format!("switchboard.yaml{first}; the last readable one is used")
        }
        Gap::Reviews(reason) => format!("the reviews: {}", one_line(reason)),
    }
}

fn waiting(text: &mut String, holds: &[Hold]) {
    if holds.is_empty() {
        return;
    }
    gap_line(text);
    let _ = writeln!(text, "{}", "Waiting on".style(paint::STRONG));
    let (confirmations, others): (Vec<&Hold>, Vec<&Hold>) =
        holds.iter().partition(|hold| matches!(hold.waiting_on, WaitingOn::Confirmation { .. }));
    let mut columns = Columns::default();
    for hold in others {
        columns.row([
            (hold.connector.to_string(), paint::STRONG),
            (hold.stage.to_string(), paint::stage(hold.stage)),
            (hold.waiting_on.to_string(), Style::new()),
        ]);
    }
    text.push_str(&columns.render(2));
    if let Some(first) = confirmations.first() {
        let names: Vec<&str> = confirmations.iter().map(|hold| hold.connector.as_str()).collect();
        let _ = writeln!(text, "  {}", first.waiting_on.style(paint::WARN));
        let _ = writeln!(text, "    {}", listed(&names));
    }
}

/// One line for each environment that is left with what it holds.
pub fn undeclared(text: &mut String, environments: &[Undeclared]) {
    if environments.is_empty() {
        return;
    }
    gap_line(text);
    for environment in environments {
        let _ = writeln!(text, "{} {environment}", "note:".style(paint::HINT));
    }
}

/// Names in a row, the rest of a long list counted.
pub fn listed(names: &[impl Borrow<str>]) -> String {
    match names.len().checked_sub(NAMES_SHOWN) {
        Some(rest @ 1..) => format!("{} and {rest} more", names[..NAMES_SHOWN].join(", ")),
        Some(0) | None => names.join(", "),
    }
}

fn gap_line(text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CommitId, Digest, ReviewId, Stage, TreeId};

    fn planned(connector: &str, step: Step, cause: Cause, reason: &str) -> PlannedStep {
        PlannedStep { connector: connector.parse().unwrap(), step, cause, reason: reason.into() }
    }

    fn deploy(replaces: Option<&str>) -> Step {
        Step::Deploy {
            environment: "test".parse().unwrap(),
            version: "1.2.0".parse().unwrap(),
            digest: Digest::of(b"x"),
            tree: TreeId::new("t"),
            replaces: replaces.map(|version| version.parse().unwrap()),
        }
    }

    fn delete() -> Step {
        Step::Delete { environment: "production".parse().unwrap(), version: "0.9.0".parse().unwrap(), digest: Digest::of(b"y") }
    }

    fn hold(connector: &str, stage: Stage, waiting_on: WaitingOn) -> Hold {
        Hold { connector: connector.parse().unwrap(), stage, waiting_on }
    }

    fn plain(plan: &Plan) -> String {
        anstream::adapter::strip_str(&super::plan(plan, &BTreeMap::new())).to_string()
    }

    #[test]
    fn a_plan_reads_step_by_step() {
        let plan = Plan {
            commit: Some(CommitId::new("3f2a9c1b04aaaa")),
            gaps: vec![],
            oddities: vec![],
            steps: vec![
                planned("crm", delete(), Cause::Change, "its folder was deleted"),
                planned("github-issues", deploy(None), Cause::Change, "not in test yet"),
                planned("jira", deploy(Some("1.1.0")), Cause::Change, "its content changed"),
                planned("slack", deploy(Some("1.2.0")), Cause::Drift, "test lost it"),
                planned("zoom", Step::RunTests { digest: Digest::of(b"x"), tree: TreeId::new("t") }, Cause::Change, "never tested"),
            ],
            holds: vec![
                hold("mail", Stage::InReview, WaitingOn::Review { review: ReviewId(3) }),
                hold("a", Stage::Published, WaitingOn::Confirmation { id: "d-1".into(), connectors: 2 }),
                hold("b", Stage::Published, WaitingOn::Confirmation { id: "d-1".into(), connectors: 2 }),
            ],
            undeclared: vec![Undeclared { environment: "staging".parse().unwrap(), connectors: 1 }],
            failed: BTreeMap::new(),
        };
        insta::assert_snapshot!(plain(&plan), @r"
        -  crm            delete 0.9.0 from production           its folder was deleted
        +  github-issues  deploy 1.2.0 to test                   not in test yet
        ~  jira           deploy 1.2.0 to test, replacing 1.1.0  its content changed
        ?  zoom           run the tests of 2d711642b726          never tested

        Drift: an environment no longer holds what it was given
        ~  slack  deploy 1.2.0 to test anew  test lost it

        Waiting on
          mail  in review  review #3
          confirmation of 2 deletions: `switchboard apply --confirm-deletions d-1`
            a, b

        note: the environment staging is not declared in switchboard.yaml any more and keeps what it holds: 1 connector

        Plan: 3 to deploy, 1 to test, 0 to publish, 1 to delete; 3 waiting.
        ");
    }

    #[test]
    fn in_sync_is_one_line() {
        let plan = Plan { commit: Some(CommitId::new("3f2a9c1b04aaaa")), ..Plan::default() };
        assert_eq!(plain(&plan), "In sync with 3f2a9c1b04: nothing to do.\n");
    }

    #[test]
    fn what_could_not_be_read_is_never_in_sync() {
        let plan = Plan { gaps: vec![Gap::Repository("no such\nfolder".into())], ..Plan::default() };
        assert_eq!(plain(&plan), "unreadable: the repository: no such folder\n\nNothing can be planned for what could not be read.\n");
    }

    #[test]
    fn a_long_list_of_names_is_counted() {
        let names: Vec<String> = (0..20).map(|n| format!("c{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(listed(&names), "c0, c1, c2, c3, c4, c5, c6, c7 and 12 more");
        assert_eq!(listed(&names[..8]), "c0, c1, c2, c3, c4, c5, c6, c7");
    }

    #[test]
    fn differing_lines_follow_their_step() {
        let plan = Plan { steps: vec![planned("jira", deploy(None), Cause::Change, "new")], ..Plan::default() };
        let differences = BTreeMap::from([("jira".parse().unwrap(), "-a\n+b\n".to_owned())]);
        let text = anstream::adapter::strip_str(&super::plan(&plan, &differences)).to_string();
        assert!(text.contains("new\n    -a\n    +b\n"), "{text}");
    }
}
