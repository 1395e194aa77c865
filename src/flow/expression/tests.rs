//! Expressions as people and strangers write them.

use serde_json::{Value, json};

use super::*;

struct Given(Value);

impl Arguments for Given {
    fn value(&self, argument: Argument) -> Val {
        value::to_jq(&self.0[&argument.variable()[1..]])
    }
}

fn evaluate(source: &str, input: &Value) -> Result<Value, String> {
    let expression = Expression::parse(source).unwrap_or_else(|flaws| panic!("{source}: {flaws:?}"));
    let arguments = Given(json!({"input": {"x": 1}, "context": [2], "connection": {"token": "t"}}));
    expression.evaluate(value::to_jq(input), &arguments).map(|value| value::to_json(&value, 1 << 20).unwrap())
}

fn flaw(source: &str) -> (&'static str, String, Option<String>) {
    let flaw = Expression::parse(source).unwrap_err().remove(0);
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
        (".a | to_entries | from_entries? // \"no\"", json!("no")),
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
    assert!(evaluate(".a.b", &input).unwrap_err().contains("cannot index"));
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
    assert_eq!(flaw("include \"x\"; .").0, codes::EXPRESSION_SYNTAX);
    assert!(flaw("import \"x\" as x; .").1.contains("expected"));
}

/// The longest forms that pass the guard, of everything the parser and the compiler recurse over.
#[test]
fn the_deepest_allowed_expressions_fit_an_ordinary_stack() {
    let links = guard::MOST_LINKS;
    let depth = guard::DEEPEST;
    let hostile = [
        format!("{}.{}", "(".repeat(depth), ")".repeat(depth)),
        format!("{}.{}", "[".repeat(depth), "]".repeat(depth)),
        format!("{}1{}", "{a:".repeat(depth), "}".repeat(depth)),
        format!("{}1{}", "\"\\(".repeat(depth / 2), ")\"".repeat(depth / 2)),
        format!("{}1", "-".repeat(links)),
        format!("{}1", "1+".repeat(links)),
        format!("{}1", "1,".repeat(links)),
        format!("{}1", ".|".repeat(links)),
        format!("{}1{}", "if 1 then ".repeat(links), " else 2 end".repeat(links)),
        format!("{}1", "try ".repeat(links)),
        format!("{}1", "1 as $x|".repeat(links / 2)),
        format!("{}1", "label $x|".repeat(links / 2)),
        format!("{}1{}", "def f: ".repeat(links), "; f".repeat(links)),
        format!("{}1{}", "reduce ".repeat(links / 2), " as $x (0;.)".repeat(links / 2)),
        format!(".{}", ".a".repeat(4000)),
        format!(".{}", "?".repeat(8000)),
        ". as ".to_owned() + &"[".repeat(depth) + "$x" + &"]".repeat(depth) + " | $x",
        format!("{}1{}", "[".repeat(depth / 2), "|1]".repeat(depth / 2)),
        format!("{}1", "(-".repeat(depth)),
    ];
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            for source in &hostile {
                if let Ok(expression) = Expression::parse(source) {
                    expression.compile().unwrap();
                }
            }
        })
        .unwrap()
        .join()
        .unwrap();
}
