//! Workflow commands of GitHub Actions: one a failure, each in a line of its own, which shows it beside the changed line.
//! Source: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

use std::fmt::Write as _;

use super::{failed, path};
use crate::cli::render::columns::{harmless, one_line};
use crate::cli::render::evidence::told;
use crate::cli::tested::{Shown, Tested};
use crate::model::Place;

pub(super) fn report(tested: &Tested) -> String {
    let mut text = String::new();
    for (evidence, case) in failed(tested) {
        let title = format!("{} › {}", case.suite, case.case);
        for failure in &case.failures {
            let place = failure.place.as_ref().unwrap_or(&case.place);
            error(&mut text, &place.within(&evidence.connector), &title, &failure.message);
        }
    }
    for Shown { evidence, .. } in &tested.evidence {
        if let Some(failure) = &evidence.failure {
            let place = Place::file(path(evidence, crate::manifest::MANIFEST));
            error(&mut text, &place, &format!("The tests of {} failed as a whole", evidence.connector), failure);
        }
    }
    for problem in &tested.problems {
        let hint = problem.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
        error(&mut text, &problem.place, &problem.code, &format!("{}{hint}", problem.message));
    }
    let _ = writeln!(text, "::notice title=Tests::{}", data(&told(tested)));
    text
}

fn error(text: &mut String, place: &Place, title: &str, message: &str) {
    let (file, title) = (property(&place.file), property(title));
    // Without a message there is no command.
    let message = if message.trim().is_empty() { "it failed" } else { message };
    let _ = writeln!(text, "::error file={file},line={},col={},title={title}::{}", place.line, place.column, data(message));
}

/// A message, which may have lines.
fn data(text: &str) -> String {
    harmless(&text.replace("\r\n", "\n")).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(&one_line(text)).replace(':', "%3A").replace(',', "%2C")
}
