//! What flows say that is not what their author means, as far as that is certain without running them.

use serde_json::{Map, Value};

use super::codes::NO_SUCH_VARIABLE;
use super::findings::{Findings, did_you_mean};
use crate::flow::finding::At;
use crate::flow::variables_of;
use crate::manifest::{Schema, Tasks};

pub(super) fn check(findings: &mut Findings<'_>) {
    let actions = At::base("/actions");
    for (name, action) in findings.bundle.manifest.actions.iter() {
        if let (Some(Tasks(tasks)), Some(input)) = (&action.tasks, action.input.as_ref().and_then(Input::of)) {
            first_path(findings, tasks, &actions.key(name).key("do"), &input);
        }
    }
}

/// The names that an input may have, where its schema tells all of them.
struct Input<'a> {
    properties: &'a Map<String, Value>,
    /// Whether the schema refuses any other name.
    closed: bool,
}

impl<'a> Input<'a> {
    /// Nothing where names may come from elsewhere than `properties`.
    fn of(Schema(schema): &'a Schema) -> Option<Self> {
        const ELSEWHERE: [&str; 12] = [
            "$ref",
            "$dynamicRef",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "then",
            "else",
            "dependentSchemas",
            "patternProperties",
            "propertyNames",
        ];
        let schema = schema.as_object().filter(|schema| !ELSEWHERE.iter().any(|keyword| schema.contains_key(*keyword)))?;
        let closed = ["additionalProperties", "unevaluatedProperties"].iter().any(|key| schema.get(*key) == Some(&Value::Bool(false)));
        let properties = schema.get("properties").and_then(Value::as_object)?;
        let is_open =
            ["additionalProperties", "unevaluatedProperties"].iter().any(|key| schema.get(*key).is_some_and(|more| more != false));
        (closed || !is_open).then_some(Self { properties, closed })
    }
}

/// The path of the first request, if it is sent with nothing but the action's input: names that the input does not have.
fn first_path(findings: &mut Findings<'_>, tasks: &Value, at: &At<'_>, input: &Input<'_>) {
    let Some((name, task)) = tasks.get(0).and_then(Value::as_object).and_then(|entry| entry.iter().next()) else { return };
    let (index, first) = (at.index(0), task.as_object());
    let at = index.key(name);
    // A task that is skipped, or gone back to, need not see the action's input.
    let Some(task) = first.filter(|task| !task.contains_key("if") && !task.contains_key("input")) else { return };
    if goes_back(tasks, name) {
        return;
    }
    for inner in ["do", "try"].iter().filter(|inner| task.contains_key(**inner) && !task.contains_key("for")) {
        first_path(findings, &task[*inner], &at.key(inner), input);
    }
    let path = task.get("with").filter(|_| task.get("call").is_some_and(|call| call == "request")).and_then(|with| with.get("path"));
    for variable in path.and_then(Value::as_str).map(variables_of).unwrap_or_default() {
        if !input.properties.contains_key(&variable) {
            let place = findings.value(&at.key("with").key("path"));
            let message = format!("`{{{variable}}}` of the path is no property of the action's input, so the request cannot be sent");
            let hint =
                did_you_mean(&variable, input.properties.keys().map(String::as_str), "Declare it in the action's `input`, or correct it.");
            if input.closed {
                findings.broken(NO_SUCH_VARIABLE, place, message, hint);
            } else {
                findings.advised(NO_SUCH_VARIABLE, place, message, hint);
            }
        }
    }
}

/// Whether some task of the list leads back to the one of this name.
fn goes_back(tasks: &Value, name: &str) -> bool {
    tasks.as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(Map::values).any(|task| leads_to(task, name))
}

fn leads_to(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| (key == "then" && value == name) || leads_to(value, name)),
        Value::Array(items) => items.iter().any(|item| leads_to(item, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn the_first_paths_variables_are_the_inputs() {
        let path = |path: &str, input: &str| {
            let found = sample::problems(|sample| {
                sample.replace("/things/{id}", path);
                sample.replace("properties: { id: { type: string } } }", input);
            });
            found
                .iter()
                .map(|problem| format!("{} {} {}", problem.code, problem.severity, problem.hint.clone().unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let open = "properties: { id: { type: string } } }";
        let closed = "properties: { id: { type: string } }, additionalProperties: false }";
        assert_eq!(path("/things/{id}", closed), Vec::<String>::new());
        assert_eq!(path("/things/{ids}", closed), ["SB231 error Did you mean `id`?"]);
        assert_eq!(path("/things/{ids}", open), ["SB231 warning Did you mean `id`?"]);
        assert_eq!(path("/x/{other}", open), ["SB231 warning Declare it in the action's `input`, or correct it."]);
        for undecided in [
            "additionalProperties: true }",
            "patternProperties: { a: {} }, properties: { id: {} } }",
            "properties: { id: {} }, anyOf: [{}] }",
        ] {
            assert_eq!(path("/things/{ids}", undecided), Vec::<String>::new(), "{undecided}");
        }
    }

    #[test]
    fn paths_that_may_see_other_data_are_left_alone() {
        let flow =
            |flow: &str| sample::report(|sample| sample.replace("{ call: request, with: { method: get, path: \"/things/{id}\" } }", flow));
        let call = "call: request, with: { method: get, path: \"/things/{ids}\" }";
        assert_eq!(flow(&format!("{{ do: [{{ inner: {{ {call} }} }}] }}")), ["SB231 warning 29:74"]);
        assert_eq!(flow(&format!("{{ try: [{{ inner: {{ {call} }} }}], catch: {{}} }}")), ["SB231 warning 29:75"]);
        for other in [
            format!("{{ {call}, input: {{ from: '{{ids: .id}}' }} }}"),
            format!("{{ {call}, if: .ids }}"),
            format!("{{ set: {{ ids: 1 }} }}\n      - next: {{ {call} }}"),
            format!("{{ {call} }}\n      - again: {{ set: {{ ids: 1 }}, then: get }}"),
            format!("{{ for: {{ each: x, in: .y }}, do: [{{ inner: {{ {call} }} }}] }}"),
        ] {
            assert_eq!(flow(&other), Vec::<String>::new(), "{other}");
        }
    }
}
