//! Records cases: each runs live, is rehearsed without the live run's secrets, and written only where none of them is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use serde_json::json;

use super::scan::Scanner;
use super::secrets::{Known, tokens};
use super::stand_in::StandIns;
use super::tape::{Sent, Tape};
use super::{CasesSetup, RanEnd};
use crate::flow::{Response, Session};
use crate::harness::live::run::Live;
use crate::harness::protocol::Crossing;
use crate::manifest::{Case, MANIFEST, Recording, SuiteFile, Trial, trials};
use crate::model::{BundleFiles, CaseOutcome, CaseReport, Evidence, Place};

/// How recording a connector's cases ended.
pub struct RecordedCases {
    /// How each case ended; one that could not be recorded has failed.
    pub evidence: Evidence,
    /// What is to be written.
    pub recordings: Vec<Recorded>,
}

/// A recording that is to be written. No secret of the live run is in it.
pub struct Recorded {
    /// Its path within the connector's folder.
    pub path: String,
    /// What belongs there.
    pub text: String,
    /// How many exchanges it holds.
    pub exchanges: usize,
}

/// One case that is to be recorded.
#[derive(Clone, Copy)]
struct Subject<'a> {
    file: &'a SuiteFile,
    case: &'a Case,
    path: &'a str,
    number: usize,
}

impl Subject<'_> {
    /// The numbers of what is run of it.
    fn alone(&self) -> BTreeSet<usize> {
        BTreeSet::from([self.number])
    }
}

impl Live {
    /// Runs the cases that name a recording against the service, one after the other, and tells what is to be written there. Fails only
    /// where no worker can be started.
    pub async fn record(&self, setup: &CasesSetup) -> Result<RecordedCases> {
        let (started, began) = (self.pool.config.clock.now(), Instant::now());
        let (mut cases, mut recordings, mut failure): (Vec<CaseReport>, Vec<Recorded>, _) = (Vec::new(), Vec::new(), None);
        for subject in setup.subjects() {
            let session = Arc::new(Session::default());
            let tape = Arc::new(Tape::default());
            let ran = self.marked_cases(setup, (&subject.alone(), 0), &[], &session, Some(Arc::clone(&tape))).await?;
            let mut reports = ran.reports.into_iter();
            let Some(mut report) = reports.next() else {
                failure = match ran.end {
                    RanEnd::Broken(reason) => Some(setup.veil(session).text(&reason)),
                    RanEnd::Done | RanEnd::Within(_) => Some("a case to record was not run".to_owned()),
                };
                break;
            };
            if report.outcome == CaseOutcome::Passed {
                let recorded = match recordings.iter().any(|recorded| recorded.path == subject.path) {
                    true => Err(format!("another case is recorded in `{}`: name a file of its own", subject.path)),
                    false => self.recorded(setup, subject, &session, &tape).await?,
                };
                match recorded {
                    Ok(recorded) => recordings.push(recorded),
                    Err(why) => {
                        report.outcome = CaseOutcome::Failed;
                        let told = format!("the case passed live, and could not be recorded: {why}");
                        report.failures.push(setup.veil(session).text(&told).into());
                    }
                }
            }
            cases.push(report);
            // What the hook at the end of its suite has to say.
            cases.extend(reports);
        }
        cases.extend(setup.rows());
        Ok(RecordedCases { evidence: setup.evidence(started, began, cases, failure), recordings })
    }

    /// Makes a recording of what was taken down; or tells why there can be none.
    async fn recorded(&self, setup: &CasesSetup, subject: Subject<'_>, session: &Session, tape: &Tape) -> Result<Result<Recorded, String>> {
        let (known, crossings) = match setup.sanitised(subject, session, tape) {
            Ok(sanitised) => sanitised,
            Err(why) => return Ok(Err(why)),
        };
        let rehearsed = self.rehearse(setup.suites(&setup.bundle.files, &subject.alone(), 0), Some(&crossings)).await?;
        if !rehearsed.failures.is_empty() {
            let why = rehearsed.failures.join("\n");
            return Ok(Err(format!(
                "it does not pass once more on the same answers with the values that the suite's `connection` gives:\n{why}"
            )));
        }
        let recording = Recording { exchanges: rehearsed.exchanges };
        let text = match setup.written(subject, &recording, &known) {
            Ok(text) => text,
            Err(why) => return Ok(Err(why)),
        };
        let files = with_file(&setup.bundle.files, subject.path, &text);
        let replayed = self.rehearse(setup.suites(&files, &subject.alone(), 0), None).await?;
        if !replayed.failures.is_empty() {
            return Ok(Err(format!("it does not pass on the recording:\n{}", replayed.failures.join("\n"))));
        }
        Ok(Ok(Recorded { path: subject.path.to_owned(), text, exchanges: recording.exchanges.len() }))
    }
}

impl CasesSetup {
    /// The cases that are to be recorded, in the order in which they count.
    fn subjects(&self) -> Vec<Subject<'_>> {
        let numbers = self.marked(|case| case.recording.is_some() && case.each.is_empty());
        let all = trials(&self.bundle.suites).enumerate().filter(|(number, _)| numbers.contains(number));
        all.filter_map(|(number, Trial { file, case, .. })| Some(Subject { file, case, path: case.recording.as_deref()?, number }))
            .collect()
    }

    /// The chosen cases that cannot be recorded, since all of their rows would be in one file.
    fn rows(&self) -> Vec<CaseReport> {
        let numbers = self.marked(|case| case.recording.is_some() && !case.each.is_empty());
        let chosen = trials(&self.bundle.suites).enumerate().filter(|(number, _)| numbers.contains(number)).map(|(_, trial)| trial);
        // Each case is told once, however many of its rows are chosen.
        let mut with_rows: Vec<Trial<'_>> = chosen.collect();
        with_rows.dedup_by(|one, other| one.file.path == other.file.path && one.index == other.index);
        let report = |Trial { file, index, case, .. }: Trial<'_>| CaseReport {
            suite: file.suite.title.clone(),
            case: case.title.clone(),
            place: Place { file: file.path.clone(), ..file.document.place(&format!("/cases/{index}")) },
            target: String::new(),
            outcome: CaseOutcome::Failed,
            failures: vec![
                "a case with `each` has no one recording: write each row that is to be recorded as a case of its own".to_owned().into(),
            ],
            skipped: None,
            micros: 0,
        };
        with_rows.into_iter().map(report).collect()
    }

    /// What was taken down without secrets, and what these were.
    fn sanitised(&self, subject: Subject<'_>, session: &Session, tape: &Tape) -> Result<(Vec<Known>, Vec<Crossing>), String> {
        let taken = tape.wind()?;
        let mut known = self.values().known(&subject.file.suite, subject.case)?;
        known.extend(tokens(&taken, session, &known)?);
        let stand_ins = StandIns::new(&known)?;
        let manifest = String::from_utf8_lossy(self.bundle.files.get(MANIFEST).unwrap_or_default()).to_ascii_lowercase();
        // A header that the manifest names is one that a flow may read; cookies are of one session, and tell of it.
        let is_named = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.contains('-') && !name.starts_with("set-cookie") && manifest.contains(&name)
        };
        let crossing = |(sent, response): &(Sent, Response)| {
            let (method, url) = (sent.method.clone(), stand_ins.url(&sent.url)?);
            Ok(Crossing { method, url, response: stand_ins.response(response, &is_named) })
        };
        let crossings = taken.iter().map(crossing).collect::<Result<_, String>>()?;
        Ok((known, crossings))
    }

    /// The recording as it is written, unless a secret is in it.
    fn written(&self, subject: Subject<'_>, recording: &Recording, known: &[Known]) -> Result<String, String> {
        if let Some(found) = Scanner::new(known)?.found(&json!(recording)) {
            return Err(format!(
                "{found}. Let the case ask for less, or for something that does not hold it; or write its `exchanges` by hand"
            ));
        }
        let file = format!("connectors/{}/{}", self.connector, subject.path);
        recording.write(&file).map_err(|why| format!("what was answered cannot be written as YAML: {why}"))
    }
}

fn with_file(files: &BundleFiles, path: &str, text: &str) -> BundleFiles {
    let mut all: BTreeMap<String, Vec<u8>> = files.iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect();
    all.insert(path.to_owned(), text.as_bytes().to_vec());
    BundleFiles::new(all)
}
