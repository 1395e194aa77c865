//! What suites expect and answer can be judged and found: schemas are schemas, expressions are expressions, files are there, and nothing
//! contradicts itself.

use super::codes::{CONTRADICTION, NO_SUCH_FILE};
use super::findings::Findings;
use super::{references, schemas};
use crate::flow::Assertions;
use crate::flow::finding::At;
use crate::manifest::{Exchange, Expectation, HookName, Schema, SuiteFile, SuiteFlaw, missing_file};

pub(super) fn check(findings: &mut Findings<'_>) {
    let bundle = findings.bundle;
    for file in &bundle.suites {
        let mut walk = Walk { findings, file, assertions: Assertions::of(&bundle.manifest) };
        walk.suite();
        let assertions = walk.assertions.problems(&file.document);
        findings.add(assertions);
    }
}

/// The walk through one file.
struct Walk<'f, 'b> {
    findings: &'f mut Findings<'b>,
    file: &'b SuiteFile,
    assertions: Assertions,
}

impl Walk<'_, '_> {
    fn suite(&mut self) {
        let suite = &self.file.suite;
        let root = At::base("");
        for name in HookName::ALL {
            if let Some(hook) = suite.hook(name) {
                self.exchanges(&hook.exchanges, &root.key(name.key()));
            }
        }
        let cases = root.key("cases");
        for (index, case) in suite.cases.iter().enumerate() {
            let at = cases.index(index);
            let flaws = case.flaws();
            let misplaced = case.misplaced(&self.findings.bundle.manifest).filter(|_| flaws.is_empty());
            self.flaws(flaws.into_iter().chain(misplaced).collect(), &at);
            self.exchanges(&case.exchanges, &at);
            self.expectation(&case.expect, &at.key("expect"));
            let polls = case.polls.iter().map(|poll| (&poll.exchanges, &poll.expect)).enumerate();
            let happenings = case.sequence.iter().map(|happening| (&happening.exchanges, &happening.expect)).enumerate();
            let (in_polls, in_sequence) = (at.key("polls"), at.key("sequence"));
            let polls = polls.map(|(index, part)| (in_polls.index(index), part));
            for (at, (exchanges, expect)) in polls.chain(happenings.map(|(index, part)| (in_sequence.index(index), part))) {
                self.exchanges(exchanges, &at);
                if let Some(expect) = expect {
                    self.expectation(expect, &at.key("expect"));
                }
            }
        }
    }

    /// The exchanges of what stands here.
    fn exchanges(&mut self, exchanges: &[Exchange], at: &At<'_>) {
        let list = at.key("exchanges");
        for (index, exchange) in exchanges.iter().enumerate() {
            let at = list.index(index);
            self.flaws(exchange.flaws(), &at);
            self.exchange(exchange, &at);
            let group = at.key("inAnyOrder");
            for (index, inner) in exchange.in_any_order.iter().enumerate() {
                self.exchange(inner, &group.index(index));
            }
        }
    }

    fn exchange(&mut self, exchange: &Exchange, at: &At<'_>) {
        if let Some(request) = &exchange.request {
            let at = at.key("request");
            self.schema(request.body_schema.as_ref(), &at.key("bodySchema"));
            self.assertions(&request.assert, &at.key("assert"));
        }
        let files = &self.findings.bundle.files;
        let path = exchange.response.as_ref().and_then(|response| response.file.as_ref());
        if let Some(path) = path.filter(|path| files.get(path).is_none()) {
            let (message, hint) = missing_file(path, files);
            let place = self.file.document.place(&at.key("response").key("file").pointer());
            self.findings.broken(NO_SUCH_FILE, place, message, hint);
        }
    }

    fn expectation(&mut self, expect: &Expectation, at: &At<'_>) {
        self.flaws(expect.flaws(), at);
        self.schema(expect.output_schema.as_ref(), &at.key("outputSchema"));
        self.assertions(&expect.assert, &at.key("assert"));
    }

    fn schema(&mut self, schema: Option<&Schema>, at: &At<'_>) {
        if let Some(Schema(schema)) = schema {
            schemas::valid(self.findings, &self.file.document, schema, at);
            references::lead_to_types(self.findings, &self.file.document, schema, at);
        }
    }

    fn assertions(&mut self, assertions: &[String], at: &At<'_>) {
        for (index, text) in assertions.iter().enumerate() {
            self.assertions.read(text, &at.index(index));
        }
    }

    fn flaws(&mut self, flaws: Vec<SuiteFlaw>, at: &At<'_>) {
        for SuiteFlaw { pointer, message, hint } in flaws {
            let place = self.file.document.key_place(&(at.pointer() + &pointer));
            self.findings.broken(CONTRADICTION, place, message, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    fn report(case: &str) -> Vec<String> {
        sample::report(|sample| sample.replace_in_suite("    input: { id: a }\n    expect: { output: { name: x } }\n", case))
    }

    #[test]
    fn what_is_asserted_can_be_read() {
        let case = |assert: &str| format!("    expect: {{ assert: [\"{assert}\"] }}\n");
        assert_eq!(report(&case("${ .output.name == $connection.region }")), Vec::<String>::new());
        assert_eq!(report(&case("${ .output.name == }")), ["SB310 error 6:24"]);
        assert_eq!(report(&case(".output | nmae")), ["SB311 error 6:24"]);
        assert_eq!(report(&case("$connection.regoin == 1")), ["SB313 error 6:24"]);
        assert_eq!(report(&case("$input.id == 1")), ["SB314 error 6:24"]);
        let request = "    exchanges:\n    - request: { method: get, assert: [\"${ .path ==\"] }\n      response: { status: 200 }\n    expect: { requests: 1 }\n";
        assert_eq!(report(request), ["SB310 error 7:40"]);
    }

    #[test]
    fn schemas_of_suites_are_schemas() {
        let case = |schema: &str| format!("    expect: {{ outputSchema: {schema} }}\n");
        assert_eq!(report(&case("{ $ref: \"#/types/Thing\" }")), Vec::<String>::new());
        assert_eq!(report(&case("{ $ref: \"#/types/Thnig\" }")), ["SB162 error 6:37"]);
        assert_eq!(report(&case("{ $ref: \"other.yaml\" }")), ["SB161 error 6:37"]);
        assert_eq!(report(&case("{ type: text }")), ["SB181 error 6:37"]);
        let request = "    exchanges:\n    - inAnyOrder:\n      - request: { method: get, bodySchema: { type: text } }\n        response: { status: 200 }\n    expect: { requests: 1 }\n";
        assert_eq!(report(request), ["SB181 error 8:53"]);
    }

    #[test]
    fn files_are_there() {
        let found = |path: &str| {
            let case = format!(
                "    exchanges: [{{ request: {{ method: get }}, response: {{ status: 200, file: {path} }} }}]\n    expect: {{ requests: 1 }}\n"
            );
            sample::problems(|sample| sample.replace_in_suite("    input: { id: a }\n    expect: { output: { name: x } }\n", &case))
        };
        assert!(found("icon.svg").is_empty());
        let missing = &found("icno.svg")[0];
        assert_eq!((missing.code.as_str(), missing.place.line, missing.place.column), ("SB212", 6, 76));
        assert_eq!(missing.hint.as_deref(), Some("Did you mean `icon.svg`?"));
        assert_eq!(found("tests/x.bin")[0].hint.as_deref(), Some("There: `tests/all.yaml`."));
        assert_eq!(found("../secret")[0].hint.as_deref(), Some("Add it; its path begins at the connector's folder."));
    }

    #[test]
    fn contradictions_are_told() {
        assert_eq!(report("    expect: { output: 1, error: { status: 404 } }\n"), ["SB211 error 6:15"]);
        let exchange = |rest: &str| format!("    exchanges:\n    - {rest}\n    expect: {{ requests: 1 }}\n");
        let one = "{ request: { method: get }, response: { status: 200 } }";
        assert_eq!(report(&exchange(&format!("inAnyOrder: [{{ inAnyOrder: [{one}] }}]"))), ["SB211 error 7:22"]);
        let answer = |response: &str| exchange(&format!("{{ request: {{ method: get }}, response: {{ {response} }} }}"));
        assert_eq!(report(&answer("fault: reset")), Vec::<String>::new());
        assert_eq!(report(&answer("fault: reset, status: 200")), ["SB211 error 7:47"]);
        assert_eq!(report(&answer("fault: timeout, delay: PT1S")), ["SB211 error 7:63"]);
        assert_eq!(report(&answer("fault: malformed")), ["SB211 error 7:47"]);
        assert_eq!(report(&answer("fault: malformed, body: { a: 1 }")), Vec::<String>::new());
        let case = |rest: &str| format!("    exchanges: [{one}]\n    {rest}\n    expect: {{ requests: 1 }}\n");
        assert_eq!(report(&case("polls: [{}]")), ["SB211 error 6:5"]);
        assert_eq!(report(&case("sequence: [{ request: {} }]")), ["SB211 error 6:5"]);
        assert_eq!(report("    request: {}\n    expect: { requests: 0 }\n"), ["SB211 error 6:5"]);
        assert_eq!(report("    cursor: 1\n    expect: { requests: 0 }\n"), ["SB211 error 6:5"]);
        assert_eq!(report("    expect: { answer: { status: 202 } }\n"), ["SB211 error 6:5"]);
        assert_eq!(report(&case("recording: tests/recordings/a.yaml")), ["SB209 error 7:16"]);
    }
}
