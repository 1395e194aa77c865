//! What jq gives, and what is given here: a table, and what is known to differ.

use std::collections::BTreeSet;

use super::*;

/// What differs, and would take another jaq: `?//`, and a pattern that both binds a key and takes its value apart.
const OTHERWISE: [&str; 4] = [
    ". as {$d: [$e]} | [$d, $e]",
    ".[] as [$a] ?// $a | [$a]",
    ".[] as {$a, $b} ?// [$a, $b] | {a: $a, b: $b}",
    ". as [$a] ?// {$b} | [$a, $b]",
];

fn rows() -> impl Iterator<Item = [&'static str; 3]> {
    let lines = include_str!("jq.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let columns: Vec<&str> = line.split(" ||| ").collect();
        columns.try_into().unwrap_or_else(|columns| panic!("{columns:?}"))
    })
}

fn results(source: &str, input: &str) -> String {
    let source = source.replace("\\n ", "\n ");
    let Ok(expression) = Expression::parse(&format!("[{source}\n]"), Scope::default()) else { return "refused".to_owned() };
    let input = Data::plain(value::to_jq(&serde_json::from_str(input).unwrap()));
    match expression.evaluate(&input, &Given(json!({}))) {
        Ok(data) => value::to_json(data.real(), 1 << 20).unwrap().to_string(),
        Err(_) => "error".to_owned(),
    }
}

#[test]
fn what_jq_gives_is_given() {
    let mut others = BTreeSet::new();
    let mut told = String::new();
    for [source, input, expected] in rows() {
        let wanted = match expected {
            "error" | "refused" => expected.to_owned(),
            json => serde_json::from_str::<Value>(json).unwrap_or_else(|error| panic!("{source}: {error}")).to_string(),
        };
        let given = results(source, input);
        if given != wanted {
            others.insert(source);
            told.push_str(&format!("{source}\n  expected {wanted}\n  given    {given}\n"));
        }
    }
    assert_eq!(others, BTreeSet::from(OTHERWISE), "\n{told}");
}
