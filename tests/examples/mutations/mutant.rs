//! Changes of a manifest's flows, one at a time: something is left out, or says something else.

use serde_json::{Value, json};
use switchboard::manifest::Document;

use super::words::changed;

/// A manifest with one change.
pub struct Mutant {
    pub line: u32,
    pub pointer: String,
    pub what: String,
    pub manifest: Value,
}

impl Mutant {
    /// Whether a case runs the flow that is changed, as far as that can be seen without running it.
    pub fn is_of(&self, case: &Value) -> bool {
        let mut steps = self.pointer.split('/').skip(1);
        match (steps.next(), steps.next()) {
            (Some("actions"), name) => case["action"].as_str() == name,
            (Some("triggers"), name) => case["trigger"].as_str() == name,
            _ => case["testConnection"] == true,
        }
    }
}

/// What stands where it is left out, so that nothing is changed by that.
const USUAL: [(&str, &str); 1] = [("algorithm", "sha256")];

/// What becomes of a value.
enum Change {
    Drop,
    To(Value),
}

/// Every change of a manifest's flows, and of what they share: in the order of the lines.
pub fn mutants(document: &Document) -> Vec<Mutant> {
    let mut changes = Vec::new();
    for pointer in flows(document.value()) {
        let value = document.value().pointer(&pointer).unwrap();
        let errors: Vec<&str> = document.value()["errors"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        Walk { errors: &errors, changes: &mut changes }.visit(&pointer, value);
    }
    let mutant = |(pointer, what, change): (String, String, Change)| {
        let mut manifest = document.value().clone();
        apply(&mut manifest, &pointer, change);
        Mutant { line: document.key_place(&pointer).line, pointer, what, manifest }
    };
    let mut mutants: Vec<Mutant> = changes.into_iter().map(mutant).collect();
    mutants.sort_by_key(|mutant| mutant.line);
    mutants
}

/// Where the flows stand, and what else decides what they do. Titles, descriptions, schemas and declared errors do not.
fn flows(manifest: &Value) -> Vec<String> {
    let shared = ["baseUrl", "hosts", "authentication", "errors", "retry", "rateLimit", "test/do"];
    let mut pointers: Vec<String> = shared.iter().map(|key| format!("/connection/{key}")).collect();
    let names =
        |section: &str| -> Vec<String> { manifest[section].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect() };
    pointers.extend(names("actions").iter().map(|name| format!("/actions/{name}/do")));
    for name in names("triggers") {
        pointers.extend(["on", "deduplicateBy", "cursor", "do"].map(|key| format!("/triggers/{name}/{key}")));
    }
    pointers.retain(|pointer| manifest.pointer(pointer).is_some());
    pointers
}

struct Walk<'w> {
    errors: &'w [&'w str],
    changes: &'w mut Vec<(String, String, Change)>,
}

impl Walk<'_> {
    fn change(&mut self, pointer: &str, what: String, change: Change) {
        self.changes.push((pointer.to_owned(), what, change));
    }

    fn to(&mut self, pointer: &str, from: &Value, to: Value) {
        self.change(pointer, format!("{from} becomes {to}"), Change::To(to));
    }

    fn visit(&mut self, pointer: &str, value: &Value) {
        let key = pointer.rsplit('/').next().unwrap();
        match value {
            // Tests send their requests to wherever the webhook is.
            _ if pointer.ends_with("/on/webhook/path") || key == "metadata" => {}
            Value::Null => {}
            Value::Bool(truth) => self.to(pointer, value, json!(!truth)),
            Value::Number(number) => self.to(pointer, value, json!(number.as_i64().unwrap() + 1)),
            Value::String(text) if key == "raise" => {
                let other = self.errors.iter().find(|error| *error != text).copied().unwrap_or("nothing");
                self.to(pointer, value, json!(other));
            }
            Value::String(text) if key == "then" => {
                let other = if text == "end" { "continue" } else { "end" };
                self.to(pointer, value, json!(other));
            }
            Value::String(text) => changed(text).into_iter().for_each(|changed| self.to(pointer, value, json!(changed))),
            Value::Array(items) => self.list(pointer, items),
            Value::Object(map) => {
                for (key, value) in map {
                    let is_usual = USUAL.iter().any(|(usual, what)| usual == key && value == what);
                    let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    // Without its only key a list item is nothing at all.
                    let is_item = pointer.rsplit('/').nth(1).unwrap().bytes().all(|byte| byte.is_ascii_digit());
                    if !is_usual && (map.len() > 1 || !is_item) {
                        self.change(&pointer, "left out".to_owned(), Change::Drop);
                    }
                    self.visit(&pointer, value);
                }
            }
        }
    }

    fn list(&mut self, pointer: &str, items: &[Value]) {
        for (index, item) in items.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            self.change(&pointer, "left out".to_owned(), Change::Drop);
            self.visit(&pointer, item);
        }
        if pointer.ends_with("/switch") {
            (1..items.len()).for_each(|index| self.swap(pointer, items, index));
        }
    }

    /// Two neighbouring branches of a `switch` lead where the other does.
    fn swap(&mut self, pointer: &str, items: &[Value], index: usize) {
        let (one, other) = (branch(&items[index - 1])["then"].clone(), branch(&items[index])["then"].clone());
        if one != other {
            let mut swapped = items.to_vec();
            branch_mut(&mut swapped[index - 1])["then"] = other;
            branch_mut(&mut swapped[index])["then"] = one;
            self.change(pointer, format!("branches {index} and {} are swapped", index + 1), Change::To(Value::Array(swapped)));
        }
    }
}

fn branch(item: &Value) -> &Value {
    item.as_object().unwrap().values().next().unwrap()
}

fn branch_mut(item: &mut Value) -> &mut Value {
    item.as_object_mut().unwrap().values_mut().next().unwrap()
}

fn apply(manifest: &mut Value, pointer: &str, change: Change) {
    match change {
        Change::To(value) => *manifest.pointer_mut(pointer).unwrap() = value,
        Change::Drop => {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            match manifest.pointer_mut(parent).unwrap() {
                Value::Array(items) => drop(items.remove(key.parse().unwrap())),
                Value::Object(map) => drop(map.shift_remove(&key.replace("~1", "/").replace("~0", "~")).unwrap()),
                other => panic!("{other} holds nothing"),
            }
        }
    }
}
