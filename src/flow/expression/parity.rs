//! Expressions that people know from jq give what jq 1.7 gives: a table of expressions, inputs and results, in parity.txt.

use serde_json::Value;

use super::*;

struct Nothing;

impl Arguments for Nothing {
    fn argument(&self, _: Argument) -> Data {
        Data::null()
    }

    fn local(&self, _: &str) -> Data {
        Data::null()
    }

    fn now(&self) -> Data {
        Data::null()
    }
}

/// All results of an expression as JSON, or `error`.
fn results(source: &str, input: &Value) -> String {
    let all = format!("[{source}\n]");
    let value = Expression::parse(&all, Scope::default())
        .map_err(|flaws| flaws[0].message.clone())
        .and_then(|expression| expression.evaluate(&Data::plain(value::to_jq(input)), &Nothing).map_err(|why| why.to_string()));
    match value {
        Ok(value) => normal(&value::to_json(value.real(), 1 << 20).unwrap()),
        Err(_) => "error".to_owned(),
    }
}

/// JSON with every number as jq sees it.
fn normal(value: &Value) -> String {
    datum::json(&value::to_jq(value))
}

#[test]
fn expressions_give_what_jq_gives() {
    let lines: Vec<&str> = include_str!("parity.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(lines.len() > 900 && lines.len().is_multiple_of(3));
    let mut differences = Vec::new();
    for case in lines.chunks(3) {
        let (source, input, expected) = (case[0], serde_json::from_str(case[1]).unwrap(), case[2]);
        let expected = if expected == "error" { expected.to_owned() } else { normal(&serde_json::from_str(expected).unwrap()) };
        let found = results(source, &input);
        if found != expected {
            differences.push(format!("{} | {source}\n  expected {expected}\n  found    {found}", case[1]));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
