//! Files that would cost time or memory if they were read whole: each is refused with one problem, at little cost.

use std::collections::BTreeSet;

use switchboard::manifest::{Bundle, LARGEST_FILE};
use switchboard::model::{BundleFiles, Problem};

/// Ten lines of aliases that expand to a billion values.
fn billion_laughs() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

/// A long text repeated: few values, gigabytes of text.
fn long_echo() -> String {
    format!("long: &long \"{}\"\nechoes: [{}]\n", "x".repeat(500_000), vec!["*long"; 40_000].join(","))
}

/// A tower of aliases, each level as deep as is allowed: deep only once it is expanded.
fn hidden_depth() -> String {
    let mut text = format!("a0: &a0 {}{}\n", "[".repeat(40), "]".repeat(40));
    for level in 1..1000 {
        text.push_str(&format!("a{level}: &a{level} {}*a{}{}\n", "[".repeat(40), level - 1, "]".repeat(40)));
    }
    text
}

/// Each file with the code and the beginning of the message of the one problem it gives.
fn bombs() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let nested_block = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>();
    let many_keys = (0..60_000).map(|key| format!("k{key}: 1\n")).collect::<String>();
    let duplicates = "a: 1\n".repeat(20_000);
    let directive = format!("%{}\n---\na: 1\n", "x".repeat(900_000));
    vec![
        ("alias bomb", billion_laughs().into(), "SB006", "the file holds more than 50,000 values"),
        ("long echo", long_echo().into(), "SB006", "the file holds more than 4 MiB of text"),
        ("hidden depth", hidden_depth().into(), "SB005", "maps and lists are nested more than 64 levels deep"),
        ("self-reference", b"a: &a [*a]\n".to_vec(), "SB014", "the alias repeats a value that it is part of"),
        ("10,000 [", "[".repeat(10_000).into(), "SB005", "maps and lists are nested more than 64 levels deep"),
        ("10,000 {a:", "{a: ".repeat(10_000).into(), "SB005", "maps and lists are nested more than 64 levels deep"),
        ("10,000 [{a:", "[{a: ".repeat(10_000).into(), "SB005", "maps and lists are nested more than 64 levels deep"),
        ("10,000 -", "- ".repeat(10_000).into(), "SB005", "maps and lists are nested more than 64 levels deep"),
        ("10,000 ?", "? ".repeat(10_000).into(), "SB009", "a list or map stands where a key belongs"),
        ("nested blocks", nested_block.into(), "SB005", "maps and lists are nested more than 64 levels deep"),
        ("many keys", many_keys.into(), "SB006", "the file holds more than 50,000 values"),
        ("many entries", format!("[{}]", "1,".repeat(500_000)).into(), "SB006", "the file holds more than 50,000 values"),
        ("equal keys", duplicates.into(), "SB008", "the key `a` is given twice"),
        ("large file", "x".repeat(50 * 1024 * 1024).into(), "SB004", "the file has 52428800 bytes"),
        ("large text", format!("a: \"{}", "x".repeat(LARGEST_FILE - 4)).into(), "SB012", "a quote is never closed"),
        ("long directive", directive.into(), "SB012", "directives (`%…`) are not understood"),
    ]
}

fn problems_of(bytes: Vec<u8>) -> Vec<Problem> {
    Bundle::read("demo", &BundleFiles::new([("connector.yaml".to_owned(), bytes)].into())).unwrap_err()
}

/// The codes that these files give.
pub fn codes() -> BTreeSet<String> {
    bombs().into_iter().map(|(_, _, code, _)| code.to_owned()).collect()
}

#[test]
fn each_is_refused_with_one_problem() {
    for (name, bytes, code, message) in bombs() {
        let problems = problems_of(bytes);
        let first = &problems[0];
        assert_eq!(first.code, code, "{name}: {first}");
        assert!(first.message.starts_with(message), "{name}: {first}");
        assert!(problems.len() == 1 || code == "SB008", "{name}: {} problems", problems.len());
    }
}

#[test]
fn endless_problems_are_cut_short() {
    let unknown_keys = (0..40_000).map(|key| format!("k{key}: 1\n")).collect::<String>();
    for text in ["a: 1\n".repeat(20_000), "1: !a 1\n".repeat(20_000), unknown_keys] {
        let problems = problems_of(text.into());
        assert_eq!(problems.len(), 101);
        let last = &problems[100];
        assert_eq!((last.code.as_str(), last.message.as_str()), ("SB099", "there are more problems from here on"));
    }
}
