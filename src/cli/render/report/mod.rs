//! Reports of tests for other programs to show. Titles, differences and the names of files are anybody's: no format lets them say more
//! than text.

mod github;
mod junit;
mod markdown;

use anyhow::{Context as _, Result};

use crate::cli::output::ReportFormat;
use crate::cli::tested::{Shown, Tested};
use crate::model::{CaseOutcome, CaseReport, Evidence, Failure};

/// The report in a format; it ends with a line break.
pub fn report(format: ReportFormat, tested: &Tested) -> Result<String> {
    match format {
        ReportFormat::Json => Ok(format!("{}\n", serde_json::to_string_pretty(tested).context("cannot write the result as JSON")?)),
        ReportFormat::Junit => junit::report(tested).context("cannot write the report as XML"),
        ReportFormat::Github => Ok(github::report(tested)),
        ReportFormat::Markdown => Ok(markdown::report(tested)),
    }
}

/// Every case that failed, with whose it is.
fn failed(tested: &Tested) -> impl Iterator<Item = (&Evidence, &CaseReport)> {
    let cases = tested.evidence.iter().flat_map(|Shown { evidence, .. }| evidence.cases.iter().map(move |case| (evidence, case)));
    cases.filter(|(_, case)| case.outcome == CaseOutcome::Failed)
}

/// What was not as expected, all of it, each below where it is expected.
fn differences(evidence: &Evidence, case: &CaseReport) -> String {
    let told = |failure: &Failure| match &failure.place {
        Some(place) => format!("{}\n{}", place.within(&evidence.connector), failure.message),
        None => failure.message.clone(),
    };
    case.failures.iter().map(told).collect::<Vec<_>>().join("\n\n")
}

/// The path of a connector's file from the repository's root.
fn path(evidence: &Evidence, file: &str) -> String {
    format!("connectors/{}/{file}", evidence.connector)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Coverage, CoveragePoint, CoveragePointKind, Digest, ENGINE_LEVEL, Place, Problem};

    /// What is shown of one connector: one case of each outcome.
    fn usual() -> Tested {
        let failure = "the output differs\n- { id: 1 }\n+ { id: 2 }";
        let cases = vec![
            case("opens", "Issues", CaseOutcome::Passed, None),
            case("fails", "Issues", CaseOutcome::Failed, Some(failure)),
            case("later", "Issues", CaseOutcome::Skipped, None),
        ];
        let tests = |name: &str, cases, failure: Option<&str>| evidence(name, cases, failure);
        let evidence = vec![
            Shown { evidence: tests("crm", cases, None), reused: false },
            Shown { evidence: tests("erp", vec![case("works", "All", CaseOutcome::Passed, None)], None), reused: true },
            Shown { evidence: tests("mail", vec![], Some("the connector has problems:\nx")), reused: false },
        ];
        let problem =
            Problem::error("SB020", Place { file: "connectors/shop/connector.yaml".into(), line: 3, column: 1 }, "unknown key `x`");
        Tested::new(evidence, vec![problem.hint("Did you mean `y`?")])
    }

    /// Everything that could be said in the titles of somebody who means no good.
    fn hostile() -> Tested {
        let words = "x\n::error::a%0A]]></failure><b>&\"'\u{0}\u{1b}[31m\u{202e}\r::set-env a,b:c @all #1 | ``` ````";
        let mut case = case(words, words, CaseOutcome::Failed, Some(words));
        case.target = words.into();
        case.place.file = format!("tests/{words}.yaml");
        case.failures.push(words.to_owned().into());
        let skipped = CaseReport { outcome: CaseOutcome::Skipped, failures: vec![], skipped: Some(words.into()), ..case.clone() };
        let evidence = Shown { evidence: evidence("crm", vec![case, skipped], Some(words)), reused: false };
        Tested::new(vec![evidence], vec![Problem::error("SB020", Place::file(words), words).hint(words)])
    }

    fn case(title: &str, suite: &str, outcome: CaseOutcome, failure: Option<&str>) -> CaseReport {
        let expectation = Place { file: "tests/issues.yaml".into(), line: 9, column: 7 };
        CaseReport {
            suite: suite.into(),
            case: title.into(),
            place: Place { file: "tests/issues.yaml".into(), line: 4, column: 5 },
            target: "actions/create-issue".into(),
            outcome,
            failures: failure
                .into_iter()
                .map(|failure| Failure { message: failure.to_owned(), place: Some(expectation.clone()) })
                .collect(),
            skipped: (outcome == CaseOutcome::Skipped).then(|| "the service is down".to_owned()),
            micros: if outcome == CaseOutcome::Skipped { 0 } else { 1_500 },
        }
    }

    fn evidence(connector: &str, cases: Vec<CaseReport>, failure: Option<&str>) -> Evidence {
        let point = |covered| CoveragePoint {
            kind: CoveragePointKind::Action,
            target: "actions/create-issue".into(),
            what: "the action".into(),
            place: Place::file("connector.yaml"),
            covered,
        };
        Evidence {
            connector: connector.parse().unwrap(),
            digest: Digest::of(b"x"),
            level: ENGINE_LEVEL,
            started: "2026-01-01T00:00:00Z".parse().unwrap(),
            millis: 3,
            runner: "0.1.0".into(),
            coverage: Coverage { points: if cases.is_empty() { vec![] } else { vec![point(true), point(false)] } },
            cases,
            failure: failure.map(str::to_owned),
            partial: false,
        }
    }

    #[test]
    fn github_shows_each_failure_where_it_stands() {
        insta::assert_snapshot!(report(ReportFormat::Github, &usual()).unwrap(), @r"
        ::error file=connectors/crm/tests/issues.yaml,line=9,col=7,title=Issues › fails::the output differs%0A- { id: 1 }%0A+ { id: 2 }
        ::error file=connectors/mail/connector.yaml,line=1,col=1,title=The tests of mail failed as a whole::the connector has problems:%0Ax
        ::error file=connectors/shop/connector.yaml,line=3,col=1,title=SB020::unknown key `x`%0ADid you mean `y`?
        ::notice title=Tests::2 passed, 2 failed, 1 skipped in 3 connectors, 1 of them tested before; 1 cannot be read
        ");
    }

    #[test]
    fn junit_has_a_suite_a_file() {
        insta::assert_snapshot!(report(ReportFormat::Junit, &usual()).unwrap(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="switchboard" tests="6" failures="1" skipped="1" errors="2" time="0.004500">
          <testsuite name="crm › Issues" file="connectors/crm/tests/issues.yaml" timestamp="2026-01-01T00:00:00Z" tests="3" failures="1" skipped="1" errors="0" time="0.003000">
            <testcase name="opens" classname="crm.issues" file="connectors/crm/tests/issues.yaml" line="4" time="0.001500"/>
            <testcase name="fails" classname="crm.issues" file="connectors/crm/tests/issues.yaml" line="4" time="0.001500">
              <failure message="the output differs" type="failure">connectors/crm/tests/issues.yaml:9:7
        the output differs
        - { id: 1 }
        + { id: 2 }</failure>
            </testcase>
            <testcase name="later" classname="crm.issues" file="connectors/crm/tests/issues.yaml" line="4" time="0.000000">
              <skipped message="the service is down"/>
            </testcase>
            <system-out>digest 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, run at 2026-01-01T00:00:00Z by switchboard 0.1.0; coverage 1 of 2</system-out>
          </testsuite>
          <testsuite name="erp › All" file="connectors/erp/tests/issues.yaml" timestamp="2026-01-01T00:00:00Z" tests="1" failures="0" skipped="0" errors="0" time="0.001500">
            <testcase name="works" classname="erp.issues" file="connectors/erp/tests/issues.yaml" line="4" time="0.001500"/>
            <system-out>digest 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, run at 2026-01-01T00:00:00Z by switchboard 0.1.0; coverage 1 of 2; kept from then, and not run again</system-out>
          </testsuite>
          <testsuite name="mail" file="connectors/mail/connector.yaml" timestamp="2026-01-01T00:00:00Z" tests="1" failures="0" skipped="0" errors="1" time="0.000000">
            <testcase name="the run as a whole" classname="mail" time="0.000000">
              <error message="the connector has problems: x" type="error">the connector has problems:
        x</error>
            </testcase>
          </testsuite>
          <testsuite name="shop" file="connectors/shop/connector.yaml" tests="1" failures="0" skipped="0" errors="1" time="0.000000">
            <testcase name="connectors/shop/connector.yaml:3:1 is sound" classname="shop" time="0.000000">
              <error message="connectors/shop/connector.yaml:3:1: error[SB020]: unknown key `x`" type="error">connectors/shop/connector.yaml:3:1: error[SB020]: unknown key `x`</error>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn markdown_is_a_table_and_the_differences() {
        insta::assert_snapshot!(report(ReportFormat::Markdown, &usual()).unwrap(), @r"
        ### ❌ Tests: 2 passed, 2 failed, 1 skipped

        | | Connector | Passed | Failed | Skipped | Coverage | Time |
        | --- | --- | ---: | ---: | ---: | ---: | ---: |
        | ❌ | crm <code>2d711642b726</code> | 1 | 1 | 1 | 1 of 2 | 3 ms |
        | ✅ | erp <code>2d711642b726</code> | 1 | 0 | 0 | 1 of 2 | as of 2026-01-01T00:00:00Z |
        | ❌ | mail <code>2d711642b726</code> | 0 | 1 | 0 | – | 3 ms |

        <details><summary>❌ <code>crm&#58; Issues › fails</code></summary>

        <code>connectors/crm/tests/issues.yaml&#58;4&#58;5</code> in <code>actions/create-issue</code>

        ```diff
        connectors/crm/tests/issues.yaml:9:7
        the output differs
        - { id: 1 }
        + { id: 2 }
        ```

        </details>

        <details><summary>❌ <code>mail&#58; the run as a whole</code></summary>

        ```diff
        the connector has problems:
        x
        ```

        </details>

        <details><summary>❌ <code>1 file could not be tested</code></summary>

        ```diff
        connectors/shop/connector.yaml:3:1: error[SB020]: unknown key `x`
        ```

        </details>

        <details><summary>1 case skipped</summary>

        - <code>crm&#58; Issues › later</code>: <code>the service is down</code>

        </details>
        ");
    }

    #[test]
    fn no_title_starts_a_command() {
        let text = report(ReportFormat::Github, &hostile()).unwrap();
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.lines().all(|line| line.starts_with("::error ") || line.starts_with("::notice ")), "{text}");
        assert!(!text.contains(['\r', '\0', '\u{1b}', '\u{202e}']), "{text:?}");
        let first = text.lines().next().unwrap();
        let (properties, message) = first.strip_prefix("::error ").unwrap().split_once("::").unwrap();
        assert_eq!(
            properties.split(',').filter_map(|one| one.split_once('=')).map(|(name, _)| name).collect::<Vec<_>>(),
            ["file", "line", "col", "title"]
        );
        assert!(message.contains("%0A::error::a%250A"), "{message}");
    }

    #[test]
    fn no_title_breaks_the_xml() {
        let text = report(ReportFormat::Junit, &hostile()).unwrap();
        let mut reader = quick_xml::Reader::from_str(&text);
        reader.config_mut().check_end_names = true;
        let mut names = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(start) | quick_xml::events::Event::Empty(start) => {
                    for attribute in start.attributes() {
                        attribute.unwrap();
                    }
                    names.push(start.name().as_ref().to_owned());
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert!(!names.iter().any(|name| name == "b"), "{names:?}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }

    #[test]
    fn no_title_is_more_than_text_in_markdown() {
        let text = report(ReportFormat::Markdown, &hostile()).unwrap();
        let mut fence: Option<String> = None;
        for line in text.lines() {
            let backticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(open) if line == open => fence = None,
                Some(open) => assert!(backticks.len() < open.len(), "{line}"),
                None if backticks.len() >= 3 => fence = Some(backticks),
                None => {
                    assert!(!line.contains("<b>") && !line.starts_with("::"), "{line}");
                    let bare = line.split("<code>").map(|part| part.rsplit("</code>").next().unwrap()).collect::<String>();
                    assert!(!bare.contains("@all"), "{line}");
                }
            }
        }
        assert_eq!(fence, None);
    }
}
