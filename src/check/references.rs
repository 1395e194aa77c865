//! References between schemas lead to the connector's own types.

use serde_json::Value;

use super::codes::{REFERENCE_LEADS_OUT, UNKNOWN_TYPE};
use super::findings::{Findings, did_you_mean};
use super::subschemas;
use crate::flow::finding::At;
use crate::manifest::{Document, Ordered, Schema};
use crate::model::Place;

pub(super) fn check(findings: &mut Findings<'_>) {
    let bundle = findings.bundle;
    subschemas::of_manifest(&bundle.manifest, &mut |schema, path| lead_to_types(findings, &bundle.document, schema, path));
}

/// Tells which references of a schema of a file lead nowhere.
pub(super) fn lead_to_types(findings: &mut Findings<'_>, document: &Document, schema: &Value, path: &At<'_>) {
    subschemas::each(schema, path, &mut |schema, path| {
        for keyword in ["$ref", "$dynamicRef"] {
            if let Some(Value::String(reference)) = schema.get(keyword) {
                follow(reference, document.place(&path.key(keyword).pointer()), findings);
            }
        }
    });
}

fn follow(reference: &str, place: Place, findings: &mut Findings<'_>) {
    let manifest = &findings.bundle.manifest;
    let Some(target) = reference.strip_prefix("#/types/") else {
        let message = format!("the reference `{reference}` leads out of the connector's types");
        let hint = "Move the schema to `types` and refer to it as `#/types/Name`.";
        return findings.broken(REFERENCE_LEADS_OUT, place, message, hint);
    };
    let (name, inside) = target.split_once('/').map_or((target, None), |(name, inside)| (name, Some(inside)));
    let hint = match manifest.types.get(name) {
        None => did_you_mean(name, manifest.types.names(), &format!("Declare `{name}` under `types`, or correct the name.")),
        Some(schema) if inside.is_none_or(|inside| schema.0.pointer(&format!("/{inside}")).is_some()) => return,
        Some(_) => known(&manifest.types),
    };
    findings.broken(UNKNOWN_TYPE, place, format!("the type `{target}` is not declared"), hint);
}

fn known(types: &Ordered<Schema>) -> String {
    let names: Vec<_> = types.names().take(20).map(|name| format!("`{name}`")).collect();
    format!("Refer to one of {}, or to something inside it that exists.", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::sample;

    #[test]
    fn references_lead_to_types() {
        assert_eq!(sample::report(|sample| sample.replace("#/types/Thing", "#/types/Thnig")), ["SB162 error 26:21"]);
        let nested = sample::report(|sample| sample.replace("name: { type: string }", "name: { anyOf: [{ $ref: \"#/types/Name\" }] }"));
        assert_eq!(nested, ["SB162 error 44:31"]);
        for (reference, place) in [("#/types/Thing/properties/nmae", "26:21"), ("#/types/", "26:21")] {
            assert_eq!(
                sample::report(|sample| sample.replace("#/types/Thing", reference)),
                [format!("SB162 error {place}")],
                "{reference}"
            );
        }
    }

    #[test]
    fn a_misspelt_type_is_guessed() {
        let found = sample::problems(|sample| sample.replace("#/types/Thing", "#/types/Thnig"));
        assert_eq!(found[0].hint.as_deref(), Some("Did you mean `Thing`?"));
    }

    #[test]
    fn references_stay_within_the_manifest() {
        for reference in
            ["https://example.com/schema.json", "other.yaml#/types/Thing", "#/actions/get-thing/input", "#", "file:///etc/passwd"]
        {
            assert_eq!(sample::report(|sample| sample.replace("#/types/Thing", reference)), ["SB161 error 26:21"], "{reference}");
        }
    }

    #[test]
    fn references_to_a_part_of_a_type_and_to_oneself_are_fine() {
        assert_eq!(sample::report(|sample| sample.replace("#/types/Thing", "#/types/Thing/properties/name")), Vec::<String>::new());
        let tree = "name: { type: array, items: { $ref: \"#/types/Thing\" } }";
        assert_eq!(sample::report(|sample| sample.replace("name: { type: string }", tree)), Vec::<String>::new());
    }

    #[test]
    fn an_example_that_looks_like_a_reference_is_none() {
        let example = "name: { type: string, default: { $ref: nowhere }, examples: [{ $ref: nowhere }] }";
        assert_eq!(sample::report(|sample| sample.replace("name: { type: string }", example)), Vec::<String>::new());
    }
}
