//! What is found against what happens: wherever a result holds a secret, it was told that it can.

use proptest::prelude::{Strategy, prop, prop_assert};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::read::{Effort, Reader};
use super::shade::Shade;
use crate::flow::data::Data;
use crate::flow::expression::value::{to_jq, to_json};
use crate::flow::expression::{Argument, Arguments, Expression, Scope};

const SECRET: &str = "t0ps3cr3t";

struct Connection;

impl Arguments for Connection {
    fn argument(&self, argument: Argument) -> Data {
        if argument == Argument::Connection { Data::plain(to_jq(&connection())) } else { Data::null() }
    }

    fn now(&self) -> Data {
        Data::null()
    }

    fn local(&self, _: &str) -> Data {
        Data::null()
    }
}

fn connection() -> Value {
    json!({ "token": SECRET, "region": "eu" })
}

/// Steps of a pipe. Each takes what comes, whatever it is, or fails.
const STEPS: [&str; 58] = [
    ".",
    "$connection",
    "$connection.token",
    "$connection.region",
    "{a: ., b: $connection.token}",
    "{a: $connection, b: .}",
    ".a?",
    ".b?",
    ".a?.b?",
    ".[0]?",
    ".[]?",
    ".[1:]?",
    "..",
    "[.]",
    "[.[]?]",
    "[., $connection.token]",
    "{(tostring): 1}",
    "{a: 1} + {b: .}",
    "{a: {b: .}} * {a: {c: $connection.token}}",
    "to_entries?",
    "with_entries(.value |= tostring)?",
    "map({a: .})?",
    "map_values([.])?",
    "map(select(. != null))?",
    "keys?",
    "del(.a)?",
    "del(.a, .b.a)?",
    "pick(.a)?",
    "pick(.b.a, .a)?",
    ".a = $connection.token",
    ".a.b = .b",
    ".a |= [.]",
    ".a += \"x\"",
    ".[\"a\"]?",
    "tojson",
    "tojson | fromjson",
    "tostring | split(\"3\")",
    "@base64 | @base64d",
    "\"x \\(.) y\"",
    "add?",
    "first?",
    "sort?",
    "group_by(.)?",
    "flatten?",
    "min_by(.a?)?",
    "join(\"-\")?",
    "tostring | explode | implode",
    "tostring | gsub(\"(?<x>[a-z])\"; .x)",
    "tostring | [scan(\"[a-z0-9]+\")]",
    "walk(.)",
    "paths",
    "[paths]",
    "getpath([\"a\"])?",
    "reduce .[]? as $x ([]; . + [$x])",
    "foreach .[]? as $x (null; $x; {a: .})",
    "if $connection.token == \"x\" then {a: 1} else . end",
    "try error catch {a: .}",
    "def f(g): [g]; f(.)",
];

/// Where the secret comes from.
const BEGINNINGS: [&str; 6] = [
    "$connection",
    "{a: ., b: $connection.token}",
    "{a: {b: $connection.token, c: 1}, b: [1]}",
    "[{a: $connection.token, b: 1}, {b: 2}]",
    "[., $connection.token]",
    "$connection.token",
];

/// What is bound or done around the rest of a pipe.
const AROUND: [&str; 6] = [
    "($connection as {$token} | {a: ., b: $token})",
    ". as {a: $x} | {b: $x}",
    ". as $x | {a: $x, $x}",
    "label $out | (., break $out)",
    "limit(1; ., $connection.token)",
    "until(true; .)",
];

#[test]
fn whatever_holds_a_secret_was_told() {
    let step = prop::sample::select([&STEPS[..], &AROUND[..]].concat());
    let pipes = (prop::sample::select(BEGINNINGS.to_vec()), prop::collection::vec(step, 0..5));
    let pipes = pipes.prop_map(|(beginning, steps)| [&[beginning], &steps[..]].concat().join(" | "));
    let config = Config { failure_persistence: None, ..Config::with_cases(2000) };
    let ran = TestRunner::new(config).run(&pipes, |source| {
        let expression = Expression::parse(&source, Scope::default()).map_err(|flaws| format!("{source}: {flaws:?}")).unwrap();
        let Ok(result) = expression.evaluate(&Data::plain(to_jq(&json!({ "a": { "b": 1 }, "b": [1] }))), &Connection) else {
            return Ok(());
        };
        let result = to_json(result.real(), 1 << 20).unwrap();
        let given = |name: &str| match name {
            "$connection" => Shade::member("token", Shade::of([1].into())),
            _ => Shade::default(),
        };
        let told = Reader::new(&given, &Effort::new(100_000)).term(&expression.term().unwrap(), &Shade::default());
        prop_assert!(!holds(&result) || !told.is_clean(), "{source} gives {result}");
        for (key, member) in result.as_object().into_iter().flatten() {
            prop_assert!(!holds(member) || !told.key(key).is_clean(), "{source} gives {result}, and `{key}` was told to be clean");
        }
        for item in result.as_array().into_iter().flatten() {
            prop_assert!(!holds(item) || !told.item().is_clean(), "{source} gives {result}, and its items were told to be clean");
        }
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Whether some of the secret is in a value.
fn holds(value: &Value) -> bool {
    let text = value.to_string();
    [&SECRET[..3], &SECRET[4..6], &SECRET[7..]].iter().any(|part| text.contains(part))
}
