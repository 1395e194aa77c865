//! Values compared, and their difference for people.

use std::time::Duration;

use serde_json::{Map, Number, Value};
use similar::TextDiff;

/// How long a difference may take to find; what is found by then is shown.
const PATIENCE: Duration = Duration::from_millis(300);

/// Whether two values are the same JSON: numbers compare by value, maps without regard to order.
pub(super) fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
        (a, b) => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    if a == b {
        return true;
    }
    // Two integers that differ stay different, however near they are as floats.
    if (a.is_i64() || a.is_u64()) && (b.is_i64() || b.is_u64()) { false } else { a.as_f64() == b.as_f64() }
}

/// Whether a value has everything that is asked for: the members of maps, at any depth; lists and everything else compare whole.
pub(super) fn includes(asked: &Value, actual: &Value) -> bool {
    match (asked, actual) {
        (Value::Object(asked), Value::Object(actual)) => {
            asked.iter().all(|(key, asked)| actual.get(key).is_some_and(|actual| includes(asked, actual)))
        }
        (asked, actual) => same(asked, actual),
    }
}

/// What a value has of the members that are asked for.
pub(super) fn excerpt(asked: &Value, actual: &Value) -> Value {
    match (asked, actual) {
        (Value::Object(asked), Value::Object(actual)) => {
            let members = asked.iter().filter_map(|(key, asked)| Some((key.clone(), excerpt(asked, actual.get(key)?))));
            Value::Object(members.collect())
        }
        (_, actual) => actual.clone(),
    }
}

/// The lines in which two values differ, as a unified difference of their pretty JSON.
pub(super) fn between(expected: &Value, actual: &Value) -> String {
    let (expected, actual) = (pretty(expected), pretty(actual));
    let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(&expected, &actual);
    let text = difference.unified_diff().context_radius(3).header("expected", "actual").to_string();
    text.trim_end().to_owned()
}

/// A value as pretty JSON with its keys in order, so that only what differs differs.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&sorted(value)).unwrap_or_default();
    text.push('\n');
    text
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_compare_by_value_and_maps_without_order() {
        assert!(same(&json!({"a": 1, "b": [2.0]}), &json!({"b": [2], "a": 1.0})));
        assert!(!same(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64)));
        assert!(!same(&json!([1, 2]), &json!([2, 1])));
        assert!(!same(&json!({"a": null}), &json!({})));
    }

    #[test]
    fn maps_include_others_and_lists_do_not() {
        let actual = json!({"a": {"b": 1, "c": [1, {"d": 2, "e": 3}]}, "f": null});
        for asked in [json!({}), json!({"a": {}}), json!({"a": {"b": 1.0}, "f": null}), json!({"a": {"c": [1, {"d": 2, "e": 3}]}})] {
            assert!(includes(&asked, &actual), "{asked}");
            assert!(same(&asked, &excerpt(&asked, &actual)), "{asked}");
        }
        for asked in [json!({"g": null}), json!({"a": {"b": 2}}), json!({"a": {"c": [1, {"d": 2}]}}), json!({"a": {"c": [1]}}), json!([])] {
            assert!(!includes(&asked, &actual), "{asked}");
            assert!(!same(&asked, &excerpt(&asked, &actual)), "{asked}");
        }
    }

    #[test]
    fn only_what_differs_is_marked() {
        let text = between(&json!({"b": 1, "a": 2}), &json!({"a": 2, "b": 3}));
        assert_eq!(text, "--- expected\n+++ actual\n@@ -1,4 +1,4 @@\n {\n   \"a\": 2,\n-  \"b\": 1\n+  \"b\": 3\n }");
    }
}
