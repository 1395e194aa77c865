//! JUnit's XML as CI systems read it: a suite a file, a case a case.
//! Source: <https://github.com/testmoapp/junitxml>, which gathers what the readers understand.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{differences, path};
use crate::cli::render::columns::{harmless, one_line};
use crate::cli::tested::{Covered, Shown, Tested};
use crate::model::{CaseOutcome, CaseReport, Evidence, Problem};

type Xml = Writer<Vec<u8>>;

pub(super) fn report(tested: &Tested) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let broken = tested.evidence.iter().filter(|shown| shown.evidence.failure.is_some()).count() + tested.problems.len();
    let all = tested.evidence.iter().flat_map(|shown| &shown.evidence.cases);
    let counted = Counted::of(all, broken);
    counted.write(&mut xml, "testsuites", &[("name", "switchboard".to_owned())], |xml| {
        tested.evidence.iter().try_for_each(|shown| connector(xml, shown))?;
        tested.problems.iter().try_for_each(|problem| unread(xml, problem))
    })?;
    let mut text = String::from_utf8_lossy(&xml.into_inner()).into_owned();
    text.push('\n');
    Ok(text)
}

/// What the attributes of a suite, or of all, count.
struct Counted {
    tests: usize,
    failures: usize,
    skipped: usize,
    errors: usize,
    micros: u64,
}

impl Counted {
    fn of<'c>(cases: impl Iterator<Item = &'c CaseReport>, errors: usize) -> Self {
        let mut counted = Self { tests: errors, failures: 0, skipped: 0, errors, micros: 0 };
        for case in cases {
            counted.tests += 1;
            counted.failures += usize::from(case.outcome == CaseOutcome::Failed);
            counted.skipped += usize::from(case.outcome == CaseOutcome::Skipped);
            counted.micros = counted.micros.saturating_add(case.micros);
        }
        counted
    }

    fn write(
        &self,
        xml: &mut Xml,
        name: &str,
        attributes: &[(&str, String)],
        inside: impl FnOnce(&mut Xml) -> io::Result<()>,
    ) -> io::Result<()> {
        let counts = [("tests", self.tests), ("failures", self.failures), ("skipped", self.skipped), ("errors", self.errors)];
        let counts = counts.map(|(name, count)| (name, count.to_string()));
        let time = ("time", seconds(self.micros));
        let all = attributes.iter().chain(&counts).chain([&time]).map(|(name, value)| (*name, value.as_str()));
        xml.create_element(name).with_attributes(all).write_inner_content(inside).map(drop)
    }
}

fn connector(xml: &mut Xml, shown: &Shown) -> io::Result<()> {
    let evidence = &shown.evidence;
    let mut files: Vec<&str> = Vec::new();
    for case in &evidence.cases {
        if !files.contains(&case.place.file.as_str()) {
            files.push(&case.place.file);
        }
    }
    for file in files {
        let cases: Vec<&CaseReport> = evidence.cases.iter().filter(|case| case.place.file == file).collect();
        let title = cases.first().map(|case| case.suite.as_str()).unwrap_or_default();
        let attributes = suite(&format!("{} › {title}", evidence.connector), &path(evidence, file), Some(evidence));
        Counted::of(cases.iter().copied(), 0).write(xml, "testsuite", &attributes, |xml| {
            cases.iter().try_for_each(|found| case(xml, evidence, found))?;
            text(xml, "system-out", &run(shown))
        })?;
    }
    let Some(failure) = &evidence.failure else { return Ok(()) };
    let attributes = suite(evidence.connector.as_str(), &path(evidence, crate::manifest::MANIFEST), Some(evidence));
    broken(xml, &attributes, evidence.connector.as_str(), "the run as a whole", failure)
}

fn case(xml: &mut Xml, evidence: &Evidence, case: &CaseReport) -> io::Result<()> {
    let file = one_line(&path(evidence, &case.place.file));
    let stem = case.place.file.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
    let attributes = [
        ("name", sound(&one_line(&case.case))),
        ("classname", sound(&one_line(&format!("{}.{stem}", evidence.connector)))),
        ("file", sound(&file)),
        ("line", case.place.line.to_string()),
        ("time", seconds(case.micros)),
    ];
    let element = xml.create_element("testcase").with_attributes(attributes.iter().map(|(name, value)| (*name, value.as_str())));
    match case.outcome {
        CaseOutcome::Passed => element.write_empty().map(drop),
        CaseOutcome::Failed => {
            let headline = case.failures.first().map(|failure| failure.message.as_str()).unwrap_or_default();
            element.write_inner_content(|xml| complaint(xml, "failure", headline, &differences(evidence, case))).map(drop)
        }
        CaseOutcome::Skipped => {
            let reason = sound(&one_line(case.skipped.as_deref().unwrap_or_default()));
            let skipped =
                |xml: &mut Xml| xml.create_element("skipped").with_attribute(("message", reason.as_str())).write_empty().map(drop);
            element.write_inner_content(skipped).map(drop)
        }
    }
}

fn unread(xml: &mut Xml, problem: &Problem) -> io::Result<()> {
    let connector = problem.place.file.split('/').nth(1).unwrap_or(&problem.place.file);
    broken(xml, &suite(connector, &problem.place.file, None), connector, &format!("{} is sound", problem.place), &problem.to_string())
}

/// A suite whose only case says why there are no others.
fn broken(xml: &mut Xml, attributes: &[(&'static str, String)], class: &str, name: &str, reason: &str) -> io::Result<()> {
    let counted = Counted::of(std::iter::empty(), 1);
    counted.write(xml, "testsuite", attributes, |xml| {
        let names = [("name", sound(&one_line(name))), ("classname", sound(&one_line(class))), ("time", seconds(0))];
        let element = xml.create_element("testcase").with_attributes(names.iter().map(|(name, value)| (*name, value.as_str())));
        // The first line only says that problems follow.
        let headline = reason.lines().take(2).collect::<Vec<_>>().join(" ");
        element.write_inner_content(|xml| complaint(xml, "error", &headline, reason)).map(drop)
    })
}

fn suite(name: &str, file: &str, evidence: Option<&Evidence>) -> Vec<(&'static str, String)> {
    let mut attributes = vec![("name", sound(&one_line(name))), ("file", sound(&one_line(file)))];
    attributes.extend(evidence.map(|evidence| ("timestamp", format!("{:.0}", evidence.started))));
    attributes
}

/// A failure or an error: the first line of what went wrong, which readers show in lists, and all of it.
fn complaint(xml: &mut Xml, kind: &'static str, headline: &str, reason: &str) -> io::Result<()> {
    let first = sound(&one_line(headline.lines().next().unwrap_or_default()));
    let element = xml.create_element(kind).with_attributes([("message", first.as_str()), ("type", kind)]);
    element.write_text_content(BytesText::new(&sound(reason))).map(drop)
}

fn text(xml: &mut Xml, name: &'static str, content: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(&sound(content))).map(drop)
}

/// What is to be known of the run as a whole.
fn run(Shown { evidence, reused }: &Shown) -> String {
    let coverage = Covered::by(evidence).map(|covered| format!("; coverage {covered}")).unwrap_or_default();
    let again = if *reused { "; kept from then, and not run again" } else { "" };
    format!("digest {}, run at {:.0} by switchboard {}{coverage}{again}", evidence.digest, evidence.started, evidence.runner)
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Without what XML 1.0 does not allow, escaped or not, and without what a terminal would obey.
fn sound(text: &str) -> String {
    harmless(&text.replace("\r\n", "\n")).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
