//! Markdown for a comment or a summary: a table, and each failure to be opened. Words of others stand in code alone, where they mean nothing.

use std::fmt::Write as _;

use super::{differences, failed};
use crate::cli::render::columns::{harmless, one_line};
use crate::cli::render::evidence::{counts, took};
use crate::cli::tested::{Covered, Shown, Tested};
use crate::model::{CaseOutcome, CaseReport, Evidence};

/// How many failures are shown, and how much of each: a comment has room for 65 536 characters.
const MOST: usize = 20;
const LONGEST: usize = 2_000;

pub(super) fn report(tested: &Tested) -> String {
    let sign = if tested.is_good() { "✅" } else { "❌" };
    let mut text = format!("### {sign} Tests: {}\n\n", counts(tested.passed, tested.failed, tested.skipped));
    table(&mut text, tested);
    let mut left = 0;
    for (index, (evidence, case)) in failed(tested).enumerate() {
        if index < MOST {
            failure(&mut text, evidence, case);
        } else {
            left += 1;
        }
    }
    if left > 0 {
        let _ = writeln!(text, "And {left} more.\n");
    }
    for Shown { evidence, .. } in &tested.evidence {
        if let Some(failure) = &evidence.failure {
            opened(&mut text, &format!("{}: the run as a whole", evidence.connector), "", failure);
        }
    }
    if !tested.problems.is_empty() {
        let problems: Vec<String> = tested.problems.iter().map(ToString::to_string).collect();
        opened(&mut text, &format!("{} could not be tested", counted(problems.len(), "file")), "", &problems.join("\n"));
    }
    skipped(&mut text, tested);
    text
}

fn table(text: &mut String, tested: &Tested) {
    if tested.evidence.is_empty() {
        return;
    }
    text.push_str("| | Connector | Passed | Failed | Skipped | Coverage | Time |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n");
    for Shown { evidence, reused } in &tested.evidence {
        let verdict = evidence.verdict();
        let sign = if verdict.is_good() { "✅" } else { "❌" };
        let coverage = Covered::by(evidence).map_or_else(|| "–".to_owned(), |covered| covered.to_string());
        let time = if *reused { format!("as of {:.0}", evidence.started) } else { took(evidence.millis.saturating_mul(1_000)) };
        let (name, digest) = (&evidence.connector, evidence.digest.short());
        let _ = writeln!(
            text,
            "| {sign} | {name} <code>{digest}</code> | {} | {} | {} | {coverage} | {time} |",
            verdict.passed,
            verdict.failed,
            evidence.skipped()
        );
    }
    text.push('\n');
}

fn failure(text: &mut String, evidence: &Evidence, case: &CaseReport) {
    let title = format!("{}: {} › {}", evidence.connector, case.suite, case.case);
    let place = case.place.within(&evidence.connector).to_string();
    opened(text, &title, &format!("{} in {}\n\n", code(&place), code(&case.target)), &differences(evidence, case));
}

/// Something to be opened: a title, a line of Markdown, and a text as it is.
fn opened(text: &mut String, title: &str, line: &str, content: &str) {
    let content = shortened(harmless(content).trim_end());
    let fence = fence(&content);
    let _ = write!(text, "<details><summary>❌ {}</summary>\n\n{line}{fence}diff\n{content}\n{fence}\n\n</details>\n\n", code(title));
}

fn skipped(text: &mut String, tested: &Tested) {
    let cases = tested.evidence.iter().flat_map(|shown| shown.evidence.cases.iter().map(|case| (&shown.evidence.connector, case)));
    let skipped: Vec<_> = cases.filter(|(_, case)| case.outcome == CaseOutcome::Skipped).collect();
    if skipped.is_empty() {
        return;
    }
    let _ = write!(text, "<details><summary>{} skipped</summary>\n\n", counted(skipped.len(), "case"));
    for (connector, case) in skipped.iter().take(MOST) {
        let title = format!("{connector}: {} › {}", case.suite, case.case);
        let _ = writeln!(text, "- {}: {}", code(&title), code(case.skipped.as_deref().unwrap_or_default()));
    }
    text.push_str("\n</details>\n\n");
}

/// Code in a line, as HTML: in it no sign of Markdown counts, nobody is called by name, and no number becomes a link. As an entity, a sign
/// is not looked at by whatever comes before HTML.
fn code(text: &str) -> String {
    let mut code = String::from("<code>");
    for c in one_line(text).chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '\\' | '|' | '~' | '$' | '@' | '#' | '!' | ':' => {
                let _ = write!(code, "&#{};", u32::from(c));
            }
            c => code.push(c),
        }
    }
    code + "</code>"
}

/// A fence that is longer than every row of backticks in what it holds.
fn fence(content: &str) -> String {
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}\n…", &text[..end]),
        None => text.to_owned(),
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
