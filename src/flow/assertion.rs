//! What a test suite asserts: expressions that must be true of a request that was sent, or of how a case ended.

use serde_json::{Map, Value};

use super::data::Data;
use super::expression::value::{to_jq, to_json};
use super::expression::{Expression, Stage};
use super::finding::{At, Finding};
use super::parse::{Declared, Parser};
use super::program::{declared, located};
use super::suite::{Seen, Variables};
use crate::manifest::{Document, Manifest, cut};
use crate::model::Problem;

/// What assertions read beside `$connection`: what a suite has given before.
const LOCALS: [&str; 3] = ["$each", "$beforeSuite", "$beforeEach"];
/// How much of what an expression gives is made to JSON, in bytes, and how much of it is shown, in characters.
const MOST: usize = 64 << 10;
const LONGEST: usize = 500;

/// An expression of which every result must be true.
#[derive(Debug)]
pub struct Assertion {
    /// Gives the list of all results: the first alone would say too little of `.items[] | .id > 0`.
    results: Expression,
}

impl Assertion {
    /// Parses an assertion, with or without `${ }` around it; the error is what is wrong with it, one after the other. Nothing is
    /// evaluated.
    pub fn parse(text: &str) -> Result<Self, String> {
        let declared = Declared::default();
        let mut parser = Parser::new(&declared);
        let assertion = Self::read(text, &At::base(""), &mut parser);
        let wrong = || parser.findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; ");
        assertion.ok_or_else(wrong)
    }

    fn read(text: &str, at: &At<'_>, parser: &mut Parser<'_>) -> Option<Self> {
        parser.at_stage(Stage::Suite, |parser| {
            parser.with_locals(&LOCALS, |parser| {
                let single = parser.condition(&Value::from(text), at, "an assertion")?;
                // A comment may end it.
                let results = parser.condition(&Value::from(format!("[{}\n]", single.source())), at, "an assertion")?;
                Some(Self { results })
            })
        })
    }

    /// Whether it holds of a value; the error is what it gave that is not true, or why it gave nothing, in words that follow the
    /// expression. May never return, or end the process: only for workers.
    pub fn judge(&self, over: &Value, connection: &Map<String, Value>, variables: &Variables) -> Result<(), String> {
        let seen = Seen { variables, connection: Data::plain(to_jq(&Value::Object(connection.clone()))) };
        let given =
            self.results.evaluate(&Data::plain(to_jq(over)), &seen).map_err(|why| format!("has no value: {}", bare(&why.to_string())))?;
        let results = to_json(given.real(), MOST).map_err(|_| format!("gives more than {MOST} bytes, and not just true"))?;
        match results.as_array().map(Vec::as_slice).unwrap_or_default() {
            [] => Err("gives nothing".to_owned()),
            all if all.iter().all(|result| *result == true) => Ok(()),
            [single] => Err(format!("gives {}", cut(&single.to_string(), LONGEST))),
            several => {
                let first = several.iter().position(|result| *result != true).unwrap_or_default();
                Err(format!(
                    "gives {} results, of which number {} is {}",
                    several.len(),
                    first + 1,
                    cut(&several[first].to_string(), LONGEST)
                ))
            }
        }
    }
}

/// Why an expression fails, without the expression: what stands around it is not the suite's.
fn bare(why: &str) -> &str {
    why.split_once("` fails: ").map_or(why, |(_, why)| why)
}

/// What is wrong with the assertions of one file. Nothing is evaluated, so it is safe in any process.
#[derive(Debug)]
pub struct Assertions {
    declared: Declared,
    findings: Vec<Finding>,
}

impl Assertions {
    /// Nothing found yet in the suites of this connector.
    pub fn of(manifest: &Manifest) -> Self {
        Self { declared: declared(manifest), findings: Vec::new() }
    }

    /// Reads one.
    pub(crate) fn read(&mut self, text: &str, at: &At<'_>) {
        let mut parser = Parser::new(&self.declared);
        Assertion::read(text, at, &mut parser);
        self.findings.append(&mut parser.findings);
    }

    /// What was found, at its places in the file.
    pub fn problems(self, document: &Document) -> Vec<Problem> {
        located(self.findings, document)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge(text: &str, over: &Value) -> Result<(), String> {
        let connection = json!({ "token": "t" });
        let variables = Variables { each: json!({ "id": 7 }), ..Variables::default() };
        Assertion::parse(text)?.judge(over, connection.as_object().unwrap(), &variables)
    }

    #[test]
    fn every_result_must_be_true() {
        let over = json!({ "a": 1, "items": [{ "id": 7 }, { "id": 0 }] });
        for good in
            ["${ .a == 1 }", ".a == 1 # so it is", ".items | length == 2", "${ .items[0].id == $each.id }", "$connection.token == \"t\""]
        {
            assert_eq!(judge(good, &over), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("${ .a == 2 }", "gives false"),
            (".a", "gives 1"),
            ("empty", "gives nothing"),
            (".items[] | .id > 0", "gives 2 results, of which number 2 is false"),
            (".a | error(\"no\")", "has no value: no"),
            ("$beforeEach.id == 1", "gives false"),
        ] {
            assert_eq!(judge(bad, &over), Err(why.to_owned()), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (wrong, why) in [
            (".a ==", "the expression ends where a `term` is expected"),
            ("$input.a", "`$input` has no value here"),
            ("now > 0", "`now` has no value here"),
            ("$nothing", "no variable `$nothing`"),
        ] {
            assert_eq!(Assertion::parse(wrong).unwrap_err(), why, "{wrong}");
        }
    }
}
