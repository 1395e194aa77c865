//! Expressions: harmless ones that make trouble, and text that only looks like one.

use proptest::prelude::{Strategy, any, prop, prop_oneof};

/// The secret that every run has and nobody may see.
pub(super) const PLANTED: &str = "t0ps3cr3t-planted";

/// Expressions whose values are as large as the data they are evaluated on. A value may be built of one of them only, or data would
/// double with every task; that ends with the memory of a worker's process, and here there is none.
const WHOLE: [&str; 17] = [
    ".",
    ".a",
    ".a.b.c",
    ".[0]",
    "..",
    "[.[]?]",
    "to_entries",
    "keys",
    "$input",
    "$output",
    "$context",
    "$context // {}",
    "$workflow",
    "[$secrets.key, .] | error",
    "error",
    "{a: .}",
    "if $secrets.key == \"x\" then . else [$secrets.key, .] end",
];

/// Expressions with values of a size of their own.
const SMALL: [&str; 50] = [
    "[.. | strings | test(\"^(?=(a+)+$)x\")]",
    "[.. | strings[:90] | gsub(\"(?<x>\\\\w*)\"; .x + .x)]",
    "tostring[:90] | [match(\"(?<a>.)(?<b>.)?\"; \"gix\").offset]",
    ".a.b.c[3] |= 5 | del(.a.b) | tojson[:90]",
    "empty",
    "null",
    "error(null)",
    "error({a: 1})",
    "nan",
    "infinite",
    "-1",
    "1e999",
    "0.5",
    "true",
    "false",
    "[]",
    "{}",
    "[range(7)]",
    "[range(200)]",
    "[range(40) | {n: ., a: .}]",
    "[limit(30; repeat(\"x\"))]",
    "reduce range(12) as $_ (\"x\"; . + .)",
    "reduce range(18) as $_ (\"x\"; . + .)",
    "reduce range(90) as $_ (0; [.])",
    "reduce range(300) as $_ (0; {a: .})",
    "length",
    "tojson[:90]",
    "tostring[:90]",
    "tostring[:90] | explode",
    ".a.b.c | tonumber",
    "$task.definition | tojson | length",
    "$task | del(.input, .output)",
    "$workflow.definition | tojson | length",
    "$workflow.startedAt",
    "$runtime",
    "$authorization",
    "$connection",
    "$secrets",
    "$secrets.key",
    "$secrets.pair.word",
    "$secrets.none",
    "$secrets[\"key\"][2:9]",
    "$secrets.key | @base64",
    "$secrets.key | explode | reverse | implode",
    "$secrets | tojson",
    "{($secrets.key): 1}",
    "$secrets.key | tonumber",
    "\"a \\($secrets.key) b\"",
    "$secrets.key | length",
    "[$secrets.key | splits(\"3\")]",
];

/// What values are that something else is made of: lengths of time, addresses, statuses, names of types.
const WORDS: [&str; 20] = [
    "PT0S",
    "PT1H",
    "P9999999D",
    "soon",
    "",
    "https://h.example/{a}",
    "https://h.example/{a}?q={b}",
    "https://h.example/${ .a }",
    "https://[",
    "file:///etc/passwd",
    "https://serverlessworkflow.io/spec/1.0.0/errors/timeout",
    "https://open-workflow-specification.org/spec/1.0.0/errors/expression",
    "about:blank",
    "/do/0/x",
    "get",
    "POST",
    "application/json",
    "é\u{202e}\u{0}x",
    "${ $secrets.key } and ${ .a }",
    "${ \"https://h.example/\" + ($secrets.key) }",
];

/// The text of an expression that gives a value of a size of its own.
fn small() -> impl Strategy<Value = String> {
    prop::sample::select(SMALL.to_vec()).prop_map(str::to_owned)
}

/// The text of an expression.
pub(super) fn expression() -> impl Strategy<Value = String> {
    prop_oneof![2 => small(), 1 => prop::sample::select(WHOLE.to_vec()).prop_map(str::to_owned)]
}

/// A text that is an expression.
pub(super) fn whole() -> impl Strategy<Value = String> {
    expression().prop_map(|source| format!("${{ {source} }}"))
}

/// A text that is an expression, has some in it, or is none; of a size of its own.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => small().prop_map(|source| format!("${{ {source} }}")),
        2 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned),
        1 => (small(), small()).prop_map(|(one, other)| format!("a ${{ {one} }} b ${{{other}}}")),
    ]
}

/// Text that may be anything at all.
pub(super) fn noise() -> impl Strategy<Value = String> {
    const PIECES: [&str; 32] = [
        "${",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        "\"",
        "\\(",
        "|",
        ".",
        "..",
        ".a",
        "$x",
        " as ",
        "def f: ",
        ";",
        "if ",
        " then ",
        "reduce ",
        "label $x | ",
        "#",
        "\n",
        "-",
        "1",
        "?//",
        "//",
        "@base64 ",
        "import ",
        "é",
        "\u{0}",
        "try ",
    ];
    prop_oneof![
        prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..3).prop_map(|pieces| pieces.concat().repeat(3000)),
        any::<String>(),
        text(),
    ]
}
