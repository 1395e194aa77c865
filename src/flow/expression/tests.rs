//! Expressions as people and strangers write them.

use serde_json::{Value, json};

use super::*;

mod jq;

struct Given(Value);

impl Arguments for Given {
    fn argument(&self, argument: Argument) -> Data {
        let value = value::to_jq(&self.0[&argument.variable()[1..]]);
        let stand_ins = ["[redacted]", "<another secret>"].map(|secret| value::to_jq(&json!({ "token": secret })));
        if argument == Argument::Connection { Data::new(value, stand_ins) } else { Data::plain(value) }
    }

    fn local(&self, name: &str) -> Data {
        Data::plain(value::to_jq(&self.0[&name[1..]]))
    }

    fn now(&self) -> Data {
        Data::plain(Val::from(1_425_599_621.5))
    }
}

fn evaluate(source: &str, input: &Value) -> Result<Value, String> {
    evaluate_both(source, input).map_err(|why| why.to_string()).map(|value| value::to_json(value.real(), 1 << 20).unwrap())
}

fn evaluate_both(source: &str, input: &Value) -> Result<Data, Unevaluated> {
    let locals = ["$item".to_owned()];
    let scope = Scope { locals: &locals, ..Scope::default() };
    let expression = Expression::parse(source, scope).unwrap_or_else(|flaws| panic!("{source}: {flaws:?}"));
    let arguments = Given(json!({"input": {"x": 1}, "context": [2], "connection": {"token": "t"}, "item": 5}));
    expression.evaluate(&Data::plain(value::to_jq(input)), &arguments)
}

#[test]
fn whatever_depends_on_a_secret_is_redacted() {
    for (source, shown) in [
        ("$connection.token", json!("[redacted]")),
        ("\"Bearer \" + $connection.token", json!("Bearer [redacted]")),
        ("$connection.token | explode | reverse | implode", json!("[redacted]")),
        ("$connection.token | @base64", json!("[redacted]")),
        ("$connection.token[0:1]", json!("[redacted]")),
        ("$connection.token | length", json!("[redacted]")),
        ("{a: .a, b: $connection.token}", json!({"a": 1, "b": "[redacted]"})),
        ("$connection | keys", json!(["token"])),
        ("$item + .a", json!(6)),
    ] {
        let value = evaluate_both(source, &json!({"a": 1})).unwrap();
        assert_eq!(value::to_json(&value.shown().unwrap(), 1000).unwrap(), shown, "{source}");
    }
    let guesses = evaluate_both("[\"s\", \"t\"][] == $connection.token", &json!(null)).unwrap();
    assert!(guesses.shown().is_ok(), "a guess that is wrong");
    let guess = evaluate_both("$connection.token == \"t\"", &json!(null)).unwrap();
    assert!(guess.shown().is_err(), "{guess:?}");
    let told = evaluate_both("$connection.token | error", &json!(null)).unwrap_err().to_string();
    assert!(!told.contains('t') || told.contains("[redacted]"), "{told}");
    assert_eq!(
        evaluate_both("if $connection.token == \"t\" then error(\"x\") else . end", &json!(1)).unwrap_err(),
        Unevaluated::OnSecret("the expression fails on the value of a secret".to_owned())
    );
}

#[test]
fn what_people_know_from_jq_is_there() {
    for (source, value) in [
        (".a | IN(1, null)", json!(true)),
        (".a | IN(2, \"1\")", json!(false)),
        ("IN(.list[]; .a, 7)", json!(true)),
        (".rows | INDEX(.id) | map_values(.n)", json!({"3": "x", "4": "z"})),
        ("INDEX(.rows[]; .n) | keys", json!(["x", "y", "z"])),
    ] {
        let rows = json!([{"id": 3, "n": "x"}, {"id": 4, "n": "y"}, {"id": 4, "n": "z"}]);
        let input = json!({"a": 1, "list": [1, 2], "rows": rows});
        assert_eq!(evaluate(source, &input).unwrap(), value, "{source}");
    }
}

#[test]
fn a_failure_tells_which_expression_fails() {
    let null = json!({ "a": null });
    assert_eq!(evaluate(".a\n  | .[]", &null).unwrap_err(), "`.a | .[]` fails: Cannot iterate over null (null)");
    let long = format!(".a[] | {}", vec!["."; 40].join(" | "));
    assert!(evaluate(&long, &null).unwrap_err().starts_with("`.a[] | . | . | . | . | . | . | . | . | .…` fails: "));
}

#[test]
fn now_is_one_moment_of_the_clock_of_the_run() {
    let null = json!(null);
    assert_eq!(evaluate("[now, (now | todate), now == now]", &null), Ok(json!([1_425_599_621.5, "2015-03-05T23:53:41Z", true])));
    assert_eq!(evaluate("def now: 1; now", &null), Ok(json!(1)));
    let trigger = Scope { stage: Stage::Trigger, ..Scope::default() };
    assert_eq!(Expression::parse("now", trigger).unwrap_err()[0].message, "`now` has no value here");
    assert_eq!(flaw("$__now__").1, "no variable `$__now__`");
}

fn flaw(source: &str) -> (&'static str, String, Option<String>) {
    let flaw = Expression::parse(source, Scope::default()).unwrap_err().remove(0);
    (flaw.code, flaw.message, flaw.hint)
}

#[test]
fn the_library_works_though_only_what_is_needed_is_compiled() {
    let input = json!({"a": [3, 1, 2], "s": "a,b", "t": 0});
    for (source, expected) in [
        (".a | sort | map(. * 2) | join(\"-\")", json!("2-4-6")),
        (".s | split(\",\") | last", json!("b")),
        ("[.a[] | select(. > 1)] | length", json!(2)),
        ("$input.x + $context[0]", json!(3)),
        ("@base64 \"\\($connection.token)\"", json!("dA==")),
        (".t | to_entries? // \"no\"", json!("no")),
        ("{a: 1} | with_entries(.value += 1)", json!({"a": 2})),
        (".t | todate", json!("1970-01-01T00:00:00Z")),
        ("[limit(3; repeat(1))]", json!([1, 1, 1])),
        ("def f(x): x + 1; f(2)", json!(3)),
        ("[.a[] as $n | label $out | $n, break $out]", json!([3, 1, 2])),
        ("\"a1b22\" | [scan(\"[0-9]+\")]", json!(["1", "22"])),
        ("paths | tojson", json!("[\"a\"]")),
        ("empty", Value::Null),
    ] {
        assert_eq!(evaluate(source, &input), Ok(expected), "{source}");
    }
    for (source, expected) in [
        ("[6 / 2, 9 | if . == 9 then sqrt else . end] | tostring, .[0]", json!("[3,3]")),
        ("(6 / 2 | tostring) + ([1, null, \"x\", true, 6 / 2] | join(\"-\"))", json!("31--x-true-3")),
        ("[null | ltrimstr(\"a\"), (\"abc\" | trimstr(\"a\"), rtrimstr(\"c\"))]", json!([null, "bc", "ab"])),
        ("{} | setpath([\"a\", 1, \"b\"]; 2)", json!({"a": [null, {"b": 2}]})),
        ("[1, [2]] | walk(if type == \"array\" then length else . end)", json!(2)),
        ("[{name: \"a\", v: 1}, {k: 2, value: false}] | from_entries", json!({"a": 1, "2": false})),
        ("fromstream({a: [1, {b: 2}]} | tostream)", json!({"a": [1, {"b": 2}]})),
        ("[2 | IN(1, 2), IN(3)], ([{i: 1}] | INDEX(.i))", json!([true, false])),
        ("[1, \"a,\\\"b\", null, false] | @csv, @tsv", json!("1,\"a,\"\"b\",,false")),
        ("[\"a\\tb\", 2] | @tsv", json!("a\\tb\t2")),
        ("[1 | truncate_stream([[0], 1], [[1, 0], 2], [[1, 0]], [[1]])]", json!([[[0], 2], [[0]]])),
        ("\"a b\" | format(\"uri\")", json!("a%20b")),
    ] {
        assert_eq!(evaluate(source, &input), Ok(expected), "{source}");
    }
    assert!(evaluate(".a.b", &input).unwrap_err().contains("Cannot index"));
}

#[test]
fn flaws_say_what_and_where() {
    assert_eq!(flaw(".a |").0, codes::EXPRESSION_SYNTAX);
    assert_eq!(flaw(".a ]b").1, "syntax error at `]b`: expected a token");
    assert_eq!(flaw(".a .b \"x\"").1, "syntax error at `\"x\"`: expected an operator or the end");
    assert_eq!(flaw("halt").1, "`halt` is not available in expressions");
    assert_eq!(flaw("[env]").0, codes::UNKNOWN_NAME);
    assert_eq!(flaw("$ENV.PATH").1, "no variable `$ENV`");
    assert_eq!(flaw("selcet(.a)").2.as_deref(), Some("Did you mean `select`?"));
    assert_eq!(flaw("map").1, "`map` takes 1 arguments, not 0");
    assert_eq!(flaw("$contxt").2.as_deref(), Some("Did you mean `$context`?"));
    assert!(flaw(". as [$a] ?// $a | $a").2.unwrap().contains("`?//`"));
    assert_eq!(flaw("include \"x\"; .").0, codes::EXPRESSION_SYNTAX);
    assert!(flaw("import \"x\" as x; .").1.contains("expected"));
}

/// The largest forms that pass the guard, of everything the parser and the compiler recurse over.
fn largest() -> Vec<String> {
    let (operators, nesting, depth) = (guard::MOST_OPERATORS, guard::MOST_NESTING, guard::DEEPEST);
    vec![
        format!("{}.{}", "(".repeat(depth), ")".repeat(depth)),
        format!("{}.{}", "[".repeat(depth), "]".repeat(depth)),
        format!("{}1{}", "{a:".repeat(depth), "}".repeat(depth)),
        format!("{}1{}", "\"\\(".repeat(depth / 2), ")\"".repeat(depth / 2)),
        format!("{}1", "-".repeat(nesting)),
        format!("{}1", "1+".repeat(operators)),
        format!("{}1", "1,".repeat(operators)),
        format!("{}1", ".|".repeat(operators)),
        format!("{}1{}", "if 1 then ".repeat(nesting), " else 2 end".repeat(nesting)),
        format!("{}1{}", "if ".repeat(nesting), " then 2 else 3 end".repeat(nesting)),
        format!("{}1", "try ".repeat(nesting)),
        format!("{}1", "1 as $x|".repeat(nesting)),
        format!("{}1", "label $x|".repeat(nesting)),
        format!("{}1{}", "def f: ".repeat(nesting), "; f".repeat(nesting)),
        format!("{}1{}", "reduce ".repeat(nesting / 2), " as $x (0;.)".repeat(nesting / 2)),
        format!("{}{}1{}", "try ".repeat(nesting), "(".repeat(depth), ")".repeat(depth)),
        format!("{}{}1{}", "(".repeat(depth), "-".repeat(nesting), ")".repeat(depth)),
        ".a".repeat(4000),
        format!(".{}", "?".repeat(8000)),
        format!(". as {}$x{} | $x", "[".repeat(depth), "]".repeat(depth)),
    ]
}

fn on_a_stack_of(size: usize, work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(size).spawn(work).unwrap().join().unwrap();
}

/// Parsing happens on any thread of any process, so it fits the stack that threads usually have, even in a debug build.
#[test]
fn the_largest_expressions_are_read_on_an_ordinary_stack() {
    on_a_stack_of(2 << 20, || {
        for source in largest() {
            Expression::parse(&source, Scope::default()).unwrap_or_else(|flaws| panic!("{source}: {flaws:?}"));
        }
    });
}

#[test]
fn the_largest_expressions_compile_in_a_worker() {
    on_a_stack_of(16 << 20, || {
        for source in largest() {
            Expression::parse(&source, Scope::default()).unwrap().compile().unwrap();
        }
    });
}
