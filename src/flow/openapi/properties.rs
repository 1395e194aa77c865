//! Whatever a description and the values for it are: no panic, no request that leads elsewhere, and no long time.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::Url;

use super::tests::{THREE, TWO};
use super::{Description, source};

/// Words that mean something in a description, and some that do not.
const WORDS: [&str; 36] = [
    "$ref",
    "#/paths",
    "#/definitions/Animal",
    "#/components/schemas/Animal",
    "#",
    "in",
    "path",
    "query",
    "header",
    "cookie",
    "formData",
    "body",
    "style",
    "matrix",
    "label",
    "deepObject",
    "pipeDelimited",
    "cookie",
    "explode",
    "type",
    "object",
    "file",
    "content",
    "schema",
    "servers",
    "url",
    "{scheme}://{x}",
    "/{a}/{b",
    "..",
    "host",
    "2.0",
    "é\n;",
    "allOf",
    "properties",
    "required",
    "*/*",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let map = prop::collection::vec((word(), inner.clone()), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect()));
        prop_oneof![prop::collection::vec(inner, 0..4).prop_map(Value::Array), map]
    })
}

/// Puts another value in place of the one that some number chooses.
fn mutate(value: &mut Value, choice: &mut usize, new: &Value) {
    if *choice == 0 {
        *value = new.clone();
    }
    *choice = choice.wrapping_sub(1);
    let inner: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(list) => Box::new(list.iter_mut()),
        Value::Object(map) => Box::new(map.values_mut()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    inner.for_each(|inner| mutate(inner, choice, new));
}

const NAMES: [&str; 16] = [
    "animalId", "animal", "note", "photo", "kind", "fields", "id", "size", "room", "session", "filter", "where", "name", "body", "q",
    "region",
];

fn given() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![8 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), 1 => word()];
    prop::collection::vec((name, value()), 0..8).prop_map(|entries| entries.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    #[test]
    fn mutated_descriptions_never_panic(
        two in any::<bool>(), changes in prop::collection::vec((0..400_usize, value()), 0..4), given in given(), has_address in any::<bool>(),
    ) {
        let mut root = source::read(if two { TWO } else { THREE }.as_bytes()).unwrap();
        for (mut choice, new) in changes {
            mutate(&mut root, &mut choice, &new);
        }
        let at = has_address.then(|| Url::parse("https://docs.example.com/a/b").unwrap());
        if let Ok(description) = Description::read("f", root.to_string().as_bytes()) {
            for id in description.operations.keys() {
                if let Ok(request) = description.request(id, &given, at.as_ref()) {
                    prop_assert!(request.url.host_str().is_some() && matches!(request.url.scheme(), "http" | "https"));
                    prop_assert!(request.headers.iter().all(|(_, value)| !value.contains(['\r', '\n', '\0'])), "{:?}", request.headers);
                }
            }
        }
    }

    #[test]
    fn a_value_stays_in_its_place(id in any::<String>(), tag in any::<String>()) {
        let description = Description::read("f", TWO.as_bytes()).unwrap();
        let get = json!({ "animalId": id, "fields": [tag] });
        if let Ok(request) = description.request("getAnimal", get.as_object().unwrap(), None) {
            prop_assert_eq!(request.url.host_str(), Some("shelter.example.com"));
            prop_assert_eq!(request.url.path_segments().unwrap().count(), 3);
            prop_assert_eq!(request.url.query_pairs().next().unwrap().1, tag);
        } else {
            prop_assert!(["", ".", ".."].contains(&id.as_str()) || id.len() > 10_000);
        }
    }

    #[test]
    fn mangled_bytes_never_panic(at in 0..4_000_usize, bytes in prop::collection::vec(any::<u8>(), 0..6), json in any::<bool>()) {
        let text = if json { source::read(THREE.as_bytes()).unwrap().to_string() } else { THREE.to_owned() };
        let mut text = text.into_bytes();
        let end = text.len().min(at + bytes.len());
        text.splice(at.min(end)..end, bytes);
        let _ = Description::read("f", &text);
    }
}

#[test]
fn hostile_descriptions_take_no_long_time() {
    let wide: Map<String, Value> = (0..5_000).map(|n| (format!("property-{n}"), json!({"$ref": "#/components/schemas/Wide"}))).collect();
    let many = vec![json!({"$ref": "#/components/schemas/Wide"}); 1_000];
    let chain: Map<String, Value> = (0..20).map(|n| (format!("{n}"), json!({"$ref": format!("#/chain/{}", n + 1)}))).collect();
    let template = "{x}".repeat(20_000);
    let paths: Map<String, Value> = (0..20_000).map(|n| (format!("/{n}"), json!({"$ref": "#/chain/0"}))).collect();
    let mut root = json!({
        "openapi": "3.0.0",
        "chain": chain,
        "servers": [{"url": format!("https://a.example/{template}"), "variables": {"x": {"default": "y".repeat(1_000_000)}}}],
        "components": {"schemas": {"Wide": {"properties": wide, "allOf": many, "oneOf": many}}},
        "paths": paths,
    });
    let body = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wide"}}}});
    let servers = json!([{"url": "https://a.example"}]);
    root["paths"]["/wide"] =
        json!({"post": {"operationId": "wide", "requestBody": body, "servers": servers}, "get": {"operationId": "long"}});
    root["paths"][&template] = json!({"get": {"operationId": "template"}});
    let started = Instant::now();
    let description = Description::read("f", root.to_string().as_bytes()).unwrap();
    let given = json!({"property-1": 1, "property-9": 2, "other": {"a": 1}});
    let _ = description.request("wide", given.as_object().unwrap(), None);
    assert!(description.request("long", &Map::new(), None).unwrap_err().contains("longer than"));
    assert!(description.request(&"w".repeat(100_000), &Map::new(), None).unwrap_err().contains("no operation"));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
