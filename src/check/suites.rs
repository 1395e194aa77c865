//! Test suites run what is there, and run everything that people use.

use serde_json::Value;

use super::codes::{BAD_RECORDING, NO_CASE, NO_RECORDING, UNKNOWN_PROPERTY, UNKNOWN_TARGET};
use super::findings::{Findings, did_you_mean};
use super::parts;
use crate::flow;
use crate::flow::finding::At;
use crate::manifest::{Case, Manifest, Ordered, SuiteFile};
use crate::model::Status;

pub(super) fn check(findings: &mut Findings<'_>) {
    for file in &findings.bundle.suites {
        let suite = At::base("");
        properties(findings, file, &file.suite.connection, &suite.key("connection"));
        for (index, case) in file.suite.cases.iter().enumerate() {
            let cases = suite.key("cases");
            let path = cases.index(index);
            target(findings, file, case, &path);
            properties(findings, file, &case.connection, &path.key("connection"));
            recording(findings, file, case, &path);
        }
    }
    findings.add(flow::check_suites(findings.bundle));
    untested(findings);
}

/// A case runs something that the manifest declares.
fn target(findings: &mut Findings<'_>, file: &SuiteFile, case: &Case, path: &At<'_>) {
    let manifest = &findings.bundle.manifest;
    let mut miss = |key: &str, what: String, hint: String| {
        let place = file.document.place(&path.key(key).pointer());
        findings.broken(UNKNOWN_TARGET, place, format!("the case `{}` runs {what}", case.title), hint);
    };
    if let Some(name) = case.action.as_deref().filter(|name| manifest.actions.get(name).is_none()) {
        let hint = did_you_mean(name, manifest.actions.names(), "Correct the name, or delete the case.");
        miss("action", format!("the action `{name}`, which is not declared"), hint);
    }
    if let Some(name) = case.trigger.as_deref().filter(|name| manifest.triggers.get(name).is_none()) {
        let hint = did_you_mean(name, manifest.triggers.names(), "Correct the name, or delete the case.");
        miss("trigger", format!("the trigger `{name}`, which is not declared"), hint);
    }
    if case.test_connection && !has_test(manifest) {
        miss(
            "testConnection",
            "the test connection, but there is none".to_owned(),
            "Add `test` to the connection, or delete the case.".to_owned(),
        );
    }
}

/// Values are given to properties that exist.
fn properties(findings: &mut Findings<'_>, file: &SuiteFile, values: &Ordered<Value>, path: &At<'_>) {
    let declared = findings.bundle.manifest.connection.as_ref().map(|connection| &connection.properties);
    for name in values.names().filter(|name| declared.is_none_or(|declared| declared.get(name).is_none())) {
        let place = file.document.key_place(&path.key(name).pointer());
        let known = declared.into_iter().flat_map(Ordered::names);
        let hint = did_you_mean(name, known, "Declare it under `connection.properties`, or remove it here.");
        findings.broken(UNKNOWN_PROPERTY, place, format!("the connection has no property `{name}`"), hint);
    }
}

/// A recording is there, and holds one run of one case.
fn recording(findings: &mut Findings<'_>, file: &SuiteFile, case: &Case, path: &At<'_>) {
    let Some(recorded) = case.recording.as_deref() else { return };
    let place = file.document.place(&path.key("recording").pointer());
    let cases = || findings.bundle.suites.iter().flat_map(|file| &file.suite.cases);
    let beside = [
        ("exchanges", !case.exchanges.is_empty()),
        ("each", !case.each.is_empty()),
        ("sequence", !case.sequence.is_empty()),
        ("polls", !case.polls.is_empty()),
    ];
    if let Some((key, _)) = beside.iter().find(|(_, is_given)| *is_given) {
        let message = format!("the case `{}` has `{key}` beside its recording, which holds the exchanges of one run", case.title);
        findings.broken(BAD_RECORDING, place, message, "Delete one of the two.");
    } else if cases().filter(|other| other.recording.as_deref() == Some(recorded)).count() > 1 {
        let message = format!("several cases have the recording `{recorded}`");
        findings.broken(BAD_RECORDING, place, message, "Name a file of its own for each.");
    } else if !findings.bundle.recordings.contains_key(recorded) {
        let message = format!("there is no recording `{recorded}` yet, so the case `{}` fails", case.title);
        let hint = "Write it with `switchboard test --record --environment NAME`, or give the case `exchanges` in its place.";
        findings.needed(Status::PrePublished, NO_RECORDING, place, message, hint);
    }
}

/// Everything that people use is run by some case.
fn untested(findings: &mut Findings<'_>) {
    let manifest = &findings.bundle.manifest;
    let cases = || findings.bundle.suites.iter().flat_map(|file| &file.suite.cases).filter(|case| case.skip.is_none());
    let mut untested = Vec::new();
    for part in parts::parts(manifest).filter(|part| !part.private) {
        let runs =
            |case: &Case| if part.section == "/actions" { case.action.as_deref() } else { case.trigger.as_deref() } == Some(part.name);
        if !cases().any(runs) {
            let place = findings.key(&At::base(part.section).key(part.name));
            untested.push((place, format!("no test case runs the {} `{}`", part.word, part.name), format!("{}: {}", part.word, part.name)));
        }
    }
    if has_test(manifest) && !cases().any(|case| case.test_connection) {
        let place = findings.key(&At::base("/connection/test"));
        untested.push((place, "no test case runs the test connection".to_owned(), "testConnection: true".to_owned()));
    }
    for (place, message, line) in untested {
        findings.needed(Status::Published, NO_CASE, place, message, format!("Add a case with `{line}` to a suite in `tests/`."));
    }
}

fn has_test(manifest: &Manifest) -> bool {
    manifest.connection.as_ref().is_some_and(|connection| connection.test.is_some())
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn cases_run_what_is_there() {
        let found = sample::problems(|sample| sample.replace_in_suite("action: get-thing", "action: get-thnig"));
        assert_eq!(found.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), ["SB203", "SB201"]);
        assert_eq!(found[1].place.to_string(), "connectors/sample/tests/all.yaml:5:13");
        assert_eq!(found[1].hint.as_deref(), Some("Did you mean `get-thing`?"));
        let found = sample::report(|sample| sample.replace_in_suite("trigger: thing-made", "trigger: thing-lost"));
        assert_eq!(found, ["SB203 error 32:3", "SB201 error 9:14"]);
        let test = "  test:\n    do: [{ whoAmI: { call: request, with: { method: get, path: /me } } }]\n";
        assert_eq!(sample::report(|sample| sample.replace(test, "")), ["SB201 error 13:21"]);
    }

    #[test]
    fn values_are_given_to_properties_that_exist() {
        assert_eq!(sample::report(|sample| sample.replace_in_suite("{ token: t }", "{ token: t, tokne: t }")), ["SB202 error 2:25"]);
        let case = "action: get-thing\n    connection: { key: k }";
        assert_eq!(sample::report(|sample| sample.replace_in_suite("action: get-thing", case)), ["SB202 error 6:19"]);
    }

    #[test]
    fn recordings_are_there_and_are_of_one_run() {
        let recorded = |more: &str| format!("action: get-thing\n    recording: tests/recordings/a.yaml{more}");
        let found = |more: &str| sample::report(|sample| sample.replace_in_suite("action: get-thing", &recorded(more)));
        assert_eq!(found(""), ["SB208 error 6:16"]);
        assert_eq!(found("\n    polls: [{}]"), ["SB209 error 6:16", "SB211 error 7:5"]);
        for beside in ["each: { a: 1 }", "exchanges: [{ request: { method: get }, response: { status: 200 } }]"] {
            assert_eq!(found(&format!("\n    {beside}")), ["SB209 error 6:16"], "{beside}");
        }
        let editing = sample::report(|sample| {
            sample.replace_in_suite("action: get-thing", &recorded(""));
            sample.replace("status: published", "status: editing");
        });
        assert_eq!(editing, ["SB208 warning 6:16"]);
    }

    #[test]
    fn everything_that_people_use_is_tested() {
        let first = "  - title: Gets\n    action: get-thing\n    input: { id: a }\n    expect: { output: { name: x } }\n";
        assert_eq!(sample::report(|sample| sample.replace_in_suite(first, "")), ["SB203 error 22:3"]);
        let last = "  - title: Connects\n    testConnection: true\n    expect: { output: {} }\n";
        assert_eq!(sample::report(|sample| sample.replace_in_suite(last, "")), ["SB203 error 19:3"]);
        let skipped = "testConnection: true\n    skip: the service is down";
        assert_eq!(sample::report(|sample| sample.replace_in_suite("testConnection: true", skipped)), ["SB203 error 19:3"]);
        assert_eq!(sample::report(|sample| sample.without_suite()), ["SB203 error 19:3", "SB203 error 22:3", "SB203 error 32:3"]);
    }

    #[test]
    fn hooks_and_expressions_are_checked_at_their_places() {
        let each = "input: { id: \"${ $each }\" }\n    each: { one: a }";
        assert_eq!(sample::report(|sample| sample.replace_in_suite("input: { id: a }", each)), Vec::<String>::new());
        let without = "input: { id: \"${ $each }\" }";
        assert_eq!(sample::report(|sample| sample.replace_in_suite("input: { id: a }", without)), ["SB311 error 6:18"]);
        let within = "input: { id: \"x-${ $each }\" }\n    each: { one: a }";
        assert_eq!(sample::report(|sample| sample.replace_in_suite("input: { id: a }", within)), ["SB315 warning 6:18"]);
        for (text, told) in [("${ now }", "SB314"), ("${ .a", "SB310"), ("${ $context }", "SB314"), ("${ $connection.tokne }", "SB313")] {
            let found = sample::report(|sample| sample.replace_in_suite("input: { id: a }", &format!("input: {{ id: \"{text}\" }}")));
            assert_eq!(found, [format!("{told} error 6:18")], "{text}");
        }
        let hook =
            |tasks: &str| sample::report(|sample| sample.replace_in_suite("cases:", &format!("beforeEach: {{ do: {tasks} }}\ncases:")));
        assert_eq!(hook("[{ made: { call: get-thing, with: { id: a } } }]"), Vec::<String>::new());
        assert_eq!(hook("[{ made: { call: get-thnig } }]"), ["SB323 error 3:36"]);
        assert_eq!(hook("[{ made: { set: { x: \"${ $beforeEach }\" } } }]"), ["SB311 error 3:40"]);
        assert_eq!(hook("[{ made: { emit: { event: { with: { type: a } } } } }]"), ["SB325 error 3:30"]);
    }

    #[test]
    fn while_editing_missing_cases_are_warnings() {
        let found = sample::report(|sample| {
            sample.without_suite();
            sample.replace("status: published", "status: editing");
        });
        assert_eq!(found, ["SB203 warning 19:3", "SB203 warning 22:3", "SB203 warning 32:3"]);
    }
}
